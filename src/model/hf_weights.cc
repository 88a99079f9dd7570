#include <array>
#include <unordered_set>

#include "model/hf_names.h"
#include "model/weight_file.h"

namespace rival::model {
namespace {

// Where a model's own tensors stand inside a folder's names; the first under which a name exists is taken.
constexpr std::string_view kPrefixes[] = {"",
                                          "model.",
                                          "transformer.",
                                          "bert.",
                                          "language_model.",
                                          "language_model.model.",
                                          "model.language_model."};

// Tensors that are no part of the language model, or that follow from the configuration.
constexpr std::string_view kIgnoredEnds[] = {"rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias",
                                             "position_ids", "token_type_ids"};
constexpr std::string_view kIgnoredParts[] = {
    "vision_tower.", "vision_model.",    "multi_modal_projector.", "mm_projector.",
    "pooler.",       "cls.predictions.", "cls.seq_relationship."};

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  const size_t at = text.find(what);
  if (at == std::string_view::npos) return std::string(text);
  return std::string(text.substr(0, at)) + std::string(with) + std::string(text.substr(at + what.size()));
}

// "blk.3.attn_q.weight": layer "3" and role "attn_q.weight"; no layer at the ends of the model.
std::pair<std::string_view, std::string_view> split_layer(std::string_view name) {
  if (!name.starts_with("blk.")) return {"", name};
  const size_t dot = name.find('.', 4);
  return {name.substr(4, dot - 4), name.substr(dot + 1)};
}

// The `count` matrices of [experts, second, first] (fastest last), each read as rows x cols with these
// strides.
struct Stack {
  uint64_t rows, cols, row_stride, col_stride;
  uint64_t first;  // element of each matrix where the part begins
};

StoredTensor stacked(const TensorView& tensor, const Stack& stack) {
  const uint64_t element = dtype_info(tensor.type).block_bytes;
  const uint64_t size = tensor.shape.dims[0] * tensor.shape.dims[1];
  StoredTensor stored{.name = tensor.name,
                      .type = tensor.type,
                      .matrices = {},
                      .rows = stack.rows,
                      .cols = stack.cols,
                      .row_stride = stack.row_stride,
                      .col_stride = stack.col_stride};
  for (uint64_t index = 0; index < tensor.shape.dims[2] * tensor.shape.dims[3]; ++index)
    stored.matrices.push_back(tensor.bytes.data() + (index * size + stack.first) * element);
  return stored;
}

StoredTensor view_as(const TensorView& tensor, HfLayout layout) {
  const uint64_t fast = tensor.shape.dims[0], slow = tensor.shape.dims[1];
  switch (layout) {
    case HfLayout::kTransposed:
    case HfLayout::kStackedTransposed:
      return stacked(tensor, {fast, slow, 1, fast, 0});
    case HfLayout::kStackedEven:
    case HfLayout::kStackedOdd: {
      const uint64_t first = layout == HfLayout::kStackedOdd ? 1 : 0;
      const bool bias = tensor.shape.dims[2] == 1 && tensor.name.ends_with("bias");
      if (bias) return stacked(tensor, {slow, fast / 2, fast, 2, first});
      return stacked(tensor, {fast / 2, slow, 2, fast, first});
    }
    case HfLayout::kStackedFirst:
      return stacked(tensor, {slow / 2, fast, fast, 1, 0});
    case HfLayout::kStackedSecond:
      return stacked(tensor, {slow / 2, fast, fast, 1, slow / 2 * fast});
    case HfLayout::kPlain:
    case HfLayout::kEachExpert:
    case HfLayout::kStackedPlain:
      break;
  }
  return stacked(tensor, {slow, fast, fast, 1, 0});
}

// One row of MXFP4 from transformers' layout (16 bytes a block of 32, a pair of neighbours in a byte; the
// exponents apart) to GGUF's: exponent, then bytes that hold values j and j + 16.
void relay_mxfp4_row(const std::byte* pairs, const std::byte* exponents, uint64_t blocks, std::byte* out) {
  for (uint64_t block = 0; block < blocks; ++block, pairs += 16, out += 17) {
    const auto nibble = [&](int index) {
      return index % 2 == 0 ? pairs[index / 2] & std::byte{15} : pairs[index / 2] >> 4;
    };
    out[0] = exponents[block];
    for (int j = 0; j < 16; ++j) out[1 + j] = nibble(j) | nibble(j + 16) << 4;
  }
}

class HfWeights : public WeightFile {
 public:
  HfWeights(std::shared_ptr<const format::SafetensorsFile> file, const Architecture& architecture)
      : file_(std::move(file)), architecture_(architecture) {}

  Result<std::optional<StoredTensor>> find(std::string_view role) override {
    const auto [layer, part] = split_layer(role);
    bool own = false;
    for (const auto names : {architecture_.hf_names, common_hf_names()}) {
      if (own) break;  // the row names this role in its own way
      for (const HfName& name : names) {
        if (name.role != part) continue;
        own = true;
        RIVAL_ASSIGN_OR_RETURN(auto found, find_named(name, replaced(name.name, "{n}", layer)));
        if (!found) continue;
        if (part.ends_with("norm.weight")) found->offset = architecture_.hf_norm_offset;
        return found;
      }
    }
    return std::optional<StoredTensor>();
  }

