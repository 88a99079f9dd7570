#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/units.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"
#include "hub/foreign_stores.h"

namespace rival::cmd {
namespace {

struct LsFlags {
  bool all = false;
  bool names = false;
  bool json = false;
};

// One line: a model that is here, or one that could be.
struct Line {
  std::string name;
  std::string kind, parameters, quantisation, licence, origin, where;
  uint64_t bytes = 0;
};

Line line_of(const hub::Row& row, std::string where) {
  return {.name = row.name,
          .kind = to_text(row.kind),
          .parameters = row.parameters,
          .quantisation = row.quantisation,
          .licence = row.licence.id,
          .origin = row.origin,
          .where = std::move(where),
          .bytes = row.total_bytes()};
}

std::vector<Line> lines_of(const hub::Hub& hub, bool all) {
  std::vector<Line> lines;
  std::set<std::string> here;
  for (const hub::Manifest& manifest : hub.store().models()) {
    const hub::Row* row = hub.catalogue().find(manifest.name);
    Line line = row ? line_of(*row, "store") : Line{.name = manifest.name, .where = "store"};
    line.bytes = manifest.total_bytes();
    here.insert(manifest.name);
    lines.push_back(std::move(line));
  }
  for (const std::string& name : hub::list_ollama())
    lines.push_back({.name = "ollama:" + name, .where = "Ollama store"});
  if (!all) return lines;
  for (const hub::Row& row : hub.catalogue().rows())
    if (!here.count(row.name)) lines.push_back(line_of(row, ""));
  return lines;
}

void print_json(const std::vector<Line>& lines) {
  json::array list;
  for (const Line& line : lines)
    list.push_back(json::object{{"name", line.name},
                                {"kind", line.kind},
                                {"parameters", line.parameters},
                                {"quantisation", line.quantisation},
                                {"bytes", line.bytes},
                                {"licence", line.licence},
                                {"origin", line.origin},
                                {"here", !line.where.empty()},
                                {"where", line.where}});
  fmt::print("{}\n", to_json_text(list));
}

void print_table(const std::vector<Line>& lines) {
  size_t name_width = 4, parameters_width = 10, licence_width = 7;
  for (const Line& line : lines) {
    name_width = std::max(name_width, line.name.size());
    parameters_width = std::max(parameters_width, line.parameters.size());
    licence_width = std::max(licence_width, line.licence.size());
  }
  const auto row = [&](auto name, auto kind, auto size, auto parameters, auto quantisation, auto licence,
                       auto where) {
    fmt::print("{:<{}}  {:<9}  {:>8}  {:<{}}  {:<7}  {:<{}}  {}\n", name, name_width, kind, size, parameters,
               parameters_width, quantisation, licence, licence_width, where);
  };
  row("NAME", "KIND", "SIZE", "PARAMETERS", "QUANT", "LICENCE", "HERE");
  for (const Line& line : lines)
    row(line.name, line.kind, line.bytes ? format_bytes(line.bytes) : "", line.parameters, line.quantisation,
        line.licence, line.where);
}

}  // namespace

int run_ls(int argc, char** argv) {
  LsFlags flags;
  CommandLine app("Lists the models on this machine.");
  app.add_flag("--all", flags.all, "also those of the catalogue that could be fetched");
  app.add_flag("--names", flags.names, "names only, one a line");
  app.add_flag("--json", flags.json, "a JSON list");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto hub = hub::Hub::open();
  if (!hub.ok()) return fail(hub.error());
  const std::vector<Line> lines = lines_of(*hub, flags.all);
  if (flags.json) {
    print_json(lines);
  } else if (flags.names) {
    for (const Line& line : lines) fmt::print("{}\n", line.name);
  } else if (lines.empty()) {
    fmt::print(
        stderr,
        "rival: no models here yet; `rival pull {}` fetches a small one, `rival ls --all` shows every name\n",
        hub::kDefaultModel);
  } else {
    print_table(lines);
  }
  return 0;
}

}  // namespace rival::cmd
