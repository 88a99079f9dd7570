#include <unordered_set>

#include "model/weight_file.h"

namespace rival::model {
namespace {

StoredTensor describe(const TensorView& tensor) {
  StoredTensor stored;
  stored.name = tensor.name;
  stored.type = tensor.type;
  stored.cols = stored.row_stride = tensor.shape.dims[0];
  stored.rows = tensor.shape.dims[1];
  const uint64_t matrix_bytes = stored.rows * row_bytes(tensor.type, stored.cols);
  for (uint64_t index = 0; index < tensor.shape.dims[2] * tensor.shape.dims[3]; ++index)
    stored.matrices.push_back(tensor.bytes.data() + index * matrix_bytes);
  return stored;
}

// "blk.3.attn_q.weight" with its role replaced: ("blk.3.", "attn_q.weight").
std::pair<std::string_view, std::string_view> split_layer(std::string_view name) {
  if (!name.starts_with("blk.")) return {"", name};
  const size_t dot = name.find('.', 4);
  return {name.substr(0, dot + 1), name.substr(dot + 1)};
}

class GgufWeights : public WeightFile {
 public:
  GgufWeights(std::shared_ptr<const format::GgufFile> file, const Architecture& architecture)
      : file_(std::move(file)), architecture_(architecture) {}

  Result<std::optional<StoredTensor>> find(std::string_view role) override {
    const auto [layer, part] = split_layer(role);
    // An alias comes first: gpt-oss stores its ffn_norm as post_attention_norm.
    for (const TensorAlias& alias : architecture_.aliases) {
      if (alias.role != part) continue;
      if (auto found = take(std::string(layer) + std::string(alias.name))) return found;
    }
    for (const TensorAlias& alias : architecture_.aliases)
      if (alias.name == part) return std::optional<StoredTensor>();
    if (auto found = take(std::string(role))) return found;
    return expert_by_expert(layer, part);
  }

  std::string unused() const override {
    for (const TensorView& tensor : file_->tensors())
      if (!used_.contains(&tensor)) return tensor.name;
    return "";
  }

  std::vector<std::shared_ptr<const MappedFile>> files() const override {
    const auto files = file_->table().files();
    return {files.begin(), files.end()};
  }

  uint64_t bytes() const override {
    uint64_t sum = 0;
    for (const TensorView& tensor : file_->tensors()) sum += tensor.bytes.size();
    return sum;
  }

 private:
  std::optional<StoredTensor> take(const std::string& name) {
    const TensorView* tensor = file_->find_tensor(name);
    if (tensor == nullptr) return std::nullopt;
    used_.insert(tensor);
    return describe(*tensor);
  }

  // Early Mixtral files: "blk.0.ffn_gate.7.weight" in place of a slice of "blk.0.ffn_gate_exps.weight".
  Result<std::optional<StoredTensor>> expert_by_expert(std::string_view layer, std::string_view part) {
    const size_t suffix = part.find("_exps.");
    if (suffix == std::string_view::npos) return std::optional<StoredTensor>();
    const std::string stem = std::string(layer) + std::string(part.substr(0, suffix)) + ".";
    const std::string tail(part.substr(suffix + 5));
    std::optional<StoredTensor> all = take(stem + "0" + tail);
    if (!all) return all;
    for (size_t expert = 1;; ++expert) {
      const auto next = take(stem + std::to_string(expert) + tail);
      if (!next) return all;
      if (next->type != all->type || next->rows != all->rows || next->cols != all->cols)
        return make_error(ErrorCode::kCorrupt, "tensor {} differs in type or shape from {}",
                          format::quote_name(next->name), format::quote_name(all->name));
      all->matrices.push_back(next->matrices[0]);
    }
  }

  std::shared_ptr<const format::GgufFile> file_;
  const Architecture& architecture_;
  std::unordered_set<const TensorView*> used_;
};

}  // namespace

std::unique_ptr<WeightFile> gguf_weights(std::shared_ptr<const format::GgufFile> file,
                                         const Architecture& architecture) {
  return std::make_unique<GgufWeights>(std::move(file), architecture);
}

}  // namespace rival::model
