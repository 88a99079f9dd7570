#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "text/unicode.h"

namespace rival::text {
namespace {

bool is_later(const BpeScratch::Candidate& a, const BpeScratch::Candidate& b) { return a.order > b.order; }

// Ascending ranks for descending scores, by the order of IEEE bit patterns.
uint32_t rank_of_score(float score) {
  const auto bits = std::bit_cast<uint32_t>(score == 0.0f ? 0.0f : score);
  const uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

void link(std::vector<BpeScratch::Symbol>& symbols) {
  for (size_t i = 0; i < symbols.size(); ++i) {
    symbols[i].previous = static_cast<int32_t>(i) - 1;
    symbols[i].next = i + 1 < symbols.size() ? static_cast<int32_t>(i + 1) : -1;
  }
}

void add_symbol(BpeScratch& scratch, uint32_t begin, uint32_t length, TokenId id, bool plain) {
  scratch.symbols.push_back({begin, length, -1, -1, id, plain});
}

}  // namespace

void Bpe::start_merges(size_t count) {
  first_merge_.assign(table_->size(), 0);
  merges_.reserve(count);
}

Result<Bpe> Bpe::from_merges(const TokenTable* table, std::span<const std::string_view> merges,
                             BpeOptions options) {
  Bpe bpe(table, std::move(options));
  bpe.start_merges(merges.size());
  TokenId guess = 0;
  std::string joined;
  for (size_t i = 0; i < merges.size(); ++i) {
    const size_t space = merges[i].find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merges[i].size())
      return make_error(ErrorCode::kCorrupt, "merge {} is '{}', expected two parts with a space between", i,
                        merges[i]);
    RIVAL_RETURN_IF_ERROR(
        bpe.add_merge({merges[i].substr(0, space), merges[i].substr(space + 1)}, guess, joined));
  }
  return bpe;
}

Result<Bpe> Bpe::from_pairs(const TokenTable* table, std::span<const MergePair> merges, BpeOptions options) {
  Bpe bpe(table, std::move(options));
  bpe.start_merges(merges.size());
  TokenId guess = 0;
  std::string joined;
  for (const MergePair& merge : merges) RIVAL_RETURN_IF_ERROR(bpe.add_merge(merge, guess, joined));
  return bpe;
}

Result<Bpe> Bpe::from_scores(const TokenTable* table, std::span<const float> scores, BpeOptions options) {
  if (scores.size() != table->size())
    return make_error(ErrorCode::kCorrupt, "vocabulary has {} tokens but {} scores", table->size(),
                      scores.size());
  for (size_t i = 0; i < scores.size(); ++i)
    if (std::isnan(scores[i])) return make_error(ErrorCode::kCorrupt, "score of token {} is not a number", i);
  Bpe bpe(table, std::move(options));
  bpe.scores_ = scores;
  return bpe;
}

// Most lists make their tokens in the order of their ids, one or more ways a token: the last one found and
// its successor are tried before the table.
TokenId Bpe::find_near(std::string_view text, TokenId guess) const {
  for (TokenId id = guess; id <= guess + 1 && static_cast<size_t>(id) < table_->size(); ++id)
    if (table_->text(id) == text) return id;
  return table_->find(text);
}

Status Bpe::add_merge(MergePair merge, TokenId& guess, std::string& joined) {
  const size_t index = merges_.size();
  merges_.push_back({static_cast<uint32_t>(merge.left.size()), 0});
  if (merge.right.size() < options_.continuing_prefix.size())
    return make_error(ErrorCode::kCorrupt,
                      "merge {} ('{}' and '{}'): the right part is shorter than the prefix '{}'", index,
                      merge.left, merge.right, options_.continuing_prefix);
  joined.assign(merge.left).append(merge.right.substr(options_.continuing_prefix.size()));
  const TokenId id = find_near(joined, guess);
  if (options_.strict_merges && (id < 0 || table_->find(merge.left) < 0 || table_->find(merge.right) < 0))
    return make_error(ErrorCode::kCorrupt,
                      "merge {} ('{}' and '{}') names a token that is not in the vocabulary", index,
                      merge.left, merge.right);
  if (id < 0) return {};
  guess = id;
  merges_[index].next =
      std::exchange(first_merge_[static_cast<size_t>(id)], static_cast<uint32_t>(index + 1));
  return {};
}

void Bpe::encode(std::string_view piece, bool escaped, BpeScratch& scratch, std::vector<TokenId>& ids) const {
  if (piece.empty()) return;
  if (scratch.known.empty() || piece.size() > BpeScratch::Known::kBytesMax)
    return encode_anew(piece, escaped, scratch, ids);
  const uint64_t hash = hash_text(piece);
  BpeScratch::Known& known = scratch.known[hash & (scratch.known.size() - 1)];
  if (known.hash == hash && std::string_view(known.text.data(), known.length) == piece) {
    ids.insert(ids.end(), known.ids.begin(), known.ids.begin() + known.count);
    return;
  }
  const size_t start = ids.size();
  encode_anew(piece, escaped, scratch, ids);
  const size_t count = ids.size() - start;
  if (count > BpeScratch::Known::kIdsMax) return;
  known.hash = hash;
  known.length = static_cast<uint32_t>(piece.size());
  known.count = static_cast<uint32_t>(count);
  std::copy(piece.begin(), piece.end(), known.text.begin());
  std::copy(ids.begin() + static_cast<std::ptrdiff_t>(start), ids.end(), known.ids.begin());
}

void Bpe::encode_anew(std::string_view piece, bool escaped, BpeScratch& scratch,
                      std::vector<TokenId>& ids) const {
  if (options_.ignore_merges) {
    if (const TokenId id = table_->find(piece); id >= 0) return ids.push_back(id);
  }
  scratch.symbols.clear();
  if (scores_.empty()) {
    split_symbols(piece, escaped, scratch);
  } else {
    split_plainly(piece, scratch);
  }
  link(scratch.symbols);
  merge_symbols(piece, scratch);
  if (!scores_.empty()) return emit_by_text(piece, escaped, scratch, ids);
  for (const BpeScratch::Symbol& symbol : scratch.symbols)
    if (symbol.length > 0) ids.push_back(symbol.id);
}

void Bpe::split_plainly(std::string_view piece, BpeScratch& scratch) const {
  for (size_t at = 0; at < piece.size();) {
    const size_t length = std::min(utf8_length(static_cast<unsigned char>(piece[at])), piece.size() - at);
    add_symbol(scratch, static_cast<uint32_t>(at), static_cast<uint32_t>(length), -1, true);
    at += length;
  }
}

// One symbol a character, or its bytes, or the unknown token, as the tokenizers library does it; that
// includes its order where unknown characters and byte tokens mix: a pending unknown token is placed before
// the next known one.
void Bpe::split_symbols(std::string_view piece, bool escaped, BpeScratch& scratch) const {
  BpeScratch::Symbol unknown{0, 0, -1, -1, -1, false};
  const auto flush_unknown = [&] {
    if (unknown.length > 0) scratch.symbols.push_back(unknown);
    unknown.length = 0;
  };
  for (size_t at = 0; at < piece.size();) {
    const size_t length = std::min(utf8_length(static_cast<unsigned char>(piece[at])), piece.size() - at);
    const auto begin = static_cast<uint32_t>(at);
    const std::string_view character = piece.substr(at, length);
    const bool prefixed = at > 0 && !options_.continuing_prefix.empty();
    at += length;
    const bool suffixed = at == piece.size() && !options_.end_suffix.empty();
    std::string spelled;
    if (prefixed || suffixed)
      spelled.append(prefixed ? options_.continuing_prefix : "")
          .append(character)
          .append(suffixed ? options_.end_suffix : "");
    const std::string_view text = spelled.empty() ? character : std::string_view(spelled);
    if (const TokenId id = table_->find(text); id >= 0) {
      flush_unknown();
      add_symbol(scratch, begin, static_cast<uint32_t>(length), id, spelled.empty());
    } else if (!add_byte_symbols(text, begin, escaped, scratch) && options_.unknown) {
      if (!options_.fuse_unknown) flush_unknown();
      if (unknown.length == 0) unknown = {begin, 0, -1, -1, *options_.unknown, false};
      unknown.length += static_cast<uint32_t>(length);
    }
  }
  flush_unknown();
}

bool Bpe::add_byte_symbols(std::string_view text, uint32_t begin, bool escaped, BpeScratch& scratch) const {
  if (options_.byte_tokens.empty()) return false;
  const std::string bytes = escaped ? unescape_invalid_utf8(text) : std::string(text);
  for (const char byte : bytes)
    if (options_.byte_tokens[static_cast<unsigned char>(byte)] < 0) return false;
  for (const char byte : bytes)
    add_symbol(scratch, begin, 1, options_.byte_tokens[static_cast<unsigned char>(byte)], false);
  return true;
}

Bpe::Pair Bpe::find_pair(std::string_view piece, const BpeScratch::Symbol& left,
                         const BpeScratch::Symbol& right, std::string& joined) const {
  std::string_view text;
  size_t left_bytes = left.length;
  if (left.plain && right.plain && left.begin + left.length == right.begin) {
    text = piece.substr(left.begin, left.length + right.length);
  } else {
    left_bytes = table_->text(left.id).size();
    const std::string_view right_text = table_->text(right.id);
    const size_t skipped = std::min(options_.continuing_prefix.size(), right_text.size());
    text = joined.assign(table_->text(left.id)).append(right_text.substr(skipped));
  }
  const TokenId id = table_->find(text);
  if (id < 0) return {};
  if (!scores_.empty()) return {id, rank_of_score(scores_[static_cast<size_t>(id)])};
  for (uint32_t way = first_merge_[static_cast<size_t>(id)]; way != 0; way = merges_[way - 1].next)
    if (merges_[way - 1].left_bytes == left_bytes) return {id, way - 1};
  return {};
}

void Bpe::add_candidate(std::string_view piece, int32_t left, int32_t right, BpeScratch& scratch) const {
  if (left < 0 || right < 0) return;
  const BpeScratch::Symbol& l = scratch.symbols[static_cast<size_t>(left)];
  const BpeScratch::Symbol& r = scratch.symbols[static_cast<size_t>(right)];
  const Pair pair = find_pair(piece, l, r, scratch.joined);
  if (pair.id < 0) return;
  scratch.heap.push_back(
      {uint64_t{pair.rank} << 32 | static_cast<uint32_t>(left), l.length + r.length, pair.id});
  std::push_heap(scratch.heap.begin(), scratch.heap.end(), is_later);
}

void Bpe::merge_symbols(std::string_view piece, BpeScratch& scratch) const {
  std::vector<BpeScratch::Symbol>& symbols = scratch.symbols;
  scratch.heap.clear();
  for (size_t i = 0; i + 1 < symbols.size(); ++i)
    add_candidate(piece, static_cast<int32_t>(i), static_cast<int32_t>(i + 1), scratch);
  while (!scratch.heap.empty()) {
    std::pop_heap(scratch.heap.begin(), scratch.heap.end(), is_later);
    const BpeScratch::Candidate best = scratch.heap.back();
    scratch.heap.pop_back();
    const auto at = static_cast<int32_t>(best.order & 0xFFFFFFFFu);
    BpeScratch::Symbol& left = symbols[static_cast<size_t>(at)];
    if (left.length == 0 || left.next < 0) continue;
    BpeScratch::Symbol& right = symbols[static_cast<size_t>(left.next)];
    if (left.length + right.length != best.length) continue;
    left.plain = left.plain && right.plain && left.begin + left.length == right.begin;
    left.id = best.id;
    left.length = best.length;
    left.next = right.next;
    right.length = 0;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = at;
    add_candidate(piece, left.previous, at, scratch);
    add_candidate(piece, at, left.next, scratch);
  }
}

// With scores a character need not be a token to take part in one: tokens are looked up at the end.
void Bpe::emit_by_text(std::string_view piece, bool escaped, const BpeScratch& scratch,
                       std::vector<TokenId>& ids) const {
  bool after_unknown = false;
  for (const BpeScratch::Symbol& symbol : scratch.symbols) {
    if (symbol.length == 0) continue;
    const std::string_view text = piece.substr(symbol.begin, symbol.length);
    const TokenId id = symbol.id >= 0 ? symbol.id : table_->find(text);
    const bool known = id >= 0;
    if (known) {
      ids.push_back(id);
    } else if (!options_.byte_tokens.empty()) {
      for (const char byte : escaped ? unescape_invalid_utf8(text) : std::string(text)) {
        const TokenId token = options_.byte_tokens[static_cast<unsigned char>(byte)];
        if (token >= 0) {
          ids.push_back(token);
        } else if (options_.unknown) {
          ids.push_back(*options_.unknown);
        }
      }
    } else if (options_.unknown && !(after_unknown && options_.fuse_unknown)) {
      ids.push_back(*options_.unknown);
    }
    after_unknown = !known;
  }
}

int byte_of_token(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  int value = 0;
  for (const char c : text.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

std::vector<TokenId> find_byte_tokens(const TokenTable& table) {
  std::vector<TokenId> ids(256, -1);
  for (int byte = 0; byte < 256; ++byte)
    ids[static_cast<size_t>(byte)] = table.find(fmt::format("<0x{:02X}>", byte));
  return ids;
}

}  // namespace rival::text
