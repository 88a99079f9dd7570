// `rival inspect logits` and `rival inspect embedding`: the model's numbers for given token ids.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/thread_team.h"
#include "cmd/cli.h"
#include "cmd/inspect.h"
#include "model/decoder.h"

namespace rival::cmd {
namespace {

constexpr uint64_t kLogitsAtOnce = 32u << 20;
constexpr int kBestShown = 5;

struct Flags {
  std::string model, ids;
  uint32_t threads = 0;
  bool json = false;
};

std::optional<int> parse(CommandLine& app, Flags& flags, int argc, char** argv) {
  app.add_option("MODEL", flags.model, "a model's name or path").required();
  app.add_option("--ids", flags.ids, "token ids, with commas between").required();
  app.add_option("--threads", flags.threads, "0: one a CPU").shows_default();
  app.add_flag("--json", flags.json, "a JSON object");
  return app.parse(argc, argv);
}

Result<std::vector<text::TokenId>> parse_ids(const std::string& text) {
  std::vector<text::TokenId> ids;
  const char *at = text.data(), *end = at + text.size();
  while (true) {
    while (at < end && *at == ' ') ++at;
    text::TokenId id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc())
      return make_error(ErrorCode::kInvalidArgument, "--ids '{}': expected numbers with commas between",
                        text);
    ids.push_back(id);
    at = next;
    while (at < end && *at == ' ') ++at;
    if (at == end) return ids;
    if (*at++ != ',')
      return make_error(ErrorCode::kInvalidArgument, "--ids '{}': expected numbers with commas between",
                        text);
  }
}

struct Loaded {
  std::unique_ptr<ThreadTeam> team;
  model::ModelSource source;
  std::unique_ptr<model::Decoder> decoder;
};

Result<Loaded> load(const Flags& flags, size_t positions) {
  Loaded loaded;
  loaded.team = std::make_unique<ThreadTeam>(flags.threads);
  RIVAL_ASSIGN_OR_RETURN(const auto path, find_model(flags.model));
  RIVAL_ASSIGN_OR_RETURN(loaded.source, model::open_model(path));
  model::choose_context(loaded.source, static_cast<uint32_t>(std::min<size_t>(positions, UINT32_MAX)));
  RIVAL_ASSIGN_OR_RETURN(loaded.decoder, model::Decoder::create(loaded.source, *loaded.team));
  return loaded;
}

void print_row(std::span<const float> row) {
  fmt::print("[");
  for (size_t i = 0; i < row.size(); ++i) {
    const char* comma = i > 0 ? "," : "";
    if (std::isfinite(row[i]))
      fmt::print("{}{}", comma, row[i]);
    else
      fmt::print("{}null", comma);
  }
  fmt::print("]");
}

void print_best(const model::ModelSource& source, size_t position, std::span<const float> row) {
  std::vector<uint32_t> order(row.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto shown = order.begin() + std::min<std::ptrdiff_t>(kBestShown, std::ssize(order));
  std::partial_sort(order.begin(), shown, order.end(),
                    [&](uint32_t a, uint32_t b) { return row[a] > row[b]; });
  fmt::print("{:>6}", position);
  for (auto id = order.begin(); id != shown; ++id) {
    const std::string text =
        source.tokenizer ? source.tokenizer->token_bytes(static_cast<text::TokenId>(*id)) : "";
    fmt::print("  {} {:?} {:.4f}", *id, text, row[*id]);
  }
  fmt::print("\n");
}

// All positions' rows, as many at a time as kLogitsAtOnce allows. Pages of F32, so that nothing but the
// weights rounds.
Status print_logits(Loaded& loaded, std::span<const text::TokenId> ids, bool as_json) {
  const model::ModelConfig& config = loaded.decoder->config();
  std::vector<model::PageId> pages;
  while (pages.size() * model::kPagePositions < ids.size())
    pages.push_back(static_cast<model::PageId>(pages.size()));
  model::KvStore kv(config, model::KvType::kF32, static_cast<uint32_t>(pages.size()));
  const size_t step = std::clamp<uint64_t>(kLogitsAtOnce / config.vocabulary_size, 1, 512);
  std::vector<float> logits;
  for (size_t at = 0; at < ids.size(); at += step) {
    const size_t count = std::min(step, ids.size() - at);
    const model::SequenceSlice slice = {.tokens = ids.subspan(at, count),
                                        .position = static_cast<uint32_t>(at),
                                        .pages = pages,
                                        .logits_count = static_cast<uint32_t>(count)};
    RIVAL_RETURN_IF_ERROR(loaded.decoder->forward({&slice, 1}, kv, logits));
    for (size_t i = 0; i < count; ++i) {
      const auto row = std::span(logits).subspan(i * config.vocabulary_size, config.vocabulary_size);
      if (!as_json) {
        print_best(loaded.source, at + i, row);
        continue;
      }
      fmt::print("{}", at + i > 0 ? ",\n" : "{\"logits\": [");  // nothing before the first numbers are there
      print_row(row);
    }
  }
  if (as_json) fmt::print("]}}\n");
  return {};
}

}  // namespace

int run_inspect_logits(int argc, char** argv) {
  Flags flags;
  CommandLine app("Logits of every position, one row each; without --json the best tokens of each.");
  if (const auto status = parse(app, flags, argc, argv)) return *status;
  const auto ids = parse_ids(flags.ids);
  if (!ids.ok()) return fail(ids.error());
  auto loaded = load(flags, ids->size());
  if (!loaded.ok()) return fail(loaded.error());
  const Status printed = print_logits(*loaded, *ids, flags.json);
  return printed.ok() ? 0 : fail(printed.error());
}

int run_inspect_embedding(int argc, char** argv) {
  Flags flags;
  CommandLine app("The embedding of a text given as token ids, pooled and normalised as the model asks.");
  if (const auto status = parse(app, flags, argc, argv)) return *status;
  const auto ids = parse_ids(flags.ids);
  if (!ids.ok()) return fail(ids.error());
  auto loaded = load(flags, ids->size());
  if (!loaded.ok()) return fail(loaded.error());
  const model::SequenceSlice slice = {.tokens = *ids, .position = 0, .pages = {}, .logits_count = 0};
  std::vector<float> embedding;
  const Status status = loaded->decoder->embed({&slice, 1}, embedding);
  if (!status.ok()) return fail(status.error());
  if (flags.json) {
    fmt::print("{{\"embedding\": ");
    print_row(embedding);
    fmt::print("}}\n");
  } else {
    fmt::print("{}\n", fmt::join(embedding, " "));
  }
  return 0;
}

}  // namespace rival::cmd
