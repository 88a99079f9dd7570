#include <fmt/format.h>

#include <string>

#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/write_model.h"
#include "format/importance.h"

namespace rival::cmd {
namespace {

struct QuantizeFlags {
  std::string in, out, type, importance;
  uint32_t threads = 0;
};

Result<model::WriteReport> quantize(const QuantizeFlags& flags) {
  model::WriteOptions options;
  RIVAL_ASSIGN_OR_RETURN(options.mixture, find_type(flags.type));
  format::ImportanceMatrix importance;
  if (!flags.importance.empty()) {
    RIVAL_ASSIGN_OR_RETURN(importance, format::read_importance(flags.importance));
    options.importance = &importance;
  }
  return write_model(flags.in, flags.out, flags.threads, options);
}

}  // namespace

int run_quantize(int argc, char** argv) {
  QuantizeFlags flags;
  CLI::App app("Writes a model as a GGUF file with its weights in another type.");
  app.add_option("IN", flags.in, "a model's name, GGUF file or Hugging Face folder, of any types")
      ->required();
  app.add_option("OUT", flags.out, "the GGUF file to write")->required();
  app.add_option("TYPE", flags.type, type_list())->required();
  app.add_option("--imatrix", flags.importance, "importance matrix (GGUF): which columns matter most");
  app.add_option("--threads", flags.threads, "threads; 0: one a CPU")->capture_default_str();
  if (const auto status = parse_flags(app, argc, argv)) return *status;
  const auto report = quantize(flags);
  if (!report.ok()) return fail(report.error());
  fmt::print(stderr, "{}: {}\n", flags.out, summary(*report));
  return 0;
}

}  // namespace rival::cmd
