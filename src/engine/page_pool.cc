#include "engine/page_pool.h"

#include <algorithm>
#include <functional>

#include "base/check.h"

namespace rival::engine {

PagePool::PagePool(uint32_t page_count) : pages_(page_count), free_(page_count) {
  for (uint32_t i = 0; i < page_count; ++i) free_[i] = i;  // sorted is a heap
}

std::optional<PageId> PagePool::allocate() {
  if (free_.empty()) return std::nullopt;
  std::pop_heap(free_.begin(), free_.end(), std::greater<>());
  const PageId page = free_.back();
  free_.pop_back();
  pages_[page] = {.holders = 1, .in_tree = false};
  return page;
}

void PagePool::retain(PageId page) {
  RIVAL_CHECK(pages_[page].holders > 0, "page {} is free", page);
  if (only_in_tree(page)) --cached_;
  ++pages_[page].holders;
}

void PagePool::release(PageId page) {
  RIVAL_CHECK(pages_[page].holders > 0, "page {} is free", page);
  --pages_[page].holders;
  if (only_in_tree(page)) ++cached_;
  if (pages_[page].holders > 0) return;
  RIVAL_CHECK(!pages_[page].in_tree, "page {} left the tree without its knowledge", page);
  free_.push_back(page);
  std::push_heap(free_.begin(), free_.end(), std::greater<>());
}

void PagePool::retain_for_tree(PageId page) {
  RIVAL_CHECK(!pages_[page].in_tree, "page {} is in the tree already", page);
  retain(page);
  pages_[page].in_tree = true;
}

void PagePool::release_from_tree(PageId page) {
  RIVAL_CHECK(pages_[page].in_tree, "page {} is not in the tree", page);
  if (only_in_tree(page)) --cached_;
  pages_[page].in_tree = false;
  release(page);
}

}  // namespace rival::engine
