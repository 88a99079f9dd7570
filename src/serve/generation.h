// The fields that all text APIs share, read into an engine request, and the answers collected or streamed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/request.h"
#include "http/server.h"
#include "serve/fields.h"
#include "serve/served_model.h"

namespace rival::serve {

// Sampling, lengths and stops of an OpenAI body, common extensions included. Errors are kept in `fields`.
void read_generation(Fields& fields, const ServedModel& model, engine::Request& request);

// The error of a prompt that is too long for the model, if it is.
std::optional<ApiError> check_prompt_size(ServedModel& model, size_t tokens);
// What Engine::submit() refused, the prompt's size having been checked.
ApiError submit_error(const Error& error);

// One answer as it has grown.
struct AnswerText {
  std::string text;
  std::vector<engine::SampledToken> tokens;
  engine::Finish finish;
};

// Submits a request and hands its outputs on. `on_output` is called on the engine's thread; when the client leaves the
// request is cancelled. Errors of submit() are returned; nothing has been called then.
Status start_generation(ServedModel& model, engine::Request request, const std::shared_ptr<http::Exchange>& exchange,
                        std::function<void(engine::Output)> on_output);

// Collects all answers of a request and calls `done` once, on the engine's thread.
std::function<void(engine::Output)> collect_answers(uint32_t n, std::function<void(std::vector<AnswerText>)> done);

const char* openai_finish_reason(engine::FinishReason reason);
json::object openai_usage(const engine::Usage& usage, uint64_t completion_tokens);

}  // namespace rival::serve
