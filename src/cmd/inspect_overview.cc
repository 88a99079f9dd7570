#include <fmt/format.h>

#include <map>

#include "base/file.h"
#include "base/limits.h"
#include "base/units.h"
#include "cmd/inspect.h"
#include "format/gguf.h"
#include "format/safetensors.h"

namespace rival::cmd {
namespace {

constexpr size_t kArrayItemsShown = 16;

json::object describe_tensor(const TensorView& tensor) {
  json::array shape;  // slowest first, as everyone but GGUF writes it
  for (size_t i = tensor.shape.dims.size(); i-- > 0;)
    if (!shape.empty() || tensor.shape.dims[i] != 1 || i == 0) shape.push_back(tensor.shape.dims[i]);
  return {{"name", tensor.name},
          {"type", std::string(dtype_info(tensor.type).name)},
          {"shape", std::move(shape)},
          {"bytes", tensor.bytes.size()}};
}

void describe_tensors(std::span<const TensorView> tensors, json::object& out) {
  struct Sum {
    uint64_t tensors = 0, bytes = 0;
  };
  std::map<std::string, Sum> sums;
  json::array list;
  uint64_t parameters = 0, bytes = 0;
  for (const TensorView& tensor : tensors) {
    list.push_back(describe_tensor(tensor));
    Sum& sum = sums[std::string(dtype_info(tensor.type).name)];
    sum.tensors += 1;
    sum.bytes += tensor.bytes.size();
    bytes += tensor.bytes.size();
    parameters += tensor.shape.elements();
  }
  json::object types;
  for (const auto& [type, sum] : sums)
    types[type] = json::object{{"tensors", sum.tensors}, {"bytes", sum.bytes}};
  out["parameters"] = parameters;
  out["bytes"] = bytes;
  out["types"] = std::move(types);
  out["tensors"] = std::move(list);
}

std::string kind_name(text::VocabularyKind kind) {
  switch (kind) {
    case text::VocabularyKind::kBpe:
      return "bpe";
    case text::VocabularyKind::kSentencePiece:
      return "sentencepiece";
    case text::VocabularyKind::kWordPiece:
      return "wordpiece";
    case text::VocabularyKind::kUnigram:
      return "unigram";
  }
  return "";
}

json::value describe_token(const text::Tokenizer& tokenizer, std::optional<text::TokenId> id) {
  if (!id) return nullptr;
  const auto& tokens = tokenizer.vocabulary().tokens;
  const auto index = static_cast<size_t>(*id);
  return json::object{{"id", *id}, {"text", index < tokens.size() ? std::string(tokens[index]) : ""}};
}

json::object describe_tokenizer(const model::ModelSource& source) {
  const text::Tokenizer& tokenizer = *source.tokenizer;
  const text::Vocabulary& vocabulary = tokenizer.vocabulary();
  json::array ends;
  for (const text::TokenId id : source.end_of_generation) ends.push_back(describe_token(tokenizer, id));
  return {{"kind", kind_name(vocabulary.kind)},
          {"pre", vocabulary.pre},
          {"tokens", vocabulary.tokens.size()},
          {"merges", vocabulary.merges.size()},
          {"bos", describe_token(tokenizer, vocabulary.bos)},
          {"eos", describe_token(tokenizer, vocabulary.eos)},
          {"unknown", describe_token(tokenizer, vocabulary.unknown)},
          {"padding", describe_token(tokenizer, vocabulary.padding)},
          {"add_bos", vocabulary.add_bos},
          {"add_eos", vocabulary.add_eos},
          {"end_of_generation", std::move(ends)}};
}

json::object describe_config(const model::ModelConfig& config) {
  const model::LayerConfig& layer = config.layers.front();
  json::object out = {{"architecture", config.architecture},
                      {"name", config.name},
                      {"layers", config.layers.size()},
                      {"embedding_length", config.d_model},
                      {"heads", layer.n_head},
                      {"kv_heads", layer.n_head_kv},
                      {"head_dim", config.head_dim_k},
                      {"feed_forward_length", layer.feed_forward},
                      {"vocabulary", config.vocabulary_size},
                      {"context_length", config.context_length}};
  if (config.experts.n_expert > 0) {
    out["experts"] = config.experts.n_expert;
    out["experts_used"] = config.experts.n_used;
  }
  return out;
}

Status describe_gguf(const std::filesystem::path& path, json::object& out) {
  RIVAL_ASSIGN_OR_RETURN(const auto file, format::GgufFile::open(path));
  out["format"] = "gguf";
  out["version"] = file.version();
  json::object metadata;
  for (const format::MetadataEntry& entry : file.metadata().entries())
    metadata[entry.key] = entry.to_json(kArrayItemsShown);
  out["metadata"] = std::move(metadata);
  describe_tensors(file.tensors(), out);
  return {};
}

Status describe_folder(const std::filesystem::path& path, json::object& out) {
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(path / "config.json", limits::kJsonFileBytesMax));
  RIVAL_ASSIGN_OR_RETURN(json::value config, parse_json(text));
  RIVAL_ASSIGN_OR_RETURN(const auto file, format::SafetensorsFile::open(path));
  out["format"] = "safetensors";
  out["metadata"] = std::move(config);
  describe_tensors(file.tensors(), out);
  return {};
}

void add_line(std::string& text, std::string_view label, std::string_view value) {
  text += fmt::format("{:<44}{}\n", label, value);
}

std::string plain(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : to_json_text(value);
}

// Metadata values on one line, cut where they are long.
std::string one_line(const json::value& value) {
  std::string text = plain(value);
  for (char& c : text)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  return text.size() > 100 ? text.substr(0, 97) + "..." : text;
}

void add_section(std::string& text, std::string_view title, const json::object& object) {
  text += fmt::format("\n{}\n", title);
  for (const auto& [key, value] : object)
    add_line(text, fmt::format("  {}", std::string_view(key)), one_line(value));
}

}  // namespace

