#include "base/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>

#include <charconv>

#include "base/limits.h"

namespace rival {
namespace {

// Builds the value as Boost.JSON's own parser does, but reads a double exactly: Boost 1.81 rounds the last bit
// wrongly in one of fourteen numbers of 16 digits.
class ExactHandler {
 public:
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  using Code = boost::system::error_code;
  using Text = json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(size_t count, Code&) { return stack.push_object(count), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t count, Code&) { return stack.push_array(count), true; }
  bool on_key_part(Text text, size_t, Code&) { return stack.push_chars(text), true; }
  bool on_key(Text text, size_t, Code&) { return stack.push_key(text), true; }
  bool on_string_part(Text text, size_t, Code&) { return stack.push_chars(text), true; }
  bool on_string(Text text, size_t, Code&) { return stack.push_string(text), true; }
  bool on_number_part(Text text, Code&) { return number_.append(text.data(), text.size()), true; }
  bool on_int64(int64_t value, Text, Code&) { return number_.clear(), stack.push_int64(value), true; }
  bool on_uint64(uint64_t value, Text, Code&) { return number_.clear(), stack.push_uint64(value), true; }
  bool on_double(double value, Text text, Code&) {
    number_.append(text.data(), text.size());
    double exact = value;
    const auto read = std::from_chars(number_.data(), number_.data() + number_.size(), exact);
    stack.push_double(read.ec == std::errc() ? exact : value);
    number_.clear();
    return true;
  }
  bool on_bool(bool value, Code&) { return stack.push_bool(value), true; }
  bool on_null(Code&) { return stack.push_null(), true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  json::value_stack stack;

 private:
  std::string number_;  // the parts of a number so far
};

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = limits::kJsonDepthMax;
  json::basic_parser<ExactHandler> parser(options);
  parser.handler().stack.reset();
  boost::system::error_code code;
  const size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (code == json::error::incomplete)
    return make_error(ErrorCode::kCorrupt, "JSON ends too early, after {} bytes: {}", text.size(), code.message());
  if (code) return make_error(ErrorCode::kCorrupt, "JSON is broken at byte {}: {}", used, code.message());
  for (size_t i = used; i < text.size(); ++i) {
    if (std::string_view(" \t\r\n").find(text[i]) == std::string_view::npos)
      return make_error(ErrorCode::kCorrupt, "JSON goes on after its end at byte {}", i);
  }
  return parser.handler().stack.release();
}

std::string to_json_text(const json::value& value) { return json::serialize(value); }

}  // namespace rival
