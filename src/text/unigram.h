// Unigram language model (Kudo 2018): of all ways to spell a piece in tokens, the one of the highest total
// score.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/vocabulary.h"

namespace rival::text {

// A byte trie over tokens; edges in one open-addressing table.
class TokenTrie {
 public:
  // Adds `text`; of equal texts the last id counts.
  void insert(std::string_view text, TokenId id);
  // The root is node 0; -1 where no token goes on with `byte`.
  int32_t step(int32_t node, unsigned char byte) const;
  TokenId id_at(int32_t node) const { return ids_[static_cast<size_t>(node)]; }

 private:
  struct Edge {
    uint64_t key = 0;  // node << 8 | byte, plus 1
    int32_t to = 0;
  };
  size_t slot_of(uint64_t key) const;
  void grow();

  std::vector<TokenId> ids_{-1};  // by node
  std::vector<Edge> edges_ = std::vector<Edge>(1024);
};

struct UnigramOptions {
  std::optional<TokenId> unknown;    // characters that no token spells
  std::vector<TokenId> byte_tokens;  // 256 ids or -1: unknown stretches are spelled in these; empty: unknown
  double unknown_penalty = 10.0;     // below the lowest score
};

class Unigram {
 public:
  // types: empty, or tokens that are control, unknown, unused or byte are not spelled. Errors: kCorrupt where
  // the counts differ or a score is no number.
  static Result<Unigram> create(std::span<const std::string_view> tokens, std::vector<double> scores,
                                std::span<const TokenType> types, UnigramOptions options);

  // Appends the ids of one piece, in time that grows with its length. Errors: kCorrupt where a character
  // needs the unknown token and the vocabulary names none.
  Status encode(std::string_view piece, bool escaped, std::vector<TokenId>& ids) const;

 private:
  struct Best {
    double score = 0;
    int32_t from = -1;  // byte where the token begins
    TokenId id = -1;    // -1: unknown
  };
  void emit_unknown(std::string_view text, bool escaped, std::vector<TokenId>& reversed) const;
  void extend(std::string_view piece, size_t at, std::vector<Best>& best) const;

  TokenTrie trie_;
  std::vector<double> scores_;
  UnigramOptions options_;
  double unknown_score_ = 0;
};

}  // namespace rival::text
