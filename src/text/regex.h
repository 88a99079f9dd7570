// Regular expressions as tokenizers use them: Oniguruma's Ruby dialect (what Hugging Face tokenizers run),
// matched by PCRE2 with Unicode properties. The dialect is translated, see to_pcre2.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rival::text {

struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool operator==(const Span&) const = default;
};

// The PCRE2 spelling of an Oniguruma pattern: \s is White_Space, \h a hex digit, \w letters, marks, decimals
// and connectors; classes may nest and intersect (&&); `}+` repeats instead of possessing; {,n} counts from
// 0.
Result<std::string> to_pcre2(std::string_view pattern);

// A compiled pattern. Compiled once, machine code is made at the first match; const members are thread-safe.
class Regex {
 public:
  // Errors: kUnsupported with the place and reason where PCRE2 cannot take the pattern.
  static Result<Regex> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  const std::string& pattern() const;

  // All matches from the left, not overlapping; an empty match that touches the match before it is left out.
  // A text that is no valid UTF-8 has none. REQUIRES: less than 4 GiB. Errors: kLimit where the pattern needs
  // too many steps.
  Status find_all(std::string_view text, std::vector<Span>& matches) const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace rival::text
