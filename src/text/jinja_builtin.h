// Filters, tests, methods and global functions: one row each in a table, with its parameters as Python declares
// them. Each table stands at the end of its own file.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "text/jinja_value.h"

namespace rival::text::jinja {

struct Arguments {
  Values positional;
  std::vector<std::pair<Value, Value>> keywords;  // names are strings, each once
};

// Arguments sorted into the parameters of a row; what was not given is kMissing.
class Bound {
 public:
  static constexpr size_t kParametersMax = 6;

  const Value& operator[](size_t i) const { return slots_[i]; }
  bool given(size_t i) const { return !slots_[i].missing(); }
  // The parameter, where given; otherwise the default.
  bool flag(size_t i, bool otherwise) const;
  int64_t integer(size_t i, int64_t otherwise) const;  // raises kType where it is no int
  std::string_view text(size_t i, std::string_view otherwise) const;  // raises kType where it is no str
  bool none(size_t i) const { return slots_[i].missing() || slots_[i].is_none(); }

  Values rest;                                     // of "*"
  std::vector<std::pair<Value, Value>> keywords;   // of "**"

 private:
  friend Bound bind(const Builtin& builtin, Arguments&& arguments);
  std::array<Value, kParametersMax> slots_;
};

struct Builtin {
  std::string_view name;
  // Names between spaces. "x?" may be left out; "/x" cannot be named; "*" and "**" take what is left.
  std::string_view parameters;
  Value (*call)(Runtime& runtime, const Bound& arguments);
  bool mutates = false;  // the sandbox refuses it
};

Bound bind(const Builtin& builtin, Arguments&& arguments);

// Counts a step for so much of the arguments as the row may look through, then calls it.
Value call_builtin(Runtime& runtime, const Builtin& builtin, Arguments&& arguments);

// Null where there is none of that name.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_global(std::string_view name);
const Builtin* find_method(Kind kind, std::string_view name);

std::span<const Builtin> text_filters();
std::span<const Builtin> markup_filters();
std::span<const Builtin> number_filters();
std::span<const Builtin> sequence_filters();
std::span<const Builtin> order_filters();
std::span<const Builtin> select_filters();
std::span<const Builtin> json_filters();
std::span<const Builtin> string_methods();

// Helpers that rows share.
[[noreturn]] void raise_argument(const Value& value, std::string_view expected);
int64_t integer_argument(const Value& value);
std::string_view string_argument(const Value& value);
Value soft_string(Runtime& runtime, const Value& value);  // a str as it is, anything else through str()

}  // namespace rival::text::jinja
