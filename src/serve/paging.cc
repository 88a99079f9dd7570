#include "serve/paging.h"

#include <charconv>

#include "base/limits.h"
#include "http/url.h"

namespace rival::serve {

std::variant<int64_t, ApiError> query_integer(const http::ServerRequest& request, std::string_view name, int64_t otherwise, int64_t min, int64_t max) {
  const auto text = http::query_parameter(request.query, name);
  if (!text) return otherwise;
  int64_t value = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (code != std::errc() || end != text->data() + text->size() || value < min || value > max)
    return bad_field(name, fmt::format("'{}' is not a whole number between {} and {}", *text, min, max));
  return value;
}

std::variant<PageRequest, ApiError> read_page_request(const http::ServerRequest& request) {
  PageRequest page;
  const auto limit = query_integer(request, "limit", 20, 1, limits::kPageItemsMax);
  if (const auto* error = std::get_if<ApiError>(&limit)) return *error;
  page.limit = static_cast<size_t>(std::get<int64_t>(limit));
  const std::string order = http::query_parameter(request.query, "order").value_or("desc");
  if (order != "asc" && order != "desc") return bad_field("order", fmt::format("'{}' is neither asc nor desc", order));
  page.ascending = order == "asc";
  page.after = http::query_parameter(request.query, "after").value_or("");
  return page;
}

json::object whole_page(json::array items) {
  const auto id = [&](bool last) { return items.empty() ? json::value(nullptr) : (last ? items.back() : items.front()).at("id"); };
  json::object out{{"object", "list"}, {"first_id", id(false)}, {"last_id", id(true)}, {"has_more", false}};
  out["data"] = std::move(items);
  return out;
}

Result<json::object> read_page(Connection& db, const PageSql& sql, std::string_view list, const PageRequest& page) {
  int64_t from = page.ascending ? -1 : INT64_MAX;
  if (!page.after.empty()) {
    RIVAL_ASSIGN_OR_RETURN(Statement row, db.query(sql.position, list, page.after));
    RIVAL_ASSIGN_OR_RETURN(const bool found, row.step());
    if (!found) return make_error(ErrorCode::kNotFound, "after: there is no item '{}' here", page.after);
    from = row.integer(0);
  }
  RIVAL_ASSIGN_OR_RETURN(Statement rows, db.query(page.ascending ? sql.ascending : sql.descending, list, from, page.limit + 1));
  json::array items;
  for (;;) {
    RIVAL_ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) break;
    if (items.size() == page.limit) {
      json::object out = whole_page(std::move(items));
      out["has_more"] = true;
      return out;
    }
    RIVAL_ASSIGN_OR_RETURN(json::value item, parse_json(rows.text(0)));
    items.push_back(std::move(item));
  }
  return whole_page(std::move(items));
}

}  // namespace rival::serve
