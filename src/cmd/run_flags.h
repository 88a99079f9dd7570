// The command line of `rival run`.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cmd/chat_model.h"
#include "engine/model_handle.h"

namespace rival::cmd {

struct RunFlags {
  std::string model;  // empty: the default, or that of the chat which --continue takes up
  std::string prompt;
  std::optional<std::string> system;
  std::vector<std::pair<std::string, std::string>> settings;  // name and value, checked
  engine::LoadOptions load;
  ContextPolicy policy = ContextPolicy::kDrop;
  bool json_stream = false;
  bool raw = false;
  bool verbose = false;
  bool resume = false;  // --continue
  bool color = true;
  bool accept_licence = false;
};

// Reads the command line; an exit status when there is nothing left to do.
std::optional<int> parse_run_flags(RunFlags& flags, int argc, char** argv);

// The model's own defaults with the flags over them.
ChatSettings settings_for(const ChatModel& model, const RunFlags& flags);

}  // namespace rival::cmd
