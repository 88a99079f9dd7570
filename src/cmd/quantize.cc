#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/progress.h"
#include "base/units.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"
#include "format/importance.h"
#include "model/quantize_model.h"

namespace rival::cmd {
namespace {

struct Flags {
  std::string in, out, type, importance;
  uint32_t threads = 0;
};

std::string type_list() {
  std::string list;
  for (const model::Mixture& mixture : model::mixtures())
    list += fmt::format("{}{}", list.empty() ? "" : " ", mixture.name);
  return list;
}

std::string summary(const Flags& flags, const model::QuantizeReport& report) {
  std::string types;
  for (const auto& [type, count] : report.tensors)
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", count, dtype_info(type).name);
  return fmt::format("{}: {} (was {}), {:.2f} bits a weight; tensors: {}", flags.out,
                     format_bytes(report.bytes_after), format_bytes(report.bytes_before),
                     8.0 * static_cast<double>(report.bytes_after) / static_cast<double>(report.weights),
                     types);
}

Result<model::QuantizeReport> quantize(const Flags& flags) {
  const auto mixture = model::find_mixture(flags.type);
  if (!mixture)
    return make_error(ErrorCode::kInvalidArgument, "'{}' is not a type; choose one of: {}", flags.type,
                      type_list());
  format::ImportanceMatrix importance;
  model::QuantizeOptions options;
  if (!flags.importance.empty()) {
    RIVAL_ASSIGN_OR_RETURN(importance, format::read_importance(flags.importance));
    options.importance = &importance;
  }
  std::optional<Progress> bar;
  options.on_progress = [&](uint64_t done, uint64_t total) {
    if (!bar) bar.emplace("quantize", total);
    bar->update(done);
  };
  RIVAL_ASSIGN_OR_RETURN(const auto hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const auto in, hub.resolve(flags.in, terminal_options(/*accept_licence=*/false)));
  ThreadTeam team(flags.threads);
  return model::quantize_model(in.path, flags.out, *mixture, team, options);
}

}  // namespace

int run_quantize(int argc, char** argv) {
  Flags flags;
  CLI::App app("Writes a GGUF model again with its weights in another type.");
  app.add_option("IN", flags.in, "a model's name or GGUF file, of any types")->required();
  app.add_option("OUT", flags.out, "the file to write")->required();
  app.add_option("TYPE", flags.type, type_list())->required();
  app.add_option("--imatrix", flags.importance, "importance matrix (GGUF): which columns matter most");
  app.add_option("--threads", flags.threads, "threads; 0: one a CPU")->capture_default_str();
  if (const auto status = parse_flags(app, argc, argv)) return *status;
  const auto report = quantize(flags);
  if (!report.ok()) return fail(report.error());
  fmt::print(stderr, "{}\n", summary(flags, *report));
  return 0;
}

}  // namespace rival::cmd
