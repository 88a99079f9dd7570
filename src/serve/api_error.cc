#include "serve/api_error.h"

namespace rival::serve {

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

json::object openai_error(const ApiError& error) {
  const auto or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  return {{"error",
           {{"message", error.message}, {"type", error.type}, {"param", or_null(error.param)}, {"code", or_null(error.code)}}}};
}

}  // namespace rival::serve
