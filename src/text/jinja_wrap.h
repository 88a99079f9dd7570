// Python's textwrap.wrap, as the wordwrap filter calls it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rival::text::jinja {

struct WrapOptions {
  int64_t width;
  bool break_long_words;
  bool break_on_hyphens;
};

// The lines that one line of text becomes, none where it is blank. Raises kValue for a width below 1.
std::vector<std::string> wrap_line(std::string_view line, const WrapOptions& options);

}  // namespace rival::text::jinja
