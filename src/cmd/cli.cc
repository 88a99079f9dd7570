#include "cmd/cli.h"

#include <fmt/format.h>

#include "cmd/terminal_text.h"

namespace rival::cmd {

std::optional<int> parse_flags(CLI::App& app, int argc, char** argv) {
  app.name(std::string("rival ") + argv[0]);
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "rival {}: {}; `rival {} --help` shows the flags\n", argv[0], error.what(), argv[0]);
    return 2;
  }
}

int fail(const Error& error) {
  fmt::print(stderr, "rival: {}\n", printable(error.message));  // it may quote a hostile file
  if (error.code == ErrorCode::kCancelled) return 130;
  return error.code == ErrorCode::kInvalidArgument ? 2 : 1;
}

}  // namespace rival::cmd
