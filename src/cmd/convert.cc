#include <fmt/format.h>

#include <optional>
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
  std::optional<model::Mixture> type;
  if (!flags.type.empty()) {
    RIVAL_ASSIGN_OR_RETURN(type, find_type(flags.type));
  }
  if (flags.out.ends_with(".gguf")) return write_model(flags.in, flags.out, flags.threads, {.mixture = type});
  return write_folder(flags.in, flags.out, flags.threads, type ? std::optional(type->base) : std::nullopt);
}

}  // namespace

int run_convert(int argc, char** argv) {
  ConvertFlags flags;
  CommandLine app(
      "Writes a Hugging Face folder as a GGUF file, or a GGUF file as a Hugging Face folder:\n"
      "  rival convert FOLDER out.gguf\n"
      "  rival convert smollm2:135m out-folder --type BF16");
  app.add_option("IN", flags.in, "a folder with config.json and safetensors, a GGUF file, or a model's name").required();
  app.add_option("OUT", flags.out, "what to write: a name that ends in .gguf is a file, any other a folder").required();
  app.add_option("--type", flags.type,
                 "type of the weights; else they keep theirs (in a folder: BF16 where they are in blocks).\n"
                 "For a folder F32, F16 or BF16, for a file one of: " + type_list());
  app.add_option("--threads", flags.threads, "threads; 0: one a CPU").shows_default();
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto report = convert(flags);
  if (!report.ok()) return fail(report.error());
  fmt::print(stderr, "{}: {}\n", flags.out, summary(*report));
  return 0;
}

}  // namespace rival::cmd
