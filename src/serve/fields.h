// Reading the fields of a request body: absent and null are the default, a wrong type or range is an ApiError that
// names the field and what was expected. The first error is kept; later reads give defaults.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/api_error.h"

namespace rival::serve {

class Fields {
 public:
  explicit Fields(const json::object& body) : body_(body) {}

  // The value, or null if it is absent or null.
  const json::value* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

  std::optional<double> number(std::string_view name, double min, double max);
  std::optional<int64_t> integer(std::string_view name, int64_t min, int64_t max);
  bool boolean(std::string_view name, bool otherwise);
  std::optional<std::string> text(std::string_view name);
  const json::array* list(std::string_view name);
  const json::object* object(std::string_view name);

  void fail(std::string_view name, std::string message);
  const std::optional<ApiError>& error() const { return error_; }

 private:
  const json::object& body_;
  std::optional<ApiError> error_;
};

// "a string", "a number", ...: what a value is, for messages.
std::string_view kind_of(const json::value& value);

}  // namespace rival::serve
