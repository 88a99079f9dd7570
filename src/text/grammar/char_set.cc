#include "text/grammar/char_set.h"

#include <algorithm>

namespace rival::text::grammar {

namespace {

constexpr CharRange kBelowSurrogates{0, 0xD7FF};
constexpr CharRange kAboveSurrogates{0xE000, kCodePointMax};

}  // namespace

CharSet CharSet::full() {
  CharSet set;
  set.ranges_ = {kBelowSurrogates, kAboveSurrogates};
  return set;
}

CharSet::CharSet(std::initializer_list<CharRange> ranges) { *this = of(std::vector<CharRange>(ranges)); }

CharSet CharSet::of(std::vector<CharRange> ranges) {
  std::vector<CharRange> clipped;
  for (const CharRange& r : ranges) {
    for (const CharRange& part : {kBelowSurrogates, kAboveSurrogates}) {
      const char32_t lo = std::max(r.lo, part.lo), hi = std::min(r.hi, part.hi);
      if (lo <= hi) clipped.push_back({lo, hi});
    }
  }
  std::sort(clipped.begin(), clipped.end(), [](const CharRange& a, const CharRange& b) { return a.lo < b.lo; });
  CharSet set;
  for (const CharRange& r : clipped) {
    if (!set.ranges_.empty() && r.lo <= set.ranges_.back().hi + 1) {
      set.ranges_.back().hi = std::max(set.ranges_.back().hi, r.hi);
    } else {
      set.ranges_.push_back(r);
    }
  }
  return set;
}

bool CharSet::contains(char32_t c) const {
  auto it = std::upper_bound(ranges_.begin(), ranges_.end(), c, [](char32_t v, const CharRange& r) { return v < r.lo; });
  return it != ranges_.begin() && c <= std::prev(it)->hi;
}

CharSet CharSet::unite(const CharSet& other) const {
  std::vector<CharRange> all = ranges_;
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  return of(std::move(all));
}

CharSet CharSet::intersect(const CharSet& other) const {
  CharSet set;
  size_t i = 0, j = 0;
  while (i < ranges_.size() && j < other.ranges_.size()) {
    const CharRange &a = ranges_[i], &b = other.ranges_[j];
    const char32_t lo = std::max(a.lo, b.lo), hi = std::min(a.hi, b.hi);
    if (lo <= hi) set.ranges_.push_back({lo, hi});
    if (a.hi < b.hi) ++i; else ++j;
  }
  return set;
}

CharSet CharSet::complement() const {
  std::vector<CharRange> gaps;
  char32_t next = 0;
  for (const CharRange& r : ranges_) {
    if (r.lo > next) gaps.push_back({next, r.lo - 1});
    next = r.hi + 1;
  }
  if (next <= kCodePointMax) gaps.push_back({next, kCodePointMax});
  return of(std::move(gaps));
}

CharSet CharSet::fold_ascii_case() const {
  std::vector<CharRange> all = ranges_;
  for (char32_t c = 'a'; c <= 'z'; ++c) {
    const char32_t upper = c - 'a' + 'A';
    if (contains(c)) all.push_back({upper, upper});
    if (contains(upper)) all.push_back({c, c});
  }
  return of(std::move(all));
}

}  // namespace rival::text::grammar
