#include <fmt/format.h>

#include "base/json.h"
#include "base/units.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"

namespace rival::cmd {
namespace {

struct ShowFlags {
  std::string name = hub::kDefaultModel;
  bool path = false;
  bool json = false;
};

// What can be said of a model without fetching it.
struct Shown {
  std::string name;
  std::optional<hub::Row> row;
  std::optional<hub::Manifest> manifest;
  std::optional<hub::ResolvedModel> here;
};

Result<Shown> look_up(const hub::Hub& hub, const std::string& name) {
  Shown shown{.name = hub.stored_name(name)};
  if (const hub::Row* row = hub.catalogue().find(name)) shown.row = *row;
  if (auto manifest = hub.store().manifest(shown.name); manifest.ok()) shown.manifest = *manifest;
  // A licence is asked about where a model is used, not where it is described.
  auto here = hub.resolve(
      name, {.fetch = false, .accept_licence = false, .ask_licence = [](const hub::Row&) { return false; }});
  if (here.ok()) shown.here = *here;
  if (!shown.row && !shown.here) return here.error();
  return shown;
}

json::object to_json(const Shown& shown) {
  json::object object = shown.row ? hub::to_json(*shown.row) : json::object{{"name", shown.name}};
  object["here"] = shown.here.has_value();
  object["path"] = shown.here ? json::value(shown.here->path.string()) : json::value();
  object["where"] = shown.here ? json::value(shown.here->where) : json::value();
  if (!shown.manifest) return object;
  json::array files;
  for (const hub::StoredFile& file : shown.manifest->files)
    files.push_back(json::object{
        {"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"in_place", file.in_place}});
  object["source"] = shown.manifest->source;
  object["stored_files"] = std::move(files);
  return object;
}

void line(const char* label, const std::string& value) {
  if (!value.empty()) fmt::print("{:<14}{}\n", label, value);
}

void print_row(const hub::Row& row) {
  line("kind", to_text(row.kind));
  line("maker", row.origin);
  line("parameters", row.parameters);
  line("quantisation", row.quantisation);
  line("licence", row.licence.id + (row.licence.url.empty() ? "" : "  " + row.licence.url));
  line("context", row.context ? fmt::format("{} tokens", row.context) : "");
  line("size", format_bytes(row.total_bytes()) + (row.files.front().bytes ? "" : ", about"));
  line("memory", "about " + format_bytes(row.memory_bytes()));
  line("note", row.note);
  for (const hub::FileRow& file : row.files)
    for (const hub::Source& source : file.from)
      line(&file == &row.files.front() && &source == &file.from.front() ? "source" : "", to_text(source));
}

void print_text(const Shown& shown) {
  fmt::print("{}\n", shown.name);
  if (shown.row) print_row(*shown.row);
  if (shown.manifest)
    for (const hub::StoredFile& file : shown.manifest->files)
      line("file", fmt::format("{}  {}  sha256 {}{}", file.name, format_bytes(file.bytes), file.sha256,
                               file.in_place.empty() ? "" : "  in place: " + file.in_place));
  line("here", shown.here ? fmt::format("{} ({})", shown.here->path.string(), shown.here->where)
                          : fmt::format("no; `rival pull {}` fetches it", shown.name));
}

}  // namespace

int run_show(int argc, char** argv) {
  ShowFlags flags;
  CommandLine app("Shows what a model is and where it lies.");
  app.add_option("NAME", flags.name, "a model's name or path").shows_default();
  app.add_flag("--path", flags.path, "only the path of its file or folder");
  app.add_flag("--json", flags.json, "a JSON object");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto hub = hub::Hub::open();
  if (!hub.ok()) return fail(hub.error());
  const auto shown = look_up(*hub, flags.name);
  if (!shown.ok()) return fail(shown.error());
  if (flags.path) {
    if (!shown->here)
      return fail(make_error(ErrorCode::kNotFound, "{} is not on this machine; `rival pull {}` fetches it",
                             shown->name, shown->name));
    fmt::print("{}\n", shown->here->path.string());
  } else if (flags.json) {
    fmt::print("{}\n", to_json_text(to_json(*shown)));
  } else {
    print_text(*shown);
  }
  return 0;
}

}  // namespace rival::cmd
