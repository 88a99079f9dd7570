// Result<T>: a value or an Error that must be looked at. Operating errors (a bad file, a lost connection, no
// space) travel as Result; a programmer's error stops the program through RIVAL_CHECK (check.h).
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace rival {

enum class ErrorCode {
  kInvalidArgument,  // the caller's input is wrong: a flag, a request field, a parameter out of range
  kCorrupt,          // foreign bytes break their own format: model file, shard, checkpoint, template
  kUnsupported,      // well-formed, but a feature that this program does not have
  kNotFound,         // a file, model, tensor or key that is not there
  kLimit,            // a stated limit was met: memory budget, context length, size of input
  kIo,               // the operating system refused: open, read, write, no space
  kNetwork,          // the other side could not be reached or answered wrongly
  kDenied,           // needs a permission, a licence accepted, or a token
  kCancelled,        // stopped by the user
  kInternal,         // a defect in this program
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one sentence for a person: names the field, what was found and what was expected
};

template <typename... Args>
Error make_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

// The same error with "context: " in front of its message.
inline Error with_context(Error error, std::string_view context) {
  error.message = fmt::format("{}: {}", context, error.message);
  return error;
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { RIVAL_CHECK(ok(), "{}", error().message); return std::get<0>(state_); }
  T& value() & { RIVAL_CHECK(ok(), "{}", error().message); return std::get<0>(state_); }
  T&& value() && { RIVAL_CHECK(ok(), "{}", error().message); return std::get<0>(std::move(state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace rival

#define RIVAL_CONCAT_INNER(a, b) a##b
#define RIVAL_CONCAT(a, b) RIVAL_CONCAT_INNER(a, b)

// Returns the error of a Status or Result expression from the enclosing function.
#define RIVAL_RETURN_IF_ERROR(expression)                           \
  do {                                                              \
    auto rival_status = (expression);                               \
    if (!rival_status.ok()) return std::move(rival_status).error(); \
  } while (false)

// RIVAL_ASSIGN_OR_RETURN(auto x, f()): x is the value of f(), or the enclosing function returns its error.
#define RIVAL_ASSIGN_OR_RETURN(declaration, expression) \
  RIVAL_ASSIGN_OR_RETURN_INNER(RIVAL_CONCAT(rival_result_, __LINE__), declaration, expression)
#define RIVAL_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) return std::move(result).error();                 \
  declaration = std::move(result).value()