Result<json::object> describe_model(const std::filesystem::path& path) {
  json::object out = {{"path", path.string()}};
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  const Status read = folder ? describe_folder(path, out) : describe_gguf(path, out);
  if (!read.ok()) {
    const bool named = read.error().message.starts_with(path.string());
    return named ? read.error() : with_context(read.error(), path.string());
  }
  if (const auto texts = model::open_texts(path); texts.ok()) {
    if (texts->tokenizer) out["tokenizer"] = describe_tokenizer(*texts);
    if (!texts->chat_template.empty()) out["chat_template"] = texts->chat_template;
  }
  if (out["tensors"].get_array().empty()) return out;  // a vocabulary alone
  const auto source = model::open_model(path);
  if (!source.ok()) {
    out["problem"] = source.error().message;
    return out;
  }
  out["model"] = describe_config(source->config);
  out["weights_type"] = source->weights_type;
  return out;
}

std::string to_text(const json::object& description) {
  std::string text;
  add_line(text, "path", plain(description.at("path")));
  add_line(text, "format", plain(description.at("format")));
  add_line(text, "parameters", to_json_text(description.at("parameters")));
  add_line(text, "weights", format_bytes(description.at("bytes").to_number<uint64_t>()));
  for (const char* section : {"model", "metadata", "types", "tokenizer"})
    if (const json::value* value = description.if_contains(section); value != nullptr && value->is_object())
      add_section(text, section, value->get_object());
  text += "\ntensors\n";
  for (const json::value& tensor : description.at("tensors").get_array())
    add_line(text, "  " + plain(tensor.at("name")),
             fmt::format("{:<8}{}", plain(tensor.at("type")), to_json_text(tensor.at("shape"))));
  if (const json::value* chat = description.if_contains("chat_template"))
    text += "\nchat template\n" + plain(*chat) + "\n";
  return text;
}

}  // namespace rival::cmd
