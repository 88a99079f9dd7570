#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/thread_team.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"
#include "cmd/text_tokens.h"
#include "engine/loaded_model.h"
#include "eval/perplexity.h"
#include "text/tokenizer.h"

namespace rival::cmd {
namespace {

struct PerplexityFlags {
  std::string name, file;
  uint32_t context = 512;
  uint32_t threads = 0;
  uint32_t windows = 0;
  std::string kv = "f16";
  bool accept_licence = false;
  bool json = false;
};

void show_progress(uint32_t done, uint32_t of, double so_far) {
  fmt::print(stderr, "\r{} of {} windows, perplexity {:.4f} {}", done, of, so_far, done == of ? "\n" : "");
}

Result<eval::Perplexity> measure(const PerplexityFlags& flags) {
  RIVAL_ASSIGN_OR_RETURN(const hub::Hub hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const hub::ResolvedModel model, hub.resolve(flags.name, terminal_options(flags.accept_licence)));
  RIVAL_ASSIGN_OR_RETURN(const auto loaded, engine::LoadedModel::load(model.path, flags.threads, flags.context));
  if (!loaded->tokenizer()) return make_error(ErrorCode::kUnsupported, "{} has no vocabulary", model.name);
  RIVAL_ASSIGN_OR_RETURN(const auto ids, text_tokens(flags.file, *loaded->tokenizer()));
  const text::Vocabulary& vocabulary = loaded->tokenizer()->vocabulary();
  eval::PerplexityOptions options{.context = flags.context, .windows_max = flags.windows};
  if (vocabulary.add_bos) options.bos = vocabulary.bos;
  if (::isatty(STDERR_FILENO)) options.progress = show_progress;
  const model::KvType kv = flags.kv == "q8" ? model::KvType::kQ8 : model::KvType::kF16;
  const uint32_t pages = (flags.context + model::kPagePositions - 1) / model::kPagePositions;
  model::KvStore store(loaded->config(), kv, pages);
  const auto forward = engine::make_forward_model(loaded->decoder(), store, loaded->team());
  return eval::measure_perplexity(*forward, ids, options);
}

int run_perplexity(int argc, char** argv) {
  PerplexityFlags flags;
  CommandLine app("Measures the perplexity of a text as llama-perplexity does: windows of --context tokens, the second\n"
               "half of each scored.");
  app.add_option("MODEL", flags.name, "a model's name or path").required();
  app.add_option("FILE", flags.file, "a text file").required();
  app.add_option("--context", flags.context, "tokens of a window").shows_default().between(4u, limits::kContextMax);
  app.add_option("--threads", flags.threads, "threads; 0 = one a CPU").shows_default().between(0, 1024);
  app.add_option("--windows", flags.windows, "only the first so many windows; 0 = all").shows_default();
  app.add_option("--kv", flags.kv, "keys and values as f16 or q8").shows_default().one_of({"f16", "q8"});
  app.add_flag("--accept-licence", flags.accept_licence, "accept the model's licence where it asks");
  app.add_flag("--json", flags.json, "a JSON object");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto result = measure(flags);
  if (!result.ok()) return fail(result.error());
  if (flags.json) {
    fmt::print("{}\n", to_json_text(json::object{{"perplexity", result->value}, {"tokens", result->tokens},
                                                 {"error", result->error}, {"windows", result->windows}}));
  } else {
    fmt::print("perplexity {:.4f} +/- {:.4f} over {} tokens in {} windows\n", result->value, result->error,
               result->tokens, result->windows);
  }
  return 0;
}

}  // namespace

int run_eval(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "--help";
  if (what == "perplexity") {
    std::string whole = "eval perplexity";  // as messages about flags call it
    argv[1] = whole.data();
    return run_perplexity(argc - 1, argv + 1);
  }
  const bool help = what == "--help" || what == "-h";
  fmt::print(help ? stdout : stderr, "{}usage: rival eval perplexity MODEL FILE [--context 512] [--json]\n",
             help ? "Measures how well a model predicts.\n" : fmt::format("rival eval: '{}' is not known\n", what));
  return help ? 0 : 2;
}

}  // namespace rival::cmd
