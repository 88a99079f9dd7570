#include "model/hf_tensors_writer.h"

#include <algorithm>
#include <map>

#include "tensor/quantize.h"

namespace rival::model {
namespace {

constexpr uint64_t kPieceValues = 4u << 20;

// The first name of a role: the row's own, or the common one. nullptr if it has none.
const HfName* name_of(const Architecture& architecture, std::string_view role) {
  for (const auto names : {architecture.hf_names, common_hf_names()})
    for (const HfName& name : names)
      if (name.role == role) return &name;
  return nullptr;
}

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out(text);
  if (const size_t at = out.find(what); at != out.npos) out.replace(at, what.size(), with);
  return out;
}

bool is_vector(std::string_view role) {
  return role.ends_with(".bias") || role.find("norm") != role.npos || role.starts_with("attn_sinks");
}

class Planner {
 public:
  Planner(const Architecture& architecture, const ModelConfig& config, WeightFile& file)
      : architecture_(architecture), config_(config), file_(file) {}

  Result<std::vector<HfTensor>> run() {
    const Roles roles = roles_of(architecture_);
    for (const std::string_view role : roles.model)
      if (role != "output.weight") RIVAL_RETURN_IF_ERROR(add(role, role, ""));
    for (size_t layer = 0; layer < config_.layers.size(); ++layer)
      for (const std::string_view role : roles.layer)
        RIVAL_RETURN_IF_ERROR(add(fmt::format("blk.{}.{}", layer, role), role, std::to_string(layer)));
    RIVAL_RETURN_IF_ERROR(add("output.weight", "output.weight", ""));
    for (const char* name : {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}) {
      RIVAL_ASSIGN_OR_RETURN(const auto known, file_.find(name));  // they stand in config.json
    }
    if (const std::string unused = file_.unused(); !unused.empty())
      return make_error(ErrorCode::kUnsupported, "tensor {} has no place in a Hugging Face folder of {}",
                        format::quote_name(unused), architecture_.hf_type);
    return std::move(tensors_);
  }

 private:
  Status add(std::string_view full_role, std::string_view role, const std::string& layer) {
    const HfName* name = name_of(architecture_, role);
    if (name == nullptr) return {};
    RIVAL_ASSIGN_OR_RETURN(auto stored, file_.find(full_role));
    if (!stored) return {};
    const std::string prefix = role == "output.weight" ? "" : std::string(architecture_.hf_prefix);
    const std::string spelled = prefix + replaced(name->name, "{n}", layer);
    HfPart part{.stored = std::move(*stored)};
    if (role.ends_with("norm.weight")) part.offset = -architecture_.hf_norm_offset;
    const bool turns = role.starts_with("attn_q.") || role.starts_with("attn_k.");
    if (turns && architecture_.gguf_rope == RopeStyle::kAdjacent) {
      part.head_dim = config_.head_dim_k;
      part.rope_dim = config_.rope_dim;
    }
    if (name->layout != HfLayout::kEachExpert) return place(spelled, role, name->layout, std::move(part));
    for (size_t expert = 0; expert < part.stored.matrices.size(); ++expert) {
      HfPart one = part;
      one.stored.matrices = {part.stored.matrices[expert]};
      RIVAL_RETURN_IF_ERROR(place(replaced(spelled, "{e}", std::to_string(expert)), role, HfLayout::kPlain, std::move(one)));
    }
    return {};
  }

