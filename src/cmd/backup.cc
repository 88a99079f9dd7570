#include <fmt/format.h>

#include "base/units.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/database_path.h"
#include "hub/store.h"
#include "serve/database.h"

namespace rival::cmd {

Result<std::filesystem::path> database_path(const std::string& given) {
  if (!given.empty()) return std::filesystem::path(given);
  RIVAL_ASSIGN_OR_RETURN(const hub::Store store, hub::Store::open());
  return store.home() / "serve.db";
}

int run_backup(int argc, char** argv) {
  std::string to, database;
  CommandLine app(
      "Copies what the server keeps (answers, conversations, chats) to one file, checked; the server may go on\n"
      "writing meanwhile. To restore, stop the server and put the file in the database's place.");
  app.add_option("FILE", to, "an earlier backup of this name is replaced once the new one is whole").required();
  app.add_option("--database", database, "the file to copy; default: serve.db in RIVAL_HOME").environment("RIVAL_DATABASE");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto from = database_path(database);
  if (!from.ok()) return fail(from.error());
  if (const Status done = serve::back_up(*from, to); !done.ok()) return fail(done.error());
  fmt::print("{}: {}\n", to, format_bytes(std::filesystem::file_size(to)));
  return 0;
}

}  // namespace rival::cmd
