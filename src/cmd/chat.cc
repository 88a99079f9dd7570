#include "cmd/chat.h"

namespace rival::cmd {

const char* to_text(Role role) {
  switch (role) {
    case Role::kSystem: return "system";
    case Role::kUser: return "user";
    case Role::kAssistant: return "assistant";
  }
  return "";
}

void set_system(Chat& chat, const std::string& text) {
  auto& messages = chat.messages;
  if (!messages.empty() && messages.front().role == Role::kSystem) messages.erase(messages.begin());
  if (!text.empty()) messages.insert(messages.begin(), {.role = Role::kSystem, .content = text});
}

std::string take_last_turn(Chat& chat) {
  auto& messages = chat.messages;
  while (!messages.empty() && messages.back().role == Role::kAssistant) messages.pop_back();
  if (messages.empty() || messages.back().role != Role::kUser) return "";
  std::string question = std::move(messages.back().content);
  messages.pop_back();
  return question;
}

}  // namespace rival::cmd
