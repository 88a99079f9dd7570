#include "serve/service.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "base/log.h"
#include "base/sha256.h"
#include "http/url.h"
#include "serve/fields.h"
#include "serve/ollama_pull.h"
#include "serve/response_run.h"
#include "serve/response_store.h"
#include "serve/routes.h"

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
    {"POST", "/api/chat", false, false, ollama_chat},
    {"POST", "/api/generate", false, false, ollama_generate},
    {"POST", "/api/embed", false, false, ollama_embed},
    {"POST", "/api/embeddings", false, false, ollama_embeddings},
    {"GET", "/health", false, true, health},
    {"GET", "/ready", false, true, health},
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

// "name:port" or "[::1]:port" without its port.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_own_name(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  // An address cannot be rebound by a name server: any numeric host is the client's own choice.
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string_view given_key(const http::ServerRequest& request) {
  const std::string_view authorization = request.header("authorization");
  return authorization.starts_with("Bearer ") ? authorization.substr(7) : request.header("x-api-key");
}

std::string sha256_text(std::string_view text) {
  Digest digest;
  digest.update(text);
  return digest.finish();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

std::string path_part(const http::ServerRequest& request, size_t index) {
  std::string_view rest = request.path;
  for (size_t i = 0; i <= index && !rest.empty(); ++i) rest.remove_prefix(std::min(rest.find('/'), rest.size() - 1) + 1);
  return http::decode_percent(rest.substr(0, rest.find('/')));
}

void respond_json(const std::shared_ptr<http::Exchange>& exchange, const json::value& body, int status) {
  exchange->respond(status, "application/json", to_json_text(body));
}

void respond_error(const std::shared_ptr<http::Exchange>& exchange, const ApiError& error) {
  http::HeaderList headers;
  if (error.retry_after_s > 0) headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  exchange->respond(error.status, "application/json", to_json_text(error_body(exchange->request(), error)), std::move(headers));
}

void with_model(Service& service, const std::shared_ptr<http::Exchange>& exchange, const std::string& name,
                std::function<void(const std::shared_ptr<ServedModel>&)> use) {
  service.known_models().with(name, [exchange, use = std::move(use)](Models::Answer answer) {
    if (const auto* error = std::get_if<ApiError>(&answer)) return respond_error(exchange, *error);
    use(std::get<std::shared_ptr<ServedModel>>(answer));
  });
}

Service::Service(Models& models, ServiceOptions options)
    : models_(models), ollama_pulls_(std::make_unique<OllamaPulls>()), response_runs_(std::make_unique<ResponseRuns>()), options_(std::move(options)) {
  if (!options_.database || !options_.database->first()) return;
  options_.database->post([](Connection& db) {
    if (const Status done = fail_unfinished(db); !done.ok()) log(LogLevel::kError, "{}", done.error().message);
  });
}

Service::~Service() = default;

// A page of another site that the user visits can make the browser send requests here under that site's name (DNS
// rebinding), so the Host header must be one that this machine is known by.
bool Service::allowed_host(std::string_view host) const {
  const std::string_view name = without_port(host);
  return is_own_name(name) || std::any_of(options_.allowed_hosts.begin(), options_.allowed_hosts.end(),
                                          [&](const std::string& allowed) { return allowed == "*" || allowed == name; });
}

bool Service::allowed_key(const http::ServerRequest& request) const {
  if (options_.keys.empty()) return true;
  const std::string_view given = given_key(request);
  bool found = false;
  for (const std::string& key : options_.keys) found |= equal_in_constant_time(key, given);
  return found;
}

std::optional<std::string> Service::key_owner(std::string_view given) const {
  bool found = false;
  for (const std::string& key : options_.keys) found |= equal_in_constant_time(key, given);
  return found ? std::optional(sha256_text(given)) : std::nullopt;
}

std::optional<std::string> Service::key_owner(const http::ServerRequest& request) const { return key_owner(given_key(request)); }

bool Service::is_owner(std::string_view owner) const {
  return std::any_of(options_.keys.begin(), options_.keys.end(), [&](const std::string& key) { return sha256_text(key) == owner; });
}

std::string Service::owner(const http::ServerRequest& request) const {
  return options_.keys.empty() ? std::string() : sha256_text(given_key(request));
}

void Service::handle(const std::shared_ptr<http::Exchange>& exchange) {
  ++requests_;
  const http::ServerRequest& request = exchange->request();
  if (!allowed_host(request.header("host")))
    return respond_error(exchange, {403, "permission_error", fmt::format("the host '{}' is not allowed; see --allow-host", request.header("host")), "Host", "host_not_allowed"});
  if (page_ && page_(exchange)) return;
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (!matches(route, request.path)) continue;
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", route.method);
    if (route.method != request.method) continue;
    if (!route.open && !allowed_key(request))
      return respond_error(exchange, {401, "authentication_error", "a valid API key is needed: Authorization: Bearer KEY", "", "invalid_api_key"});
    if (route.method != "POST" || (!route.needs_body && request.body.empty())) return route.handler(*this, exchange, {});
    const auto body = parse_json(request.body);
    exchange->drop_body();
    if (!body.ok()) return respond_error(exchange, {400, "invalid_request_error", body.error().message, "", "invalid_json"});
    if (!body->is_object()) return respond_error(exchange, {400, "invalid_request_error", fmt::format("the body is {}; expected an object", kind_of(*body)), "", "invalid_json"});
    if (route.handler) return route.handler(*this, exchange, body->get_object());
    Fields fields(body->get_object());
    const std::string name = fields.text("model").value_or("");
    if (fields.error()) return respond_error(exchange, *fields.error());
    return with_model(*this, exchange, name, [this, exchange, handler = route.model_handler, body = body->get_object()](const auto& model) {
      handler(*this, exchange, model, body);
    });
  }
  if (allowed.empty()) return respond_error(exchange, {404, "not_found_error", fmt::format("there is nothing at {}", request.path), "", "not_found"});
  const ApiError error{405, "invalid_request_error", fmt::format("{} is not possible here", request.method), "", "method_not_allowed"};
  exchange->respond(error.status, "application/json", to_json_text(error_body(request, error)), {{"Allow", allowed}});
}

}  // namespace rival::serve
