// What may be typed in a chat beside questions: a table of commands that begin with a slash.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/chat_session.h"

namespace rival::cmd {

struct ChatCommand {
  const char* name;  // "/save"
  const char* argument;
  const char* help;
  Status (*run)(ChatSession& session, const std::string& argument);  // nullptr: ends the chat
};

std::span<const ChatCommand> chat_commands();

// Looks a line that begins with a slash up. Error: kInvalidArgument names what there is.
Result<const ChatCommand*> find_chat_command(std::string_view line);

std::string command_argument(std::string_view line);  // what follows the first word

}  // namespace rival::cmd
