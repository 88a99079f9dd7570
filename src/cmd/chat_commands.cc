#include "cmd/chat_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "cmd/terminal_text.h"

namespace rival::cmd {
namespace fs = std::filesystem;
namespace {

Status need(const std::string& argument, const char* usage) {
  if (!argument.empty()) return {};
  return make_error(ErrorCode::kInvalidArgument, "this needs more: {}", usage);
}

fs::path home_expanded(const std::string& path) {
  const char* home = std::getenv("HOME");
  return path.starts_with("~/") && home ? fs::path(home) / path.substr(2) : fs::path(path);
}

Status help(ChatSession&, const std::string&) {
  for (const ChatCommand& command : chat_commands())
    fmt::print(stderr, "  {:<22} {}\n", fmt::format("{} {}", command.name, command.argument), command.help);
  fmt::print(stderr,
             "\n  \"\"\" begins and ends a message of several lines; a \\ at the end of a line goes on in the next.\n"
             "  Ctrl-C stops an answer, Ctrl-D leaves. Arrows and Ctrl-R find what you typed before.\n");
  return {};
}

Status system(ChatSession& session, const std::string& argument) {
  if (argument.empty()) {
    fmt::print(stderr, "{}\n", session.system().empty() ? "There is none; /system TEXT sets one." : printable(session.system()));
    return {};
  }
  session.set_system(argument == "none" ? "" : argument);
  fmt::print(stderr, "Set, from the next question on.\n");
  return {};
}

Status clear(ChatSession& session, const std::string&) {
  session.clear();
  fmt::print(stderr, "A new chat.\n");
  return {};
}

Status undo(ChatSession& session, const std::string&) {
  const std::string question = session.undo();
  if (question.empty()) return make_error(ErrorCode::kNotFound, "there is nothing to take back");
  fmt::print(stderr, "Taken back: {}\n", printable(question.substr(0, question.find('\n'))));
  return {};
}

Status retry(ChatSession& session, const std::string&) {
  const std::string question = session.undo();
  if (question.empty()) return make_error(ErrorCode::kNotFound, "there is no question to answer again");
  return session.ask(question);
}

Status save(ChatSession& session, const std::string& argument) {
  RIVAL_RETURN_IF_ERROR(need(argument, "/save chat.json, or chat.md to read it"));
  const fs::path path = home_expanded(argument);
  if (fs::exists(path) && !read_chat(path).ok())
    return make_error(ErrorCode::kInvalidArgument, "{} is there and is no saved chat; choose another name", argument);
  if (path.extension() == ".md")
    RIVAL_RETURN_IF_ERROR(write_file_atomically(path, to_markdown(session.chat())));
  else
    RIVAL_RETURN_IF_ERROR(write_chat(path, session.chat()));
  fmt::print(stderr, "Saved to {}.\n", printable(path.string()));
  return {};
}

Status load(ChatSession& session, const std::string& argument) {
  RIVAL_RETURN_IF_ERROR(need(argument, "/load chat.json"));
  RIVAL_RETURN_IF_ERROR(session.load(home_expanded(argument)));
  fmt::print(stderr, "{} messages.\n", session.chat().messages.size());
  return {};
}

Status model(ChatSession& session, const std::string& argument) {
  if (argument.empty()) {
    fmt::print(stderr, "{}\n", printable(session.model_name()));
    return {};
  }
  RIVAL_RETURN_IF_ERROR(session.open_model(argument));
  fmt::print(stderr, "{} goes on with this chat.\n", printable(session.model_name()));
  return {};
}

void print_setting(const Setting& setting, const ChatSettings& settings, bool with_help) {
  fmt::print(stderr, "  {:<20} {}\n", setting.name, setting.show(settings));
  if (with_help) fmt::print(stderr, "  {}\n", setting.help);
}

// With a name alone it explains that setting, with nothing it lists them all.
Status set(ChatSession& session, const std::string& argument) {
  const size_t space = argument.find(' ');
  if (space != std::string::npos)
    return set_setting(session.settings(), argument.substr(0, space), command_argument(argument));
  bool known = argument.empty();
  for (const Setting& setting : settings()) {
    if (!argument.empty() && argument != setting.name) continue;
    known = true;
    print_setting(setting, session.settings(), !argument.empty());
  }
  return known ? Status() : set_setting(session.settings(), argument, "");
}

Status show(ChatSession& session, const std::string&) {
  ChatModel& model = session.model();
  fmt::print(stderr, "  model     {} ({} {}), context {} tokens\n", printable(session.model_name()),
             printable(model.config().architecture), model.handle().weights_type(), model.context());
  fmt::print(stderr, "  system    {}\n", session.system().empty() ? "none" : printable(session.system()));
  fmt::print(stderr, "  messages  {}\n", session.chat().messages.size());
  return set(session, "");
}

constexpr ChatCommand kCommands[] = {
    {"/help", "", "this list", help},
    {"/system", "TEXT", "what the model is told before the chat; none: nothing", system},
    {"/clear", "", "begin a new chat", clear},
    {"/undo", "", "take the last question and answer back", undo},
    {"/retry", "", "answer the last question again", retry},
    {"/save", "FILE", "keep the chat in a file (.json to load it, .md to read it)", save},
    {"/load", "FILE", "take a saved chat up", load},
    {"/model", "NAME", "go on with another model", model},
    {"/set", "NAME VALUE", "temperature, max-tokens, ...; alone: all of them", set},
    {"/show", "", "model, system prompt, settings", show},
    {"/bye", "", "leave", nullptr},
};

}  // namespace

std::span<const ChatCommand> chat_commands() { return kCommands; }

std::string command_argument(std::string_view line) {
  const size_t word = line.find_first_of(" \n");
  if (word == std::string_view::npos) return "";
  const size_t begin = line.find_first_not_of(" \n", word);
  const size_t end = line.find_last_not_of(" \n");
  return begin == std::string_view::npos ? "" : std::string(line.substr(begin, end + 1 - begin));
}

Result<const ChatCommand*> find_chat_command(std::string_view line) {
  const std::string_view word = line.substr(0, line.find_first_of(" \n"));
  for (const ChatCommand& command : kCommands)
    if (word == command.name) return &command;
  if (word == "/exit" || word == "/quit") return &kCommands[std::size(kCommands) - 1];
  return make_error(ErrorCode::kInvalidArgument, "{} is no command; /help shows them. A space before it sends it as text",
                    printable(word));
}

}  // namespace rival::cmd
