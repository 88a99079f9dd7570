#include "serve/service.h"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "cmd/addresses.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/database_path.h"
#include "cmd/models.h"
#include "cmd/serve_flags.h"
#include "cmd/serve_keys.h"
#include "cmd/version.h"
#include "hub/local_models.h"
#include "serve/hub_finder.h"
#include "serve/page.h"

namespace rival::cmd {
namespace {

using serve::Service;

// ---- what is made of the flags, at the start and again on SIGHUP ----

Result<serve::AccessRules> access_rules(const ServeFlags& flags) {
  RIVAL_ASSIGN_OR_RETURN(const std::filesystem::path path, key_file_path());
  serve::AccessRules rules{.hosts = flags.allowed_hosts, .origins = flags.allowed_origins, .keys = {}, .limits = flags.rates};
  RIVAL_ASSIGN_OR_RETURN(rules.keys, serve::read_key_file(path));
  for (size_t i = 0; i < flags.keys.size(); ++i)
    rules.keys.push_back({.name = fmt::format("flag-{}", i + 1), .sha256 = serve::sha256_text(flags.keys[i])});
  if (flags.other_machines())
    for (std::string& name : own_host_names()) rules.hosts.push_back(std::move(name));
  if (rules.keys.empty() && flags.other_machines())
    return make_error(ErrorCode::kDenied,
                      "with --host {} other machines could use this server without a key; `rival serve keys add NAME` makes one, --key gives one",
                      flags.host);
  return rules;
}

Result<std::shared_ptr<const hub::Hub>> open_hub() {
  RIVAL_ASSIGN_OR_RETURN(hub::Hub hub, hub::Hub::open());
  return std::make_shared<const hub::Hub>(std::move(hub));
}

serve::ModelFinder finder_of(const std::shared_ptr<const hub::Hub>& hub, const ServeFlags& flags) {
  return serve::hub_finder(hub, {.accept_licence = terminal_options(flags.accept_licence).accept_licence, .fetch = flags.pull_on_demand});
}

double kept_seconds(const ServeFlags& flags) { return flags.keep_responses_days * 24 * 3600; }

// ---- the parts of a running server ----

struct Parts {
  int argc;
  char** argv;
  ServeFlags flags;
  std::shared_ptr<const hub::Hub> hub;
  std::shared_ptr<serve::AccessLog> log;
  std::unique_ptr<serve::Models> models;
  std::unique_ptr<Service> service;
  std::unique_ptr<serve::Page> page;
  std::unique_ptr<http::Server> server;
  std::atomic<bool> finished{false};
};

Status make_models(Parts& parts, const std::shared_ptr<serve::Metrics>& metrics) {
  RIVAL_ASSIGN_OR_RETURN(parts.hub, open_hub());
  const auto load = [metrics](const serve::FoundModel& found, const engine::LoadOptions& options) -> Result<serve::Models::Loaded> {
    RIVAL_ASSIGN_OR_RETURN(const auto model, serve::ServedModel::load(found.name, found.path, options));
    model->count_in(metrics->model(found.name));
    return serve::Models::Loaded{model, model->memory_bytes()};
  };
  parts.models = std::make_unique<serve::Models>(finder_of(parts.hub, parts.flags), parts.flags.load, parts.flags.limits, load);
  return {};
}

Status make_service(Parts& parts) {
  RIVAL_ASSIGN_OR_RETURN(serve::AccessRules rules, access_rules(parts.flags));
  RIVAL_ASSIGN_OR_RETURN(const std::filesystem::path path, database_path(parts.flags.database));
  RIVAL_ASSIGN_OR_RETURN(auto database, serve::Database::open(path));
  if (!parts.flags.access_log.empty()) {
    RIVAL_ASSIGN_OR_RETURN(parts.log, serve::AccessLog::open(parts.flags.access_log));
  }
  const auto metrics = std::make_shared<serve::Metrics>();
  RIVAL_RETURN_IF_ERROR(make_models(parts, metrics));
  parts.service = std::make_unique<Service>(
      *parts.models, serve::ServiceOptions{.access = std::move(rules), .database = std::move(database), .metrics = metrics, .log = parts.log,
                                           .keep_responses_s = kept_seconds(parts.flags)});
  parts.page = std::make_unique<serve::Page>(*parts.service, *parts.hub, kVersion);
  parts.service->set_page([&page = *parts.page](const std::shared_ptr<http::Exchange>& exchange) { return page.handle(exchange); });
  return {};
}

Status listen(Parts& parts) {
  http::ServerOptions options;
  options.host = parts.flags.host;
  options.port = static_cast<uint16_t>(parts.flags.port);
  options.tls_certificate = parts.flags.tls_cert;
  options.tls_key = parts.flags.tls_key;
  options.body_bytes_max = parts.flags.body_bytes_max;
  options.connections_max = parts.flags.connections_max;
  options.unsent_bytes_max = parts.flags.unsent_bytes_max;
  Service& service = *parts.service;
  options.refusal = [&service](const http::ServerRequest& request, int status, const std::string& message) { return service.refuse(request, status, message); };
  RIVAL_ASSIGN_OR_RETURN(parts.server, http::Server::listen(options, [&service](const std::shared_ptr<http::Exchange>& exchange) { service.handle(exchange); }));
  return {};
}

// The name of a file of the user's own: what a list of models may show to others.
std::string own_name(const hub::ResolvedModel& resolved) {
  if (resolved.where != "local") return resolved.name;
  const std::filesystem::path path = std::filesystem::absolute(resolved.path).lexically_normal();
  const std::string name = path.extension() == ".gguf" ? path.stem().string() : path.filename().string();
  return name.empty() ? path.parent_path().filename().string() : name;
}

Status preload_models(const Parts& parts) {
  for (const std::string& name : parts.flags.models) {
    RIVAL_ASSIGN_OR_RETURN(const hub::ResolvedModel resolved, parts.hub->resolve(name, terminal_options(parts.flags.accept_licence)));
    const serve::FoundModel found{own_name(resolved), resolved.path, hub::weights_bytes(resolved.path), name, hub::known_sha256(resolved.path)};
    RIVAL_RETURN_IF_ERROR(parts.models->preload(found));
    fmt::print(stderr, "{}: ready\n", found.name);
  }
  return {};
}

// ---- signals ----

sigset_t served_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// The next signal, or 0 when none has come for a while.
int next_signal(const sigset_t& signals) {
  const timespec wait{.tv_sec = 0, .tv_nsec = 50'000'000};
  const int signal = ::sigtimedwait(&signals, nullptr, &wait);
  return signal < 0 ? 0 : signal;
}

// Keys, limits, catalogue, certificate and log are read again; what is wrong is told and the old ones stay.
void reload(Parts& parts) {
  auto read = read_serve_flags(parts.argc, parts.argv);
  const auto* flags = std::get_if<ServeFlags>(&read);
  if (!flags) return log(LogLevel::kWarning, "SIGHUP: the settings are wrong; the old ones stay");
  auto rules = access_rules(*flags);
  if (!rules.ok()) return log(LogLevel::kWarning, "SIGHUP: {}; the old settings stay", rules.error().message);
  const auto hub = open_hub();
  if (!hub.ok()) return log(LogLevel::kWarning, "SIGHUP: {}; the old settings stay", hub.error().message);
  if (!parts.flags.tls_cert.empty() || !flags->tls_cert.empty())
    if (const Status tls = parts.server->set_tls(flags->tls_cert, flags->tls_key); !tls.ok())
      return log(LogLevel::kWarning, "SIGHUP: {}; the old settings stay", tls.error().message);
  parts.service->access().set_rules(std::move(rules).value());
  parts.service->set_keep_responses(kept_seconds(*flags));
  parts.models->set_limits(flags->limits);
  parts.models->set_finder(finder_of(*hub, *flags));
  if (parts.log) parts.log->reopen();
  fmt::print(stderr, "read the settings again\n");
}

// New requests are refused from here on; those under way may end. A second signal ends it at once.
void drain(Parts& parts, const sigset_t& signals) {
  fmt::print(stderr, "stopping; answers under way have {} s to end\n", parts.flags.drain_s);
  parts.service->set_state(Service::State::kDraining);
  parts.page->stop();
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(parts.flags.drain_s);
  while (parts.service->calls_under_way() > 0 && std::chrono::steady_clock::now() < end) {
    const int signal = next_signal(signals);
    if (signal == SIGINT || signal == SIGTERM) break;
  }
  parts.server->stop(1);
}

void watch_signals(Parts& parts, const sigset_t& signals) {
  bool reload_wanted = false;
  while (!parts.finished) {
    const int signal = next_signal(signals);
    reload_wanted = reload_wanted || signal == SIGHUP;
    if (reload_wanted && parts.service->state() == Service::State::kReady) {  // one that comes while models are loaded waits
      reload(parts);
      reload_wanted = false;
    }
    if (signal != SIGINT && signal != SIGTERM) continue;
    // A load, or a fetch, cannot be interrupted; nothing is served yet, and a fetch goes on where it was.
    if (parts.service->state() == Service::State::kLoading) std::_Exit(130);
    return drain(parts, signals);
  }
}

// ---- the whole ----

void print_addresses(const Parts& parts) {
  const char* scheme = parts.flags.tls_cert.empty() ? "http" : "https";
  for (const std::string& address : own_addresses(parts.flags.host)) fmt::print("{}://{}:{}\n", scheme, address, parts.server->port());
  std::fflush(stdout);
  if (parts.flags.other_machines()) fmt::print(stderr, "from another machine or a phone: one of these addresses, and a key\n");
}

Status load_and_announce(Parts& parts) {
  RIVAL_RETURN_IF_ERROR(preload_models(parts));
  parts.service->set_state(Service::State::kReady);
  print_addresses(parts);
  return {};
}

int serve_models(Parts& parts) {
  const sigset_t signals = served_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // in this thread and in all that it starts
  if (const Status status = make_service(parts); !status.ok()) return fail(status.error());
  if (const Status status = listen(parts); !status.ok()) return fail(status.error());
  std::thread server([&parts] { parts.server->run(); });
  std::thread signal_thread([&parts, &signals] { watch_signals(parts, signals); });
  const Status status = load_and_announce(parts);
  if (!status.ok()) parts.server->stop(0);
  server.join();
  parts.finished = true;
  signal_thread.join();
  parts.service->stop();
  for (const auto& model : parts.models->loaded()) model->engine().stop();
  if (!status.ok()) return fail(status.error());
  if (parts.models->loading() > 0) std::_Exit(0);  // a fetch under way goes on where it was, another time
  parts.models->stop();
  return 0;
}

}  // namespace

int run_serve(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "keys") return run_serve_keys(argc - 1, argv + 1);
  auto flags = read_serve_flags(argc, argv);
  if (const int* status = std::get_if<int>(&flags)) return *status;
  Parts parts{.argc = argc, .argv = argv, .flags = std::get<ServeFlags>(std::move(flags))};
  return serve_models(parts);
}

}  // namespace rival::cmd
