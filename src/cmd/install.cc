#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/path.h"

namespace rival::cmd {
namespace fs = std::filesystem;
namespace {

struct InstallFlags {
  std::string folder;
  bool remove = false;
};

std::string default_folder() {
  const char* home = std::getenv("HOME");
  return ::geteuid() == 0 || !home ? "/usr/local/bin" : std::string(home) + "/.local/bin";
}

// Only a link that an earlier `rival install` made is replaced or removed.
Status clear(const fs::path& link) {
  std::error_code code;
  const fs::file_status status = fs::symlink_status(link, code);
  if (!fs::exists(status)) return {};
  if (!fs::is_symlink(status))
    return make_error(ErrorCode::kIo, "{} is there and was not made by rival; move it away first",
                      link.string());
  fs::remove(link, code);
  return code ? Status(make_error(ErrorCode::kIo, "cannot remove {}: {}", link.string(), code.message()))
              : Status();
}

Status place(const fs::path& link) {
  std::error_code code;
  fs::create_directories(link.parent_path(), code);
  if (!code) fs::create_symlink(own_program(), link, code);
  if (code)
    return make_error(ErrorCode::kIo, "cannot write {}: {}; --folder names another place", link.string(),
                      code.message());
  return {};
}

}  // namespace

int run_install(int argc, char** argv) {
  InstallFlags flags{.folder = default_folder()};
  CommandLine app("Puts rival on the PATH by a link to this checkout.");
  app.add_option("--folder", flags.folder, "where the link is placed").shows_default();
  app.add_flag("--remove", flags.remove, "take the link away again");
  if (const auto status = app.parse(argc, argv)) return *status;
  const fs::path link = fs::absolute(flags.folder) / "rival";
  const Status cleared = clear(link);
  if (!cleared.ok()) return fail(cleared.error());
  if (flags.remove) {
    fmt::print("{} is removed\n", link.string());
    return 0;
  }
  const Status placed = place(link);
  if (!placed.ok()) return fail(placed.error());
  fmt::print("{} -> {}\n", link.string(), own_program().string());
  if (!is_on_path(link.parent_path()))
    fmt::print(
        "{0} is not on your PATH yet; add this line to ~/.bashrc or ~/.zshrc:\n  export PATH=\"{0}:$PATH\"\n",
        link.parent_path().string());
  fmt::print("Completion: rival completion --help\n");
  return 0;
}

}  // namespace rival::cmd
