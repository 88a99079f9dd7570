// JSON by Boost.JSON (keeps the order of keys, bounds depth), with our errors and limits.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

#include "base/result.h"

namespace rival {

namespace json = boost::json;

// Parses one JSON text. Errors: kCorrupt with the byte offset; deeper than limits::kJsonDepthMax.
Result<json::value> parse_json(std::string_view text);

// Compact text of a value; doubles are written so that they read back equal.
std::string to_json_text(const json::value& value);

}  // namespace rival
