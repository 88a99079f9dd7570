// Errors inside the template engine. A template raises as Python would (an exception with a class and a message);
// ChatTemplate (chat_template.h) turns it into an Error at the room's border. Nothing else may see a Raise.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <utility>

namespace rival::text::jinja {

// Classes that some filter or test catches, or whose errors carry another code out of the room.
enum class Raised {
  kSyntax,
  kTemplate,  // raise_exception(): the template refuses these messages
  kUndefined,
  kSecurity,
  kType,
  kValue,
  kLookup,  // IndexError and KeyError
  kAttribute,
  kArithmetic,  // ZeroDivisionError and OverflowError
  kRuntime,     // any other class
  kLimit,       // a bound of limits.h, RecursionError and MemoryError included
  kUnsupported,
};

struct Raise : std::exception {
  Raise(Raised raised, std::string text) : kind(raised), message(std::move(text)) {}
  const char* what() const noexcept override { return message.c_str(); }

  Raised kind;
  std::string message;
};

template <typename... Args>
[[noreturn]] void raise(Raised kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Raise(kind, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace rival::text::jinja
