#include "cmd/inspect.h"

#include <fmt/format.h>

#include <string_view>

#include "base/file.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"

namespace rival::cmd {
namespace {

struct Part {
  std::string_view name;
  int (*run)(int argc, char** argv);
};

constexpr Part kParts[] = {
    {"logits", run_inspect_logits},
    {"embedding", run_inspect_embedding},
    {"tokens", run_inspect_tokens},
    {"template", run_inspect_template},
};

}  // namespace

Result<std::filesystem::path> find_model(const std::string& name) {
  if (file_exists(name)) return std::filesystem::path(name);
  RIVAL_ASSIGN_OR_RETURN(const auto hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const auto model, hub.resolve(name, terminal_options(/*accept_licence=*/false)));
  return model.path;
}

int run_inspect(int argc, char** argv) {
  for (const Part& part : kParts) {
    if (argc < 2 || part.name != argv[1]) continue;
    std::string whole = fmt::format("inspect {}", part.name);  // as messages about flags call it
    argv[1] = whole.data();
    return part.run(argc - 1, argv + 1);
  }
  std::string name;
  bool as_json = false;
  CommandLine app(
      "Shows a model's metadata, tensors, types, tokenizer and template.\n"
      "Parts with their own --help: inspect logits, inspect embedding, inspect tokens, inspect template.");
  app.add_option("MODEL", name, "a model's name or path").required();
  app.add_flag("--json", as_json, "a JSON object");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto path = find_model(name);
  if (!path.ok()) return fail(path.error());
  const auto description = describe_model(*path);
  if (!description.ok()) return fail(description.error());
  fmt::print("{}\n", as_json ? to_json_text(*description) : to_text(*description));
  if (const json::value* problem = description->if_contains("problem"))
    return fail({ErrorCode::kUnsupported, std::string(problem->get_string())});
  return 0;
}

}  // namespace rival::cmd
