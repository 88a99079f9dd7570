// Lists in pages, as OpenAI's API has them: ?limit=20&order=desc&after=ID.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "http/server.h"
#include "serve/api_error.h"
#include "serve/database.h"

namespace rival::serve {

struct PageRequest {
  size_t limit = 20;
  bool ascending = false;
  std::string after;  // the last id of the page before; empty = from the start
};

std::variant<PageRequest, ApiError> read_page_request(const http::ServerRequest& request);

// A whole number in a query; `otherwise` where it is absent.
std::variant<int64_t, ApiError> query_integer(const http::ServerRequest& request, std::string_view name, int64_t otherwise, int64_t min, int64_t max);

// How one table of items is read: `position` has one '?', the item's id, after the list's; `ascending` and `descending`
// have the list, a position and a count, and give the item.
struct PageSql {
  std::string_view position, ascending, descending;
};

// {object: "list", data, first_id, last_id, has_more}. Errors: kNotFound for `after`.
Result<json::object> read_page(Connection& db, const PageSql& sql, std::string_view list, const PageRequest& page);

// Of items that are all there.
json::object whole_page(json::array items);

}  // namespace rival::serve