  std::string unused() const override {
    for (const TensorView& tensor : file_->tensors())
      if (!used_.contains(&tensor) && !ignored(tensor.name)) return tensor.name;
    return "";
  }

  std::vector<std::shared_ptr<const MappedFile>> files() const override {
    const auto files = file_->table().files();
    return {files.begin(), files.end()};
  }

  std::vector<std::shared_ptr<const std::vector<std::byte>>> buffers() const override { return buffers_; }

  uint64_t bytes() const override {
    uint64_t sum = 0;
    for (const TensorView& tensor : file_->tensors()) sum += tensor.bytes.size();
    return sum;
  }

 private:
  static bool ignored(std::string_view name) {
    for (const std::string_view end : kIgnoredEnds)
      if (name.ends_with(end)) return true;
    for (const std::string_view part : kIgnoredParts)
      if (name.find(part) != std::string_view::npos) return true;
    return false;
  }

  const TensorView* take(const std::string& name) {
    for (const std::string_view prefix : kPrefixes) {
      const TensorView* tensor = file_->find_tensor(std::string(prefix) + name);
      if (tensor == nullptr) continue;
      used_.insert(tensor);
      return tensor;
    }
    return nullptr;
  }

  Result<std::optional<StoredTensor>> find_named(const HfName& name, const std::string& spelled) {
    if (name.layout == HfLayout::kEachExpert) return find_each_expert(spelled);
    if (const TensorView* tensor = take(spelled)) return std::optional(view_as(*tensor, name.layout));
    const TensorView* blocks = take(spelled + "_blocks");
    if (blocks == nullptr) return std::optional<StoredTensor>();
    return relay_mxfp4(*blocks, spelled, name.layout);
  }

  Result<std::optional<StoredTensor>> find_each_expert(const std::string& spelled) {
    const TensorView* first = take(replaced(spelled, "{e}", "0"));
    if (first == nullptr) return std::optional<StoredTensor>();
    StoredTensor all = view_as(*first, HfLayout::kPlain);
    for (size_t expert = 1;; ++expert) {
      const TensorView* next = take(replaced(spelled, "{e}", std::to_string(expert)));
      if (next == nullptr) return std::optional(std::move(all));
      if (next->type != first->type || !(next->shape == first->shape))
        return make_error(ErrorCode::kCorrupt, "tensor {} differs in type or shape from {}",
                          format::quote_name(next->name), format::quote_name(first->name));
      all.matrices.push_back(next->bytes.data());
    }
  }

  // gpt-oss: NAME_blocks [experts, out, blocks, 16] and NAME_scales [experts, out, blocks], here once for
  // each part of a fused gate and up.
  Result<std::optional<StoredTensor>> relay_mxfp4(const TensorView& blocks, const std::string& spelled,
                                                  HfLayout layout) {
    const TensorView* scales = take(spelled + "_scales");
    const auto& dims = blocks.shape.dims;  // 16, blocks, out, experts
    const Shape expected = {{dims[1], dims[2], dims[3], 1}};
    if (dims[0] != 16 || scales == nullptr || !(scales->shape == expected) ||
        dtype_info(blocks.type).block_bytes != 1 || dtype_info(scales->type).block_bytes != 1)
      return make_error(ErrorCode::kCorrupt,
                        "tensor {} is no list of MXFP4 blocks of 16 bytes with a {}_scales",
                        format::quote_name(blocks.name), spelled);
    const bool part = layout == HfLayout::kStackedEven || layout == HfLayout::kStackedOdd;
    const uint64_t step = part ? 2 : 1, first = layout == HfLayout::kStackedOdd ? 1 : 0;
    const uint64_t rows = dims[2] / step, out_bytes = dims[1] * 17;
    auto buffer = std::make_shared<std::vector<std::byte>>(dims[3] * rows * out_bytes);
    StoredTensor stored{.name = blocks.name,
                        .type = DType::kMXFP4,
                        .matrices = {},
                        .rows = rows,
                        .cols = dims[1] * 32,
                        .row_stride = dims[1] * 32};
    for (uint64_t expert = 0; expert < dims[3]; ++expert) {
      stored.matrices.push_back(buffer->data() + expert * rows * out_bytes);
      for (uint64_t row = 0; row < rows; ++row) {
        const uint64_t from = expert * dims[2] + row * step + first;
        relay_mxfp4_row(blocks.bytes.data() + from * dims[1] * 16, scales->bytes.data() + from * dims[1],
                        dims[1], buffer->data() + (expert * rows + row) * out_bytes);
      }
    }
    buffers_.push_back(std::move(buffer));
    return std::optional(std::move(stored));
  }

  std::shared_ptr<const format::SafetensorsFile> file_;
  const Architecture& architecture_;
  std::unordered_set<const TensorView*> used_;
  std::vector<std::shared_ptr<const std::vector<std::byte>>> buffers_;
};

}  // namespace

std::unique_ptr<WeightFile> hf_weights(std::shared_ptr<const format::SafetensorsFile> file,
                                       const Architecture& architecture) {
  return std::make_unique<HfWeights>(std::move(file), architecture);
}

}  // namespace rival::model
