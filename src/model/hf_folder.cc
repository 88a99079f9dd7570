#include "model/hf_folder.h"

#include "base/json.h"
#include "format/gguf.h"
#include "model/hf_config_writer.h"
#include "model/hf_tensors_writer.h"
#include "text/tokenizer_json_writer.h"

namespace rival::model {
namespace {

Result<DType> wanted_type(const HfFolderOptions& options, DType stored) {
  const DType type = options.type.value_or(stored);
  if (type == DType::kF32 || type == DType::kF16 || type == DType::kBF16) return type;
  if (!options.type) return DType::kBF16;
  return make_error(ErrorCode::kInvalidArgument, "a Hugging Face folder is written as F32, F16 or BF16, not as {}",
                    dtype_info(type).name);
}

Status write_json(const std::filesystem::path& path, const json::object& object) {
  return write_file_atomically(path, to_json_text(object) + "\n");
}

// How a sentence-transformers folder says how to pool.
Status write_pooling(const ModelConfig& config, const std::filesystem::path& folder) {
  if (config.pooling == Pooling::kNone) return {};
  json::array modules;
  const auto add = [&](std::string_view path, std::string_view type) {
    modules.push_back(json::object{{"idx", modules.size()},
                                   {"name", std::to_string(modules.size())},
                                   {"path", path},
                                   {"type", fmt::format("sentence_transformers.models.{}", type)}});
  };
  add("", "Transformer");
  add("1_Pooling", "Pooling");
  if (config.normalize_embedding) add("2_Normalize", "Normalize");
  RIVAL_RETURN_IF_ERROR(write_file_atomically(folder / "modules.json", to_json_text(modules) + "\n"));
  std::error_code error;
  std::filesystem::create_directories(folder / "1_Pooling", error);
  return write_json(folder / "1_Pooling" / "config.json",
                    {{"word_embedding_dimension", config.d_model},
                     {"pooling_mode_cls_token", config.pooling == Pooling::kCls},
                     {"pooling_mode_mean_tokens", config.pooling == Pooling::kMean},
                     {"pooling_mode_lasttoken", config.pooling == Pooling::kLast}});
}

Status write_texts(const ModelSource& model, const std::filesystem::path& folder) {
  if (!model.tokenizer) return {};
  const text::Vocabulary& vocabulary = model.tokenizer->vocabulary();
  RIVAL_ASSIGN_OR_RETURN(const json::object tokenizer, text::write_tokenizer_json(vocabulary));
  RIVAL_RETURN_IF_ERROR(write_json(folder / "tokenizer.json", tokenizer));
  json::object config = text::write_tokenizer_config(vocabulary);
  config["model_max_length"] = model.config.context_length;
  if (!model.chat_template.empty()) config["chat_template"] = model.chat_template;
  return write_json(folder / "tokenizer_config.json", config);
}

std::string_view torch_type(DType type) {
  return type == DType::kF32 ? "float32" : type == DType::kF16 ? "float16" : "bfloat16";
}

}  // namespace

Result<WriteReport> write_hf_folder(const std::filesystem::path& gguf, const std::filesystem::path& folder,
                                    ThreadTeam& team, const HfFolderOptions& options) {
  RIVAL_ASSIGN_OR_RETURN(const ModelSource model, open_model(gguf));
  RIVAL_ASSIGN_OR_RETURN(const Architecture* architecture, find_architecture(model.config.architecture));
  RIVAL_ASSIGN_OR_RETURN(auto file, format::GgufFile::open(gguf));
  const auto weights = gguf_weights(std::make_shared<const format::GgufFile>(std::move(file)), *architecture);
  RIVAL_ASSIGN_OR_RETURN(const auto tensors, hf_tensors(*architecture, model.config, *weights));
  RIVAL_ASSIGN_OR_RETURN(const DType type, wanted_type(options, model.token_embedding.type));
  RIVAL_ASSIGN_OR_RETURN(json::object config, write_hf_config(*architecture, model));
  config["torch_dtype"] = torch_type(type);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return make_error(ErrorCode::kIo, "{}: {}", folder.string(), error.message());
  RIVAL_RETURN_IF_ERROR(write_texts(model, folder));
  RIVAL_RETURN_IF_ERROR(write_pooling(model.config, folder));

  WriteReport report{.bytes_before = model.bytes};
  std::vector<format::SafetensorsPlan> plan;
  for (const HfTensor& tensor : tensors) {
    plan.push_back({tensor.name, type, tensor.shape});
    const uint64_t weights_count = tensor.matrices * tensor.rows * tensor.cols;
    ++report.tensors[type];
    report.weights += weights_count;
    report.bytes_after += weights_count * row_bytes(type, 1);
  }
  uint64_t written = 0;
  const auto produce = [&](size_t index, const format::TensorSink& sink) {
    return write_hf_tensor(tensors[index], type, team, [&](std::span<const std::byte> bytes) {
      written += bytes.size();
      if (options.on_progress) options.on_progress(written, report.bytes_after);
      return sink(bytes);
    });
  };
  RIVAL_RETURN_IF_ERROR(
      format::write_safetensors(folder, plan, produce, {.shard_bytes_max = options.shard_bytes_max}));
  RIVAL_RETURN_IF_ERROR(write_json(folder / "generation_config.json", write_hf_generation_config(model)));
  RIVAL_RETURN_IF_ERROR(write_json(folder / "config.json", config));
  return report;
}

}  // namespace rival::model
