#include "text/json_fields.h"

namespace rival::text {
namespace {

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

Result<JsonFields> JsonFields::of(const json::value& value, std::string where) {
  if (!value.is_object())
    return make_error(ErrorCode::kCorrupt, "{} is {}, expected an object", where, kind_of(value));
  return JsonFields(&value.get_object(), std::move(where));
}

const json::value* JsonFields::find(std::string_view key) const {
  const json::value* value = object_->if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

Error JsonFields::wrong(std::string_view key, std::string_view expected) const {
  const json::value* value = find(key);
  return make_error(ErrorCode::kCorrupt, "{}.{} is {}, expected {}", where_, key,
                    value ? kind_of(*value) : "missing", expected);
}

Result<std::string_view> JsonFields::string(std::string_view key) const {
  const json::value* value = find(key);
  if (!value || !value->is_string()) return wrong(key, "a string");
  return view(value->get_string());
}

Result<std::string_view> JsonFields::string_or(std::string_view key, std::string_view fallback) const {
  return find(key) ? string(key) : Result<std::string_view>(fallback);
}

Result<bool> JsonFields::boolean_or(std::string_view key, bool fallback) const {
  const json::value* value = find(key);
  if (!value) return fallback;
  if (!value->is_bool()) return wrong(key, "true or false");
  return value->get_bool();
}

Result<int64_t> JsonFields::integer(std::string_view key) const {
  const json::value* value = find(key);
  if (!value || !value->is_int64()) return wrong(key, "an integer");
  return value->get_int64();
}

Result<int64_t> JsonFields::integer_or(std::string_view key, int64_t fallback) const {
  return find(key) ? integer(key) : Result<int64_t>(fallback);
}

Result<const json::array*> JsonFields::array(std::string_view key) const {
  const json::value* value = find(key);
  if (!value || !value->is_array()) return wrong(key, "a list");
  return &value->get_array();
}

Result<JsonFields> JsonFields::child(std::string_view key) const {
  const json::value* value = find(key);
  if (!value) return wrong(key, "an object");
  return of(*value, fmt::format("{}.{}", where_, key));
}

}  // namespace rival::text
