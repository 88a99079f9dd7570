// Patterns in the dialect of ECMA-262 (as JSON Schema asks for) to languages.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/grammar/regex.h"

namespace rival::text::grammar {

struct RegexOptions {
  bool whole = false;  // the pattern must match the whole text; otherwise it may match anywhere in it
};

// Errors: kInvalidArgument with the byte offset for broken syntax; kUnsupported naming a construct that is not a
// regular language here (back-references, look-around, word boundaries, flags); kLimit for size, nesting or counts.
Result<RegexId> parse_regex(std::string_view pattern, RegexOptions options, RegexPool* pool);

// Strict UTF-8 to characters. Error: kInvalidArgument.
Result<std::u32string> to_characters(std::string_view utf8);

}  // namespace rival::text::grammar
