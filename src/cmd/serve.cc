#include "serve/service.h"

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <thread>

#include "cmd/chat_settings.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/database_path.h"
#include "cmd/models.h"
#include "cmd/version.h"
#include "hub/local_models.h"
#include "serve/hub_finder.h"
#include "serve/page.h"

namespace rival::cmd {
namespace {

struct ServeFlags {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;
  std::vector<std::string> models;
  std::vector<std::string> keys;
  std::vector<std::string> allowed_hosts;
  std::string database;
  engine::LoadOptions load;
  uint64_t memory_bytes = 0;
  double idle_unload_s = 0;
  double drain_s = 30;
  bool pull_on_demand = false;
  bool accept_licence = false;
};

// The name of a file of the user's own: what a list of models may show to others.
std::string own_name(const hub::ResolvedModel& resolved) {
  if (resolved.where != "local") return resolved.name;
  const std::filesystem::path path = std::filesystem::absolute(resolved.path).lexically_normal();
  const std::string name = path.extension() == ".gguf" ? path.stem().string() : path.filename().string();
  return name.empty() ? path.parent_path().filename().string() : name;
}

// Loads before the first request is taken.
Status preload_models(serve::Models& models, const hub::Hub& hub, const ServeFlags& flags) {
  for (const std::string& name : flags.models) {
    RIVAL_ASSIGN_OR_RETURN(const hub::ResolvedModel resolved, hub.resolve(name, terminal_options(flags.accept_licence)));
    const serve::FoundModel found{own_name(resolved), resolved.path, hub::weights_bytes(resolved.path), name};
    RIVAL_RETURN_IF_ERROR(models.preload(found));
    fmt::print(stderr, "{}: ready\n", found.name);
  }
  return {};
}

// Blocks SIGINT and SIGTERM in this thread and in all that it starts later: stop_on_signal waits for them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// A thread that stops the server when a signal comes; answers under way may end.
std::thread stop_on_signal(const sigset_t& signals, serve::Page& page, http::Server& server, double drain_s) {
  return std::thread([signals, &page, &server, drain_s] {
    int signal = 0;
    ::sigwait(&signals, &signal);
    fmt::print(stderr, "stopping; answers under way have {} s to end\n", drain_s);
    page.stop();
    server.stop(drain_s);
  });
}

int serve_models(const ServeFlags& flags) {
  const sigset_t signals = block_signals();
  const auto path = database_path(flags.database);
  if (!path.ok()) return fail(path.error());
  auto database = serve::Database::open(*path);
  if (!database.ok()) return fail(database.error());
  auto hub = hub::Hub::open();
  if (!hub.ok()) return fail(hub.error());
  const auto shared_hub = std::make_shared<const hub::Hub>(std::move(hub).value());
  serve::Models models(serve::hub_finder(shared_hub, {.accept_licence = flags.accept_licence, .fetch = flags.pull_on_demand}),
                       flags.load, {.memory_bytes = flags.memory_bytes, .idle_unload_s = flags.idle_unload_s});
  if (const Status status = preload_models(models, *shared_hub, flags); !status.ok()) return fail(status.error());
  serve::Service service(models, {flags.keys, flags.allowed_hosts, std::move(database).value()});
  serve::Page page(service, *shared_hub, kVersion);
  service.set_page([&page](const std::shared_ptr<http::Exchange>& exchange) { return page.handle(exchange); });
  http::ServerOptions options;
  options.host = flags.host;
  options.port = flags.port;
  options.error_body = [](int status, std::string_view message) {
    return to_json_text(serve::openai_error({status, "invalid_request_error", std::string(message)}));
  };
  auto server = http::Server::listen(options, [&](const std::shared_ptr<http::Exchange>& exchange) { service.handle(exchange); });
  if (!server.ok()) return fail(server.error());
  std::thread stopper = stop_on_signal(signals, page, **server, flags.drain_s);
  fmt::print("http://{}:{}\n", flags.host, (*server)->port());
  std::fflush(stdout);
  (*server)->run();
  models.stop();
  for (const auto& model : models.loaded()) model->engine().stop();
  stopper.join();
  return 0;
}

}  // namespace

int run_serve(int argc, char** argv) {
  ServeFlags flags;
  std::string memory;
  CLI::App app("Serve models over HTTP, as OpenAI's API: chat and text completions, embeddings, tokens.", "rival serve");
  app.add_option("--host", flags.host, "address to listen on; 0.0.0.0 for other machines")->envname("RIVAL_HOST")->capture_default_str();
  app.add_option("--port", flags.port, "0 = any free one")->envname("RIVAL_PORT")->capture_default_str();
  app.add_option("--model", flags.models, "name or file; may be given several times")->envname("RIVAL_MODEL");
  app.add_option("--key", flags.keys, "API key that clients must send; may be given several times")->envname("RIVAL_API_KEY");
  app.add_option("--allow-host", flags.allowed_hosts, "a name that clients may reach this machine by; * = any");
  app.add_option("--database", flags.database, "file for what the server keeps; default: serve.db in RIVAL_HOME")->envname("RIVAL_DATABASE");
  app.add_option("--context", flags.load.context, "tokens of prompt and answer together")->check(CLI::Range(1u, 1u << 24));
  app.add_option("--threads", flags.load.threads, "0 = one a CPU")->check(CLI::Range(0u, 1024u));
  app.add_option("--streams", flags.load.sequences_max, "answers computed together")->check(CLI::Range(1u, 4096u))->capture_default_str();
  app.add_option("--memory-budget", memory, "of all loaded models together, such as 8GB; what is free");
  app.add_option("--idle-unload", flags.idle_unload_s, "seconds without work after which a model leaves memory; 0 = never")->check(CLI::Range(0.0, 1e9))->capture_default_str();
  app.add_flag("--pull-on-demand", flags.pull_on_demand, "fetch a model that a request names and that is not on this machine");
  app.add_option("--drain", flags.drain_s, "seconds that answers under way get at the end")->check(CLI::Range(0.0, 3600.0))->capture_default_str();
  app.add_flag("--accept-licence", flags.accept_licence, "accept the licence of a model that asks");
  if (const auto status = parse_flags(app, argc, argv)) return *status;
  if (!memory.empty()) {
    const auto bytes = parse_bytes(memory);
    if (!bytes.ok()) return fail(with_context(bytes.error(), "--memory-budget"));
    flags.memory_bytes = *bytes;
  }
  if (flags.models.empty()) flags.models.push_back(hub::kDefaultModel);
  if (flags.keys.empty() && flags.host != "127.0.0.1" && flags.host != "localhost" && flags.host != "::1")
    return fail(make_error(ErrorCode::kDenied, "other machines could use this server without a key; give one with --key"));
  return serve_models(flags);
}

}  // namespace rival::cmd
