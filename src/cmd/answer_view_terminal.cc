#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "cmd/answer_view.h"
#include "cmd/terminal_markdown.h"
#include "cmd/terminal_style.h"
#include "cmd/terminal_text.h"

namespace rival::cmd {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{800};  // before a person is told what the program does
constexpr const char* kEraseLine = "\r\033[K";

void write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

class TerminalView : public AnswerView {
 public:
  TerminalView() : columns_(terminal_columns(STDOUT_FILENO)), markdown_(columns_), thought_(columns_) {}

  void text(bool thinking, std::string_view piece) override {
    if (piece.empty()) return show_waiting();
    erase_waiting();
    if (thinking != thinking_) change_part(thinking);
    shown_any_ = true;
    if (thinking_)
      show_thought(stream_.push(piece));
    else
      write(markdown_.push(stream_.push(piece)));
  }

  void end() override {
    erase_waiting();
    change_part(false);
    write(markdown_.push(stream_.finish()));
    write(markdown_.finish());
  }

 private:
  void change_part(bool thinking) {
    if (thinking_) {
      show_thought(stream_.finish());
      write(thought_.finish() + "\n\n");
    } else if (thinking) {
      thought_.put_text("Thinking…\n", kDim | kItalic);
    }
    thinking_ = thinking;
  }

  void show_thought(const std::string& text) {
    thought_.put_text(text, kDim);
    write(thought_.take());
  }

  void show_waiting() {
    if (shown_any_ || Clock::now() - began_ < kPatience) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began_).count();
    if (waiting_ && seconds == waited_s_) return;
    waiting_ = true;
    waited_s_ = seconds;
    write(fmt::format("{}\033[2mreading the prompt, {} s\033[0m", kEraseLine, seconds));
  }

  void erase_waiting() {
    if (std::exchange(waiting_, false)) write(kEraseLine);
  }

  int columns_;
  PrintableStream stream_;
  MarkdownStream markdown_;
  LineWrapper thought_;
  bool thinking_ = false;
  bool shown_any_ = false;
  bool waiting_ = false;
  long waited_s_ = 0;
  Clock::time_point began_ = Clock::now();
};

}  // namespace

std::unique_ptr<AnswerView> make_terminal_view() { return std::make_unique<TerminalView>(); }

}  // namespace rival::cmd
