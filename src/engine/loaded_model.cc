#include "engine/loaded_model.h"

#include <chrono>
#include <utility>

#include "base/thread_team.h"
#include "model/source.h"
#include "text/control_mark.h"
#include "text/tokenizer.h"

namespace rival::engine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

struct Counter {
  MatrixCounts counts;
  uint64_t quantised = 0;

  uint64_t size(const MatrixView& m) const { return m.rows * m.cols; }
  void add(const MatrixView& m, uint64_t times = 1) {
    counts.per_token += size(m) * times;
    if (dtype_info(m.type).block_elements > 1) quantised += size(m) * times;
  }
  void add_experts(const std::vector<MatrixView>& experts, uint32_t used) {
    if (!experts.empty()) add(experts.front(), used);
  }
};

MatrixCounts count_matrices(const model::ModelSource& source) {
  Counter counter;
  for (const model::LayerSource& layer : source.layers) {
    for (const MatrixView* m : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down, &layer.router})
      counter.add(*m);
    for (const auto* experts : {&layer.expert_gate, &layer.expert_up, &layer.expert_down})
      counter.add_experts(*experts, source.config.experts.n_used);
  }
  counter.counts.quantised = 2 * counter.quantised > counter.counts.per_token;
  counter.counts.head = counter.size(source.output.rows > 0 ? source.output : source.token_embedding);
  return counter.counts;
}

class TokenizerStream : public TextStream {
 public:
  TokenizerStream(const text::Tokenizer& tokenizer, bool special)
      : tokenizer_(tokenizer), special_(special), decoder_(tokenizer, {.skip_special = true, .inside = true}) {}
  std::string add(text::TokenId token) override {
    if (!special_ || !tokenizer_.is_control(token)) return decoder_.push(token);
    return decoder_.flush() + text::control_mark(tokenizer_.token_bytes(token));
  }
  std::string finish() override { return decoder_.flush(); }

 private:
  const text::Tokenizer& tokenizer_;
  const bool special_;
  text::StreamDecoder decoder_;
};

}  // namespace

struct LoadedModel::Parts {
  explicit Parts(uint32_t threads) : team(threads) {}
  ThreadTeam team;
  model::ModelSource source;  // without its weights; keeps the file that the vocabulary points into
  std::unique_ptr<model::Decoder> decoder;
  MatrixCounts matrices;
  double open_s = 0, pack_s = 0;
};

LoadedModel::LoadedModel() = default;
LoadedModel::~LoadedModel() = default;

Result<std::unique_ptr<LoadedModel>> LoadedModel::load(const std::filesystem::path& path, uint32_t threads,
                                                       uint32_t context) {
  std::unique_ptr<LoadedModel> loaded(new LoadedModel);
  loaded->parts_ = std::make_unique<Parts>(threads);
  Parts& parts = *loaded->parts_;
  Clock::time_point begin = Clock::now();
  RIVAL_ASSIGN_OR_RETURN(parts.source, model::open_model(path));
  model::choose_context(parts.source, context);
  parts.open_s = seconds_since(begin);
  parts.matrices = count_matrices(parts.source);
  begin = Clock::now();
  RIVAL_ASSIGN_OR_RETURN(parts.decoder, model::Decoder::create(parts.source, parts.team));
  parts.pack_s = seconds_since(begin);
  parts.source.layers.clear();
  return loaded;
}

const model::ModelConfig& LoadedModel::config() const { return parts_->decoder->config(); }
model::Decoder& LoadedModel::decoder() { return *parts_->decoder; }
ThreadTeam& LoadedModel::team() { return parts_->team; }
const std::string& LoadedModel::chat_template() const { return parts_->source.chat_template; }
const std::string& LoadedModel::bos_text() const { return parts_->source.bos_text; }
const std::string& LoadedModel::eos_text() const { return parts_->source.eos_text; }
const std::string& LoadedModel::weights_type() const { return parts_->source.weights_type; }
const model::SamplingDefaults& LoadedModel::sampling_defaults() const { return parts_->source.sampling; }
uint64_t LoadedModel::file_bytes() const { return parts_->source.bytes; }
const MatrixCounts& LoadedModel::matrices() const { return parts_->matrices; }
double LoadedModel::open_s() const { return parts_->open_s; }
double LoadedModel::pack_s() const { return parts_->pack_s; }

const text::Tokenizer* LoadedModel::tokenizer() const {
  return parts_->source.tokenizer ? &*parts_->source.tokenizer : nullptr;
}

TextStreamFactory LoadedModel::text_streams() const {
  const text::Tokenizer* tokenizer = this->tokenizer();
  if (!tokenizer) return {};
  return [tokenizer](bool special) { return std::make_unique<TokenizerStream>(*tokenizer, special); };
}

}  // namespace rival::engine
