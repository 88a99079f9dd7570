// How an answer is shown while it comes.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "cmd/chat_model.h"

namespace rival::cmd {

class AnswerView {
 public:
  virtual ~AnswerView() = default;
  virtual void text(bool thinking, std::string_view piece) = 0;
  virtual void end() = 0;  // of the answer's text
};

// Takes what is to be seen at once.
using Output = std::function<void(std::string_view)>;

void write_stdout(std::string_view text);

// The answer's text and nothing else, for files and pipes; thinking is left out.
std::unique_ptr<AnswerView> make_plain_view(Output out);

// {"type": "text" or "thinking", "text": ...}, one object a line.
std::unique_ptr<AnswerView> make_json_view(Output out);

// Markdown made readable, words wrapped, thinking dimmed; for a terminal with styles. While nothing has come for a
// while it shows that the prompt is being read, and takes that away again.
std::unique_ptr<AnswerView> make_terminal_view(Output out, int columns);

// {"type": "end", ...}: why the answer ended, tokens and seconds.
void print_json_end(const Answer& answer, std::string_view model);
void print_json_error(const Error& error);

}  // namespace rival::cmd
