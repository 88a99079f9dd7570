#include <fmt/format.h>

#include "base/json.h"
#include "base/units.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"

namespace rival::cmd {
namespace {

struct RmFlags {
  std::vector<std::string> names;
  bool unfinished = false;
  bool json = false;
};

}  // namespace

int run_rm(int argc, char** argv) {
  RmFlags flags;
  CommandLine app("Removes models from Rival's store. Files in other programs' stores stay where they are.");
  app.add_option("NAME", flags.names, "names as `rival ls` shows them");
  app.add_flag("--unfinished", flags.unfinished, "remove what broken-off downloads have left");
  app.add_flag("--json", flags.json, "print {removed, freed_bytes}");
  if (const auto status = app.parse(argc, argv)) return *status;
  if (flags.names.empty() && !flags.unfinished)
    return fail(make_error(ErrorCode::kInvalidArgument, "rm needs a model's name, or --unfinished"));
  const auto hub = hub::Hub::open();
  if (!hub.ok()) return fail(hub.error());
  const hub::Store& store = hub->store();
  const auto lock = store.lock_store(hub::FileLock::Mode::kExclusive,
                                     [] { fmt::print(stderr, "rival: waiting for a download to end\n"); });
  if (!lock.ok()) return fail(lock.error());
  uint64_t freed = 0;
  json::array removed;
  for (const std::string& name : flags.names) {
    const auto bytes = store.remove(hub->stored_name(name));
    if (!bytes.ok()) return fail(bytes.error());
    freed += *bytes;
    removed.emplace_back(hub->stored_name(name));
  }
  if (flags.unfinished) {
    const auto bytes = store.remove_partial();
    if (!bytes.ok()) return fail(bytes.error());
    freed += *bytes;
  }
  if (flags.json)
    fmt::print("{}\n", to_json_text(json::object{{"removed", std::move(removed)}, {"freed_bytes", freed}}));
  else
    fmt::print("{} freed\n", format_bytes(freed));
  return 0;
}

}  // namespace rival::cmd
