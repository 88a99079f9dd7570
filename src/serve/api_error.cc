#include "serve/api_error.h"

#include "text/unicode.h"

namespace rival::serve {
namespace {

constexpr int kRetryAfterS = 2;  // a full queue: about one short answer

}  // namespace

ApiError bad_field(std::string_view param, std::string message) {
  ApiError error;
  error.message = fmt::format("{}: {}", param, message);
  error.param = param;
  return error;
}

ApiError to_api_error(const Error& error) {
  ApiError out;
  out.message = error.message;
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kCorrupt:
    case ErrorCode::kUnsupported:
      break;
    case ErrorCode::kLimit:
      out.code = "context_length_exceeded";
      break;
    case ErrorCode::kNotFound:
      out.status = 404;
      out.type = "not_found_error";
      break;
    case ErrorCode::kDenied:
      out.status = 403;
      out.type = "permission_error";
      break;
    case ErrorCode::kCancelled:
      out.status = 503;
      out.type = "unavailable_error";
      break;
    case ErrorCode::kIo:
    case ErrorCode::kNetwork:
    case ErrorCode::kInternal:
      out.status = 500;
      out.type = "server_error";
  }
  return out;
}

ApiError context_exceeded(uint64_t prompt_tokens, uint64_t context) {
  ApiError error;
  error.message = fmt::format("the prompt has {} tokens; the context of {} leaves room for {} and an answer", prompt_tokens, context, context - 1);
  error.param = "messages";
  error.code = "context_length_exceeded";
  return error;
}

ApiError queue_full(std::string message) {
  return {503, "unavailable_error", std::move(message), "", "queue_full", kRetryAfterS};
}

json::object openai_error(const ApiError& error) {
  const auto or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  return {{"error",
           {{"message", text::replace_invalid_utf8(error.message)}, {"type", error.type}, {"param", or_null(text::replace_invalid_utf8(error.param))}, {"code", or_null(error.code)}}}};
}

}  // namespace rival::serve
