#include "serve/anthropic_models.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "http/url.h"
#include "serve/rfc3339.h"

namespace rival::serve {

constexpr size_t kPageDefault = 20;  // the API's own

json::object anthropic_model_card(const std::string& name, int64_t created_s) {
  return {{"type", "model"}, {"id", name}, {"display_name", name}, {"created_at", rfc3339(created_s)}, {"lifecycle", "active"}};
}

std::variant<json::object, ApiError> anthropic_model_list(const std::vector<json::object>& cards, std::string_view query) {
  size_t limit = kPageDefault;
  if (const auto text = http::query_parameter(query, "limit")) {
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (code != std::errc() || end != text->data() + text->size() || limit < 1 || limit > limits::kAnthropicPageMax)
      return bad_field("limit", fmt::format("'{}' is not a number between 1 and {}", *text, limits::kAnthropicPageMax));
  }
  size_t first = 0, last = cards.size();
  const auto place_of = [&](const std::string& id) {
    return static_cast<size_t>(std::find_if(cards.begin(), cards.end(), [&](const json::object& c) { return c.at("id") == json::string(id); }) - cards.begin());
  };
  const auto after = http::query_parameter(query, "after_id"), before = http::query_parameter(query, "before_id");
  if (after) first = std::min(place_of(*after) + 1, cards.size());
  if (before) last = std::max(first, place_of(*before));
  const bool has_more = last - first > limit;
  if (has_more && before && !after) first = last - limit;
  if (has_more) last = first + limit;
  json::array data(cards.begin() + static_cast<std::ptrdiff_t>(first), cards.begin() + static_cast<std::ptrdiff_t>(last));
  const json::value none = nullptr;
  const json::value first_id = data.empty() ? none : data.front().at("id"), last_id = data.empty() ? none : data.back().at("id");
  return json::object{{"data", std::move(data)}, {"has_more", has_more}, {"first_id", first_id}, {"last_id", last_id}};
}

}  // namespace rival::serve
