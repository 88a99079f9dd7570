#include "cmd/serve_flags.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/file.h"
#include "cmd/models.h"
#include "cmd/settings.h"
#include "hub/store.h"

namespace rival::cmd {
namespace {

constexpr const char* kAbout =
    "Serves models over HTTP, for every program that speaks OpenAI's API, and for the browser.\n"
    "\n"
    "  rival serve                                   the small default model on http://127.0.0.1:8080\n"
    "  rival serve --model qwen3:4b --model minilm   two models; others that are on this machine come when asked for\n"
    "  rival serve keys add phone                    make a key, shown once\n"
    "  rival serve --host 0.0.0.0                    for the phone and other machines, which then need a key\n"
    "  rival serve --memory-budget 12GB --idle-unload 600\n"
    "  rival serve --access-log -                    a line for each request\n"
    "\n"
    "  curl http://127.0.0.1:8080/v1/chat/completions -H 'Content-Type: application/json' \\\n"
    "       -d '{\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}'\n"
    "\n"
    "Every flag has two other names: --some-flag is RIVAL_SOME_FLAG in the environment and \"some_flag\" in the\n"
    "configuration file, serve.json in RIVAL_HOME or the one given with --config. The command line wins over the\n"
    "environment, and that over the file. SIGHUP reads keys, limits, catalogue and certificate again; SIGTERM lets answers end.";

void add_model_settings(Settings& settings, ServeFlags& flags) {
  const std::string group = "Models";
  settings.add(group, "model", flags.models, "name or file, loaded before the first request; may be given several times");
  settings.add(group, "context", flags.load.context, "longest prompt and answer together, in tokens; 0 = as trained").between(0u, 1u << 24);
  settings.add(group, "threads", flags.load.threads, "0 = one a CPU").between(0u, 1024u);
  settings.add(group, "streams", flags.load.sequences_max, "answers of a model computed together").between(1u, 4096u);
  settings.add(group, "queue", flags.load.waiting_max, "requests of a model that may wait; more get 503").between(1u, 1u << 20);
  settings.add_size(group, "kv-memory", flags.load.kv_bytes, "of a model's keys and values, such as 2GB; a quarter of what is free");
  settings.add_size(group, "memory-budget", flags.limits.memory_bytes, "of all loaded models, such as 8GB; what is free");
  settings.add(group, "idle-unload", flags.limits.idle_unload_s, "seconds without work after which a model leaves memory; 0 = never")
      .between(0.0, 1e9);
  settings.add(group, "pull-on-demand", flags.pull_on_demand, "fetch a model that a request names and that is not here");
  settings.add(group, "accept-licence", flags.accept_licence, "accept the licence of a model that asks");
}

void add_address_settings(Settings& settings, ServeFlags& flags) {
  const std::string group = "Address";
  settings.add(group, "host", flags.host, "address to listen on; 0.0.0.0 for other machines");
  settings.add(group, "port", flags.port, "0 = any free one").between(0u, 65535u);
  settings.add(group, "tls-cert", flags.tls_cert, "certificate chain as a PEM file: https in place of http");
  settings.add(group, "tls-key", flags.tls_key, "its private key, a PEM file");
}

void add_access_settings(Settings& settings, ServeFlags& flags) {
  const std::string group = "Access";
  settings.add(group, "key", flags.keys, "API key that callers must show; see also `rival serve keys`");
  settings.add(group, "allow-host", flags.allowed_hosts, "a name that this machine is called by; * = any");
  settings.add(group, "allow-origin", flags.allowed_origins, "a site whose pages may call, such as https://chat.example; * = any");
  settings.add(group, "requests-per-minute", flags.rates.requests_per_minute, "of each key that has no bound of its own; 0 = no bound");
  settings.add(group, "tokens-per-minute", flags.rates.tokens_per_minute, "of prompts and answers of each such key; 0 = no bound");
}

void add_running_settings(Settings& settings, ServeFlags& flags) {
  const std::string group = "Running";
  settings.add(group, "access-log", flags.access_log, "file for a line a request, never with what was said; - = standard output");
  settings.add(group, "database", flags.database, "file for what the server keeps; serve.db in RIVAL_HOME");
  settings.add(group, "keep-responses", flags.keep_responses_days, "days after which a kept answer of /v1/responses is removed; 0 = never").between(0.0, 36500.0);
  settings.add(group, "drain", flags.drain_s, "seconds that answers under way get at the end").between(0.0, 3600.0);
  settings.add_size(group, "max-body", flags.body_bytes_max, "of a request; 16 MiB");
  settings.add_size(group, "max-unsent", flags.unsent_bytes_max, "of all answers that clients have not taken; beyond it, who takes nothing is dropped; 256 MiB");
  settings.add(group, "max-connections", flags.connections_max, "at once; one more takes the place of whoever has been silent for longest").between(1u, 1'000'000u);
}

void add_settings(Settings& settings, ServeFlags& flags) {
  add_model_settings(settings, flags);
  add_address_settings(settings, flags);
  add_access_settings(settings, flags);
  add_running_settings(settings, flags);
}

// The file that --config or RIVAL_CONFIG names, or serve.json in RIVAL_HOME where that exists.
Status read_config(Settings& settings, std::string path) {
  const char* variable = std::getenv(environment_name("config").c_str());
  if (path.empty() && variable) path = variable;
  if (!path.empty()) return settings.read_file(path);
  const auto store = hub::Store::open();
  if (!store.ok() || !file_exists(store->home() / "serve.json")) return {};
  return settings.read_file(store->home() / "serve.json");
}

Status check_together(ServeFlags& flags) {
  if (flags.models.empty()) flags.models.push_back(hub::kDefaultModel);
  for (const std::string& key : flags.keys)
    if (key.size() < 4) return make_error(ErrorCode::kInvalidArgument, "key: a key of {} characters is guessed at once; expected 4 or more", key.size());
  if (flags.tls_cert.empty() != flags.tls_key.empty())
    return make_error(ErrorCode::kInvalidArgument, "{} is missing: TLS needs a certificate and its key", flags.tls_cert.empty() ? "tls_cert" : "tls_key");
  return {};
}

}  // namespace

Result<ServeFlags> parse_serve_config(std::string_view text) {
  ServeFlags flags;
  CommandLine app("");
  Settings settings(app);
  add_settings(settings, flags);
  RIVAL_RETURN_IF_ERROR(settings.read_text(text, "serve.json"));
  RIVAL_RETURN_IF_ERROR(check_together(flags));
  return flags;
}

std::variant<ServeFlags, int> read_serve_flags(int argc, char** argv) {
  ServeFlags flags;
  std::string config;
  bool show = false;
  CommandLine app(kAbout);
  Settings settings(app);
  add_settings(settings, flags);
  app.add_option("--config", config, "JSON file with settings; serve.json in RIVAL_HOME").group("Configuration");
  app.add_flag("--show-config", show, "print every setting with its three names, its value and where that comes from").group("Configuration");
  if (const auto status = app.parse(argc, argv)) return *status;
  if (const Status status = settings.read_environment(); !status.ok()) return fail(status.error());
  if (const Status status = read_config(settings, config); !status.ok()) return fail(status.error());
  if (const Status status = check_together(flags); !status.ok()) return fail(status.error());
  if (!show) return flags;
  fmt::print("{}\n", to_json_text(settings.describe()));
  return 0;
}

}  // namespace rival::cmd
