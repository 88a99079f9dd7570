// How an answer is shown while it comes.
#pragma once

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

// The answer's text and nothing else, for files and pipes; thinking is left out.
std::unique_ptr<AnswerView> make_plain_view();

// {"type": "text" or "thinking", "text": ...}, one object a line.
std::unique_ptr<AnswerView> make_json_view();

// Markdown made readable, words wrapped, thinking dimmed; for a terminal with styles.
std::unique_ptr<AnswerView> make_terminal_view();

// {"type": "end", ...}: why the answer ended, tokens and seconds.
void print_json_end(const Answer& answer, std::string_view model);
void print_json_error(const Error& error);

}  // namespace rival::cmd
