// Reading one JSON object field by field, with errors that name the place.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace rival::text {

class JsonFields {
 public:
  // Errors: kCorrupt where `value` is no object. The value must outlive the fields.
  static Result<JsonFields> of(const json::value& value, std::string where);

  const std::string& where() const { return where_; }
  const json::object& object() const { return *object_; }
  // The field, or nullptr where it is missing or null.
  const json::value* find(std::string_view key) const;

  // Errors: kCorrupt where the field is missing (but for the *_or forms) or of another type.
  Result<std::string_view> string(std::string_view key) const;
  Result<std::string_view> string_or(std::string_view key, std::string_view fallback) const;
  Result<bool> boolean_or(std::string_view key, bool fallback) const;
  Result<int64_t> integer(std::string_view key) const;
  Result<int64_t> integer_or(std::string_view key, int64_t fallback) const;
  Result<const json::array*> array(std::string_view key) const;
  Result<JsonFields> child(std::string_view key) const;

 private:
  JsonFields(const json::object* object, std::string where) : object_(object), where_(std::move(where)) {}
  Error wrong(std::string_view key, std::string_view expected) const;

  const json::object* object_;
  std::string where_;
};

// "null", "a number", "a string", ... for messages.
std::string_view kind_of(const json::value& value);

}  // namespace rival::text
