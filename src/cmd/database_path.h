#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace rival::cmd {

// The file that the server keeps things in: the one given, or serve.db in RIVAL_HOME for an empty text.
Result<std::filesystem::path> database_path(const std::string& given);

}  // namespace rival::cmd
