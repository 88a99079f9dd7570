// From a request to the sequences that answer it.
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/sequence.h"

namespace rival::engine {

// Errors: kInvalidArgument naming the field; kLimit for a prompt that leaves no room for an answer.
Status check_request(const Request& request, const EngineOptions& options, uint32_t vocabulary_size);

struct PreparedRequest {
  std::shared_ptr<RequestState> state;
  std::vector<TokenId> prompt;
  std::unique_ptr<TokenConstraint> constraint;
};

// REQUIRES check_request().ok(). Cuts the prompt if it is too long and the policy says so.
PreparedRequest prepare_request(Request request, const EngineOptions& options);

// The first answer; the others follow it.
std::unique_ptr<Sequence> make_sequences(PreparedRequest prepared, uint64_t seed, const EngineOptions& options);

}  // namespace rival::engine
