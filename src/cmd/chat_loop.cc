#include "cmd/chat_loop.h"

#include <fmt/format.h>

#include <csignal>

#include "cmd/chat_commands.h"
#include "cmd/chat_input.h"
#include "cmd/models.h"
#include "cmd/terminal_editor.h"
#include "cmd/terminal_style.h"

namespace rival::cmd {
namespace {

constexpr const char* kPrompt = ">>> ";
constexpr const char* kMorePrompt = "... ";
constexpr size_t kRecalledBytes = 300;  // of the end of a chat that is taken up again

// The end of `text` from the beginning of a character on.
std::string_view tail(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  text.remove_prefix(text.size() - bytes);
  while (!text.empty() && (static_cast<uint8_t>(text[0]) & 0xC0) == 0x80) text.remove_prefix(1);
  return text;
}

void recall(const ChatSession& session) {
  const Chat& chat = session.chat();
  for (size_t i = chat.messages.size() - std::min<size_t>(2, chat.messages.size()); i < chat.messages.size(); ++i) {
    const Message& message = chat.messages[i];
    if (message.role == Role::kSystem) continue;
    const std::string_view end = tail(message.content, kRecalledBytes);
    if (message.role == Role::kUser) fmt::print("{}", kPrompt);
    const auto view = session.make_view();
    view->text(false, end.size() < message.content.size() ? fmt::format("… {}", end) : std::string(end));
    view->end();
  }
  if (!chat.messages.empty() && !chat.messages.back().complete)
    say_to_person("[this answer was cut off; /retry answers again]");
  fmt::print(stderr, "\n");
}

void greet(ChatSession& session, bool first_chat, const hub::Hub& hub) {
  say_to_person(session.model_name() + ": /help shows what you can type, Ctrl-D leaves.");
  if (first_chat)
    if (const std::string hint = bigger_model_hint(hub, session.resolved()); !hint.empty())
      say_to_person(hint);
  fmt::print(stderr, "\n");
  if (session.flags().resume) recall(session);
}

std::vector<std::string> command_words() {
  std::vector<std::string> words;
  for (const ChatCommand& command : chat_commands()) words.emplace_back(command.name);
  for (const Setting& setting : settings()) words.push_back(std::string("/set ") + setting.name);
  return words;
}

// False: the person leaves.
bool take(ChatSession& session, const std::string& message, bool may_be_command) {
  Status status;
  if (may_be_command && message.starts_with('/')) {
    const auto command = find_chat_command(message);
    if (command.ok() && (*command)->run == nullptr) return false;
    status = command.ok() ? (*command)->run(session, command_argument(message)) : Status(command.error());
  } else if (message.find_first_not_of(" \n\t") != std::string::npos) {
    status = session.ask(message);
  }
  if (!status.ok()) say_to_person(status.error().message);
  return true;
}

// Messages as a person types them.
class Prompter {
 public:
  Prompter(const std::filesystem::path& history, Interrupts& interrupts)
      : editor_(history, command_words(), interrupts), interrupts_(interrupts) {}

  struct Message {
    LineEditor::Outcome outcome = LineEditor::Outcome::kEnd;
    std::string text;
    bool may_be_command = false;
  };

  // An interrupted message is dropped; a second Ctrl-C, with nothing typed in between, is told to the caller.
  Message next() {
    for (bool warned = false;;) {
      interrupts_.forget_ctrl_c();
      LineEditor::Line line = editor_.read(parser_.begun() ? kMorePrompt : kPrompt);
      if (line.outcome == LineEditor::Outcome::kEnd || (line.outcome == LineEditor::Outcome::kInterrupt && warned))
        return {.outcome = line.outcome, .text = {}};
      if (line.outcome == LineEditor::Outcome::kInterrupt) {
        parser_.take();
        warned = true;
        say_to_person("(Ctrl-C once more, or Ctrl-D, leaves)");
        continue;
      }
      warned = false;
      if (!line.pasted) editor_.remember(line.text);
      if (!parser_.add(line.text)) continue;
      const bool may_be_command = parser_.is_single_line() && !line.pasted;
      return {.outcome = line.outcome, .text = parser_.take(), .may_be_command = may_be_command};
    }
  }

 private:
  LineEditor editor_;
  Interrupts& interrupts_;
  InputParser parser_;
};

}  // namespace

int run_chat(ChatSession& session, const hub::Hub& hub, Interrupts& interrupts) {
  greet(session, session.store().empty(), hub);
  session.keep_chat();
  Prompter prompter(hub.store().home() / "history", interrupts);
  for (;;) {
    Prompter::Message message = prompter.next();
    if (interrupts.ended_by() != 0) return 128 + interrupts.ended_by();
    if (message.outcome == LineEditor::Outcome::kInterrupt) return 128 + SIGINT;
    if (message.outcome == LineEditor::Outcome::kEnd) return 0;
    if (!take(session, message.text, message.may_be_command)) return 0;
    if (interrupts.ended_by() != 0) return 128 + interrupts.ended_by();
    fmt::print(stderr, "\n");
  }
}

}  // namespace rival::cmd
