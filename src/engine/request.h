// What goes into the engine and what comes out of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/constraint.h"
#include "engine/sampler.h"

namespace rival::engine {

using RequestId = uint64_t;

enum class OverflowPolicy : uint8_t {
  kError,         // submit() refuses a prompt that leaves no room for an answer: kLimit
  kTruncateLeft,  // the middle is cut: the first keep_tokens and as many of the last ones as fit stay
};

enum class FinishReason : uint8_t {
  kStop,       // an end-of-generation or stop token, a stop string, or the constraint is finished
  kLength,     // max_tokens
  kContext,    // the context, or the memory for it, is full
  kCancelled,  // cancel(), or the engine stops
  kError,      // Finish::error says why
};

struct Usage {
  uint32_t prompt_tokens = 0;
  uint32_t cached_tokens = 0;      // of the prompt, found in the prefix tree
  uint32_t truncated_tokens = 0;   // cut from the prompt by kTruncateLeft; not in prompt_tokens
  uint32_t completion_tokens = 0;  // sampled, stop tokens and cut text included
  uint32_t drafted_tokens = 0;     // by prompt lookup
  uint32_t accepted_tokens = 0;    // drafted ones that the model agreed with
};

// Seconds since submit() unless said otherwise.
struct Timings {
  double queue_s = 0;        // until the first prompt token entered a step
  double prefill_s = 0;      // from then until the whole prompt was computed
  double first_token_s = 0;
  double total_s = 0;
  double decode_s = 0;       // from the first token to the last
};

struct Finish {
  FinishReason reason = FinishReason::kStop;
  std::string stop_string;               // the one that was met, if any
  std::optional<text::TokenId> stop_token;  // the one that was met, if any
  Error error;                           // of kError
  Usage usage;
  Timings timings;
};

// News of one answer of a request. The texts of all outputs of an index, joined, are the answer.
struct Output {
  RequestId request = 0;
  uint32_t index = 0;                 // which of the n answers
  std::string text = {};              // whole characters; empty while they may be part of a stop string
  std::vector<SampledToken> tokens = {};  // whose text has been told with this output; stop tokens are left out
  std::vector<SampledToken> prompt = {};  // if score_prompt, in the first output of index 0: all of the prompt's tokens
  std::optional<Finish> finish = {};  // set in the last output of an index
};

struct Request {
  std::vector<text::TokenId> prompt;    // at least one
  uint32_t n = 1;                       // answers; they share the pages of the prompt
  SamplerParams sampler;
  std::optional<uint32_t> max_tokens;   // absent = until the context is full; 0 = only compute the prompt
  uint32_t min_tokens = 0;              // end-of-generation tokens and stop tokens are banned before
  std::vector<std::string> stop;        // not part of the answer's text
  std::vector<text::TokenId> stop_tokens;  // beside the model's end-of-generation tokens; not part of the text
  bool ignore_eos = false;              // end-of-generation tokens are banned
  bool special_text = false;            // control tokens are written out in the text (text/control_mark.h)
  std::unique_ptr<TokenConstraint> constraint;
  OverflowPolicy overflow = OverflowPolicy::kError;
  uint32_t keep_tokens = 0;             // kTruncateLeft: of the system prompt
  int32_t priority = 0;                 // higher first
  bool reuse_prefix = true;             // look into, and leave pages in, the prefix tree
  bool speculate = true;                // allow prompt lookup; the text is the same with and without
  // Output::prompt tells how likely each token of the prompt was, as sampler.logprobs says of the answer's; the first
  // one has no logprob. The whole prompt is computed, a few tokens a step, for each needs its row of logits.
  bool score_prompt = false;

  // Called on the engine's thread (the caller of step()), after each step that has news. It must not block or
  // throw; it may call submit() and cancel().
  std::function<void(Output)> on_output;
};

}  // namespace rival::engine
