// `rival inspect tokens`: the ids of a file's text.
#include <fmt/format.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/cli.h"
#include "cmd/inspect.h"

namespace rival::cmd {
namespace {

struct Flags {
  std::string model, file;
  bool no_special = false;
  bool json = false;
};

Result<std::vector<text::TokenId>> tokens_of(const Flags& flags) {
  RIVAL_ASSIGN_OR_RETURN(const auto path, find_model(flags.model));
  RIVAL_ASSIGN_OR_RETURN(const model::ModelSource source, model::open_texts(path));
  if (!source.tokenizer) return make_error(ErrorCode::kNotFound, "{} holds no tokenizer", path.string());
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(flags.file, limits::kPromptBytesMax));
  return source.tokenizer->encode(text,
                                  {.add_special = !flags.no_special, .parse_special = !flags.no_special});
}

}  // namespace

int run_inspect_tokens(int argc, char** argv) {
  Flags flags;
  CommandLine app("The token ids of a file's bytes as they are.");
  app.add_option("MODEL", flags.model, "a model's name or path; a GGUF file with a vocabulary alone will do")
      .required();
  app.add_option("--file", flags.file, "the text").required();
  app.add_flag("--no-special", flags.no_special,
               "no special token is added, and none is recognised in the text");
  app.add_flag("--json", flags.json, "a JSON object");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto ids = tokens_of(flags);
  if (!ids.ok()) return fail(ids.error());
  if (flags.json)
    fmt::print("{{\"ids\": [{}]}}\n", fmt::join(*ids, ", "));
  else
    fmt::print("{}\n", fmt::join(*ids, " "));
  return 0;
}

}  // namespace rival::cmd
