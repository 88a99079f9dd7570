#include "text/word_models.h"

#include "text/unicode.h"

namespace rival::text {
namespace {

Status add_unknown(std::optional<TokenId> unknown, std::string_view word, std::vector<TokenId>& ids) {
  if (!unknown)
    return make_error(ErrorCode::kCorrupt, "'{}' is in no token, and the vocabulary names no unknown token",
                      word);
  ids.push_back(*unknown);
  return {};
}

size_t count_chars(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace

Status WordPiece::encode(std::string_view word, std::vector<TokenId>& ids) const {
  if (count_chars(word) > word_chars_max) return add_unknown(unknown, word, ids);
  const size_t start = ids.size();
  std::string spelled;
  for (size_t begin = 0; begin < word.size();) {
    const std::string& prefix = begin == 0 ? first_prefix : continuing_prefix;
    spelled.assign(prefix).append(word.substr(begin));
    TokenId id = table->find(spelled);
    while (id < 0 && spelled.size() > prefix.size()) {
      do spelled.pop_back();
      while (spelled.size() > prefix.size() &&
             (static_cast<unsigned char>(word[begin + spelled.size() - prefix.size()]) & 0xC0) == 0x80);
      if (spelled.size() > prefix.size()) id = table->find(spelled);
    }
    if (id < 0) {
      ids.resize(start);
      return add_unknown(unknown, word, ids);
    }
    ids.push_back(id);
    begin += spelled.size() - prefix.size();
  }
  return {};
}

Status WordLevel::encode(std::string_view word, std::vector<TokenId>& ids) const {
  const TokenId id = table->find(word);
  if (id < 0) return add_unknown(unknown, word, ids);
  ids.push_back(id);
  return {};
}

}  // namespace rival::text
