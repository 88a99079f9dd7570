// /v1/conversations (OpenAI's Conversations API; shapes as its Python client's types have them).
#include <algorithm>
#include <ctime>
#include <set>

#include "base/limits.h"
#include "serve/conversation_store.h"
#include "serve/fields.h"
#include "serve/fresh_id.h"
#include "serve/response_items.h"
#include "serve/response_store.h"
#include "serve/service.h"

namespace rival::serve {
namespace {

json::object shown(const Conversation& conversation) {
  return {{"id", conversation.id}, {"object", "conversation"}, {"created_at", conversation.created}, {"metadata", conversation.metadata}};
}

// Runs `use` with the conversation that the path names, on the database's thread; answers errors itself.
void with_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange,
                       std::function<void(Connection& db, Conversation& conversation)> use) {
  service.database().post([exchange, owner = service.owner(exchange->request()), id = path_part(exchange->request(), 2), use = std::move(use)](Connection& db) {
    auto found = find_conversation(db, owner, id);
    if (!found.ok()) return respond_error(exchange, store_error(found.error()));
    if (!*found) return respond_error(exchange, {404, "not_found_error", fmt::format("there is no conversation '{}'", id), "conversation_id", "conversation_not_found"});
    Conversation conversation = *std::move(found).value();
    use(db, conversation);
  });
}

// Few at once, each with an id of its own, and no references: what is referred to is kept elsewhere.
json::array read_new_items(Fields& f) {
  if (const json::value* items = f.find("items"); items && !items->is_array()) f.fail("items", fmt::format("expected an array, found {}", kind_of(*items)));
  json::array items = read_items(f, "items");
  if (f.error()) return items;
  if (items.size() > limits::kItemsAddedMax) f.fail("items", fmt::format("at most {} items at once", limits::kItemsAddedMax));
  std::set<std::string_view> ids;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].at("type") == json::string("item_reference")) f.fail(fmt::format("items[{}].type", i), "'item_reference' is not supported here");
    if (!ids.insert(items[i].at("id").as_string()).second) f.fail(fmt::format("items[{}].id", i), "two items have this id");
  }
  return items;
}

void refuse_unknown(Fields& f, const json::object& body, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : body)
    if (std::find(known.begin(), known.end(), std::string_view(name)) == known.end()) f.fail(name, "is not supported by this server");
}

ApiError no_item(std::string_view id) { return {404, "not_found_error", fmt::format("there is no item '{}' in this conversation", id), "item_id", "item_not_found"}; }

}  // namespace

void create_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body) {
  Fields f(body);
  refuse_unknown(f, body, {"items", "metadata"});
  json::array items = read_new_items(f);
  Conversation conversation{fresh_id("conv_"), std::time(nullptr), read_metadata(f)};
  if (f.error()) return respond_error(exchange, *f.error());
  service.database().post([exchange, owner = service.owner(exchange->request()), conversation = std::move(conversation), items = std::move(items)](Connection& db) {
    if (const Status kept = keep_conversation(db, owner, conversation, items); !kept.ok()) return respond_error(exchange, store_error(kept.error()));
    respond_json(exchange, shown(conversation));
  });
}

void show_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  with_conversation(service, exchange, [exchange](Connection&, Conversation& conversation) { respond_json(exchange, shown(conversation)); });
}

void update_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body) {
  Fields f(body);
  refuse_unknown(f, body, {"metadata"});
  if (!body.contains("metadata")) f.fail("metadata", "is missing");
  json::object metadata = read_metadata(f);
  if (f.error()) return respond_error(exchange, *f.error());
  with_conversation(service, exchange, [exchange, metadata = std::move(metadata)](Connection& db, Conversation& conversation) {
    if (const Status kept = set_metadata(db, conversation.id, metadata); !kept.ok()) return respond_error(exchange, store_error(kept.error()));
    conversation.metadata = metadata;
    respond_json(exchange, shown(conversation));
  });
}

void delete_conversation(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  with_conversation(service, exchange, [exchange](Connection& db, Conversation& conversation) {
    if (const Status removed = remove_conversation(db, conversation.id); !removed.ok()) return respond_error(exchange, store_error(removed.error()));
    respond_json(exchange, json::object{{"id", conversation.id}, {"object", "conversation.deleted"}, {"deleted", true}});
  });
}

void add_conversation_items(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body) {
  Fields f(body);
  refuse_unknown(f, body, {"items"});
  json::array items = read_new_items(f);
  if (items.empty()) f.fail("items", "is missing or empty");
  if (f.error()) return respond_error(exchange, *f.error());
  with_conversation(service, exchange, [exchange, items = std::move(items)](Connection& db, Conversation& conversation) {
    for (size_t i = 0; i < items.size(); ++i) {
      const auto there = conversation_item(db, conversation.id, items[i].at("id").as_string());
      if (there.ok() && *there) return respond_error(exchange, bad_field(fmt::format("items[{}].id", i), "an item of this id is in the conversation already"));
    }
    const Status kept = db.transaction([&] { return append_items(db, conversation.id, items); });
    if (!kept.ok()) return respond_error(exchange, store_error(kept.error()));
    respond_json(exchange, whole_page(items));
  });
}

void list_conversation_items(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  const auto page = read_page_request(exchange->request());
  if (const auto* error = std::get_if<ApiError>(&page)) return respond_error(exchange, *error);
  with_conversation(service, exchange, [exchange, page = std::get<PageRequest>(page)](Connection& db, Conversation& conversation) {
    const auto items = conversation_page(db, conversation.id, page);
    if (!items.ok()) return respond_error(exchange, store_error(items.error(), "after"));
    respond_json(exchange, *items);
  });
}

void show_conversation_item(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  with_conversation(service, exchange, [exchange, id = path_part(exchange->request(), 4)](Connection& db, Conversation& conversation) {
    const auto item = conversation_item(db, conversation.id, id);
    if (!item.ok()) return respond_error(exchange, store_error(item.error()));
    if (!*item) return respond_error(exchange, no_item(id));
    respond_json(exchange, **item);
  });
}

void delete_conversation_item(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  with_conversation(service, exchange, [exchange, id = path_part(exchange->request(), 4)](Connection& db, Conversation& conversation) {
    const auto removed = remove_item(db, conversation.id, id);
    if (!removed.ok()) return respond_error(exchange, store_error(removed.error()));
    if (!*removed) return respond_error(exchange, no_item(id));
    respond_json(exchange, shown(conversation));
  });
}

}  // namespace rival::serve
