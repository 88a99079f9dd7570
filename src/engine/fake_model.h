// For tests: a model whose logits depend on every token of a sequence through what lies in its pages, so that a wrong,
// stale or torn page changes the text. Fast, exact, and able to fail on demand.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "engine/forward_model.h"

namespace rival::engine {

class FakeModel : public ForwardModel {
 public:
  explicit FakeModel(uint32_t pages, uint32_t context = 1000, uint32_t vocabulary = 64)
      : store_(pages), context_(context), vocabulary_(vocabulary) {}

  uint32_t vocabulary_size() const override { return vocabulary_; }
  uint32_t context_length() const override { return context_; }
  uint32_t page_count() const override { return static_cast<uint32_t>(store_.size()); }
  uint64_t bytes_per_page() const override { return 128; }

  Status forward(std::span<const model::SequenceSlice> slices, std::vector<float>& logits) override {
    ++steps;
    if (fail_at == steps) return make_error(ErrorCode::kInternal, "the fake failed as told");
    logits.clear();
    for (const model::SequenceSlice& slice : slices) {
      ++slice_count;
      token_count += static_cast<uint32_t>(slice.tokens.size());
      for (uint32_t i = 0; i < slice.tokens.size(); ++i) {
        slot(slice, slice.position + i) = slice.tokens[i];
        if (i + slice.logits_count >= slice.tokens.size()) add_row(slice, slice.position + i, logits);
      }
    }
    clock_ = clock_.load() + std::chrono::microseconds(step_us + token_us * rows_of(slices));
    if (on_forward) on_forward();
    return {};
  }

  Status embed(std::span<const model::SequenceSlice> slices, std::vector<float>& embeddings) override {
    embeddings.clear();
    for (const model::SequenceSlice& slice : slices) {
      embeddings.push_back(static_cast<float>(slice.tokens.size()));
      embeddings.push_back(static_cast<float>(slice.tokens[0]));
    }
    return {};
  }

  void copy_page(model::PageId from, model::PageId to) override { store_.at(to) = store_.at(from); }

  void for_each(size_t count, const std::function<void(size_t)>& work) override {
    if (!threads) {
      for (size_t i = 0; i < count; ++i) work(i);
      return;
    }
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < count; ++i) workers.emplace_back([&, i] { work(i); });
  }

  // A step takes step_us and token_us for each token, by this clock.
  std::function<std::chrono::steady_clock::time_point()> clock() {
    return [this] { return std::chrono::steady_clock::time_point(clock_.load()); };
  }

  uint32_t steps = 0;         // forward passes
  uint32_t fail_at = 0;       // the pass that fails
  uint32_t slice_count = 0;   // computed in all passes
  uint32_t token_count = 0;   // computed in all passes
  int64_t step_us = 10'000, token_us = 100;
  bool threads = false;       // for_each on threads
  std::function<void()> on_forward;

 private:
  text::TokenId& slot(const model::SequenceSlice& slice, uint32_t position) {
    return store_.at(slice.pages[position / model::kPagePositions])[position % model::kPagePositions];
  }

  static int64_t rows_of(std::span<const model::SequenceSlice> slices) {
    int64_t rows = 0;
    for (const model::SequenceSlice& slice : slices) rows += static_cast<int64_t>(slice.tokens.size());
    return rows;
  }

  static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t x = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2))) * 0xff51afd7ed558ccdu;
    return x ^ (x >> 32);
  }

  // Mostly decided by the last token, a little by all of them: greedy text runs in circles, so drafts come true.
  void add_row(const model::SequenceSlice& slice, uint32_t position, std::vector<float>& logits) {
    uint64_t all = 1;
    for (uint32_t i = 0; i <= position; ++i) all = mix(all, static_cast<uint64_t>(slot(slice, i)));
    const uint64_t last = mix(7, static_cast<uint64_t>(slot(slice, position)));
    for (uint32_t id = 0; id < vocabulary_; ++id) {
      const auto unit = [](uint64_t hash) { return static_cast<float>(hash & 0xffff) / 65536.0f; };
      logits.push_back(4.0f * unit(mix(last, id)) + 0.05f * unit(mix(all, id)));
    }
  }

  std::vector<std::array<text::TokenId, model::kPagePositions>> store_;
  std::atomic<std::chrono::steady_clock::duration> clock_{std::chrono::seconds(1)};
  uint32_t context_;
  uint32_t vocabulary_;
};

}  // namespace rival::engine
