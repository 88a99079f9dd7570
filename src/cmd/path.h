// The PATH of the user's shell.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace rival::cmd {

std::optional<std::filesystem::path> find_on_path(const std::string& program);
bool is_on_path(const std::filesystem::path& folder);

// What starts this program: the wrapper in its checkout when that started it, else the program itself.
std::filesystem::path own_program();

}  // namespace rival::cmd
