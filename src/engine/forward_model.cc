#include "engine/forward_model.h"

#include "base/thread_team.h"

namespace rival::engine {
namespace {

class DecoderModel : public ForwardModel {
 public:
  DecoderModel(model::Decoder& decoder, model::KvStore& kv, ThreadTeam& team) : decoder_(decoder), kv_(kv), team_(team) {}

  uint32_t vocabulary_size() const override { return decoder_.config().vocabulary_size; }
  uint32_t context_length() const override { return decoder_.config().context_length; }
  uint32_t page_count() const override { return kv_.page_count(); }
  uint64_t bytes_per_page() const override { return model::KvStore::bytes_per_page(decoder_.config(), kv_.type()); }

  Status forward(std::span<const model::SequenceSlice> slices, std::vector<float>& logits) override {
    return decoder_.forward(slices, kv_, logits);
  }
  Status embed(std::span<const model::SequenceSlice> slices, std::vector<float>& embeddings) override {
    return decoder_.embed(slices, embeddings);
  }
  void copy_page(model::PageId from, model::PageId to) override { kv_.copy_page(from, to); }

  void for_each(size_t count, const std::function<void(size_t)>& work) override {
    if (count == 1) return work(0);  // not worth waking anyone
    const auto n = static_cast<uint32_t>(count);
    team_.run([&](uint32_t) {
      for (uint32_t i = team_.next(n); i < n; i = team_.next(n)) work(i);
    });
  }

 private:
  model::Decoder& decoder_;
  model::KvStore& kv_;
  ThreadTeam& team_;
};

}  // namespace

std::unique_ptr<ForwardModel> make_forward_model(model::Decoder& decoder, model::KvStore& kv, ThreadTeam& team) {
  return std::make_unique<DecoderModel>(decoder, kv, team);
}

}  // namespace rival::engine
