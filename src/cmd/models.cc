#include "cmd/models.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "base/units.h"
#include "cmd/machine.h"

namespace rival::cmd {
namespace {

bool ask_licence(const hub::Row& row) {
  if (!::isatty(STDIN_FILENO) || !::isatty(STDERR_FILENO)) return false;
  fmt::print(stderr,
             "{} by {} comes under the {}:\n  {}\nIt says what you may and may not do with the model. Accept "
             "it? This is asked once. [y/N] ",
             row.name, row.origin, row.licence.id, row.licence.url);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

bool accepted_by_environment() {
  const char* value = std::getenv("RIVAL_ACCEPT_LICENCE");
  return value && std::string_view(value) == "1";
}

}  // namespace

hub::ResolveOptions terminal_options(bool accept_licence) {
  hub::ResolveOptions options;
  options.accept_licence = accept_licence || accepted_by_environment();
  options.ask_licence = ask_licence;
  options.say = [](const std::string& text) { fmt::print(stderr, "rival: {}\n", text); };
  return options;
}

std::string bigger_model_hint(const hub::Hub& hub, const hub::ResolvedModel& model) {
  if (!model.row) return "";
  const Machine machine = this_machine();
  const hub::Row* bigger =
      hub.catalogue().bigger_that_fits(&*model.row, machine.available_bytes, machine.cores);
  if (!bigger) return "";
  return fmt::format("{} is small. This machine has room for {} ({} to fetch): rival run {}", model.row->name,
                     bigger->name, format_bytes(bigger->download_bytes()), bigger->name);
}

}  // namespace rival::cmd
