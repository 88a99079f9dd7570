#include "serve/service.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "http/url.h"
#include "serve/fields.h"
#include "serve/ollama_pull.h"
#include "serve/response_run.h"
#include "serve/response_log.h"
#include "serve/routes.h"
#include "serve/whole_numbers.h"

namespace rival::serve {

namespace {

constexpr Route kRoutes[] = {
    {"POST", "/v1/chat/completions", false, false, nullptr, chat_completions},
    {"POST", "/v1/completions", false, false, nullptr, completions},
    {"POST", "/v1/embeddings", false, false, nullptr, embeddings},
    {"POST", "/v1/messages", false, false, nullptr, anthropic_messages},
    {"POST", "/v1/messages/count_tokens", false, false, nullptr, anthropic_count_tokens},
    {"POST", "/v1/responses", false, false, nullptr, create_response},
    {"POST", "/v1/responses/input_tokens", false, false, nullptr, count_response_input},
    {"GET", "/v1/responses/{response_id}", false, false, show_response},
    {"DELETE", "/v1/responses/{response_id}", false, false, delete_response},
    {"POST", "/v1/responses/{response_id}/cancel", false, false, cancel_response, nullptr, false},
    {"GET", "/v1/responses/{response_id}/input_items", false, false, list_response_input},
    {"POST", "/v1/conversations", false, false, create_conversation, nullptr, false},
    {"GET", "/v1/conversations/{conversation_id}", false, false, show_conversation},
    {"POST", "/v1/conversations/{conversation_id}", false, false, update_conversation},
    {"DELETE", "/v1/conversations/{conversation_id}", false, false, delete_conversation},
    {"POST", "/v1/conversations/{conversation_id}/items", false, false, add_conversation_items},
    {"GET", "/v1/conversations/{conversation_id}/items", false, false, list_conversation_items},
    {"GET", "/v1/conversations/{conversation_id}/items/{item_id}", false, false, show_conversation_item},
    {"DELETE", "/v1/conversations/{conversation_id}/items/{item_id}", false, false, delete_conversation_item},
    {"GET", "/v1/models", false, false, list_models},
    {"GET", "/v1/models/", true, false, show_model},
    {"POST", "/tokenize", false, false, nullptr, tokenize},
    {"POST", "/detokenize", false, false, nullptr, detokenize},
    {"HEAD", "/", false, true, ollama_alive},
    {"GET", "/api/version", false, true, ollama_version},
    {"GET", "/api/tags", false, false, ollama_tags},
    {"GET", "/api/ps", false, false, ollama_ps},
    {"POST", "/api/pull", false, false, ollama_pull},
    {"POST", "/api/show", false, false, ollama_show},
    {"DELETE", "/api/delete", false, false, ollama_refused},
    {"POST", "/api/copy", false, false, ollama_refused, nullptr, false},
    {"POST", "/api/create", false, false, ollama_refused, nullptr, false},
    {"POST", "/api/push", false, false, ollama_refused, nullptr, false},
    {"POST", "/api/blobs/{digest}", false, false, ollama_refused, nullptr, false},
    {"HEAD", "/api/blobs/{digest}", false, false, ollama_refused},
    {"POST", "/api/chat", false, false, ollama_chat},
    {"POST", "/api/generate", false, false, ollama_generate},
    {"POST", "/api/embed", false, false, ollama_embed},
    {"POST", "/api/embeddings", false, false, ollama_embeddings},
    {"GET", "/health", false, true, health},
    {"GET", "/ready", false, true, ready},
    {"GET", "/metrics", false, false, metrics},
    {"GET", "/openapi.json", false, true, show_openapi},
};

bool matches(const Route& route, std::string_view path) {
  if (route.prefix) return path.starts_with(route.path) && path.size() > route.path.size();
  std::string_view pattern = route.path;
  while (!pattern.empty() && !path.empty()) {
    if (pattern.front() != '{') {
      if (pattern.front() != path.front()) return false;
      pattern.remove_prefix(1);
      path.remove_prefix(1);
      continue;
    }
    const size_t part = std::min(path.find('/'), path.size());
    if (part == 0) return false;
    pattern.remove_prefix(pattern.find('}') + 1);
    path.remove_prefix(part);
  }
  return pattern.empty() && path.empty();
}

ApiError not_ready(Service::State state) {
  const bool loading = state == Service::State::kLoading;
  return {503, "unavailable_error", loading ? "the models are being loaded" : "the server is stopping", "", loading ? "loading" : "stopping", limits::kRetryAfterLoadingS};
}

// A request whose answer is sent by somebody else.
class PaperExchange : public http::Exchange {
 public:
  explicit PaperExchange(http::ServerRequest request) : request_(std::move(request)) {}
  const http::ServerRequest& request() const override { return request_; }
  void respond(int, std::string_view, std::string body, http::HeaderList headers) override { answer_ = {std::move(headers), std::move(body)}; }
  void begin_stream(int, std::string_view, http::HeaderList) override {}
  void write(std::string) override {}
  void end() override {}
  bool gone() const override { return false; }
  void on_gone(std::function<void()>) override {}
  http::Refusal answer() const { return answer_; }

