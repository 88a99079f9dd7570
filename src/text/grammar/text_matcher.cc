#include "text/grammar/text_matcher.h"

#include <algorithm>

#include "base/limits.h"

namespace rival::text::grammar {

TextGrammar::TextGrammar(std::shared_ptr<const GrammarVocabulary> vocabulary_in, std::unique_ptr<RegexPool> regexes_in,
                         std::unique_ptr<Configurations> configurations_in, Atom language)
    : vocabulary(std::move(vocabulary_in)), regexes(std::move(regexes_in)), configurations(std::move(configurations_in)),
      dfa(regexes.get(), &literals, configurations.get()), start(dfa.start({&language, 1})),
      path(vocabulary->trie().depth_max() + 1) {}

TextMatcher::TextMatcher(std::shared_ptr<TextGrammar> grammar) : grammar_(std::move(grammar)) {
  places_.push_back({grammar_->start, 0});
}

void TextMatcher::push(const StringPlace& place) {
  places_.push_back(place);
  if (places_.size() > 2 * limits::kGrammarRollbackMax) {
    places_.erase(places_.begin(), places_.end() - limits::kGrammarRollbackMax - 1);
  }
}

bool TextMatcher::accept(std::string_view bytes) {
  const std::lock_guard lock(grammar_->mutex);
  StringPlace place = places_.back();
  for (char c : bytes) {
    if (!step_utf8(&grammar_->dfa, &place, static_cast<uint8_t>(c))) return false;
  }
  push(place);
  return true;
}

size_t TextMatcher::accept_some(std::string_view bytes) {
  const std::lock_guard lock(grammar_->mutex);
  StringPlace place = places_.back();
  size_t used = 0;
  for (; used < bytes.size(); ++used) {
    StringPlace next = place;
    if (!step_utf8(&grammar_->dfa, &next, static_cast<uint8_t>(bytes[used]))) break;
    place = next;
  }
  push(place);
  return used;
}

bool TextMatcher::complete_at(const StringPlace& place) const {
  return place.partial == 0 && grammar_->dfa.accepting(place.state);
}

bool TextMatcher::complete() {
  const std::lock_guard lock(grammar_->mutex);
  return complete_at(places_.back());
}

void TextMatcher::rollback(size_t steps) { places_.resize(places_.size() - std::min(steps, places_.size() - 1)); }

std::string TextMatcher::forced(size_t bytes_max) {
  const std::lock_guard lock(grammar_->mutex);
  std::string bytes;
  for (StringPlace place = places_.back(); bytes.size() < bytes_max && !complete_at(place);) {
    int found = -1;
    StringPlace only;
    for (int b = 0; b < 256; ++b) {
      StringPlace next = place;
      if (!step_utf8(&grammar_->dfa, &next, static_cast<uint8_t>(b))) continue;
      if (found >= 0) return bytes;
      found = b;
      only = next;
    }
    if (found < 0) break;
    bytes.push_back(static_cast<char>(found));
    place = only;
  }
  return bytes;
}

void TextMatcher::mask(std::span<uint64_t> bits) {
  const std::lock_guard lock(grammar_->mutex);
  const StringPlace place = places_.back();
  const uint64_t key = uint64_t{place.state} << 32 | place.partial;
  if (grammar_->masks.get(key, bits)) return;
  std::ranges::fill(bits, 0);
  const auto set_token = [&](TokenId t) { bits[static_cast<size_t>(t) / 64] |= uint64_t{1} << (t % 64); };
  const GrammarVocabulary& vocabulary = *grammar_->vocabulary;
  const std::vector<TokenTrie::Node>& nodes = vocabulary.trie().nodes();
  std::vector<StringPlace>& path = grammar_->path;
  path[0] = place;
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    StringPlace& next = path[n.depth + 1];
    next = path[n.depth];
    if (!step_utf8(&grammar_->dfa, &next, n.byte)) {
      i = n.end;
      continue;
    }
    if (n.value >= 0) set_token(n.value);
    ++i;
  }
  for (const auto& [first, other] : vocabulary.equal_tokens()) {
    if ((bits[first / 64] >> (first % 64) & 1) != 0) set_token(other);
  }
  if (complete_at(place)) std::ranges::for_each(vocabulary.end_of_generation(), set_token);
  grammar_->masks.put(key, bits, nullptr);
}

}  // namespace rival::text::grammar
