// The seam for structured output: what may come next, as a set of token ids. Grammars implement it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "text/vocabulary.h"

namespace rival::engine {

// The state of one sequence's constraint. Used by one thread at a time, not always the same one.
//
// Speculative decoding needs no roll-back: tokens are sampled one after the other, each after accept() of the one
// before, and a draft only saves forward passes.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;

  // Writes one bit a token, bit id % 32 of word id / 32: set if the token may come next. An end-of-generation token
  // is allowed where the text may end. Words past the vocabulary are left alone.
  virtual void mask(std::span<uint32_t> allowed) = 0;

  // Takes over the token that was sampled; mask() allowed it. After an error the sequence ends with that error.
  virtual Status accept(text::TokenId token) = 0;

  // True when nothing can follow: the sequence ends with FinishReason::kStop and no further token is sampled.
  virtual bool finished() const = 0;

  // An independent copy in the same state (Request::n > 1).
  virtual std::unique_ptr<TokenConstraint> clone() const = 0;
};

}  // namespace rival::engine
