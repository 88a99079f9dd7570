#include "text/grammar.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/matcher.h"
#include "text/grammar/regex_parser.h"
#include "text/grammar/schema_compiler.h"

namespace rival::text {

using namespace grammar;

namespace {
constexpr size_t kOnceTagsMax = 64;  // bits of a word
}  // namespace

Grammar::Compiled Grammar::json_schema(Vocabulary vocabulary, const json::value& schema, SchemaGrammarOptions options) {
  RIVAL_ASSIGN_OR_RETURN(CompiledSchema c, compile_schema(schema, {.formats = options.formats}));
  auto language = std::make_shared<JsonGrammar>(vocabulary, std::move(c.regexes), std::move(c.literals), std::move(c.shapes), c.root);
  return std::shared_ptr<const Grammar>(new Grammar(std::move(vocabulary), std::move(language)));
}

Grammar::Compiled Grammar::json_schema_text(Vocabulary vocabulary, std::string_view schema, SchemaGrammarOptions options) {
  if (schema.size() > limits::kGrammarTextBytesMax) {
    return make_error(ErrorCode::kLimit, "the schema has {} bytes, at most {} are allowed", schema.size(), limits::kGrammarTextBytesMax);
  }
  RIVAL_ASSIGN_OR_RETURN(const json::value value, parse_json(schema));
  return json_schema(std::move(vocabulary), value, options);
}

Grammar::Compiled Grammar::json_object(Vocabulary vocabulary) {
  return json_schema(std::move(vocabulary), json::value(json::object{{"type", "object"}}));
}

Grammar::Compiled Grammar::string_text(Vocabulary vocabulary, const json::value& schema, std::string_view end) {
  RIVAL_ASSIGN_OR_RETURN(CompiledSchema c, compile_schema(schema, {}));
  const Type& type = c.shapes->types[c.root];
  if (type.string == 0 || type.null || type.yes || type.no || type.number != kNever || !type.objects.empty() || !type.arrays.empty())
    return std::shared_ptr<const Grammar>();
  RegexPool& pool = *c.regexes;
  std::vector<RegexId> values;
  if (is_literal(type.string)) {
    for (const std::u32string& value : c.literals->list_of(atom_id(type.string))) values.push_back(pool.literal(value));
  } else {
    values.push_back(atom_id(type.string));
  }
  const RegexId last = pool.literal(std::u32string(end.begin(), end.end()));
  const RegexId with_end_inside = pool.concat(pool.concat(kAnything, last), kAnything);
  const RegexId language = pool.concat(pool.all_of({pool.any_of(std::move(values)), pool.negate(with_end_inside)}), last);
  if (!pool.live(language)) return make_error(ErrorCode::kUnsupported, "no string that the schema allows can be written without \"{}\" in it", end);
  auto text = std::make_shared<TextGrammar>(vocabulary, std::move(c.regexes), std::make_unique<Configurations>(), language);
  return std::shared_ptr<const Grammar>(new Grammar(std::move(vocabulary), std::move(text)));
}

Grammar::Compiled Grammar::regex(Vocabulary vocabulary, std::string_view pattern) {
  auto regexes = std::make_unique<RegexPool>();
  RIVAL_ASSIGN_OR_RETURN(const RegexId language, parse_regex(pattern, {.whole = true}, regexes.get()));
  if (language == kNever) return make_error(ErrorCode::kInvalidArgument, "the pattern matches no text");
  auto text = std::make_shared<TextGrammar>(vocabulary, std::move(regexes), std::make_unique<Configurations>(), language);
  return std::shared_ptr<const Grammar>(new Grammar(std::move(vocabulary), std::move(text)));
}

Grammar::Compiled Grammar::gbnf(Vocabulary vocabulary, std::string_view source, std::string_view root) {
  RIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Configurations> configurations, parse_gbnf(source, root));
  const Atom language = configurations->start() | kConfigurationAtom;
  auto text = std::make_shared<TextGrammar>(vocabulary, std::make_unique<RegexPool>(), std::move(configurations), language);
  return std::shared_ptr<const Grammar>(new Grammar(std::move(vocabulary), std::move(text)));
}

