#pragma once

#include <filesystem>

#include "base/result.h"

namespace rival::cmd {

// keys.json in RIVAL_HOME.
Result<std::filesystem::path> key_file_path();

// `rival serve keys add|ls|rm`: argv[0] is "keys".
int run_serve_keys(int argc, char** argv);

}  // namespace rival::cmd
