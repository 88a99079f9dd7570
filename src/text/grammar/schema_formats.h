// String formats of JSON Schema (2020-12, validation, section 7.3) as languages.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "text/grammar/regex.h"

namespace rival::text::grammar {

// The language of a format; nothing for a name that the specification does not know, which it says to ignore.
// Error: kUnsupported for a known format that is not a regular language here (regex, idn-hostname).
Result<std::optional<RegexId>> format_language(std::string_view name, RegexPool* pool);

}  // namespace rival::text::grammar
