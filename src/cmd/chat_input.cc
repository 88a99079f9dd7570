#include "cmd/chat_input.h"

#include <utility>

namespace rival::cmd {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";

}  // namespace

bool InputParser::add(std::string_view line) {
  if (!begun_ && line.starts_with(kQuotes)) {
    begun_ = quoted_ = true;
    return add_quoted(line.substr(kQuotes.size()));
  }
  if (quoted_) return add_quoted(line);
  if (begun_) text_ += '\n';
  begun_ = true;
  ++lines_;
  const bool goes_on = line.ends_with('\\');
  text_ += line.substr(0, line.size() - (goes_on ? 1 : 0));
  return !goes_on;
}

bool InputParser::add_quoted(std::string_view line) {
  const bool ends = line.ends_with(kQuotes);
  if (ends) line.remove_suffix(kQuotes.size());
  if (!text_.empty() && !(ends && line.empty())) text_ += '\n';
  text_ += line;
  return ends;
}

std::string InputParser::take() {
  std::string text = std::move(text_);
  *this = InputParser();
  return text;
}

}  // namespace rival::cmd
