#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/json.h"
#include "base/units.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/machine.h"
#include "cmd/models.h"
#include "cmd/path.h"
#include "http/client.h"
#include "hub/foreign_stores.h"
#include "hub/process.h"

namespace rival::cmd {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMemoryComfortable = 2'000'000'000;
constexpr uint64_t kDiskComfortable = 1'000'000'000;
constexpr long kReachTimeoutS = 5;

struct DoctorFlags {
  bool offline = false;
  bool json = false;
};

enum class State { kOk, kSlow, kMissing };

struct Finding {
  const char* subject;
  State state;
  std::string found;
  std::string advice;  // what to do; empty when all is well
};

const char* to_text(State state) {
  switch (state) {
    case State::kOk:
      return "ok";
    case State::kSlow:
      return "slow";
    case State::kMissing:
      return "missing";
  }
  return "";
}

bool has(const Machine& machine, const char* feature) {
  return std::find(machine.features.begin(), machine.features.end(), feature) != machine.features.end();
}

Finding check_processor(const Machine& machine) {
  std::string features;
  for (const std::string& feature : machine.features) features += " " + feature;
  Finding finding{"processor", State::kOk,
                  fmt::format("{}, {} cores,{}", machine.cpu, machine.cores, features), ""};
  if (!has(machine, "avx2"))
    finding = {"processor", State::kSlow, finding.found,
               "without AVX2 the plain kernels run, many times slower; any x86 processor since 2015 has it"};
  else if (!has(machine, "avx512_vnni") && !has(machine, "avx_vnni"))
    finding = {"processor", State::kSlow, finding.found,
               "without VNNI prompts are read about half as fast as on a newer processor"};
  return finding;
}

Finding check_load(const Machine& machine) {
  double load = 0;
  if (::getloadavg(&load, 1) != 1) return {"load", State::kOk, "unknown", ""};
  const std::string found = fmt::format("{:.1f} programs running on {} cores", load, machine.cores);
  if (load > machine.cores)
    return {"load", State::kSlow, found, "other programs keep the cores busy; answers come slower"};
  return {"load", State::kOk, found, ""};
}

Finding check_memory(const Machine& machine) {
  const std::string found =
      fmt::format("{} free of {}", format_bytes(machine.available_bytes), format_bytes(machine.memory_bytes));
  if (machine.available_bytes < kMemoryComfortable)
    return {"memory", State::kSlow, found, fmt::format("only small models fit; {} does", hub::kDefaultModel)};
  return {"memory", State::kOk, found, ""};
}

Finding check_store(const hub::Store& store) {
  const Status prepared = store.prepare();
  if (!prepared.ok()) return {"store", State::kMissing, store.home().string(), prepared.error().message};
  std::string found = fmt::format("{}, {} models", store.home().string(), store.models().size());
  if (::access(store.home().c_str(), W_OK) != 0)
    return {"store", State::kMissing, found, "it cannot be written; set RIVAL_HOME to a folder of yours"};
  const uint64_t unfinished = store.partial_bytes();
  if (unfinished > 0)
    return {"store", State::kOk, found,
            fmt::format("{} of unfinished downloads; pull again, or `rival rm --unfinished`",
                        format_bytes(unfinished))};
  return {"store", State::kOk, found, ""};
}

Finding check_disk(const hub::Store& store) {
  std::error_code code;
  const fs::space_info space = fs::space(store.home(), code);
  const std::string found = code ? code.message() : format_bytes(space.available) + " free";
  if (code || space.available < kDiskComfortable)
    return {"disk", State::kMissing, found,
            "little room for models; free some, or set RIVAL_HOME to a roomier disk"};
  return {"disk", State::kOk, found, ""};
}

Finding check_pip() {
  const char* python = std::getenv("RIVAL_PYTHON");
  const std::string program = python && *python ? python : "python3";
  std::string version;
  const auto end = hub::run_process({.arguments = {program, "-m", "pip", "--version"},
                                     .folder = "/",
                                     .on_output = [&](std::string_view text) {
                                       version += text;
                                       return Status();
                                     }});
  if (!end.ok() || end->status != 0)
    return {"pip", State::kMissing, program + " -m pip does not run",
            "the default model comes through it: sudo apt-get install python3 python3-pip"};
  return {"pip", State::kOk, version.substr(0, version.find(" from")), ""};
}

Finding check_network() {
  const char* given = std::getenv("HF_ENDPOINT");
  const std::string endpoint = given && *given ? given : "https://huggingface.co";
  const auto head = http::fetch({.method = http::Method::kHead,
                                 .url = endpoint,
                                 .connect_timeout_s = kReachTimeoutS,
                                 .stall_timeout_s = kReachTimeoutS},
                                {});
  if (!head.ok())
    return {"hub", State::kMissing, head.error().message,
            "hf: models cannot be fetched; those on this disk and those that come through pip still work"};
  return {"hub", State::kOk, fmt::format("{} answers", endpoint), ""};
}

Finding check_build() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
  return {"build", State::kSlow, "a debug or sanitizer build",
          "use the program that ./rival builds in build/"};
#else
  return {"build", State::kOk, "release", ""};
#endif
}

Finding check_path() {
  const auto where = find_on_path("rival");
  if (!where) return {"command", State::kOk, "rival is not on the PATH", "`rival install` puts it there"};
  return {"command", State::kOk, where->string(), ""};
}

Finding check_other_stores() {
  std::error_code code;
  std::string found;
  if (fs::exists(hub::hf_cache(), code)) found += hub::hf_cache().string() + " ";
  if (fs::exists(hub::ollama_models(), code)) found += hub::ollama_models().string();
  return {"other stores", State::kOk, found.empty() ? "none" : found, ""};
}

void print_text(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    fmt::print("{:<8} {:<13} {}\n", to_text(finding.state), finding.subject, finding.found);
    if (!finding.advice.empty()) fmt::print("{:<22} -> {}\n", "", finding.advice);
  }
}

void print_json(const std::vector<Finding>& findings) {
  json::array list;
  for (const Finding& finding : findings)
    list.push_back(json::object{{"subject", finding.subject},
                                {"state", to_text(finding.state)},
                                {"found", finding.found},
                                {"advice", finding.advice}});
  fmt::print("{}\n", to_json_text(list));
}

}  // namespace

int run_doctor(int argc, char** argv) {
  DoctorFlags flags;
  CommandLine app(
      "Says what is missing or slow on this machine and what to do about it. Exits with 1 when something is "
      "missing.");
  app.add_flag("--offline", flags.offline, "do not try the network");
  app.add_flag("--json", flags.json, "a JSON list of {subject, state, found, advice}");
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto store = hub::Store::open();
  if (!store.ok()) return fail(store.error());
  const Machine machine = this_machine();
  std::vector<Finding> findings = {
      check_processor(machine), check_memory(machine), check_load(machine), check_build(),
      check_store(*store),      check_disk(*store),    check_pip()};
  if (!flags.offline) findings.push_back(check_network());
  findings.push_back(check_other_stores());
  findings.push_back(check_path());
  flags.json ? print_json(findings) : print_text(findings);
  const bool missing = std::any_of(findings.begin(), findings.end(),
                                   [](const Finding& finding) { return finding.state == State::kMissing; });
  return missing ? 1 : 0;
}

}  // namespace rival::cmd
