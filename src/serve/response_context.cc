#include "serve/response_context.h"

#include <algorithm>

#include "serve/conversation_store.h"
#include "serve/response_items.h"
#include "serve/response_store.h"

namespace rival::serve {
namespace {

bool is_reference(const json::value& item) { return item.at("type") == json::string("item_reference"); }

std::optional<ApiError> resolve_references(Connection& db, const std::string& owner, json::array& input) {
  for (size_t i = 0; i < input.size(); ++i) {
    if (!is_reference(input[i])) continue;
    auto item = find_item(db, owner, input[i].at("id").as_string());
    if (!item.ok()) return store_error(item.error(), fmt::format("input[{}].id", i));
    input[i] = std::move(item).value();
  }
  return std::nullopt;
}

std::variant<json::array, ApiError> history(Connection& db, const std::string& owner, const ResponseRequest& request) {
  if (!request.previous.empty()) {
    auto items = response_chain(db, owner, request.previous);
    if (items.ok()) return std::move(items).value();
    ApiError error = store_error(items.error(), "previous_response_id");
    if (error.status == 404) error.code = "previous_response_not_found";
    return error;
  }
  if (request.conversation.empty()) return json::array{};
  const auto found = find_conversation(db, owner, request.conversation);
  if (!found.ok()) return store_error(found.error(), "conversation");
  if (!*found) return ApiError{404, "not_found_error", fmt::format("there is no conversation '{}'", request.conversation), "conversation", "conversation_not_found"};
  auto items = conversation_items(db, request.conversation);
  if (!items.ok()) return store_error(items.error(), "conversation");
  return std::move(items).value();
}

// Leaves out as few of the oldest turns as makes the rest fit, with room for an answer. A turn begins with a message of
// the user, so that no tool's result stays without its call.
std::optional<ApiError> truncate(ServedModel& model, ChatRequest& chat) {
  const auto is = [](const json::value& message, std::string_view role) { return message.at("role") == json::string(role); };
  const json::array all = chat.messages;
  const size_t head = !all.empty() && is(all[0], "system") ? 1 : 0;
  std::vector<size_t> turns;
  for (size_t i = head; i < all.size(); ++i)
    if (is(all[i], "user")) turns.push_back(i);
  const size_t context = model.engine().context_limit();
  const size_t room = chat.generation.max_tokens ? std::min<size_t>(*chat.generation.max_tokens, context / 2) : context / 4;
  std::optional<ApiError> error;
  const auto fits = [&](size_t first) {
    chat.messages = json::array(all.begin(), all.begin() + head);
    chat.messages.insert(chat.messages.end(), all.begin() + first, all.end());
    auto prompt = chat_prompt(model, chat);
    if (auto* e = std::get_if<ApiError>(&prompt)) error = named_for_input(std::move(*e));
    return !error && std::get<0>(prompt).size() + room <= context;
  };
  if (turns.empty() || fits(head)) return error;
  const auto place = std::partition_point(turns.begin(), turns.end() - 1, [&](size_t first) { return !error && !fits(first); });
  if (!error) fits(*place);
  return error;
}

}  // namespace

ApiError named_for_input(ApiError error) {
  if (error.param == "messages") error.param = "input";
  return error;
}

bool needs_history(const ResponseRequest& request) {
  return !request.previous.empty() || !request.conversation.empty() || std::any_of(request.input.begin(), request.input.end(), is_reference);
}

std::optional<ApiError> prepare_response(Connection* db, ServedModel& model, const std::string& owner, ResponseRequest& request) {
  json::array items;
  if (needs_history(request)) {
    if (auto error = resolve_references(*db, owner, request.input)) return error;
    auto before = history(*db, owner, request);
    if (auto* error = std::get_if<ApiError>(&before)) return *error;
    items = std::move(std::get<json::array>(before));
  }
  items.insert(items.end(), request.input.begin(), request.input.end());
  request.chat.messages = item_messages(request.instructions, items);
  return request.truncate ? truncate(model, request.chat) : std::nullopt;
}

}  // namespace rival::serve