Grammar::Compiled Grammar::tagged(Vocabulary vocabulary, TagOptions options) {
  if (options.tags.empty() && options.close.empty()) return make_error(ErrorCode::kInvalidArgument, "a tagged grammar needs at least one tag");
  for (const TagOptions::Tag& tag : options.tags) {
    if (tag.begin.empty() || tag.body == nullptr) return make_error(ErrorCode::kInvalidArgument, "a tag needs a begin string and a body");
    if (tag.begin.size() + tag.end.size() > limits::kPatternBytesMax) return make_error(ErrorCode::kLimit, "a tag is longer than {} bytes", limits::kPatternBytesMax);
  }
  const bool free = options.free_text || options.text != nullptr;
  if (options.once && (free || options.tags.size() > kOnceTagsMax))
    return make_error(ErrorCode::kLimit, "tags that come once are {}; at most {} are possible, and without free text", options.tags.size(), kOnceTagsMax);
  if (options.tags_min > options.tags_max || options.tags_max == 0) return make_error(ErrorCode::kInvalidArgument, "tags_min is above tags_max");
  if (!(options.separator + options.close).empty() && options.free_text) return make_error(ErrorCode::kInvalidArgument, "tags in free text have no separator or close");
  auto language = std::make_shared<TagGrammar>(vocabulary, std::move(options));
  return std::shared_ptr<const Grammar>(new Grammar(std::move(vocabulary), std::move(language)));
}

GrammarState::GrammarState(std::shared_ptr<const Grammar> grammar)
    : grammar_(std::move(grammar)), matcher_(std::make_unique<Matcher>(*grammar_)), bits_((grammar_->vocabulary().size() + 63) / 64) {}
GrammarState::GrammarState(const GrammarState& other)
    : grammar_(other.grammar_), matcher_(std::make_unique<Matcher>(*other.matcher_)), bits_(other.bits_.size()), ended_(other.ended_) {}
GrammarState::GrammarState(GrammarState&&) noexcept = default;
GrammarState::~GrammarState() = default;

GrammarState& GrammarState::operator=(GrammarState other) noexcept {
  std::swap(grammar_, other.grammar_);
  std::swap(matcher_, other.matcher_);
  std::swap(bits_, other.bits_);
  std::swap(ended_, other.ended_);
  return *this;
}

void GrammarState::mask(std::span<uint32_t> bits) {
  RIVAL_CHECK(bits.size() == grammar_->vocabulary().mask_words(), "a mask of {} words for a vocabulary of {}", bits.size(),
              grammar_->vocabulary().size());
  if (ended_) return void(std::ranges::fill(bits, 0));
  matcher_->mask(bits_);
  std::memcpy(bits.data(), bits_.data(), bits.size_bytes());
}

bool GrammarState::accept(TokenId token) {
  if (ended_ || token < 0 || static_cast<size_t>(token) >= grammar_->vocabulary().size()) return false;
  const auto ends = grammar_->vocabulary().end_of_generation();
  if (std::ranges::find(ends, token) != ends.end()) {
    if (!matcher_->complete()) return false;
    matcher_->accept({});
    return ended_ = true;
  }
  const std::string_view bytes = grammar_->vocabulary().token_bytes(token);
  return !bytes.empty() && matcher_->accept(bytes);
}

bool GrammarState::accept_bytes(std::string_view bytes) { return !ended_ && matcher_->accept(bytes); }
bool GrammarState::is_complete() { return ended_ || matcher_->complete(); }

bool GrammarState::is_exhausted() {
  if (!is_complete()) return false;
  if (ended_) return true;
  matcher_->mask(bits_);
  for (TokenId id : grammar_->vocabulary().end_of_generation()) bits_[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
  return std::ranges::all_of(bits_, [](uint64_t word) { return word == 0; });
}

std::string GrammarState::forced_bytes(size_t bytes_max) { return ended_ ? std::string() : matcher_->forced(bytes_max); }

void GrammarState::rollback(size_t steps) {
  if (steps == 0) return;
  matcher_->rollback(steps);
  ended_ = false;
}

}  // namespace rival::text
