#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace rival::text {
namespace {

// Where the character before `at` begins; at > begin.
size_t previous_char(std::string_view text, size_t begin, size_t at) {
  do --at;
  while (at > begin && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

bool inside_word(std::string_view text, Span whole, Span match) {
  const bool before = match.begin > whole.begin &&
                      is_word(decode_utf8(text, previous_char(text, whole.begin, match.begin)).code);
  const bool behind = match.end < whole.end && is_word(decode_utf8(text, match.end).code);
  return before || behind;
}

size_t skip_space_back(std::string_view text, size_t begin, size_t at) {
  while (at > begin) {
    const size_t previous = previous_char(text, begin, at);
    if (!is_white_space(decode_utf8(text, previous).code)) break;
    at = previous;
  }
  return at;
}

size_t skip_space(std::string_view text, size_t at, size_t end) {
  while (at < end) {
    const DecodedChar c = decode_utf8(text, at);
    if (!c.valid || !is_white_space(c.code)) break;
    at += c.length;
  }
  return at;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_,
                [](const AddedToken& token) { return token.text.empty() || !is_valid_utf8(token.text); });
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const auto& a, const auto& b) { return a.text < b.text; });
  // Of equal texts keep the last.
  const auto kept = std::unique(tokens_.rbegin(), tokens_.rend(),
                                [](const auto& a, const auto& b) { return a.text == b.text; });
  tokens_.erase(tokens_.begin(), kept.base());
  for (const AddedToken& token : tokens_) ++first_[static_cast<unsigned char>(token.text[0]) + 1];
  for (size_t i = 1; i < 257; ++i) first_[i] += first_[i - 1];
}

const AddedToken* AddedTokens::find(std::string_view text) const {
  const auto at =
      std::lower_bound(tokens_.begin(), tokens_.end(), text,
                       [](const AddedToken& token, std::string_view t) { return token.text < t; });
  return at != tokens_.end() && at->text == text ? &*at : nullptr;
}

// Narrows the sorted range byte by byte; the first token of a range that is as long as the prefix read so far
// is the longest match yet.
const AddedToken* AddedTokens::longest_at(std::string_view text, size_t at) const {
  const auto byte = static_cast<unsigned char>(text[at]);
  auto begin = tokens_.begin() + first_[byte], end = tokens_.begin() + first_[byte + 1];
  const AddedToken* longest = nullptr;
  for (size_t depth = 1; begin != end; ++depth) {
    if (begin->text.size() == depth) {
      longest = &*begin;
      ++begin;
    }
    if (at + depth >= text.size()) break;
    const auto wanted = static_cast<unsigned char>(text[at + depth]);
    const auto byte_at = [&](const AddedToken& token) {
      return static_cast<unsigned char>(token.text[depth]);
    };
    begin = std::lower_bound(begin, end, wanted,
                             [&](const auto& token, unsigned char b) { return byte_at(token) < b; });
    end = std::upper_bound(begin, end, wanted,
                           [&](unsigned char b, const auto& token) { return b < byte_at(token); });
  }
  return longest;
}

void AddedTokens::split(std::string_view text, Span whole, bool parse_special, std::span<const size_t> plain,
                        std::vector<Section>& sections) const {
  const std::string_view bounded = text.substr(0, whole.end);
  size_t taken = whole.begin;  // everything before is in sections
  Span space{1, 0};            // the last run of white space that was stripped
  for (size_t at = whole.begin; at < whole.end;) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const AddedToken* token = first_[byte] == first_[byte + 1] ? nullptr : longest_at(bounded, at);
    if (!token) {
      ++at;
      continue;
    }
    if (token->special && std::binary_search(plain.begin(), plain.end(), at)) {
      ++at;
      continue;
    }
    Span match{static_cast<uint32_t>(at), static_cast<uint32_t>(at + token->text.size())};
    at = match.end;
    if (token->special && !parse_special) continue;
    if (token->single_word && inside_word(text, whole, match)) continue;
    // A token of white space may lie in what the one before it has taken: the library then cuts it off only if it strips
    // to the left, drops it if nothing is left, and goes on behind it.
    if (token->lstrip)
      match.begin = static_cast<uint32_t>(match.begin < taken ? taken : skip_space_back(text, taken, match.begin));
    if (token->rstrip) {
      if (match.end < space.begin || match.end > space.end)
        space = {match.end, static_cast<uint32_t>(skip_space(text, match.end, whole.end))};
      match.end = space.end;
    }
    if (taken < match.begin) sections.push_back({{static_cast<uint32_t>(taken), match.begin}, -1});
    if (match.begin < match.end) sections.push_back({match, token->id});
    taken = match.end;
  }
  if (taken < whole.end) sections.push_back({{static_cast<uint32_t>(taken), whole.end}, -1});
}

}  // namespace rival::text
