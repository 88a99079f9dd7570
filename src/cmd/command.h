// The table of commands. A command is one file with a flags struct and a run function, and one row here and
// in command.cc; this is all that main knows of them.
#pragma once

#include <span>

namespace rival::cmd {

struct Command {
  const char* name;
  const char* summary;                // one line in `rival --help`
  int (*run)(int argc, char** argv);  // argv[0] is the command's name; returns the exit status
};

// Commands in the order in which --help lists them.
std::span<const Command> commands();

// Exit status: 0 done, 1 it did not work (a message says why and what to do), 2 the command line is wrong,
// 130 stopped by Ctrl-C.
int run_command_line(int argc, char** argv);

int run_run(int argc, char** argv);
int run_serve(int argc, char** argv);
int run_backup(int argc, char** argv);
int run_pull(int argc, char** argv);
int run_ls(int argc, char** argv);
int run_show(int argc, char** argv);
int run_rm(int argc, char** argv);
int run_convert(int argc, char** argv);
int run_inspect(int argc, char** argv);
int run_quantize(int argc, char** argv);
int run_bench(int argc, char** argv);
int run_eval(int argc, char** argv);
int run_doctor(int argc, char** argv);
int run_install(int argc, char** argv);
int run_completion(int argc, char** argv);

}  // namespace rival::cmd
