// Lines of the chat's prompt put together to messages.
#pragma once

#include <string>
#include <string_view>

namespace rival::cmd {

// A line that ends with a backslash goes on in the next one. A message that begins with """ goes on, as it is, to the
// line that ends with """.
class InputParser {
 public:
  // True: the message is whole, take() gives it.
  bool add(std::string_view line);
  std::string take();  // and begins anew

  bool begun() const { return begun_; }
  bool is_single_line() const { return lines_ <= 1 && !quoted_; }

 private:
  bool add_quoted(std::string_view line);

  std::string text_;
  size_t lines_ = 0;
  bool begun_ = false;
  bool quoted_ = false;
};

}  // namespace rival::cmd
