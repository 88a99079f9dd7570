#include "serve/fields.h"

#include <cmath>

namespace rival::serve {

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "a boolean";
    case json::kind::string: return "a string";
    case json::kind::array: return "an array";
    case json::kind::object: return "an object";
    default: return "a number";
  }
}

const json::value* Fields::find(std::string_view name) const {
  const json::value* value = body_.if_contains(name);
  return value && !value->is_null() ? value : nullptr;
}

void Fields::fail(std::string_view name, std::string message) {
  if (!error_) error_ = bad_field(name, std::move(message));
}

std::optional<double> Fields::number(std::string_view name, double min, double max) {
  const json::value* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_number()) {
    fail(name, fmt::format("expected a number, found {}", kind_of(*value)));
    return std::nullopt;
  }
  const double x = value->to_number<double>();
  if (std::isfinite(x) && x >= min && x <= max) return x;
  fail(name, fmt::format("{} is not between {} and {}", x, min, max));
  return std::nullopt;
}

std::optional<int64_t> Fields::integer(std::string_view name, int64_t min, int64_t max) {
  const auto x = number(name, static_cast<double>(min), static_cast<double>(max));
  if (!x) return std::nullopt;
  if (*x == std::floor(*x)) return static_cast<int64_t>(*x);
  fail(name, fmt::format("{} is not a whole number", *x));
  return std::nullopt;
}

bool Fields::boolean(std::string_view name, bool otherwise) {
  const json::value* value = find(name);
  if (!value) return otherwise;
  if (value->is_bool()) return value->get_bool();
  fail(name, fmt::format("expected true or false, found {}", kind_of(*value)));
  return otherwise;
}

std::optional<std::string> Fields::text(std::string_view name) {
  const json::value* value = find(name);
  if (!value) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  fail(name, fmt::format("expected a string, found {}", kind_of(*value)));
  return std::nullopt;
}

const json::array* Fields::list(std::string_view name) {
  const json::value* value = find(name);
  if (!value) return nullptr;
  if (value->is_array()) return &value->get_array();
  fail(name, fmt::format("expected an array, found {}", kind_of(*value)));
  return nullptr;
}

const json::object* Fields::object(std::string_view name) {
  const json::value* value = find(name);
  if (!value) return nullptr;
  if (value->is_object()) return &value->get_object();
  fail(name, fmt::format("expected an object, found {}", kind_of(*value)));
  return nullptr;
}

}  // namespace rival::serve
