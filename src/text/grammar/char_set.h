// A set of Unicode scalar values (no surrogates) as sorted, disjoint, non-touching ranges.
#pragma once

#include <cstdint>
#include <vector>

namespace rival::text::grammar {

constexpr char32_t kCodePointMax = 0x10FFFF;

struct CharRange {
  char32_t lo, hi;  // inclusive
  bool operator==(const CharRange&) const = default;
};

class CharSet {
 public:
  CharSet() = default;
  CharSet(std::initializer_list<CharRange> ranges);
  static CharSet of(std::vector<CharRange> ranges);  // any order, may overlap; surrogates are left out
  static CharSet full();

  const std::vector<CharRange>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  bool contains(char32_t c) const;
  CharSet unite(const CharSet& other) const;
  CharSet intersect(const CharSet& other) const;
  CharSet complement() const;
  // With every ASCII letter in both cases.
  CharSet fold_ascii_case() const;
  bool operator==(const CharSet&) const = default;

 private:
  std::vector<CharRange> ranges_;
};

}  // namespace rival::text::grammar
