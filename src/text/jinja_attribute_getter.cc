#include "text/jinja_attribute_getter.h"

#include <algorithm>

#include "text/jinja_literal.h"
#include "text/jinja_ops.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

bool all_digits(std::string_view text) {
  for (size_t at = 0; at < text.size();)
    if (!is_digit(next_code_point(text, at))) return false;
  return !text.empty();
}

}  // namespace

AttributeGetter::AttributeGetter(Runtime& runtime, const Value& attribute, bool ignore_case, Value otherwise)
    : runtime_(&runtime), ignore_case_(ignore_case), otherwise_(std::move(otherwise)) {
  if (attribute.missing() || attribute.is_none()) return;
  if (!attribute.is_string()) {
    parts_.push_back(attribute);
    return;
  }
  for (const std::string_view part : split_text(attribute.text(), ".", -1)) {
    const auto number = all_digits(part) ? parse_integer(part, 10) : std::nullopt;
    parts_.push_back(number.has_value() ? Value::integer(*number) : runtime.string(std::string(part)));
  }
}

Value AttributeGetter::operator()(const Value& item) const {
  Value value = item;
  for (const Value& part : parts_) {
    value = get_item(*runtime_, value, part);
    if (value.is_undefined() && !otherwise_.missing() && !otherwise_.is_none()) value = otherwise_;
  }
  if (ignore_case_ && value.is_string()) {
    spend_on_reading(value);
    value = runtime_->string(to_lower(value.text()), value.as<String>().markup);
  }
  return value;
}

Value AttributeGetter::several(const std::vector<AttributeGetter>& getters, const Value& item) {
  Values values;
  for (const AttributeGetter& getter : getters) values.push_back(getter(item));
  return getters.front().runtime_->list(std::move(values));
}

std::vector<AttributeGetter> AttributeGetter::split(Runtime& runtime, const Value& attributes, bool ignore_case) {
  std::vector<AttributeGetter> getters;
  if (!attributes.is_string()) {
    getters.emplace_back(runtime, attributes, ignore_case);
    return getters;
  }
  for (const std::string_view part : split_text(attributes.text(), ",", -1))
    getters.emplace_back(runtime, runtime.string(std::string(part)), ignore_case);
  return getters;
}

}  // namespace rival::text::jinja
