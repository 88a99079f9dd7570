// A model opened and packed, without KV pages or an engine: what benchmarks and evaluations work on, and what a
// ModelHandle (model_handle.h) stands on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/text_stream.h"
#include "model/config.h"
#include "model/decoder.h"
#include "model/sampling_defaults.h"

namespace rival::text {
class Tokenizer;
}

namespace rival::engine {

// Weights in matrices, for estimates of work.
struct MatrixCounts {
  uint64_t per_token = 0;  // in all layers, of experts those in use
  uint64_t head = 0;       // of one row of logits
  bool quantised = false;  // more of them in blocks of small integers than as plain numbers
};

class LoadedModel {
 public:
  // `threads` = 0: one a CPU. `context`: what choose_context (model/source.h) is asked for. Errors: those of open_model
  // and Decoder::create.
  static Result<std::unique_ptr<LoadedModel>> load(const std::filesystem::path& path, uint32_t threads,
                                                   uint32_t context = 0);
  ~LoadedModel();

  const model::ModelConfig& config() const;
  model::Decoder& decoder();
  ThreadTeam& team();
  const text::Tokenizer* tokenizer() const;  // null if the file has none
  const std::string& chat_template() const;  // empty if the file has none
  const std::string& bos_text() const;
  const std::string& eos_text() const;
  const std::string& weights_type() const;   // "Q4_1", ...
  const model::SamplingDefaults& sampling_defaults() const;  // what the files advise
  uint64_t file_bytes() const;               // of all weights on disk
  const MatrixCounts& matrices() const;
  TextStreamFactory text_streams() const;    // empty without a tokenizer; this model outlives the streams

  double open_s() const;  // seconds for headers, vocabulary and template
  double pack_s() const;  // seconds for the weights

 private:
  LoadedModel();
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rival::engine
