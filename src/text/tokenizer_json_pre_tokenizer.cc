#include <array>

#include "text/tokenizer_json.h"
#include "text/unicode.h"

namespace rival::text {

Error unknown_component(std::string_view what, std::string_view type, std::string_view where) {
  return make_error(ErrorCode::kUnsupported, "{}: {} '{}' is not known", where, what, type);
}

Result<JsonPattern> read_pattern(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(const JsonFields pattern, fields.child("pattern"));
  if (pattern.find("String")) {
    RIVAL_ASSIGN_OR_RETURN(const std::string_view literal, pattern.string("String"));
    return JsonPattern{std::string(literal), nullptr};
  }
  RIVAL_ASSIGN_OR_RETURN(const std::string_view text, pattern.string("Regex"));
  auto regex = Regex::compile(text);
  if (!regex.ok()) return with_context(regex.error(), pattern.where());
  return JsonPattern{"", std::make_shared<const Regex>(std::move(regex).value())};
}

Result<Metaspace> read_metaspace(const JsonFields& fields) {
  Metaspace step;
  RIVAL_ASSIGN_OR_RETURN(step.replacement, fields.string_or("replacement", step.replacement));
  RIVAL_ASSIGN_OR_RETURN(step.split, fields.boolean_or("split", true));
  RIVAL_ASSIGN_OR_RETURN(const bool prefix_space, fields.boolean_or("add_prefix_space", true));
  RIVAL_ASSIGN_OR_RETURN(const std::string_view scheme,
                         fields.string_or("prepend_scheme", prefix_space ? "always" : "never"));
  if (scheme != "always" && scheme != "first" && scheme != "never")
    return unknown_component("prepend_scheme", scheme, fields.where());
  if (!prefix_space && scheme != "never")
    return make_error(ErrorCode::kCorrupt, "{}: add_prefix_space is false but prepend_scheme is '{}'",
                      fields.where(), scheme);
  step.scheme = scheme == "always"  ? PrependScheme::kAlways
                : scheme == "first" ? PrependScheme::kFirst
                                    : PrependScheme::kNever;
  return step;
}

namespace {

Result<SplitBehavior> read_behavior(const JsonFields& fields, std::string_view fallback) {
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kNames = {
      {{"Removed", SplitBehavior::kRemoved},
       {"Isolated", SplitBehavior::kIsolated},
       {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
       {"MergedWithNext", SplitBehavior::kMergedWithNext},
       {"Contiguous", SplitBehavior::kContiguous}}};
  RIVAL_ASSIGN_OR_RETURN(const std::string_view name, fields.string_or("behavior", fallback));
  for (const auto& [known, behavior] : kNames)
    if (known == name) return behavior;
  return unknown_component("split behaviour", name, fields.where());
}

Result<PreTokenizerStep> read_split(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(JsonPattern pattern, read_pattern(fields));
  RIVAL_ASSIGN_OR_RETURN(const SplitBehavior behavior, read_behavior(fields, "Isolated"));
  RIVAL_ASSIGN_OR_RETURN(const bool invert, fields.boolean_or("invert", false));
  if (pattern.regex) return PreTokenizerStep(RegexSplit{std::move(pattern.regex), behavior, invert});
  return PreTokenizerStep(LiteralSplit{std::move(pattern.literal), behavior, invert});
}

Status add_byte_level(const JsonFields& fields, std::vector<PreTokenizerStep>& steps) {
  RIVAL_ASSIGN_OR_RETURN(const bool prefix_space, fields.boolean_or("add_prefix_space", true));
  RIVAL_ASSIGN_OR_RETURN(const bool use_regex, fields.boolean_or("use_regex", true));
  if (prefix_space) steps.emplace_back(PrefixSpace{});
  if (use_regex) {
    RIVAL_ASSIGN_OR_RETURN(Regex regex, Regex::compile(kGpt2Pattern));
    steps.emplace_back(
        RegexSplit{std::make_shared<const Regex>(std::move(regex)), SplitBehavior::kIsolated, false});
  }
  steps.emplace_back(ByteLetters{});
  return {};
}

// The Rust regex \w+|[^\w\s]+, whose \w is not Oniguruma's.
Result<PreTokenizerStep> whitespace_step() {
  constexpr std::string_view kWord =
      R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";
  RIVAL_ASSIGN_OR_RETURN(Regex regex, Regex::compile(fmt::format(R"([{}]+|[^{}\s]+)", kWord, kWord)));
  return PreTokenizerStep(
      RegexSplit{std::make_shared<const Regex>(std::move(regex)), SplitBehavior::kRemoved, true});
}

Result<PreTokenizerStep> read_digits(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(const bool individual, fields.boolean_or("individual_digits", false));
  return PreTokenizerStep(
      ClassSplit{is_number, individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous});
}

Result<PreTokenizerStep> read_fixed_length(const JsonFields& fields) {
  RIVAL_ASSIGN_OR_RETURN(const int64_t length, fields.integer_or("length", 5));
  if (length <= 0)
    return make_error(ErrorCode::kCorrupt, "{}.length is {}, expected at least 1", fields.where(), length);
  return PreTokenizerStep(FixedLength{static_cast<size_t>(length)});
}

Result<PreTokenizerStep> read_one_pre_tokenizer(std::string_view type, const JsonFields& fields) {
  if (type == "Split") return read_split(fields);
  if (type == "Metaspace") {
    RIVAL_ASSIGN_OR_RETURN(Metaspace step, read_metaspace(fields));
    return PreTokenizerStep(std::move(step));
  }
  if (type == "Whitespace") return whitespace_step();
  if (type == "WhitespaceSplit") return PreTokenizerStep(ClassSplit{is_white_space, SplitBehavior::kRemoved});
  if (type == "Digits") return read_digits(fields);
  if (type == "FixedLength") return read_fixed_length(fields);
  if (type == "Punctuation") {
    RIVAL_ASSIGN_OR_RETURN(const SplitBehavior behavior, read_behavior(fields, "Isolated"));
    return PreTokenizerStep(ClassSplit{is_punctuation, behavior});
  }
  if (type == "CharDelimiterSplit") {
    RIVAL_ASSIGN_OR_RETURN(const std::string_view delimiter, fields.string("delimiter"));
    return PreTokenizerStep(LiteralSplit{std::string(delimiter), SplitBehavior::kRemoved, false});
  }
  return unknown_component("pre-tokeniser", type, fields.where());
}

}  // namespace

Status read_pre_tokenizer(const json::value& value, std::vector<PreTokenizerStep>& steps) {
  return walk_components(value, "pre_tokenizer", "pretokenizers",
                         [&](std::string_view type, const JsonFields& fields) -> Status {
                           if (type == "ByteLevel") return add_byte_level(fields, steps);
                           if (type == "BertPreTokenizer") {
                             for (PreTokenizerStep& step : bert_steps()) steps.push_back(std::move(step));
                             return {};
                           }
                           RIVAL_ASSIGN_OR_RETURN(PreTokenizerStep step,
                                                  read_one_pre_tokenizer(type, fields));
                           steps.push_back(std::move(step));
                           return {};
                         });
}

}  // namespace rival::text
