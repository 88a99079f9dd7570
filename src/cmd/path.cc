#include "cmd/path.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

namespace rival::cmd {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> path_folders() {
  const char* value = std::getenv("PATH");
  std::vector<fs::path> folders;
  std::istringstream text(value ? value : "");
  for (std::string folder; std::getline(text, folder, ':');)
    if (!folder.empty()) folders.emplace_back(folder);
  return folders;
}

}  // namespace

std::optional<fs::path> find_on_path(const std::string& program) {
  for (const fs::path& folder : path_folders())
    if (::access((folder / program).c_str(), X_OK) == 0) return folder / program;
  return std::nullopt;
}

bool is_on_path(const fs::path& folder) {
  const std::vector<fs::path> folders = path_folders();
  return std::find(folders.begin(), folders.end(), folder) != folders.end();
}

fs::path own_program() {
  const char* wrapper = std::getenv("RIVAL_WRAPPER");
  if (wrapper && *wrapper) return wrapper;
  std::error_code code;
  return fs::read_symlink("/proc/self/exe", code);
}

}  // namespace rival::cmd
