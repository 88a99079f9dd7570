#include "eval/calibrate.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "model/activation_sums.h"

namespace rival::eval {
namespace {

Status read_window(model::Decoder& decoder, std::span<const text::TokenId> window) {
  model::SequenceSlice slice{.tokens = window, .position = 0, .pages = {}, .logits_count = 0};
  std::vector<float> out;
  if (!decoder.config().causal) return decoder.embed({&slice, 1}, out);
  std::vector<model::PageId> pages((window.size() + model::kPagePositions - 1) / model::kPagePositions);
  std::iota(pages.begin(), pages.end(), 0);
  slice.pages = pages;
  model::KvStore kv(decoder.config(), model::KvType::kF16, static_cast<uint32_t>(pages.size()));
  return decoder.forward({&slice, 1}, kv, out);
}

Status read_text(model::Decoder& decoder, std::span<const text::TokenId> tokens, uint32_t windows,
                 const CalibrateOptions& options) {
  for (uint32_t i = 0; i < windows; ++i) {
    const auto part = tokens.subspan(size_t{i} * options.context, options.context);
    std::vector<text::TokenId> window(part.begin(), part.end());
    if (options.bos) window[0] = *options.bos;
    RIVAL_RETURN_IF_ERROR(read_window(decoder, window));
    if (options.progress) options.progress(i + 1, windows);
  }
  return {};
}

}  // namespace

Result<format::ImportanceMatrix> calibrate(model::Decoder& decoder, std::span<const format::TensorSource> tensors,
                                           std::span<const text::TokenId> tokens, const CalibrateOptions& options) {
  if (options.context < 1 || tokens.size() < options.context)
    return make_error(ErrorCode::kInvalidArgument, "the text has {} tokens; a window is {}", tokens.size(),
                      options.context);
  auto windows = static_cast<uint32_t>(tokens.size() / options.context);
  if (options.windows_max > 0) windows = std::min(windows, options.windows_max);
  model::ActivationSums sums(decoder.config());
  decoder.observe(&sums);
  const Status read = read_text(decoder, tokens, windows, options);
  decoder.observe(nullptr);
  RIVAL_RETURN_IF_ERROR(read);
  format::ImportanceMatrix matrix = model::importance_of(sums, tensors);
  matrix.chunk_tokens = options.context;
  matrix.chunks = windows;
  return matrix;
}

}  // namespace rival::eval
