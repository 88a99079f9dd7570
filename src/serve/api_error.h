// What a client is told when its request cannot be answered. Status codes are decided here and nowhere else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "engine/request.h"
#include "http/server.h"

namespace rival::serve {

struct ApiError {
  int status = 400;
  std::string type = "invalid_request_error";
  std::string message;
  std::string param = {};  // the field; empty = none
  std::string code = {};   // "model_not_found", "context_length_exceeded", ...; empty = none
  int retry_after_s = 0;   // of 429 and 503: when the client may try again; 0 = not said
};

// A field of the request that is missing, of the wrong type or out of range.
ApiError bad_field(std::string_view param, std::string message);

// An error of the program's rooms. What the client's input caused is 4xx: clients retry 5xx.
ApiError to_api_error(const Error& error);

// A prompt that leaves no room for an answer.
ApiError context_exceeded(uint64_t prompt_tokens, uint64_t context);
// More requests wait than may.
ApiError queue_full(std::string message);
// Of an answer that did not end by itself or by its limits.
std::optional<ApiError> finish_error(const engine::Finish& finish);

// {"error": {message, type, param, code}}, as OpenAI's clients expect.
json::object openai_error(const ApiError& error);
// {"type": "error", "error": {type, message}, "request_id"}, as Anthropic's clients expect.
json::object anthropic_error(const ApiError& error, std::string_view request_id);
// {"error": text}, as Ollama's clients expect.
json::object ollama_error(const ApiError& error);

// In the shape of the API that was called. `request_id`: by which the answer's headers and the log know it.
json::object error_body(const http::ServerRequest& request, const ApiError& error, std::string_view request_id);
// Whether the caller is a client of Anthropic's API, which shares some paths with OpenAI's.
bool is_anthropic(const http::ServerRequest& request);
// A version of that API (anthropic-version) which this server does not speak. A request that names none is taken.
std::optional<ApiError> check_anthropic_version(const http::ServerRequest& request);

}  // namespace rival::serve
