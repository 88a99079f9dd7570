#include "cmd/help.h"

#include <fmt/format.h>

#include "cmd/command.h"

namespace rival::cmd {
namespace {

// A line of the first minute is shown when the program has its command.
struct Step {
  const char* command;
  const char* line;
  const char* meaning;
};

constexpr Step kFirstMinute[] = {
    {"run", "rival run", "chat with the small default model (fetched once, 93 MB)"},
    {"run", "rival run smollm2:135m \"Why is the sky blue?\"", "one answer, also in a pipe"},
    {"run", "rival run ./model.gguf", "a model file of yours, or a folder with safetensors"},
    {"ls", "rival ls --all", "every model that has a name here"},
    {"pull", "rival pull qwen3:1.7b", "fetch one of them"},
    {"pull", "rival pull hf:owner/name", "any repository on the Hugging Face hub"},
    {"doctor", "rival doctor", "is this machine ready?"},
};

bool exists(const std::string_view name) {
  for (const Command& command : commands())
    if (name == command.name) return true;
  return false;
}

}  // namespace

int print_help() {
  fmt::print("Rival runs open language models on this machine's CPU.\n\nThe first minute:\n");
  for (const Step& step : kFirstMinute)
    if (exists(step.command)) fmt::print("  {:<46} {}\n", step.line, step.meaning);
  fmt::print("\nCommands (rival COMMAND --help says more):\n");
  for (const Command& command : commands()) fmt::print("  {:<12} {}\n", command.name, command.summary);
  fmt::print(
      "  {:<12} {}\n"
      "\nModels are named family:size[-quantisation]. They are kept in ~/.local/share/rival; RIVAL_HOME "
      "moves them.\n"
      "Models that the Hugging Face tools or Ollama have fetched are used where they lie.\n",
      "--version", "the version and how it was built");
  return 0;
}

}  // namespace rival::cmd
