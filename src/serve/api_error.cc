#include "serve/api_error.h"

#include <algorithm>

#include "base/limits.h"
#include "text/unicode.h"

namespace rival::serve {
namespace {

const char* anthropic_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503: return "overloaded_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
  }
}

// As 2023-06-01.
bool is_date(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(), [](char c, char form) { return form == 'd' ? c >= '0' && c <= '9' : c == form; });
}

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
    case ErrorCode::kNetwork:  // of a hub that a model was to come from
      out.status = 502;
      out.type = "server_error";
      out.code = "hub_unreachable";
      break;
    case ErrorCode::kIo:
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
  return {503, "unavailable_error", std::move(message), "", "queue_full", limits::kRetryAfterQueueS};
}

std::optional<ApiError> finish_error(const engine::Finish& finish) {
  if (finish.reason == engine::FinishReason::kError) return to_api_error(finish.error);
  if (finish.reason == engine::FinishReason::kCancelled) return to_api_error({ErrorCode::kCancelled, "the server stops"});
  return std::nullopt;
}

json::object openai_error(const ApiError& error) {
  const auto or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  return {{"error",
           {{"message", text::replace_invalid_utf8(error.message)}, {"type", error.type}, {"param", or_null(text::replace_invalid_utf8(error.param))}, {"code", or_null(error.code)}}}};
}

json::object anthropic_error(const ApiError& error, std::string_view request_id) {
  // The words by which this API's clients know that a conversation has grown too long.
  const bool too_long = error.code == "context_length_exceeded";
  return {{"type", "error"},
          {"error", {{"type", anthropic_type(error.status)}, {"message", (too_long ? "prompt is too long: " : "") + text::replace_invalid_utf8(error.message)}}},
          {"request_id", request_id}};
}

json::object ollama_error(const ApiError& error) { return {{"error", text::replace_invalid_utf8(error.message)}}; }

bool is_anthropic(const http::ServerRequest& request) {
  return request.path.starts_with("/v1/messages") || !request.header("anthropic-version").empty();
}

std::optional<ApiError> check_anthropic_version(const http::ServerRequest& request) {
  constexpr std::string_view kSpoken = "2023-06-01";
  const std::string_view version = request.header("anthropic-version");
  if (version.empty() || (is_date(version) && version >= kSpoken)) return std::nullopt;
  return bad_field("anthropic-version", fmt::format("found '{}', expected {} or a later date", version.substr(0, 40), kSpoken));
}

json::object error_body(const http::ServerRequest& request, const ApiError& error, std::string_view request_id) {
  if (request.path.starts_with("/api/")) return ollama_error(error);
  return is_anthropic(request) ? anthropic_error(error, request_id) : openai_error(error);
}

}  // namespace rival::serve
