#include "engine/model_handle.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/thread_team.h"
#include "engine/memory.h"
#include "text/tokenizer.h"

namespace rival::engine {
namespace {

using Clock = std::chrono::steady_clock;
using model::kPagePositions;

// Pages for `sequences_max` contexts, within the given bound or a quarter of the memory that is free.
Result<uint32_t> choose_page_count(const model::ModelConfig& config, const LoadOptions& options) {
  const uint64_t page = model::KvStore::bytes_per_page(config, options.kv_type);
  const uint64_t bound = options.kv_bytes > 0 ? options.kv_bytes : std::max(available_memory() / 4, page);
  if (bound < page)
    return make_error(ErrorCode::kLimit, "a KV budget of {} bytes does not hold one page of {} bytes", bound, page);
  const uint64_t context = options.context > 0 ? options.context : config.context_length;
  const uint64_t wanted = (context + kPagePositions - 1) / kPagePositions * std::max(1u, options.sequences_max);
  return static_cast<uint32_t>(std::min({wanted, bound / page, uint64_t{1} << 31}));
}

Status check_context(const model::ModelConfig& config, const LoadOptions& options) {
  if (options.context <= config.context_length) return {};
  return make_error(ErrorCode::kLimit, "the context is {} tokens; this model was made for at most {}", options.context,
                    config.context_length);
}

}  // namespace

struct ModelHandle::Parts {
  std::unique_ptr<LoadedModel> loaded;
  std::unique_ptr<model::KvStore> kv;
  std::unique_ptr<ForwardModel> forward;
  std::unique_ptr<Engine> engine;
  uint64_t kv_bytes = 0;
  LoadTimes times;
};

ModelHandle::ModelHandle() : parts_(std::make_unique<Parts>()) {}
ModelHandle::~ModelHandle() = default;

Result<std::unique_ptr<ModelHandle>> ModelHandle::load(const std::filesystem::path& path, const LoadOptions& wanted) {
  LoadOptions options = wanted;
  std::unique_ptr<ModelHandle> handle(new ModelHandle);
  Parts& parts = *handle->parts_;
  RIVAL_ASSIGN_OR_RETURN(parts.loaded, LoadedModel::load(path, options.threads, options.clip_context ? 0 : options.context));
  const Clock::time_point begin = Clock::now();
  const model::ModelConfig& config = parts.loaded->config();
  if (options.clip_context) options.context = std::min(options.context, config.context_length);
  RIVAL_RETURN_IF_ERROR(check_context(config, options));
  RIVAL_ASSIGN_OR_RETURN(const uint32_t pages, choose_page_count(config, options));
  parts.kv = std::make_unique<model::KvStore>(config, options.kv_type, pages);
  parts.kv_bytes = uint64_t{pages} * model::KvStore::bytes_per_page(config, options.kv_type);
  parts.forward = make_forward_model(parts.loaded->decoder(), *parts.kv, parts.loaded->team());
  EngineOptions engine_options;
  engine_options.context = options.context;
  engine_options.sequences_max = options.sequences_max;
  engine_options.waiting_max = options.waiting_max;
  engine_options.draft_max = options.draft_max;
  if (const text::Tokenizer* tokenizer = parts.loaded->tokenizer())
    engine_options.end_of_generation = tokenizer->vocabulary().end_of_generation;
  engine_options.text_stream = parts.loaded->text_streams();
  parts.engine = std::make_unique<Engine>(*parts.forward, std::move(engine_options));
  parts.engine->start();
  parts.times = {.open_s = parts.loaded->open_s(),
                 .pack_s = parts.loaded->pack_s(),
                 .start_s = std::chrono::duration<double>(Clock::now() - begin).count()};
  return handle;
}

LoadedModel& ModelHandle::loaded() { return *parts_->loaded; }
const model::ModelConfig& ModelHandle::config() const { return parts_->loaded->config(); }
const model::Decoder& ModelHandle::decoder() const { return parts_->loaded->decoder(); }
const text::Tokenizer* ModelHandle::tokenizer() const { return parts_->loaded->tokenizer(); }
const std::string& ModelHandle::chat_template() const { return parts_->loaded->chat_template(); }
const std::string& ModelHandle::bos_text() const { return parts_->loaded->bos_text(); }
const std::string& ModelHandle::eos_text() const { return parts_->loaded->eos_text(); }
const std::string& ModelHandle::weights_type() const { return parts_->loaded->weights_type(); }
SamplerParams ModelHandle::default_sampling() const {
  const model::SamplingDefaults& advice = parts_->loaded->sampling_defaults();
  SamplerParams params;
  params.temperature = advice.temperature.value_or(params.temperature);
  params.top_k = advice.top_k.value_or(params.top_k);
  params.top_p = advice.top_p.value_or(params.top_p);
  params.min_p = advice.min_p.value_or(params.min_p);
  params.repetition_penalty = advice.repetition_penalty.value_or(params.repetition_penalty);
  return params;
}

uint32_t ModelHandle::threads() const { return parts_->loaded->team().size(); }
uint64_t ModelHandle::kv_bytes() const { return parts_->kv_bytes; }
const LoadTimes& ModelHandle::times() const { return parts_->times; }
Engine& ModelHandle::engine() { return *parts_->engine; }

}  // namespace rival::engine
