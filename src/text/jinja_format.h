// Python's two languages of formatting: text % arguments, and str.format.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja_builtin.h"
#include "text/jinja_value.h"

namespace rival::text::jinja {

Value format_percent(Runtime& runtime, const Value& text, const Value& arguments);

Value format_braces(Runtime& runtime, const Value& text, const Arguments& arguments);

// format(value, spec). Raises kType or kValue where Python does.
std::string format_value(const Value& value, std::string_view spec);

}  // namespace rival::text::jinja
