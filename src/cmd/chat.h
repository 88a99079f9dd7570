// A conversation as plain data.
#pragma once

#include <string>
#include <vector>

namespace rival::cmd {

enum class Role { kSystem, kUser, kAssistant };

const char* to_text(Role role);  // "system", "user", "assistant"

struct Message {
  Role role = Role::kUser;
  std::string content;
  std::string thinking = {};  // of an answer; shown and kept, but not told to the model again
  bool complete = true;       // false: the answer was stopped or its program ended
};

// A system message, if there is one, stands first.
struct Chat {
  std::string model;  // as it was named on the command line, so that --continue finds it again
  std::vector<Message> messages;
};

// Sets, replaces or (empty text) takes away the system message.
void set_system(Chat& chat, const std::string& text);

// Takes the last question and its answer away; the question, or an empty text when there is none.
std::string take_last_turn(Chat& chat);

}  // namespace rival::cmd
