#include <fmt/format.h>

#include <string>

#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/write_model.h"

namespace rival::cmd {
namespace {

struct ConvertFlags {
  std::string in, out, type;
  uint32_t threads = 0;
};

Result<model::WriteReport> convert(const ConvertFlags& flags) {
  model::WriteOptions options;
  if (!flags.type.empty()) {
    RIVAL_ASSIGN_OR_RETURN(options.mixture, find_type(flags.type));
  }
  return write_model(flags.in, flags.out, flags.threads, options);
}

}  // namespace

int run_convert(int argc, char** argv) {
  ConvertFlags flags;
  CLI::App app("Writes a Hugging Face folder as a GGUF file.");
  app.add_option("IN", flags.in, "a folder with config.json and safetensors, or a model's name")->required();
  app.add_option("OUT", flags.out, "the GGUF file to write")->required();
  app.add_option("--type", flags.type, "type of the weights; else they keep theirs. One of: " + type_list());
  app.add_option("--threads", flags.threads, "threads; 0: one a CPU")->capture_default_str();
  if (const auto status = parse_flags(app, argc, argv)) return *status;
  const auto report = convert(flags);
  if (!report.ok()) return fail(report.error());
  fmt::print(stderr, "{}: {}\n", flags.out, summary(*report));
  return 0;
}

}  // namespace rival::cmd
