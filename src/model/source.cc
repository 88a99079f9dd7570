#include "model/source.h"

#include <algorithm>
#include <array>

#include "format/gguf.h"
#include "model/gguf_vocabulary.h"
#include "model/hf_source.h"
#include "model/mixture.h"
#include "model/source_builder.h"

namespace rival::model {
namespace {

// The type that holds most bytes.
std::string commonest_type(std::span<const TensorView> tensors) {
  std::array<uint64_t, 256> bytes = {};
  size_t best = 0;
  for (const TensorView& tensor : tensors) {
    const auto type = static_cast<size_t>(tensor.type);
    bytes[type] += tensor.bytes.size();
    if (bytes[type] > bytes[best]) best = type;
  }
  return std::string(dtype_info(static_cast<DType>(best)).name);
}

std::string weights_type(const format::GgufFile& file) {
  const auto id = file.metadata().get_u32("general.file_type");
  if (const auto name = id.ok() ? find_file_type(*id) : std::nullopt) return std::string(*name);
  return commonest_type(file.tensors());
}

std::string token_text(const text::Vocabulary& vocabulary, std::optional<text::TokenId> id) {
  return id ? std::string(vocabulary.tokens[static_cast<size_t>(*id)]) : "";
}

Status read_text(const format::Metadata& metadata, ModelSource& source) {
  source.sampling = sampling_of(metadata);
  RIVAL_ASSIGN_OR_RETURN(source.chat_template, gguf_chat_template(metadata));
  RIVAL_ASSIGN_OR_RETURN(auto vocabulary, gguf_vocabulary(metadata));
  if (!vocabulary) return {};
  const uint32_t rows = source.config.vocabulary_size;
  if (rows > 0 && vocabulary->tokens.size() > rows)
    return make_error(ErrorCode::kCorrupt,
                      "tokenizer.ggml.tokens has {} items, but token_embd.weight {} rows",
                      vocabulary->tokens.size(), rows);
  source.bos_text = token_text(*vocabulary, vocabulary->bos);
  source.eos_text = token_text(*vocabulary, vocabulary->eos);
  source.end_of_generation = vocabulary->end_of_generation;
  RIVAL_ASSIGN_OR_RETURN(source.tokenizer, text::Tokenizer::create(std::move(*vocabulary)));
  return {};
}

Result<ModelSource> open_gguf(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(auto opened, format::GgufFile::open(path));
  const auto file = std::make_shared<const format::GgufFile>(std::move(opened));
  const format::Metadata& metadata = file->metadata();
  RIVAL_ASSIGN_OR_RETURN(const std::string_view name, metadata.get_string("general.architecture"));
  RIVAL_ASSIGN_OR_RETURN(const Architecture* architecture, find_architecture(name));
  RIVAL_ASSIGN_OR_RETURN(ModelConfig config,
                         make_config(*architecture, HyperParameters::from_gguf(metadata, name)));
  config.rope_style = architecture->gguf_rope;
  if (const auto title = metadata.get_string("general.name"); title.ok()) config.name = *title;
  const auto weights = gguf_weights(file, *architecture);
  RIVAL_ASSIGN_OR_RETURN(ModelSource source, build_source(*architecture, std::move(config), *weights));
  source.weights_type = weights_type(*file);
  RIVAL_RETURN_IF_ERROR(read_text(metadata, source));
  return source;
}

Result<ModelSource> open_gguf_texts(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const auto file, format::GgufFile::open(path));
  ModelSource source;
  const auto files = file.table().files();
  source.files.assign(files.begin(), files.end());
  RIVAL_RETURN_IF_ERROR(read_text(file.metadata(), source));
  return source;
}

Result<ModelSource> finished(Result<ModelSource> source, const std::filesystem::path& path) {
  if (!source.ok()) {
    const bool named = source.error().message.starts_with(path.string());  // the reader has said which file
    return named ? source.error() : with_context(source.error(), path.string());
  }
  auto& ends = source->end_of_generation;
  std::ranges::sort(ends);
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  if (source->tokenizer) source->tokenizer->set_end_of_generation(ends);
  return source;
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace

Result<ModelSource> open_model(const std::filesystem::path& path) {
  return finished(is_folder(path) ? open_hf_folder(path) : open_gguf(path), path);
}

void choose_context(ModelSource& source, uint32_t context) {
  if (context <= source.config.context_length || source.rope_factors_long.empty()) return;
  source.rope_factors = std::move(source.rope_factors_long);
  source.rope_factors_long.clear();
  source.config.context_length = source.config.context_length_long;
}

Result<ModelSource> open_texts(const std::filesystem::path& path) {
  if (is_folder(path)) return finished(open_hf_texts(path), path);
  if (path.extension() == ".json") return finished(open_hf_texts(path.parent_path(), path.filename()), path);
  return finished(open_gguf_texts(path), path);
}

}  // namespace rival::model
