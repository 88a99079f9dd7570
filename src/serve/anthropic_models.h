// The list of models for clients of Anthropic's API, which shares /v1/models with OpenAI's.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "serve/api_error.h"

namespace rival::serve {

json::object anthropic_model_card(const std::string& name, int64_t created_s);

// A page of the list: {"data", "has_more", "first_id", "last_id"}, chosen by limit, after_id and before_id of the query.
std::variant<json::object, ApiError> anthropic_model_list(const std::vector<json::object>& cards, std::string_view query);

}  // namespace rival::serve
