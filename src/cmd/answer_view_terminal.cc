#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "cmd/answer_view.h"
#include "cmd/terminal_markdown.h"
#include "cmd/terminal_text.h"

namespace rival::cmd {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{800};  // before a person is told what the program does
constexpr const char* kEraseLine = "\r\033[K";

class TerminalView : public AnswerView {
 public:
  TerminalView(Output out, int columns) : out_(std::move(out)), markdown_(columns), thought_(columns) {}

  void text(bool thinking, std::string_view piece) override {
    if (piece.empty()) return show_waiting();
    erase_waiting();
    if (thinking != thinking_) change_part(thinking);
    shown_any_ = true;
    if (thinking_)
      show_thought(stream_.push(piece));
    else
      out_(markdown_.push(stream_.push(piece)));
  }

  void end() override {
    erase_waiting();
    change_part(false);
    out_(markdown_.push(stream_.finish()));
    out_(markdown_.finish());
  }

 private:
  void change_part(bool thinking) {
    if (thinking_) {
      show_thought(stream_.finish());
      out_(thought_.finish() + "\n\n");
    } else if (thinking) {
      thought_.put_text("Thinking…\n", kDim | kItalic);
    }
    thinking_ = thinking;
  }

  void show_thought(const std::string& text) {
    thought_.put_text(text, kDim);
    out_(thought_.take());
  }

  void show_waiting() {
    if (shown_any_ || Clock::now() - began_ < kPatience) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began_).count();
    if (waiting_ && seconds == waited_s_) return;
    waiting_ = true;
    waited_s_ = seconds;
    out_(fmt::format("{}\033[2mreading the prompt, {} s\033[0m", kEraseLine, seconds));
  }

  void erase_waiting() {
    if (std::exchange(waiting_, false)) out_(kEraseLine);
  }

  Output out_;
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

std::unique_ptr<AnswerView> make_terminal_view(Output out, int columns) {
  return std::make_unique<TerminalView>(std::move(out), columns);
}

}  // namespace rival::cmd
