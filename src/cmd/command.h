// The table of commands. A command is one file with a flags struct and a run function; this is all that main
// knows of them.
#pragma once

#include <span>

namespace rival::cmd {

struct Command {
  const char* name;
  const char* summary;         // one line in `rival --help`
  int (*run)(int argc, char** argv);  // argv[0] is the command's name; returns the exit status
};

// Commands in the order in which --help lists them.
std::span<const Command> commands();

int run_command_line(int argc, char** argv);

}  // namespace rival::cmd
