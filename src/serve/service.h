// The HTTP APIs over a set of models: routes, and who may call them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/server.h"
#include "serve/access.h"
#include "serve/access_log.h"
#include "serve/call.h"
#include "serve/database.h"
#include "serve/job_thread.h"
#include "serve/metrics.h"
#include "serve/models.h"
#include "serve/served_model.h"

namespace rival::serve {

struct Route;

struct ServiceOptions {
  AccessRules access;
  std::shared_ptr<Database> database;   // what the server keeps
  std::shared_ptr<Metrics> metrics;     // that the models count in
  std::shared_ptr<AccessLog> log = {};  // absent: none is written
  double keep_responses_s = 0;          // then they are removed; 0 = never
};

class OllamaPulls;
class ResponseRuns;

class Service {
 public:
  enum class State : uint8_t { kLoading, kReady, kDraining };

  // `models` outlives the service.
  Service(Models& models, ServiceOptions options);
  ~Service();

  // Answers one request, now or from another thread.
  void handle(const std::shared_ptr<http::Exchange>& exchange);

  // What is told of a request that came no further than the HTTP server; it is counted and logged as others are.
  http::Refusal refuse(const http::ServerRequest& request, int status, const std::string& message);

  // Any thread. While loading and while draining requests get a 503, but for those that ask how the server is.
  // Draining is for good.
  void set_state(State state);
  State state() const { return state_; }
  uint64_t calls_under_way() const { return shared_->active; }
  Access& access() { return shared_->access; }

  // Those that are loaded now.
  std::vector<std::shared_ptr<ServedModel>> models() const { return models_.loaded(); }
  // All that may be named.
  Models& known_models() { return models_; }
  Metrics& metrics() { return *shared_->metrics; }
  uint64_t requests() const { return requests_; }

  Database& database() { return *options_.database; }
  ResponseRuns& response_runs() { return *response_runs_; }
  void set_keep_responses(double seconds);
  OllamaPulls& ollama_pulls() { return *ollama_pulls_; }
  JobThread& files_thread() { return files_thread_; }  // for jobs that read a model's file
  // Whose objects a request may see: tells keys apart without being one; empty when none is configured.
  std::string owner(const http::ServerRequest& request) const;
  bool needs_key() const { return shared_->access.has_keys(); }
  // The owner that a key stands for; none for a wrong one.
  std::optional<std::string> key_owner(std::string_view key) const;
  std::optional<std::string> key_owner(const http::ServerRequest& request) const;
  bool is_owner(std::string_view owner) const;  // of one of the keys
  // For a request of the page that will have an answer written: its tokens are the owner's. 429 where none are left.
  std::optional<ApiError> charge(const std::shared_ptr<http::Exchange>& exchange, std::string_view owner);

  // Begins the answer to a request: at once, or, where that may be slow, on a thread of its own, so that the server's
  // goes on telling the running answers.
  void prepare(bool slow, std::function<void()> work);
  // Waits for the preparation under way; later ones are dropped. Before what `prepare` was given goes. Idempotent.
  void stop() { preparer_.stop(); }

  // Asked first about each request from an allowed host; true: it has taken it.
  void set_page(std::function<bool(const std::shared_ptr<http::Exchange>&)> page) { page_ = std::move(page); }

 private:
  // What a call needs to its end, which may come after the service's.
  struct Shared {
    Access access;
    std::shared_ptr<Metrics> metrics;
    std::shared_ptr<AccessLog> log;
    std::atomic<uint64_t> active{0};
  };

  std::shared_ptr<Call> begin_call(const std::shared_ptr<http::Exchange>& exchange);
  std::optional<ApiError> admit(Call& call, const Route& route);
  bool give_to_page(const std::shared_ptr<Call>& call);
  void dispatch(const std::shared_ptr<Call>& call, const Route& route);

  Models& models_;
  std::unique_ptr<OllamaPulls> ollama_pulls_;
  std::unique_ptr<ResponseRuns> response_runs_;  // before the database, whose last jobs use it
  ServiceOptions options_;
  std::function<bool(const std::shared_ptr<http::Exchange>&)> page_;
  const std::shared_ptr<Shared> shared_;
  std::atomic<State> state_{State::kLoading};
  std::atomic<uint64_t> requests_{0};
  JobThread files_thread_;
  JobThread preparer_;     // last, with files_thread_: their jobs use all of the above
};

// ---- the routes, each in a file of its own; `body` is empty for GET and DELETE ----

using RouteHandler = void (*)(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);

void list_models(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void show_model(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void health(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ready(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void metrics(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);

void ollama_alive(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_version(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_tags(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_ps(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_pull(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_show(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_refused(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_chat(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_generate(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_embed(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void ollama_embeddings(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void show_response(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void delete_response(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void cancel_response(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void list_response_input(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void create_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void show_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void update_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void delete_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void add_conversation_items(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void list_conversation_items(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void show_conversation_item(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);
void delete_conversation_item(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);

// Those that work on the model that the body names.
using ModelHandler = void (*)(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                              const std::shared_ptr<ServedModel>& model, const json::object& body);

void chat_completions(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                      const std::shared_ptr<ServedModel>& model, const json::object& body);
void completions(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                 const std::shared_ptr<ServedModel>& model, const json::object& body);
void embeddings(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                const std::shared_ptr<ServedModel>& model, const json::object& body);
void anthropic_messages(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                        const std::shared_ptr<ServedModel>& model, const json::object& body);
void anthropic_count_tokens(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                            const std::shared_ptr<ServedModel>& model, const json::object& body);
void create_response(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                     const std::shared_ptr<ServedModel>& model, const json::object& body);
void count_response_input(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                          const std::shared_ptr<ServedModel>& model, const json::object& body);
void tokenize(Service& service, const std::shared_ptr<http::Exchange>& exchange,
              const std::shared_ptr<ServedModel>& model, const json::object& body);
void detokenize(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                const std::shared_ptr<ServedModel>& model, const json::object& body);

// The part of the path between its slashes, decoded: "c" is part 2 of "/a/b/c". Empty if there is none.
std::string path_part(const http::ServerRequest& request, size_t index);

void respond_json(const std::shared_ptr<http::Exchange>& exchange, const json::value& body, int status = 200);
void respond_error(const std::shared_ptr<http::Exchange>& exchange, const ApiError& error, http::HeaderList headers = {});
// Whether a request of this body may take long to begin: it has a schema to compile, or a long prompt to tokenise.
bool takes_long(const json::object& body);
// Calls `use` once with the model of this name (the first one for an empty name), now or when it is loaded; where there
// is none, or it cannot be loaded, the exchange is answered with the error and `use` is not called.
void with_model(Service& service, const std::shared_ptr<http::Exchange>& exchange, const std::string& name,
                std::function<void(const std::shared_ptr<ServedModel>&)> use);

}  // namespace rival::serve
