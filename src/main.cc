#include "cmd/command.h"

int main(int argc, char** argv) { return rival::cmd::run_command_line(argc, argv); }
