// /v1/responses (OpenAI's Responses API; shapes as its Python client's types have them).
#include "http/url.h"
#include "serve/fields.h"
#include "serve/response_context.h"
#include "serve/response_run.h"
#include "serve/response_store.h"

namespace rival::serve {
namespace {

ApiError no_response(std::string_view id) {
  return {404, "not_found_error", fmt::format("there is no response '{}'", id), "response_id", "response_not_found"};
}

// Runs `use` with the kept response, on the database's thread; answers errors itself.
void with_response(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                   std::function<void(Connection& db, const KeptResponse& kept)> use) {
  service.database().post([exchange, owner = service.owner(exchange->request()), id = path_part(exchange->request(), 2), use = std::move(use)](Connection& db) {
    const auto found = find_response(db, owner, id);
    if (!found.ok()) return respond_error(exchange, store_error(found.error()));
    if (!*found) return respond_error(exchange, no_response(id));
    use(db, **found);
  });
}

std::shared_ptr<ResponseRun> running(Service& service, const http::ServerRequest& request) {
  return service.response_runs().find(service.owner(request), path_part(request, 2));
}

bool in_background(const KeptResponse& kept) {
  const json::value* background = kept.response.if_contains("background");
  return background && *background == json::value(true);
}

// The events of a finished answer after number `after`.
void replay(Connection& db, const std::shared_ptr<http::Exchange>& exchange, const KeptResponse& kept, int64_t after) {
  if (!in_background(kept))
    return respond_error(exchange, bad_field("stream", "only a response that was created with background: true can be streamed again"));
  const auto events = events_after(db, kept.response.at("id").as_string(), after);
  if (!events.ok()) return respond_error(exchange, store_error(events.error()));
  std::string all;
  for (const std::string& event : *events) all += event_frame(event);
  exchange->respond(200, "text/event-stream", std::move(all), {{"Cache-Control", "no-cache"}});
}

}  // namespace

void create_response(Service& service, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  auto request = read_response_request(body, *model);
  if (const auto* error = std::get_if<ApiError>(&request)) return respond_error(exchange, *error);
  ResponseRequest& wanted = std::get<ResponseRequest>(request);
  const bool needs_database = wanted.background || needs_history(wanted);
  const auto run = std::make_shared<ResponseRun>(service, model, service.owner(exchange->request()), std::move(wanted));
  if (!needs_database) return run->start(nullptr, exchange);
  service.database().post([run, exchange](Connection& db) { run->start(&db, exchange); });
}

void count_response_input(Service& service, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  auto read = read_response_request(body, *model);
  if (const auto* error = std::get_if<ApiError>(&read)) return respond_error(exchange, *error);
  const auto request = std::make_shared<ResponseRequest>(std::move(std::get<ResponseRequest>(read)));
  service.database().post([exchange, model, request, owner = service.owner(exchange->request())](Connection& db) {
    if (const auto error = prepare_response(&db, *model, owner, *request)) return respond_error(exchange, *error);
    const auto prompt = chat_prompt(*model, request->chat);
    if (const auto* error = std::get_if<ApiError>(&prompt)) return respond_error(exchange, named_for_input(*error));
    respond_json(exchange, json::object{{"object", "response.input_tokens"}, {"input_tokens", std::get<0>(prompt).size()}});
  });
}

void show_response(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  const http::ServerRequest& request = exchange->request();
  const std::string stream = http::query_parameter(request.query, "stream").value_or("false");
  if (stream != "true" && stream != "false") return respond_error(exchange, bad_field("stream", fmt::format("'{}' is neither true nor false", stream)));
  const auto after = query_integer(request, "starting_after", -1, -1, INT32_MAX);
  if (const auto* error = std::get_if<ApiError>(&after)) return respond_error(exchange, *error);
  const bool streams = stream == "true";
  if (const auto run = running(service, request)) {
    if (streams) return run->attach(exchange, std::get<int64_t>(after));
    return respond_json(exchange, run->snapshot());
  }
  with_response(service, exchange, [exchange, streams, after = std::get<int64_t>(after)](Connection& db, const KeptResponse& kept) {
    if (streams) return replay(db, exchange, kept, after);
    respond_json(exchange, kept.response);
  });
}

void delete_response(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  if (const auto run = running(service, exchange->request())) run->discard();
  service.database().post([exchange, owner = service.owner(exchange->request()), id = path_part(exchange->request(), 2)](Connection& db) {
    const auto removed = remove_response(db, owner, id);
    if (!removed.ok()) return respond_error(exchange, store_error(removed.error()));
    if (!*removed) return respond_error(exchange, no_response(id));
    respond_json(exchange, json::object{{"id", id}, {"object", "response"}, {"deleted", true}});
  });
}

void cancel_response(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  if (const auto run = running(service, exchange->request())) return run->cancel(exchange);
  with_response(service, exchange, [exchange](Connection&, const KeptResponse& kept) {
    if (!in_background(kept))
      return respond_error(exchange, bad_field("response_id", "only a response that was created with background: true can be cancelled"));
    respond_json(exchange, kept.response);
  });
}

void list_response_input(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  const auto page = read_page_request(exchange->request());
  if (const auto* error = std::get_if<ApiError>(&page)) return respond_error(exchange, *error);
  with_response(service, exchange, [exchange, page = std::get<PageRequest>(page)](Connection& db, const KeptResponse& kept) {
    const auto items = input_page(db, kept.response.at("id").as_string(), page);
    if (!items.ok()) return respond_error(exchange, store_error(items.error(), "after"));
    respond_json(exchange, *items);
  });
}

}  // namespace rival::serve
