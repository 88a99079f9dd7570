#include "cmd/command.h"

#include <fmt/format.h>

#include <string_view>

#include "cmd/help.h"
#include "cmd/version.h"

namespace rival::cmd {
namespace {

constexpr Command kCommands[] = {
    {"run", "chat with a model, or answer one prompt", run_run},
    {"serve", "answer over HTTP, as OpenAI's API", run_serve},
    {"backup", "copy what the server keeps, while it runs, to a file", run_backup},
    {"pull", "fetch a model by name, repository or address", run_pull},
    {"ls", "the models on this machine; --all: every name that can be pulled", run_ls},
    {"show", "what a model is: maker, licence, size, files", run_show},
    {"rm", "remove a model from this machine", run_rm},
    {"convert", "write a Hugging Face folder as a GGUF file", run_convert},
    {"inspect", "metadata, tensors, tokenizer and template of a model; its logits and tokens", run_inspect},
    {"quantize", "write a model again with its weights in another type", run_quantize},
    {"bench", "rates of a model on this machine, as shares of the machine's limits", run_bench},
    {"eval", "how well a model predicts: perplexity of a text", run_eval},
    {"doctor", "what is missing or slow on this machine, and what to do about it", run_doctor},
    {"install", "put rival on the PATH", run_install},
    {"completion", "completion of commands and model names for bash, zsh or fish", run_completion},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

int run_command_line(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "--help";
  if (name == "--help" || name == "-h" || name == "help") return print_help();
  if (name == "--version" || name == "version") return print_version();
  for (const Command& command : commands())
    if (name == command.name) return command.run(argc - 1, argv + 1);
  fmt::print(stderr, "rival: '{}' is not a command; `rival --help` shows them\n", name);
  return 2;
}

}  // namespace rival::cmd
