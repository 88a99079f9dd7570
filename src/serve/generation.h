// The fields that all text APIs share, read into an engine request, and what they tell of an answer.
#pragma once

#include <optional>

#include "engine/request.h"
#include "serve/fields.h"
#include "serve/served_model.h"

namespace rival::serve {

// Sampling, lengths and stops of an OpenAI body, common extensions included. Errors are kept in `fields`.
void read_generation(Fields& fields, const ServedModel& model, engine::Request& request);

// The error of a prompt that is too long for the model, if it is.
std::optional<ApiError> check_prompt_size(ServedModel& model, size_t tokens);
// What Engine::submit() refused, the prompt's size having been checked.
ApiError submit_error(const Error& error);

const char* openai_finish_reason(engine::FinishReason reason);
json::object openai_usage(const engine::Usage& usage, uint64_t completion_tokens);

}  // namespace rival::serve
