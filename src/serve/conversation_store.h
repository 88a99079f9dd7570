// Conversations as they are kept: some notes of the client's, and items in the order in which they came.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "serve/database.h"
#include "serve/paging.h"

namespace rival::serve {

struct Conversation {
  std::string id;
  int64_t created = 0;  // seconds since 1970
  json::object metadata;
};

Status keep_conversation(Connection& db, std::string_view owner, const Conversation& conversation, const json::array& items);

// Absent where there is none of this owner's; the others below, which have no owner, come after this one.
Result<std::optional<Conversation>> find_conversation(Connection& db, std::string_view owner, std::string_view id);
Status set_metadata(Connection& db, std::string_view id, const json::object& metadata);
Status remove_conversation(Connection& db, std::string_view id);

// Adds items at the end; those whose id is there already are left as they are. Nothing where the conversation is gone.
Status append_items(Connection& db, std::string_view id, const json::array& items);
// All of them, oldest first. Error: kLimit.
Result<json::array> conversation_items(Connection& db, std::string_view id);
Result<json::object> conversation_page(Connection& db, std::string_view id, const PageRequest& page);
Result<std::optional<json::object>> conversation_item(Connection& db, std::string_view id, std::string_view item);
Result<bool> remove_item(Connection& db, std::string_view id, std::string_view item);

}  // namespace rival::serve
