// A model ready to answer: opened, packed, with its KV pages and a running engine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/loaded_model.h"
#include "model/config.h"
#include "model/decoder.h"

namespace rival::engine {

struct LoadOptions {
  uint32_t threads = 0;         // 0 = one a CPU
  uint32_t context = 0;         // 0 = as trained, but no more than the memory allows
  bool clip_context = false;    // a context longer than the model's is the model's, not an error
  model::KvType kv_type = model::KvType::kF16;
  uint64_t kv_bytes = 0;        // hard bound of the KV pages; 0 = for sequences_max contexts, a quarter of the free
                                // memory at most
  uint32_t sequences_max = 64;
  uint32_t waiting_max = 4096;  // requests; more are refused
  uint32_t draft_max = 8;       // of prompt lookup; 0 = off
};

// Seconds of each stage.
struct LoadTimes {
  double open_s = 0;   // headers, vocabulary, template
  double pack_s = 0;   // weights
  double start_s = 0;  // pages and engine
};

class ModelHandle {
 public:
  // Errors: those of open_model and Decoder::create; kLimit if kv_bytes does not hold a single page,
  // or for a context longer than the model's.
  static Result<std::unique_ptr<ModelHandle>> load(const std::filesystem::path& path, const LoadOptions& options);
  ~ModelHandle();

  LoadedModel& loaded();
  const model::ModelConfig& config() const;
  const model::Decoder& decoder() const;
  const text::Tokenizer* tokenizer() const;  // null if the file has none
  const std::string& chat_template() const;  // empty if the file has none
  const std::string& bos_text() const;
  const std::string& eos_text() const;
  const std::string& weights_type() const;
  // What a request that says nothing is sampled with: as the model's files advise, which may be nothing.
  SamplerParams default_sampling() const;
  uint32_t threads() const;
  uint64_t kv_bytes() const;                 // the budget in use
  const LoadTimes& times() const;

  Engine& engine();                          // started

 private:
  ModelHandle();
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rival::engine