  // Says where the part goes, and adds it to its tensor.
  Status place(const std::string& name, std::string_view role, HfLayout layout, HfPart part) {
    const uint64_t rows = part.stored.rows, cols = part.stored.cols, matrices = part.stored.matrices.size();
    HfTensor tensor{.name = name, .matrices = matrices, .rows = rows, .cols = cols};
    part.row_step = cols;
    switch (layout) {
      case HfLayout::kTransposed:
      case HfLayout::kStackedTransposed:
        tensor.rows = cols;
        tensor.cols = part.col_step = rows;
        part.row_step = 1;
        break;
      case HfLayout::kStackedEven:
      case HfLayout::kStackedOdd:
        part.first = layout == HfLayout::kStackedOdd ? 1 : 0;
        if (role.ends_with(".bias")) {
          tensor.cols = part.row_step = 2 * cols;
          part.col_step = 2;
        } else {
          tensor.rows = cols;
          tensor.cols = part.col_step = 2 * rows;
          part.row_step = 2;
        }
        break;
      case HfLayout::kStackedFirst:
      case HfLayout::kStackedSecond:
        tensor.rows = 2 * rows;
        part.first = layout == HfLayout::kStackedSecond ? rows * cols : 0;
        break;
      case HfLayout::kPlain:
      case HfLayout::kEachExpert:
      case HfLayout::kStackedPlain:
        tensor.by_rows = true;
    }
    if (layout >= HfLayout::kStackedPlain && !role.ends_with(".bias"))
      tensor.shape.push_back(matrices);
    if (!is_vector(role) || tensor.rows > 1) tensor.shape.push_back(tensor.rows);
    tensor.shape.push_back(tensor.cols);
    const auto [at, is_new] = places_.try_emplace(name, tensors_.size());
    if (is_new) tensors_.push_back(std::move(tensor));
    HfTensor& all = tensors_[at->second];
    if (!is_new && (all.shape != tensor.shape || all.by_rows))
      return make_error(ErrorCode::kCorrupt, "tensor {} does not fit beside {}", format::quote_name(part.stored.name),
                        format::quote_name(all.parts[0].stored.name));
    all.parts.push_back(std::move(part));
    return {};
  }

  const Architecture& architecture_;
  const ModelConfig& config_;
  WeightFile& file_;
  std::vector<HfTensor> tensors_;
  std::map<std::string, size_t> places_;
};

// Rows [begin, end) of matrix `matrix` of the part go to `out`, which starts at row `begin` if the part lies by rows.
void scatter(const HfPart& part, uint64_t matrix, uint64_t begin, uint64_t end, ThreadTeam& team, float* out) {
  team.run([&](uint32_t thread) {
    const uint64_t cols = part.stored.cols;
    std::vector<float> row(cols);
    for (uint64_t r = begin + thread; r < end; r += team.size()) {
      decode_row(part.stored, matrix * part.stored.rows + r, row.data());
      const bool vector = part.stored.rows == 1;
      const uint64_t to = part.head_dim > 0 && !vector ? hf_row(r, part.head_dim, part.rope_dim) : r;
      float* place = out + part.first + (to - begin) * part.row_step;
      for (uint64_t c = 0; c < cols; ++c) {
        const uint64_t column = part.head_dim > 0 && vector ? hf_row(c, part.head_dim, part.rope_dim) : c;
        place[column * part.col_step] = row[c] + part.offset;
      }
    }
  });
}

Status encode(std::span<const float> values, DType type, std::vector<std::byte>& bytes, ThreadTeam& team,
              const format::TensorSink& sink) {
  const uint64_t size = row_bytes(type, 1);
  bytes.resize(values.size() * size);
  team.run([&](uint32_t thread) {
    const uint64_t first = values.size() * thread / team.size(), last = values.size() * (thread + 1) / team.size();
    quantize_row(type, values.data() + first, bytes.data() + first * size, last - first);
  });
  return sink(bytes);
}

// How many rows are written at once: whole heads where rows move inside of one.
uint64_t piece_rows(const HfTensor& tensor) {
  if (!tensor.by_rows) return tensor.rows;
  const uint64_t unit = std::max<uint64_t>(1, tensor.parts[0].head_dim);
  return std::max(unit, kPieceValues / tensor.cols / unit * unit);
}

}  // namespace

Result<std::vector<HfTensor>> hf_tensors(const Architecture& architecture, const ModelConfig& config, WeightFile& file) {
  return Planner(architecture, config, file).run();
}

Status write_hf_tensor(const HfTensor& tensor, DType type, ThreadTeam& team, const format::TensorSink& sink) {
  std::vector<float> values;
  std::vector<std::byte> bytes;
  const uint64_t step = piece_rows(tensor);
  for (uint64_t matrix = 0; matrix < tensor.matrices; ++matrix)
    for (uint64_t begin = 0; begin < tensor.rows; begin += step) {
      const uint64_t end = std::min(tensor.rows, begin + step);
      values.assign((end - begin) * tensor.cols, 0.0f);
      for (const HfPart& part : tensor.parts)
        scatter(part, matrix, tensor.by_rows ? begin : 0, tensor.by_rows ? end : part.stored.rows, team, values.data());
      RIVAL_RETURN_IF_ERROR(encode(values, type, bytes, team, sink));
    }
  return {};
}

}  // namespace rival::model
