// Byte-pair encoding (Sennrich et al. 2016): neighbouring symbols merge, best pair first, ties from the left.
// The order of pairs comes from a list of merges, or from the scores of the tokens that arise
// (SentencePiece's BPE).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "text/token_table.h"

namespace rival::text {

struct BpeOptions {
  bool ignore_merges = false;      // a piece that is a token as a whole is taken as it is
  bool fuse_unknown = false;       // neighbouring unknown characters become one unknown token
  bool strict_merges = false;      // a merge of or into something that is no token is an error, not left out
  std::optional<TokenId> unknown;  // without it, unknown characters vanish
  std::vector<TokenId>
      byte_tokens;                // 256 ids or -1: what is no token is spelled in these; empty: it is unknown
  std::string continuing_prefix;  // spelled in front of every symbol but the first
  std::string end_suffix;         // spelled behind the last symbol
};

struct MergePair {
  std::string_view left, right;
};

// Buffers that encoding works in, kept between pieces.
struct BpeScratch {
  struct Symbol {
    uint32_t begin, length;  // bytes of the piece; length 0: merged into its left neighbour
    int32_t previous, next;  // -1 = none
    TokenId id;              // -1 = not looked up (scores), or unknown
    bool plain;              // the token's text is these bytes
  };
  struct Candidate {
    uint64_t order;   // rank, then position
    uint32_t length;  // bytes of both symbols together: a candidate whose symbols have changed is stale
    TokenId id;
  };
  // Words come again: their ids are kept, one word a slot, the last one stays.
  struct Known {
    static constexpr size_t kBytesMax = 24, kIdsMax = 6;  // a slot is one cache line
    uint64_t hash = 0;
    uint32_t length = 0;  // 0 = free
    uint32_t count = 0;
    std::array<char, kBytesMax> text;
    std::array<TokenId, kIdsMax> ids;
  };
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
  std::string joined;
  std::vector<Known> known;  // a power of two; empty: nothing is kept
};

class Bpe {
 public:
  // merges: "left right", best first. Errors: kCorrupt for an entry that is not two parts, and see
  // strict_merges.
  static Result<Bpe> from_merges(const TokenTable* table, std::span<const std::string_view> merges,
                                 BpeOptions options);
  static Result<Bpe> from_pairs(const TokenTable* table, std::span<const MergePair> merges,
                                BpeOptions options);
  // scores: one a token, the highest merges first. Errors: kCorrupt where the counts differ or a score is no
  // number.
  static Result<Bpe> from_scores(const TokenTable* table, std::span<const float> scores, BpeOptions options);

  // Memory for words that come again; worth it for texts of more than a few kB.
  static void remember_words(BpeScratch& scratch) { scratch.known.resize(kKnownCount); }

  // Appends the ids of one piece, in n log n. escaped: private-use units in it stand for bytes (unicode.h).
  void encode(std::string_view piece, bool escaped, BpeScratch& scratch, std::vector<TokenId>& ids) const;

 private:
  static constexpr size_t kKnownCount = 4096;
  struct Merge {
    uint32_t left_bytes;  // the token is a left part of so many bytes and the rest
    uint32_t next;        // the next way to the same token: 1 + index, 0 = none
  };
  struct Pair {
    TokenId id = -1;  // what the two symbols become, -1: they do not merge
    uint32_t rank = 0;
  };

  Bpe(const TokenTable* table, BpeOptions options) : table_(table), options_(std::move(options)) {}
  void start_merges(size_t count);
  Status add_merge(MergePair merge, TokenId& guess, std::string& joined);
  TokenId find_near(std::string_view text, TokenId guess) const;
  void encode_anew(std::string_view piece, bool escaped, BpeScratch& scratch,
                   std::vector<TokenId>& ids) const;
  void split_symbols(std::string_view piece, bool escaped, BpeScratch& scratch) const;
  void split_plainly(std::string_view piece, BpeScratch& scratch) const;
  bool add_byte_symbols(std::string_view text, uint32_t begin, bool escaped, BpeScratch& scratch) const;
  Pair find_pair(std::string_view piece, const BpeScratch::Symbol& left, const BpeScratch::Symbol& right,
                 std::string& joined) const;
  void add_candidate(std::string_view piece, int32_t left, int32_t right, BpeScratch& scratch) const;
  void merge_symbols(std::string_view piece, BpeScratch& scratch) const;
  void emit_by_text(std::string_view piece, bool escaped, const BpeScratch& scratch,
                    std::vector<TokenId>& ids) const;

  const TokenTable* table_ = nullptr;
  BpeOptions options_;
  std::vector<uint32_t>
      first_merge_;            // a token's first way, 1 + index into merges_, 0 = none; empty with scores
  std::vector<Merge> merges_;  // index = rank
  std::span<const float> scores_;
};

// The 256 byte tokens "<0x00>".."<0xFF>" of a vocabulary; -1 where one is missing.
std::vector<TokenId> find_byte_tokens(const TokenTable& table);

// The byte that a token text "<0xHH>" names, or -1.
int byte_of_token(std::string_view text);

}  // namespace rival::text
