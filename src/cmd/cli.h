// What every command needs at its edge: flags read by CLI11, errors told to a person. For .cc files of this
// room only (CLI11 is heavy).
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "base/result.h"

namespace rival::cmd {

// Reads the command line; an exit status when there is nothing left to do (--help, or a wrong flag: 2).
std::optional<int> parse_flags(CLI::App& app, int argc, char** argv);

// Says on stderr what went wrong; the exit status.
int fail(const Error& error);

}  // namespace rival::cmd
