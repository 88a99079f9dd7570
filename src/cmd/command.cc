#include "cmd/command.h"

#include <fmt/format.h>

#include <string_view>

namespace rival::cmd {

std::span<const Command> commands() { return {}; }

int run_command_line(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "--help";
  for (const Command& command : commands())
    if (name == command.name) return command.run(argc - 1, argv + 1);
  fmt::print(stderr, "rival: '{}' is not a command\n", name);
  return 2;
}

}  // namespace rival::cmd
