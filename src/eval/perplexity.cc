#include "eval/perplexity.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/logits.h"

namespace rival::eval {
namespace {

constexpr size_t kLogitsMax = 1u << 24;  // floats of one step: 64 MB
constexpr uint32_t kChunkMax = 512;      // tokens of one step

struct Sums {
  double nll = 0.0, squares = 0.0;
  uint64_t count = 0;

  void add(double x) { nll += x, squares += x * x, ++count; }
  double value() const { return std::exp(nll / static_cast<double>(count)); }
  double error() const {
    const double n = static_cast<double>(count);
    const double variance = squares / n - nll / n * (nll / n);
    return variance > 0.0 && count > 1 ? std::sqrt(variance / (n - 1.0)) * value() : 0.0;
  }
};

double negative_log_likelihood(std::span<const float> row, text::TokenId id) {
  const float largest = engine::max_logit(row);
  return std::log(engine::sum_exp(row, largest, 1.0f)) - (double{row[id]} - largest);
}

// Computes the window from nothing and scores what positions [context / 2, context - 1) predict.
Status score_window(engine::ForwardModel& model, std::span<const text::TokenId> window, Sums& sums) {
  const auto size = static_cast<uint32_t>(window.size());
  const uint32_t first = size / 2;
  std::vector<model::PageId> pages((size + model::kPagePositions - 1) / model::kPagePositions);
  std::iota(pages.begin(), pages.end(), 0);
  const size_t width = model.vocabulary_size();
  const auto scored_max = static_cast<uint32_t>(std::clamp<size_t>(kLogitsMax / width, 1, kChunkMax));
  std::vector<float> logits;
  for (uint32_t at = 0; at < size - 1;) {
    const uint32_t end = std::min(size - 1, at < first ? std::min(at + kChunkMax, first) : at + scored_max);
    const uint32_t rows = at < first ? 0 : end - at;
    const model::SequenceSlice slice{.tokens = window.subspan(at, end - at), .position = at, .pages = pages,
                                     .logits_count = rows};
    RIVAL_RETURN_IF_ERROR(model.forward({&slice, 1}, logits));
    std::vector<double> nll(rows);
    model.for_each(rows, [&](size_t i) {
      nll[i] = negative_log_likelihood(std::span(logits).subspan(i * width, width), window[at + i + 1]);
    });
    for (const double x : nll) sums.add(x);
    at = end;
  }
  return {};
}

Status check(const engine::ForwardModel& model, size_t tokens, uint32_t context) {
  if (context < 4) return make_error(ErrorCode::kInvalidArgument, "the context is {}; expected 4 or more", context);
  if (tokens < 2 * size_t{context})
    return make_error(ErrorCode::kInvalidArgument, "the text has {} tokens; a context of {} needs at least {}", tokens,
                      context, 2 * size_t{context});
  if (uint64_t{model.page_count()} * model::kPagePositions < context)
    return make_error(ErrorCode::kLimit, "{} KV pages do not hold a context of {}", model.page_count(), context);
  return {};
}

}  // namespace

Result<Perplexity> measure_perplexity(engine::ForwardModel& model, std::span<const text::TokenId> tokens,
                                      const PerplexityOptions& options) {
  RIVAL_RETURN_IF_ERROR(check(model, tokens.size(), options.context));
  uint32_t windows = static_cast<uint32_t>(tokens.size() / options.context);
  if (options.windows_max > 0) windows = std::min(windows, options.windows_max);
  Sums sums;
  for (uint32_t i = 0; i < windows; ++i) {
    const auto part = tokens.subspan(size_t{i} * options.context, options.context);
    std::vector<text::TokenId> window(part.begin(), part.end());
    if (options.bos) window[0] = *options.bos;
    RIVAL_RETURN_IF_ERROR(score_window(model, window, sums));
    if (options.progress) options.progress(i + 1, windows, sums.value());
  }
  if (!std::isfinite(sums.nll)) return make_error(ErrorCode::kInternal, "the model gave logits that are no numbers");
  return Perplexity{.value = sums.value(), .error = sums.error(), .tokens = sums.count, .windows = windows};
}

}  // namespace rival::eval
