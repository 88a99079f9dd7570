// The parts of tokenizer.json, the file of the Hugging Face tokenizers library, each read into the pipeline.
#pragma once

#include "text/json_fields.h"
#include "text/pipeline.h"

namespace rival::text {

// Each appends the steps of one component. Errors: kCorrupt for a wrong field, kUnsupported for a component
// that is not known; both name it.
Status read_normalizer(const json::value& value, std::vector<NormalizerStep>& steps);
Status read_pre_tokenizer(const json::value& value, std::vector<PreTokenizerStep>& steps);
Status read_decoder(const json::value& value, std::vector<DecoderStep>& steps);
// The ids that a single text gets around it.
Status read_post_processor(const json::value& value, std::vector<TokenId>& prefix,
                           std::vector<TokenId>& suffix);

// Fills vocabulary.tokens (copied into its storage), pipeline.table and pipeline.model.
Status read_model(const json::value& value, Pipeline& pipeline);

// ---- what the parts share
// ----------------------------------------------------------------------------------

// A pattern field: {"String": "..."} or {"Regex": "..."}.
struct JsonPattern {
  std::string literal;
  std::shared_ptr<const Regex> regex;
};
Result<JsonPattern> read_pattern(const JsonFields& fields);

Result<Metaspace> read_metaspace(const JsonFields& fields);

Error unknown_component(std::string_view what, std::string_view type, std::string_view where);

// Nesting of Sequence components.
constexpr int kSequenceDepthMax = 16;

// Calls leaf(type, fields) for a component, or for each inside of a Sequence, whose list stands under
// `children`.
template <typename Leaf>
Status walk_components(const json::value& value, const std::string& where, std::string_view children,
                       Leaf leaf, int depth = 0) {
  if (depth > kSequenceDepthMax)
    return make_error(ErrorCode::kLimit, "{}: sequences nest deeper than {}", where, kSequenceDepthMax);
  RIVAL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::of(value, where));
  RIVAL_ASSIGN_OR_RETURN(const std::string_view type, fields.string("type"));
  if (type != "Sequence") return leaf(type, fields);
  RIVAL_ASSIGN_OR_RETURN(const json::array* list, fields.array(children));
  for (size_t i = 0; i < list->size(); ++i)
    RIVAL_RETURN_IF_ERROR(
        walk_components((*list)[i], fmt::format("{}.{}[{}]", where, children, i), children, leaf, depth + 1));
  return {};
}

}  // namespace rival::text
