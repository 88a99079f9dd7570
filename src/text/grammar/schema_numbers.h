// Sets of numbers as languages of their JSON spellings.
//
// Bounds other than zero, multipleOf and complements only know spellings without an exponent: every such number can
// still be written, only not as 1e2.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "text/grammar/regex.h"

namespace rival::text::grammar {

// A decimal number: sign, then digits without leading zeros before and without trailing zeros behind the point.
struct Decimal {
  bool negative = false;
  std::string whole;     // empty: 0
  std::string fraction;  // empty: none
  bool zero() const { return whole.empty() && fraction.empty(); }
};

// Errors: kInvalidArgument for anything but a finite number; kLimit beyond 400 digits.
Result<Decimal> to_decimal(const json::value& value);

// Languages of number texts. Zeros that say nothing cannot go on for ever: a point is followed by one 0 alone, or by
// digits without more than 16 zeros in a row; an exponent has up to three digits. Every language of this class holds
// all texts of its numbers that any() has, so complements are exact within any().
class Numbers {
 public:
  explicit Numbers(RegexPool* pool);

  RegexId any() const { return any_; }
  RegexId integer(bool point_zero) const { return point_zero ? integer_point_zero_ : integer_; }
  RegexId without_exponent() const { return without_exponent_; }
  RegexId exactly(const Decimal& value);
  RegexId at_least(const Decimal& bound, bool exclusive);
  RegexId at_most(const Decimal& bound, bool exclusive);
  // Error: kUnsupported for a divisor of more than 17 digits; kInvalidArgument unless positive.
  Result<RegexId> multiple_of(const Decimal& divisor);
  // Every number that is not in `set`. REQUIRES: set is a union or intersection of what this class returns.
  RegexId complement(RegexId set);

 private:
  RegexId digits(uint32_t min, uint32_t max) { return pool_->repeat(digit_, min, max); }
  RegexId range(char lo, char hi);
  RegexId text(std::string_view ascii);
  RegexId magnitude_above(const Decimal& bound, bool exclusive);
  RegexId magnitude_below(const Decimal& bound, bool exclusive);
  RegexId fraction_above(const std::string& fraction, bool exclusive);
  RegexId fraction_below(const std::string& fraction, bool exclusive);
  RegexId at_least_signed(const Decimal& bound, bool exclusive, bool mirrored);

  RegexPool* pool_;
  RegexId digit_, minus_, zeros_, after_digit_, zeros_point_, optional_fraction_, optional_exponent_;
  RegexId any_, integer_, integer_point_zero_, without_exponent_, zero_, positive_, magnitude_;
};

}  // namespace rival::text::grammar
