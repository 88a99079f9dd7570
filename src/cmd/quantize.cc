#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"
#include "cmd/text_tokens.h"
#include "cmd/write_model.h"
#include "engine/loaded_model.h"
#include "eval/calibrate.h"
#include "format/importance.h"

namespace rival::cmd {
namespace {

struct QuantizeFlags {
  std::string in, out, type;
  std::string importance;  // a matrix to use
  std::string calibrate;   // a text to measure one on
  std::string output;      // where that one goes
  uint32_t context = 512;
  uint32_t threads = 0;
  bool accept_licence = false;
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

void show_progress(uint32_t done, uint32_t of) {
  fmt::print(stderr, "\r{} of {} windows read{}", done, of, done == of ? "\n" : "");
}

Result<format::ImportanceMatrix> measure(const QuantizeFlags& flags) {
  RIVAL_ASSIGN_OR_RETURN(const hub::Hub hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const auto found, hub.resolve(flags.in, terminal_options(flags.accept_licence)));
  RIVAL_ASSIGN_OR_RETURN(const auto contents, model::read_contents(found.path));
  RIVAL_ASSIGN_OR_RETURN(const auto loaded, engine::LoadedModel::load(found.path, flags.threads));
  const text::Tokenizer* tokenizer = loaded->tokenizer();
  if (tokenizer == nullptr) return make_error(ErrorCode::kUnsupported, "{} has no vocabulary", found.name);
  RIVAL_ASSIGN_OR_RETURN(const auto ids, text_tokens(flags.calibrate, *tokenizer));
  eval::CalibrateOptions options{.context = std::min(flags.context, loaded->config().context_length)};
  if (tokenizer->vocabulary().add_bos) options.bos = tokenizer->vocabulary().bos;
  if (::isatty(STDERR_FILENO)) options.progress = show_progress;
  auto matrix = eval::calibrate(loaded->decoder(), contents.tensors, ids, options);
  if (!matrix.ok()) return with_context(matrix.error(), flags.calibrate);
  matrix->texts = {std::filesystem::path(flags.calibrate).filename().string()};
  return matrix;
}

int run_calibrate(const QuantizeFlags& flags) {
  const auto matrix = measure(flags);
  if (!matrix.ok()) return fail(matrix.error());
  if (const Status written = format::write_importance(flags.output, *matrix); !written.ok())
    return fail(written.error());
  fmt::print(stderr,
             "{}: the importance of {} matrices, measured on {} tokens. Use it with\n"
             "  rival quantize {} OUT.gguf Q3_K_M --importance {}\n",
             flags.output, matrix->tensors.size(), uint64_t{matrix->chunks} * matrix->chunk_tokens, flags.in,
             flags.output);
  return 0;
}

int run_write(const QuantizeFlags& flags) {
  const auto report = quantize(flags);
  if (!report.ok()) return fail(report.error());
  fmt::print(stderr, "{}: {}\n", flags.out, summary(*report));
  return 0;
}

}  // namespace

int run_quantize(int argc, char** argv) {
  QuantizeFlags flags;
  CommandLine app(
      "Writes a model as a GGUF file with its weights in another type:\n"
      "  rival quantize smollm2:135m out.gguf Q3_K_M [--importance FILE]\n"
      "or measures on a text which columns of the weights matter most, which low-bit types gain from:\n"
      "  rival quantize --calibrate TEXT smollm2:135m -o FILE");
  app.add_option("IN", flags.in, "a model's name, GGUF file or Hugging Face folder, of any types").required();
  Flag out = app.add_option("OUT", flags.out, "the GGUF file to write");
  Flag type = app.add_option("TYPE", flags.type, type_list());
  app.add_option("--importance,--imatrix", flags.importance, "an importance matrix that --calibrate made");
  Flag text = app.add_option("--calibrate", flags.calibrate, "a text file to measure importance on");
  Flag file = app.add_option("-o,--output", flags.output, "the importance matrix to write");
  app.add_option("--context", flags.context, "tokens that --calibrate reads at once")
      .shows_default()
      .between(8u, 4096u);
  app.add_option("--threads", flags.threads, "threads; 0: one a CPU").shows_default();
  app.add_flag("--accept-licence", flags.accept_licence, "accept the model's licence where it asks");
  text.needs(file).excludes(out);
  file.needs(text);
  if (const auto status = app.parse(argc, argv)) return *status;
  if (text.given()) return run_calibrate(flags);
  if (type.given()) return run_write(flags);
  fmt::print(stderr, "rival quantize: expected IN OUT TYPE, or --calibrate TEXT IN -o FILE\n");
  return 2;
}

}  // namespace rival::cmd
