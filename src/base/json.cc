#include "base/json.h"

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

#include "base/limits.h"

namespace rival {

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = limits::kJsonDepthMax;
  json::stream_parser parser({}, options);
  boost::system::error_code code;
  const size_t used = parser.write_some(text.data(), text.size(), code);
  if (code) return make_error(ErrorCode::kCorrupt, "JSON is broken at byte {}: {}", used, code.message());
  for (size_t i = used; i < text.size(); ++i) {
    if (std::string_view(" \t\r\n").find(text[i]) == std::string_view::npos)
      return make_error(ErrorCode::kCorrupt, "JSON goes on after its end at byte {}", i);
  }
  if (!parser.done()) {
    parser.finish(code);
    if (code) return make_error(ErrorCode::kCorrupt, "JSON ends too early, after {} bytes: {}", text.size(), code.message());
  }
  return parser.release();
}

std::string to_json_text(const json::value& value) { return json::serialize(value); }

}  // namespace rival
