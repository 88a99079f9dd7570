#include "engine/model_handle.h"

#include <gtest/gtest.h>

#include "engine/engine_test_util.h"
#include "engine/memory.h"
#include "engine/output_queue.h"
#include "model/tiny_gguf.h"

namespace rival::engine {
namespace {

std::filesystem::path tiny() { return model::tiny_llama().write("engine_tiny.gguf"); }

Answer wait_for(OutputQueue& queue) {
  Answer answer;
  while (!answer.finish) {
    Output output = queue.pop();
    for (const SampledToken& token : output.tokens) answer.ids.push_back(token.id);
    if (output.finish) answer.finish = output.finish;
  }
  return answer;
}

Request small_request(uint64_t seed, size_t prompt) {
  Request request = greedy_request(prompt_of(seed, prompt, 40), 20);
  request.sampler.temperature = 1.0f;
  request.sampler.seed = seed;
  return request;
}

// The real decoder under the engine: together, cut into chunks, forked and with reused pages, as alone.
TEST(ModelHandle, AnswersTogetherAsAlone) {
  for (const model::KvType kv : {model::KvType::kF16, model::KvType::kQ8}) {
    auto handle = ModelHandle::load(tiny(), {.threads = 2, .kv_type = kv});
    ASSERT_TRUE(handle.ok()) << handle.error().message;
    std::vector<std::shared_ptr<OutputQueue>> queues;
    for (uint64_t i = 0; i < 6; ++i) {
      queues.push_back(std::make_shared<OutputQueue>());
      Request request = small_request(i / 2, 40);
      request.on_output = OutputQueue::sink(queues.back());
      ASSERT_TRUE((*handle)->engine().submit(std::move(request)).ok());
    }
    for (uint64_t i = 0; i < 6; ++i) {
      const Answer together = wait_for(*queues[i]);
      auto fresh = ModelHandle::load(tiny(), {.threads = 1, .kv_type = kv, .draft_max = 0});
      auto queue = std::make_shared<OutputQueue>();
      Request request = small_request(i / 2, 40);
      request.on_output = OutputQueue::sink(queue);
      ASSERT_TRUE((*fresh)->engine().submit(std::move(request)).ok());
      const Answer alone = wait_for(*queue);
      EXPECT_EQ(together.ids, alone.ids);
      EXPECT_EQ(alone.ids.size(), 20u);
    }
  }
}

TEST(ModelHandle, TellsItsMemoryAndRefusesTooLittle) {
  auto handle = ModelHandle::load(tiny(), {.threads = 1, .context = 40, .sequences_max = 3});
  ASSERT_TRUE(handle.ok());
  const uint64_t page = model::KvStore::bytes_per_page((*handle)->config(), model::KvType::kF16);
  EXPECT_EQ((*handle)->kv_bytes(), 3 * 2 * page);
  EXPECT_EQ((*handle)->engine().context_limit(), 40u);
  EXPECT_EQ((*handle)->tokenizer(), nullptr);
  handle = ModelHandle::load(tiny(), {.threads = 1, .kv_bytes = page});
  EXPECT_EQ((*handle)->engine().context_limit(), 32u);
  EXPECT_EQ(ModelHandle::load(tiny(), {.kv_bytes = page - 1}).error().code, ErrorCode::kLimit);
  EXPECT_EQ(ModelHandle::load(tiny(), {.context = 65}).error().code, ErrorCode::kLimit);
  EXPECT_FALSE(ModelHandle::load("/nonexistent.gguf", {}).ok());
}

TEST(Memory, IsTold) {
  EXPECT_GT(available_memory(), 1u << 20);
  EXPECT_GT(peak_memory(), 1u << 20);
  forget_peak_memory();
  EXPECT_GT(peak_memory(), 0u);
}

}  // namespace
}  // namespace rival::engine