 private:
  const http::ServerRequest request_;
  http::Refusal answer_;
};

void charge_to(Call& call, const std::shared_ptr<KeyUse>& use) {
  call.set_key_name(use->key().name);
  call.record().on_tokens([use](uint64_t tokens) { use->charge_tokens(tokens, std::chrono::steady_clock::now()); });
}

ApiError invalid_json(std::string message) { return {400, "invalid_request_error", std::move(message), "", "invalid_json"}; }

// Fields that may hold a schema or another grammar, and those with the words of a prompt.
constexpr std::string_view kGrammarFields[] = {"tools", "response_format", "grammar", "format", "text", "output_format", "output_config"};
constexpr std::string_view kPromptFields[] = {"messages", "prompt", "input", "content", "system", "instructions"};
constexpr size_t kLongPrompt = 64 << 10;  // bytes, about: a few milliseconds to tokenise

// Bytes of all strings, counted no further than `enough`.
size_t text_bytes(const json::value& value, size_t enough) {
  if (const json::string* text = value.if_string()) return text->size();
  size_t bytes = 0;
  if (const json::array* items = value.if_array())
    for (size_t i = 0; i < items->size() && bytes < enough; ++i) bytes += 1 + text_bytes((*items)[i], enough - bytes);
  if (const json::object* members = value.if_object())
    for (auto member = members->begin(); member != members->end() && bytes < enough; ++member) bytes += 1 + text_bytes(member->value(), enough - bytes);
  return bytes;
}

}  // namespace

bool takes_long(const json::object& body) {
  for (const std::string_view field : kGrammarFields)
    if (body.contains(field)) return true;
  size_t bytes = 0;
  for (const std::string_view field : kPromptFields)
    if (const json::value* value = body.if_contains(field)) bytes += text_bytes(*value, kLongPrompt);
  return bytes >= kLongPrompt;
}

std::span<const Route> routes() { return kRoutes; }

std::string path_part(const http::ServerRequest& request, size_t index) {
  std::string_view rest = request.path;
  for (size_t i = 0; i <= index && !rest.empty(); ++i) rest.remove_prefix(std::min(rest.find('/'), rest.size() - 1) + 1);
  return http::decode_percent(rest.substr(0, rest.find('/')));
}

void respond_json(const std::shared_ptr<http::Exchange>& exchange, const json::value& body, int status) {
  exchange->respond(status, "application/json", to_json_text(body));
}

void respond_error(const std::shared_ptr<http::Exchange>& exchange, const ApiError& error, http::HeaderList headers) {
  if (error.retry_after_s > 0) headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  const json::object body = error_body(exchange->request(), error, request_id_of(exchange));
  exchange->respond(error.status, "application/json", to_json_text(body), std::move(headers));
}

void with_model(Service& service, const std::shared_ptr<http::Exchange>& exchange, const std::string& name,
                std::function<void(const std::shared_ptr<ServedModel>&)> use) {
  service.known_models().with(name, [exchange, use = std::move(use)](Models::Answer answer) {
    if (const auto* error = std::get_if<ApiError>(&answer)) return respond_error(exchange, *error);
    const auto& model = std::get<std::shared_ptr<ServedModel>>(answer);
    if (const auto record = record_of(exchange)) record->set_model(model->name());
    use(model);
  });
}

Service::Service(Models& models, ServiceOptions options)
    : models_(models), ollama_pulls_(std::make_unique<OllamaPulls>()), response_runs_(std::make_unique<ResponseRuns>(options.database.get())), options_(std::move(options)),
      shared_(new Shared{Access(options_.access), options_.metrics, options_.log}) {
  set_keep_responses(options_.keep_responses_s);
  if (!options_.database || !options_.database->first()) return;
  options_.database->post([](Connection& db) {
    if (const Status done = fail_unfinished(db); !done.ok()) log(LogLevel::kError, "{}", done.error().message);
  });
}

// What the runs ask of the database ends before the database does.
Service::~Service() { response_runs_->stop(); }

void Service::set_keep_responses(double seconds) { response_runs_->set_keep(seconds); }

void Service::set_state(State state) {
  State loading = State::kLoading;
  if (state == State::kDraining) {
    state_ = state;
  } else {
    state_.compare_exchange_strong(loading, state);
  }
}

std::optional<std::string> Service::key_owner(std::string_view given) const {
  const auto use = shared_->access.find_key(given);
  return use ? std::optional(use->key().sha256) : std::nullopt;
}

std::optional<std::string> Service::key_owner(const http::ServerRequest& request) const { return key_owner(shown_key(request)); }

bool Service::is_owner(std::string_view owner) const { return shared_->access.has_key_hash(owner); }

std::string Service::owner(const http::ServerRequest& request) const {
  return shared_->access.has_keys() ? sha256_text(shown_key(request)) : std::string();
}

std::shared_ptr<Call> Service::begin_call(const std::shared_ptr<http::Exchange>& exchange) {
  ++requests_;
  ++shared_->active;
  return Call::begin(exchange, [shared = shared_](Call& call, const Call::End& end) {
    const bool known = call.route() != "-";
    shared->metrics->answered(known ? call.request().method : "-", call.route(), end.status, end.total_s);
    if (shared->log) shared->log->write(access_line(call, end));
    --shared->active;
  });
}

std::optional<ApiError> Service::charge(const std::shared_ptr<http::Exchange>& exchange, std::string_view owner) {
  const auto call = std::dynamic_pointer_cast<Call>(exchange);
  const auto use = shared_->access.use_of(owner);
  if (!call || !use) return std::nullopt;
  charge_to(*call, use);
  return use->admit(std::chrono::steady_clock::now());
}

// Whether this caller may go on, and within which limits.
std::optional<ApiError> Service::admit(Call& call, const Route& route) {
  if (route.open) return std::nullopt;
  if (state_ != State::kReady && route.handler != serve::metrics) return not_ready(state_);
  const auto identity = shared_->access.identify(call.request());
  if (const auto* error = std::get_if<ApiError>(&identity)) return *error;
  const auto& use = std::get<std::shared_ptr<KeyUse>>(identity);
  if (!use) return std::nullopt;
  charge_to(call, use);
  const auto now = std::chrono::steady_clock::now();
  const auto refused = call.request().method == "GET" ? std::nullopt : use->admit(now);
  call.add_headers(use->headers(now, is_anthropic(call.request())));
  return refused;
}

// True: the page has taken it, or will not while the server is loading or stopping.
bool Service::give_to_page(const std::shared_ptr<Call>& call) {
  const http::ServerRequest& request = call->request();
  const bool works = request.path.starts_with("/ui/api/") && (state_ == State::kLoading || request.method != "GET");
  if (page_ && works && state_ != State::kReady) {
    respond_error(call, not_ready(state_));
  } else if (!page_ || !page_(call)) {
    return false;
  }
  call->set_route("/ui");
  return true;
}

void Service::prepare(bool slow, std::function<void()> work) {
  if (slow) return preparer_.post(std::move(work));
  work();
}

void Service::dispatch(const std::shared_ptr<Call>& call, const Route& route) {
  const std::shared_ptr<http::Exchange> exchange = call;
  const http::ServerRequest& request = call->request();
  // What is refused whatever it says need not be JSON.
  const bool unread = route.handler == ollama_refused || (!route.needs_body && request.body.empty());
  if (request.method != "POST" || unread) return route.handler(*this, exchange, {});
  auto body = parse_json(request.body);
  const std::string changed = body.ok() ? changed_whole_number(request.body) : "";
  exchange->drop_body();
  if (!body.ok()) return respond_error(exchange, invalid_json(body.error().message));
  if (!body->is_object()) return respond_error(exchange, invalid_json(fmt::format("the body is {}; expected an object", kind_of(*body))));
  if (!changed.empty()) return respond_error(exchange, bad_field(changed, "is a whole number of more than 64 bits, which would not be kept exactly; send it as a string"));
  if (route.handler) return route.handler(*this, exchange, body->get_object());
  Fields fields(body->get_object());
  const std::string name = fields.text("model").value_or("");
  if (fields.error()) return respond_error(exchange, *fields.error());
  const auto shared = std::make_shared<const json::object>(std::move(body->get_object()));
  with_model(*this, exchange, name, [this, exchange, handler = route.model_handler, shared](const auto& model) {
    prepare(takes_long(*shared), [this, exchange, handler, shared, model] { handler(*this, exchange, model, *shared); });
  });
}

void Service::handle(const std::shared_ptr<http::Exchange>& exchange) {
  const std::shared_ptr<Call> call = begin_call(exchange);
  const http::ServerRequest& request = call->request();
  if (auto error = shared_->access.check_source(request)) {
    if (error->param == "Origin" && request.path.starts_with("/ui/")) error->code = "cross_site";  // docs/page-api.md
    return respond_error(call, *error);
  }
  const bool preflight = request.method == "OPTIONS" && !request.header("access-control-request-method").empty();
  if (preflight) return call->respond(204, "text/plain", "", shared_->access.preflight_headers(request));
  call->add_headers(shared_->access.cors_headers(request));
  if (give_to_page(call)) return;
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (!matches(route, request.path)) continue;
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", route.method);
    if (route.method != request.method) continue;
    call->set_route(std::string(route.path));
    if (const auto error = check_anthropic_version(request)) return respond_error(call, *error);
    if (const auto error = admit(*call, route)) return respond_error(call, *error);
    return dispatch(call, route);
  }
  if (allowed.empty()) return respond_error(call, {404, "not_found_error", fmt::format("there is nothing at {}", request.path), "", "not_found"});
  respond_error(call, {405, "invalid_request_error", fmt::format("{} is not possible here", request.method), "", "method_not_allowed"}, {{"Allow", allowed}});
}

http::Refusal Service::refuse(const http::ServerRequest& request, int status, const std::string& message) {
  const auto paper = std::make_shared<PaperExchange>(request);
  respond_error(begin_call(paper), {status, "invalid_request_error", message});
  return paper->answer();
}

}  // namespace rival::serve
