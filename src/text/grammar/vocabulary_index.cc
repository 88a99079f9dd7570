#include "text/grammar/vocabulary_index.h"

#include <algorithm>

#include "base/limits.h"
#include "text/control_mark.h"

namespace rival::text {

using grammar::Exit;
using grammar::StringPlace;
using grammar::StringStep;

namespace {

constexpr size_t kLengthClasses = 96;  // tokens of more characters wait until a string's bound is beyond them
constexpr size_t kSharedPartitionsMax = 2'000;
constexpr char kMarks[] = {kControlBegin, kControlEnd, '\0'};

bool is_text(TokenType type) { return type == TokenType::kNormal || type == TokenType::kUserDefined || type == TokenType::kByte; }

}  // namespace

Result<std::shared_ptr<const GrammarVocabulary>> GrammarVocabulary::build(const Tokenizer& tokenizer) {
  const Vocabulary& v = tokenizer.vocabulary();
  std::vector<std::string> tokens(v.tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    const TokenType type = id < v.types.size() ? v.types[id] : TokenType::kNormal;
    const std::string bytes = tokenizer.token_bytes(static_cast<TokenId>(id));
    if (tokenizer.is_control(static_cast<TokenId>(id))) {
      tokens[id] = control_mark(bytes);
    } else if (is_text(type) && bytes.find_first_of(kMarks) == bytes.npos) {
      tokens[id] = bytes;
    }
  }
  std::vector<TokenId> ends = v.end_of_generation;
  if (ends.empty() && v.eos) ends.push_back(*v.eos);
  return build(tokens, ends);
}

Result<std::shared_ptr<const GrammarVocabulary>> GrammarVocabulary::build(std::span<const std::string> tokens, std::span<const TokenId> ends) {
  if (tokens.empty()) return make_error(ErrorCode::kInvalidArgument, "a grammar needs a vocabulary, found none");
  std::shared_ptr<GrammarVocabulary> index(new GrammarVocabulary);
  for (TokenId id : ends) {
    if (id >= 0 && static_cast<size_t>(id) < tokens.size()) index->end_of_generation_.push_back(id);
  }
  index->offsets_.push_back(0);
  for (size_t id = 0; id < tokens.size(); ++id) {
    const bool end = std::ranges::find(index->end_of_generation_, static_cast<TokenId>(id)) != index->end_of_generation_.end();
    if (!end) index->bytes_.append(std::string_view(tokens[id]).substr(0, limits::kTokenBytesMax - 1));
    index->offsets_.push_back(static_cast<uint32_t>(index->bytes_.size()));
  }
  index->build_tries();
  index->build_universal();
  return std::shared_ptr<const GrammarVocabulary>(std::move(index));
}

std::string_view GrammarVocabulary::token_bytes(TokenId id) const {
  return std::string_view(bytes_).substr(offsets_[id], offsets_[id + 1] - offsets_[id]);
}

void GrammarVocabulary::build_tries() {
  std::vector<std::pair<std::string_view, int32_t>> tokens;
  std::unordered_map<std::string_view, uint32_t> remainders;
  for (size_t id = 0; id < size(); ++id) {
    quote_offsets_.push_back(static_cast<uint32_t>(quotes_.size()));
    const std::string_view bytes = token_bytes(static_cast<TokenId>(id));
    if (bytes.empty()) continue;
    tokens.emplace_back(bytes, static_cast<int32_t>(id));
    for (size_t i = bytes.find('"'); i != bytes.npos; i = bytes.find('"', i + 1)) {
      const uint32_t next = static_cast<uint32_t>(remainders.size());
      quotes_.push_back({static_cast<uint32_t>(i), remainders.emplace(bytes.substr(i + 1), next).first->second});
    }
  }
  quote_offsets_.push_back(static_cast<uint32_t>(quotes_.size()));
  equal_tokens_ = trie_.build(std::move(tokens));
  remainder_count_ = remainders.size();
  std::vector<std::pair<std::string_view, int32_t>> texts;
  for (const auto& [text, value] : remainders) {
    if (text.empty()) empty_remainder_ = static_cast<int32_t>(value);
    else texts.emplace_back(text, static_cast<int32_t>(value));
  }
  remainders_.build(std::move(texts));
}

uint32_t GrammarVocabulary::remainder_at(TokenId token, size_t position) const {
  uint32_t i = quote_offsets_[token];
  while (quotes_[i].position != position) ++i;
  return quotes_[i].remainder;
}

void GrammarVocabulary::build_universal() {
  grammar::RegexPool regexes;
  grammar::LiteralPool literals;
  grammar::Dfa dfa(&regexes, &literals);
  const grammar::Atom anything = grammar::kAnything;
  const grammar::StateId start = dfa.start({&anything, 1});
  const size_t words = (size() + 63) / 64;
  std::vector<std::shared_ptr<Bits>> by_length(kLengthClasses);
  for (auto& bits : by_length) bits = std::make_shared<Bits>(words);
  auto inside = std::make_shared<Bits>(words);
  std::vector<Exit> exits;
  std::vector<std::pair<std::string_view, int32_t>> exit_tokens;
  characters_.assign(size(), 0);
  std::vector<bool> repeated(size());
  for (const auto& [first, other] : equal_tokens_) repeated[other] = true;
  for (size_t id = 0; id < size(); ++id) {
    const std::string_view bytes = token_bytes(static_cast<TokenId>(id));
    if (bytes.empty() || repeated[id]) continue;
    StringPlace place{start, 0};
    StringStep step = StringStep::kInside;
    size_t i = 0, characters = 0;
    for (; i < bytes.size() && step == StringStep::kInside; ++i) {
      step = grammar::step_json_string(&dfa, &place, static_cast<uint8_t>(bytes[i]));
      characters += step == StringStep::kInside && place.partial == 0;
    }
    characters_[id] = static_cast<uint16_t>(characters + (place.partial != 0));
    if (step == StringStep::kClosed) {
      exits.push_back({remainder_at(static_cast<TokenId>(id), i - 1), static_cast<TokenId>(id)});
      exit_tokens.emplace_back(bytes, static_cast<int32_t>(id));
    } else if (step == StringStep::kInside) {
      (*inside)[id / 64] |= uint64_t{1} << (id % 64);
      if (characters_[id] < kLengthClasses) (*by_length[characters_[id]])[id / 64] |= uint64_t{1} << (id % 64);
    }
  }
  for (size_t n = 1; n < kLengthClasses; ++n) {
    for (size_t w = 0; w < words; ++w) (*by_length[n])[w] |= (*by_length[n - 1])[w];
  }
  inside_ = std::move(inside);
  inside_up_to_.assign(by_length.begin(), by_length.end());
  exits_ = std::make_shared<const std::vector<Exit>>(std::move(exits));
  exit_trie_.build(std::move(exit_tokens));
}

const std::shared_ptr<const grammar::Bits>& GrammarVocabulary::inside_up_to(size_t characters) const {
  if (characters >= trie_.depth_max()) return inside_;
  return inside_up_to_[std::min(characters, kLengthClasses - 1)];
}

std::shared_ptr<const GrammarVocabulary::SharedPartition> GrammarVocabulary::find_shared(const std::string& language) const {
  const std::lock_guard lock(mutex_);
  auto it = shared_.find(language);
  return it == shared_.end() ? nullptr : it->second;
}

void GrammarVocabulary::keep_shared(const std::string& language, std::shared_ptr<const SharedPartition> partition) const {
  const std::lock_guard lock(mutex_);
  if (shared_.size() >= kSharedPartitionsMax) shared_.clear();
  shared_.emplace(language, std::move(partition));
}

}  // namespace rival::text
