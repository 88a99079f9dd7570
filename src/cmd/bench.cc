#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/thread_team.h"
#include "base/units.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"
#include "engine/loaded_model.h"
#include "engine/memory.h"
#include "eval/bench.h"
#include "kernels/dispatch.h"

namespace rival::cmd {
namespace {

struct BenchFlags {
  std::string name = hub::kDefaultModel;
  uint32_t threads = 0;
  std::string kv = "f16";
  bool accept_licence = false;
  bool json = false;
  eval::BenchOptions options;
};

struct Measured {
  std::string model, weights_type;
  std::string path;  // the instruction set in use
  uint32_t threads = 0;
  eval::MachineLimits limits = {};
  std::vector<eval::BenchResult> results = {};
  uint64_t file_bytes = 0, weight_bytes = 0, kv_bytes = 0, peak_bytes = 0;
};

void say_left_out(const eval::BenchOptions& options, uint32_t pages) {
  for (const uint32_t batch : options.batch)
    for (const uint32_t depth : options.depth)
      if (options.decode > 0 && eval::decode_pages(options, batch, depth) > pages)
        log(LogLevel::kWarning, "decode of {} at {} is left out: there is no memory for its keys and values", batch, depth);
}

Result<Measured> measure(const BenchFlags& flags) {
  RIVAL_ASSIGN_OR_RETURN(const hub::Hub hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const hub::ResolvedModel model, hub.resolve(flags.name, terminal_options(flags.accept_licence)));
  RIVAL_ASSIGN_OR_RETURN(const auto loaded, engine::LoadedModel::load(model.path, flags.threads));
  const model::KvType kv = flags.kv == "q8" ? model::KvType::kQ8 : model::KvType::kF16;
  const uint64_t pages_max = engine::available_memory() / model::KvStore::bytes_per_page(loaded->config(), kv);
  model::KvStore store(loaded->config(), kv, eval::bench_pages(flags.options, pages_max));
  say_left_out(flags.options, store.page_count());
  const auto forward = engine::make_forward_model(loaded->decoder(), store, loaded->team());
  const eval::ModelWork work = eval::work_of(*loaded, kv);
  Measured measured{.model = model.name, .weights_type = loaded->weights_type(),
                    .path = kernels::best_table().name, .threads = loaded->team().size()};
  // What the yardstick of the memory takes is no part of the model's peak.
  const uint64_t peak_of_load = engine::peak_memory();
  measured.limits = eval::measure_limits(loaded->team(), kernels::best_table(), static_cast<uint64_t>(work.weight_bytes));
  engine::forget_peak_memory();
  RIVAL_ASSIGN_OR_RETURN(measured.results, eval::run_bench(*forward, work, measured.limits, flags.options));
  measured.file_bytes = loaded->file_bytes();
  measured.weight_bytes = loaded->decoder().weight_bytes();
  measured.kv_bytes = uint64_t{store.page_count()} * forward->bytes_per_page();
  measured.peak_bytes = std::max(peak_of_load, engine::peak_memory());
  return measured;
}

json::object to_json(const Measured& m) {
  json::array results;
  for (const eval::BenchResult& r : m.results)
    results.push_back(json::object{{"test", r.test}, {"tokens", r.tokens}, {"batch", r.batch}, {"depth", r.depth},
                                   {"tokens_per_s", r.tokens_per_s}, {"limit_share", r.limit_share}});
  return {{"model", m.model},
          {"weights", m.weights_type},
          {"path", m.path},
          {"threads", m.threads},
          {"results", std::move(results)},
          {"limits", json::object{{"int8_ops_per_s", m.limits.int8_ops_per_s},
                                  {"fma_flops_per_s", m.limits.fma_flops_per_s},
                                  {"memory_bytes_per_s", m.limits.memory_bytes_per_s},
                                  {"memory_bytes", m.limits.memory_bytes}}},
          {"memory", json::object{{"peak_bytes", m.peak_bytes}, {"weight_bytes", m.weight_bytes},
                                  {"kv_bytes", m.kv_bytes}, {"file_bytes", m.file_bytes}}}};
}

void print(const Measured& m) {
  fmt::print("{} ({}), {} thread{}, path {}\n", m.model, m.weights_type, m.threads, m.threads == 1 ? "" : "s", m.path);
  fmt::print("limits: int8 {:.0f} GOP/s, FMA {:.0f} GFLOP/s, memory {:.1f} GB/s reading {}\n\n",
             m.limits.int8_ops_per_s * 1e-9, m.limits.fma_flops_per_s * 1e-9, m.limits.memory_bytes_per_s * 1e-9,
             format_bytes(m.limits.memory_bytes));
  fmt::print("{:<8} {:>6} {:>6} {:>6} {:>12} {:>10}\n", "test", "tokens", "batch", "depth", "tokens/s", "of limit");
  for (const eval::BenchResult& r : m.results)
    fmt::print("{:<8} {:>6} {:>6} {:>6} {:>12.1f} {:>9.0f}%\n", r.test, r.tokens, r.batch, r.depth, r.tokens_per_s,
               100.0 * r.limit_share);
  fmt::print("\nmemory: {} at most, of it weights {} and up to {} of keys and values\n", format_bytes(m.peak_bytes),
             format_bytes(m.weight_bytes), format_bytes(m.kv_bytes));
}

}  // namespace

int run_bench(int argc, char** argv) {
  BenchFlags flags;
  CommandLine app("Measures prefill and decode, each as a share of what this machine can do at most. The limit of a\n"
               "step is the longer of two times: its 8-bit (or fp32) operations at the peak of the processor, and the\n"
               "weights, keys and values that it reads at the bandwidth of the memory; both are measured in this run.");
  app.add_option("MODEL", flags.name, "a model's name or path").shows_default();
  app.add_option("--threads", flags.threads, "threads; 0 = one a CPU").shows_default().between(0, 1024);
  app.add_option("--prefill", flags.options.prefill, "tokens of the prompt; 0 skips").shows_default().between(0, 1 << 20);
  app.add_option("--decode", flags.options.decode, "steps of decoding; 0 skips").shows_default().between(0, 1 << 20);
  app.add_option("--batch", flags.options.batch, "sequences that decode together; 0 skips").separated_by(',').shows_default().between(0, 512);
  app.add_option("--depth", flags.options.depth, "tokens that each sequence has already").separated_by(',').shows_default().between(0, 1 << 24);
  app.add_option("--kv", flags.kv, "keys and values as f16 or q8").shows_default().one_of({"f16", "q8"});
  app.add_flag("--accept-licence", flags.accept_licence, "accept the model's licence where it asks");
  app.add_flag("--json", flags.json, "a JSON object");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto measured = measure(flags);
  if (!measured.ok()) return fail(measured.error());
  if (flags.json) {
    fmt::print("{}\n", to_json_text(to_json(*measured)));
  } else {
    print(*measured);
  }
  return 0;
}

}  // namespace rival::cmd
