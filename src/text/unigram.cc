#include "text/unigram.h"

#include <algorithm>
#include <cmath>

#include "text/unicode.h"

namespace rival::text {

size_t TokenTrie::slot_of(uint64_t key) const {
  const size_t mask = edges_.size() - 1;
  size_t at = (key * 0x9E3779B97F4A7C15u >> 20) & mask;
  while (edges_[at].key != 0 && edges_[at].key != key) at = (at + 1) & mask;
  return at;
}

void TokenTrie::grow() {
  std::vector<Edge> old(edges_.size() * 2);
  old.swap(edges_);
  for (const Edge& edge : old)
    if (edge.key != 0) edges_[slot_of(edge.key)] = edge;
}

int32_t TokenTrie::step(int32_t node, unsigned char byte) const {
  const Edge& edge = edges_[slot_of((static_cast<uint64_t>(node) << 8 | byte) + 1)];
  return edge.key == 0 ? -1 : edge.to;
}

void TokenTrie::insert(std::string_view text, TokenId id) {
  int32_t node = 0;
  for (const char c : text) {
    const uint64_t key = (static_cast<uint64_t>(node) << 8 | static_cast<unsigned char>(c)) + 1;
    size_t slot = slot_of(key);
    if (edges_[slot].key == 0) {
      edges_[slot] = {key, static_cast<int32_t>(ids_.size())};
      ids_.push_back(-1);
      if (ids_.size() * 2 > edges_.size()) grow();
      slot = slot_of(key);
    }
    node = edges_[slot].to;
  }
  if (node != 0) ids_[static_cast<size_t>(node)] = id;
}

Result<Unigram> Unigram::create(std::span<const std::string_view> tokens, std::vector<double> scores,
                                std::span<const TokenType> types, UnigramOptions options) {
  if (scores.size() != tokens.size())
    return make_error(ErrorCode::kCorrupt, "vocabulary has {} tokens but {} scores", tokens.size(),
                      scores.size());
  Unigram model;
  double lowest = tokens.empty() ? 0 : HUGE_VAL;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (std::isnan(scores[i])) return make_error(ErrorCode::kCorrupt, "score of token {} is not a number", i);
    const TokenType type = types.empty() ? TokenType::kNormal : types[i];
    if (type != TokenType::kNormal && type != TokenType::kUserDefined) continue;
    lowest = std::min(lowest, scores[i]);
    model.trie_.insert(tokens[i], static_cast<TokenId>(i));
  }
  model.unknown_score_ = lowest - options.unknown_penalty;
  model.scores_ = std::move(scores);
  model.options_ = std::move(options);
  return model;
}

void Unigram::extend(std::string_view piece, size_t at, std::vector<Best>& best) const {
  const double before = best[at].score;
  const auto offer = [&](size_t end, double score, TokenId id) {
    if (best[end].from < 0 || before + score > best[end].score)
      best[end] = {before + score, static_cast<int32_t>(at), id};
  };
  const size_t length = std::min(utf8_length(static_cast<unsigned char>(piece[at])), piece.size() - at);
  bool spelled = false;
  int32_t node = 0;
  for (size_t end = at; end < piece.size();) {
    node = trie_.step(node, static_cast<unsigned char>(piece[end++]));
    if (node < 0) break;
    const TokenId id = trie_.id_at(node);
    if (id < 0) continue;
    offer(end, scores_[static_cast<size_t>(id)], id);
    spelled = spelled || end - at == length;
  }
  if (!spelled) offer(at + length, unknown_score_, -1);
}

Status Unigram::encode(std::string_view piece, bool escaped, std::vector<TokenId>& ids) const {
  std::vector<Best> best(piece.size() + 1);
  for (size_t at = 0; at < piece.size();) {
    extend(piece, at, best);
    at += std::min(utf8_length(static_cast<unsigned char>(piece[at])), piece.size() - at);
  }
  const size_t start = ids.size();
  for (size_t end = piece.size(); end > 0;) {
    if (best[end].id >= 0) {
      ids.push_back(best[end].id);
      end = static_cast<size_t>(best[end].from);
      continue;
    }
    size_t begin = end;  // of a stretch of unknown characters
    while (begin > 0 && best[begin].id < 0) begin = static_cast<size_t>(best[begin].from);
    if (!options_.unknown && options_.byte_tokens.empty())
      return make_error(ErrorCode::kCorrupt, "'{}' is in no token, and the vocabulary names no unknown token",
                        piece.substr(begin, end - begin));
    emit_unknown(piece.substr(begin, end - begin), escaped, ids);
    end = begin;
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(start), ids.end());
  return {};
}

void Unigram::emit_unknown(std::string_view text, bool escaped, std::vector<TokenId>& reversed) const {
  const std::string bytes = escaped ? unescape_invalid_utf8(text) : std::string(text);
  const auto token_of = [&](char byte) { return options_.byte_tokens[static_cast<unsigned char>(byte)]; };
  const bool by_bytes =
      !options_.byte_tokens.empty() &&
      std::all_of(bytes.begin(), bytes.end(), [&](char byte) { return token_of(byte) >= 0; });
  if (!by_bytes) {
    if (options_.unknown) reversed.push_back(*options_.unknown);
    return;
  }
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) reversed.push_back(token_of(*byte));
}

}  // namespace rival::text
