#include "serve/completion_prompt.h"

#include "base/limits.h"

namespace rival::serve {
namespace {

// Names of these tokens in vocabularies that do not say which they are: Qwen, StarCoder, DeepSeek, Code Llama, Codestral
// and CodeGemma, in this order of parts: before, behind, here.
constexpr std::string_view kFillNames[][3] = {{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
                                              {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
                                              {"<fim-prefix>", "<fim-suffix>", "<fim-middle>"},
                                              {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},
                                              {"▁<PRE>", "▁<SUF>", "▁<MID>"},
                                              {"<PRE>", "<SUF>", "<MID>"}};
constexpr std::string_view kFillEnds[] = {"<|fim_pad|>", "<fim_pad>", "<|file_sep|>", "<file_sep>", "<|repo_name|>", "▁<EOT>", "<EOT>"};

bool is_ids(const json::value& value) { return value.is_array() && !value.get_array().empty() && value.get_array()[0].is_number(); }

std::vector<text::TokenId> read_ids(Fields& fields, const json::array& list, size_t vocabulary_size) {
  std::vector<text::TokenId> ids;
  for (const json::value& id : list) {
    const int64_t x = id.is_int64() ? id.get_int64() : -1;
    if (x < 0 || x >= static_cast<int64_t>(vocabulary_size)) {
      fields.fail("prompt", "holds something that is not a token id of this model");
      break;
    }
    ids.push_back(static_cast<text::TokenId>(x));
  }
  return ids;
}

std::vector<text::TokenId> taken(Fields& fields, Result<std::vector<text::TokenId>> ids) {
  if (ids.ok()) return std::move(ids).value();
  fields.fail("prompt", ids.error().message);
  return {};
}

}  // namespace

std::optional<FillTokens> fill_tokens(const text::Tokenizer& tokenizer) {
  const text::Vocabulary& vocabulary = tokenizer.vocabulary();
  std::optional<FillTokens> fill;
  if (vocabulary.fim_prefix && vocabulary.fim_suffix && vocabulary.fim_middle) fill = {*vocabulary.fim_prefix, *vocabulary.fim_suffix, *vocabulary.fim_middle, {}};
  for (const auto& names : kFillNames) {
    if (fill) break;
    const auto prefix = tokenizer.find_token(names[0]), suffix = tokenizer.find_token(names[1]), middle = tokenizer.find_token(names[2]);
    if (prefix && suffix && middle) fill = {*prefix, *suffix, *middle, {}};
  }
  if (!fill) return fill;
  for (std::string_view end : kFillEnds)
    if (const auto id = tokenizer.find_token(end)) fill->ends.push_back(*id);
  return fill;
}

Result<std::vector<text::TokenId>> fill_prompt(const text::Tokenizer& tokenizer, const FillTokens& fill, std::string_view before, std::string_view behind) {
  const text::EncodeOptions plain{.add_special = false, .parse_special = false};
  RIVAL_ASSIGN_OR_RETURN(const std::vector<text::TokenId> first, tokenizer.encode(before, plain));
  RIVAL_ASSIGN_OR_RETURN(const std::vector<text::TokenId> last, tokenizer.encode(behind, plain));
  const text::Vocabulary& vocabulary = tokenizer.vocabulary();
  std::vector<text::TokenId> ids;
  if (vocabulary.add_bos && vocabulary.bos) ids.push_back(*vocabulary.bos);
  ids.push_back(fill.prefix);
  ids.insert(ids.end(), first.begin(), first.end());
  ids.push_back(fill.suffix);
  ids.insert(ids.end(), last.begin(), last.end());
  ids.push_back(fill.middle);
  return ids;
}

std::vector<std::vector<text::TokenId>> read_prompts(Fields& fields, const text::Tokenizer& tokenizer, size_t vocabulary_size) {
  std::vector<std::vector<text::TokenId>> prompts;
  const json::value* prompt = fields.find("prompt");
  const auto suffix = fields.text("suffix");
  const bool fills = suffix && !suffix->empty();
  const auto fill = fills ? fill_tokens(tokenizer) : std::nullopt;
  if (fills && !fill) fields.fail("suffix", "this model was not trained to fill in the middle: its vocabulary has no tokens for it");
  if (fields.error()) return prompts;
  const auto add = [&](const json::value& value) {
    if (is_ids(value) && !fills) return prompts.push_back(read_ids(fields, value.get_array(), vocabulary_size));
    if (!value.is_string()) return fields.fail("prompt", fills ? "expected a string beside suffix" : "expected a string, token ids, or an array of either");
    const std::string_view text = value.get_string();
    prompts.push_back(taken(fields, fill ? fill_prompt(tokenizer, *fill, text, *suffix) : tokenizer.encode(text)));
  };
  if (!prompt) {
    fields.fail("prompt", "is missing");
  } else if (!prompt->is_array() || is_ids(*prompt)) {
    add(*prompt);
  } else if (prompt->get_array().empty() || prompt->get_array().size() > limits::kPromptsMax) {
    fields.fail("prompt", fmt::format("expected 1 to {} prompts", limits::kPromptsMax));
  } else {
    for (const json::value& value : prompt->get_array()) add(value);
  }
  for (const auto& ids : prompts)
    if (ids.empty()) fields.fail("prompt", "is empty");
  return prompts;
}

}  // namespace rival::serve
