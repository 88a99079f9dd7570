// Python's operations on values, with its results, its order of checks and its errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/jinja_value.h"

namespace rival::text::jinja {

enum class Op : uint8_t {
  kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn,
};

// ---- text (jinja_text.cc) ----------------------------------------------------------------------------------------
std::string to_text(const Value& value);  // str(); an undefined value is empty
void append_text(std::string& out, const Value& value);
std::string repr(const Value& value);
std::string repr_ascii(const Value& value);  // as Python's ascii()
std::string repr_text(std::string_view text);
std::string repr_real(double value);
std::string_view type_name(const Value& value);       // "str", "NoneType", ...
std::string type_description(const Value& value);     // "dict object", "None"
std::string escape_html(std::string_view text);
Value escape(Runtime& runtime, const Value& value);   // Markup; what is Markup already stays as it is

// ---- comparison (jinja_compare.cc) --------------------------------------------------------------------------------
bool truth(const Value& value);
bool equal(const Value& a, const Value& b);
bool compare(Op op, const Value& a, const Value& b);  // any comparison, in and not in
bool contains(const Value& container, const Value& item);
size_t hash_text(std::string_view text);
size_t hash_value(const Value& value);  // raises kType where Python's hash() does

// ---- arithmetic (jinja_arithmetic.cc) ------------------------------------------------------------------------------
Value arithmetic(Runtime& runtime, Op op, const Value& a, const Value& b);
Value negate(const Value& value);
Value plus(const Value& value);
[[noreturn]] void raise_undefined(const Value& value);
[[noreturn]] void raise_overflow();  // an int beyond 64 bits

// ---- access (jinja_access.cc) --------------------------------------------------------------------------------------
Value get_attribute(Runtime& runtime, const Value& object, std::string_view name);  // object.name
Value get_item(Runtime& runtime, const Value& object, const Value& key);            // object[key]
Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);
bool has_length(const Value& value);
int64_t length(const Value& value);  // len(); raises kType where there is none
bool iterable(const Value& value);
Value iterate(Runtime& runtime, const Value& value);  // iter(): an Iterator; raises kType
Value reversed(Runtime& runtime, const Value& value);  // reversed(): an Iterator; raises kType
Values to_values(Runtime& runtime, const Value& value);  // list()
void spend_on_reading(const Value& value);  // steps for looking through a string or a sequence
Value character(Runtime& runtime, const Value& string, size_t index);
int64_t range_item(const Range& range, int64_t index);

// A Python attribute of a value, kMissing where it has none. What the sandbox refuses is an undefined value that
// raises kSecurity when used.
Value python_attribute(Runtime& runtime, const Value& object, std::string_view name);

}  // namespace rival::text::jinja
