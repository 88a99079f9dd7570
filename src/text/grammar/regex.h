// Regular languages over Unicode scalar values as hash-consed expressions with intersection and complement, matched
// by Brzozowski derivatives (Owens, Reppy, Turon: "Regular-expression derivatives re-examined", JFP 2009).
//
// Invariants: equal expressions have equal ids; a node's children have smaller ids; kNever appears in no other node.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/grammar/char_set.h"

namespace rival::text::grammar {

using RegexId = uint32_t;

constexpr RegexId kNever = 0;     // the empty language
constexpr RegexId kEpsilon = 1;   // only the empty string
constexpr RegexId kAnyChar = 2;   // one character
constexpr RegexId kAnything = 3;  // every string
constexpr uint32_t kUnbounded = UINT32_MAX;

class RegexPool {
 public:
  RegexPool();

  RegexId chars(const CharSet& set);
  RegexId literal(std::u32string_view text);
  RegexId concat(RegexId a, RegexId b);
  RegexId concat(std::span<const RegexId> parts);
  RegexId any_of(std::vector<RegexId> parts);
  RegexId all_of(std::vector<RegexId> parts);
  RegexId negate(RegexId a);
  RegexId repeat(RegexId a, uint32_t min, uint32_t max);  // max may be kUnbounded
  RegexId optional(RegexId a) { return repeat(a, 0, 1); }
  // Every decimal d with |d| = digits/10^scale a multiple of `divisor`/10^scale, spelled without sign or exponent.
  RegexId decimal_multiple(uint64_t divisor, uint32_t scale);

  bool nullable(RegexId id) const { return nodes_[id].nullable; }
  uint32_t min_length(RegexId id) const { return nodes_[id].min_length; }
  uint32_t max_length(RegexId id) const { return nodes_[id].max_length; }
  // True only if every string is a prefix of some member.
  bool always_live(RegexId id) const { return nodes_[id].always_live; }
  // For the language .{min,max} over all characters: its bounds.
  bool is_length(RegexId id, uint32_t* min, uint32_t* max) const;

  RegexId derivative(RegexId id, char32_t c);
  // Appends the first characters of intervals on each of which derivative(id, .) is constant (0 not included).
  void boundaries(RegexId id, std::vector<char32_t>* out) const;
  bool matches(RegexId id, std::u32string_view text);

  // Whether the language is not empty. A search that meets limits::kGrammarSearchWork sets overflowed() and
  // answers yes.
  bool live(RegexId id);
  bool overflowed() const { return overflowed_; }
  size_t size() const { return nodes_.size(); }
  uint64_t work() const { return work_; }  // parts handled so far: about 30 ns each
  // A spelling of the expression that is equal for equal languages built in any pool the same way.
  void canonical(RegexId id, std::string* out, size_t bytes_max) const;

 private:
  enum class Kind : uint8_t { kNever, kEpsilon, kChars, kConcat, kAnyOf, kAllOf, kNot, kRepeat, kMultiple };
  enum class Live : uint8_t { kUnknown, kYes, kNo };
  struct Node {
    Kind kind = Kind::kNever;
    bool nullable = false;
    bool always_live = false;
    bool has_boolean = false;  // contains an intersection, a complement or a kMultiple: may be empty unnoticed
    Live live = Live::kUnknown;
    uint32_t a = 0, b = 0;  // kConcat: children; kNot, kRepeat: a; lists: [a, a+b) of lists_; kChars: set index
    uint32_t min = 0, max = 0;  // kRepeat
    uint32_t min_length = 0, max_length = 0;
    uint64_t divisor = 0, residue = 0;  // kMultiple; then min = fraction digits left, a = phase
  };

  RegexId intern(Node node, std::span<const RegexId> list);
  uint64_t hash(const Node& node, std::span<const RegexId> list) const;
  bool same(const Node& a, const Node& b, std::span<const RegexId> b_list) const;
  void derive_attributes(Node* node, std::span<const RegexId> list) const;
  void append_flat(Kind kind, RegexId id, std::vector<RegexId>* out) const;
  RegexId apply_length_bounds(std::vector<RegexId>* parts);
  RegexId multiple(Node node);
  RegexId multiple_derivative(const Node& node, char32_t c);
  std::span<const RegexId> list(const Node& node) const { return {lists_.data() + node.a, node.b}; }
  bool search_live(RegexId id);

  std::vector<Node> nodes_;
  std::vector<RegexId> lists_;
  std::vector<CharSet> sets_;
  std::unordered_multimap<uint64_t, RegexId> index_;
  std::unordered_multimap<uint64_t, uint32_t> set_index_;
  bool overflowed_ = false;
  uint64_t work_ = 0;
};

}  // namespace rival::text::grammar
