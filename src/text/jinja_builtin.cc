#include "text/jinja_builtin.h"

#include <algorithm>

#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

struct Parameter {
  std::string_view name;
  bool optional = false;
  bool positional_only = false;
};

Parameter parse_parameter(std::string_view word) {
  Parameter parameter;
  if (word.starts_with('/')) {
    parameter.positional_only = true;
    word.remove_prefix(1);
  }
  if (word.ends_with('?')) {
    parameter.optional = true;
    word.remove_suffix(1);
  }
  parameter.name = word;
  return parameter;
}

Value take_keyword(Arguments& arguments, std::string_view name) {
  const auto found = std::find_if(arguments.keywords.begin(), arguments.keywords.end(),
                                  [&](const auto& keyword) { return keyword.first.text() == name; });
  if (found == arguments.keywords.end()) return Value();
  Value value = std::move(found->second);
  arguments.keywords.erase(found);
  return value;
}

}  // namespace

Bound bind(const Builtin& builtin, Arguments&& arguments) {
  Bound bound;
  size_t slot = 0, taken = 0;
  bool takes_rest = false, takes_keywords = false;
  for (std::string_view left = builtin.parameters; !left.empty();) {
    const std::string_view word = left.substr(0, left.find(' '));
    left.remove_prefix(std::min(left.size(), word.size() + 1));
    if (word == "*") {
      takes_rest = true;
      continue;
    }
    if (word == "**") {
      takes_keywords = true;
      continue;
    }
    const Parameter parameter = parse_parameter(word);
    Value& target = bound.slots_[slot++];
    if (taken < arguments.positional.size())
      target = std::move(arguments.positional[taken++]);
    else if (!parameter.positional_only && !arguments.keywords.empty())
      target = take_keyword(arguments, parameter.name);
    if (target.missing() && !parameter.optional)
      raise(Raised::kType, "{}() missing required argument '{}'", builtin.name, parameter.name);
  }
  if (takes_rest)
    bound.rest.assign(arguments.positional.begin() + static_cast<ptrdiff_t>(taken), arguments.positional.end());
  else if (taken < arguments.positional.size())
    raise(Raised::kType, "{}() takes {} arguments but {} were given", builtin.name, slot,
          arguments.positional.size());
  if (takes_keywords)
    bound.keywords = std::move(arguments.keywords);
  else if (!arguments.keywords.empty())
    raise(Raised::kType, "{}() got an unexpected keyword argument '{}'", builtin.name,
          arguments.keywords.front().first.text());
  return bound;
}

Value call_builtin(Runtime& runtime, const Builtin& builtin, Arguments&& arguments) {
  for (const Value& argument : arguments.positional) spend_on_reading(argument);
  return builtin.call(runtime, bind(builtin, std::move(arguments)));
}

bool Bound::flag(size_t i, bool otherwise) const { return given(i) ? truth(slots_[i]) : otherwise; }

int64_t Bound::integer(size_t i, int64_t otherwise) const {
  return given(i) ? integer_argument(slots_[i]) : otherwise;
}

std::string_view Bound::text(size_t i, std::string_view otherwise) const {
  return given(i) ? string_argument(slots_[i]) : otherwise;
}

void raise_argument(const Value& value, std::string_view expected) {
  if (value.is_undefined()) raise_undefined(value);
  raise(Raised::kType, "expected {}, got {}", expected, type_name(value));
}

int64_t integer_argument(const Value& value) {
  if (!value.is_integral()) raise_argument(value, "an int");
  return value.integer();
}

std::string_view string_argument(const Value& value) {
  if (!value.is_string()) raise_argument(value, "a str");
  return value.text();
}

Value soft_string(Runtime& runtime, const Value& value) {
  return value.is_string() ? value : runtime.string(to_text(value));
}

const Builtin* find_filter(std::string_view name) {
  for (const auto table : {text_filters(), markup_filters(), number_filters(), sequence_filters(), order_filters(),
                           select_filters(), json_filters()})
    for (const Builtin& row : table)
      if (row.name == name) return &row;
  return nullptr;
}

}  // namespace rival::text::jinja
