// Who holds which KV page. A page is free, or held by one or more sequences, by the prefix tree, or by both.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/decoder.h"

namespace rival::engine {

using model::PageId;

// Not thread-safe.
class PagePool {
 public:
  explicit PagePool(uint32_t page_count);

  uint32_t page_count() const { return static_cast<uint32_t>(pages_.size()); }
  uint32_t free_count() const { return static_cast<uint32_t>(free_.size()); }
  // Pages that only the prefix tree holds: free as soon as they are wanted.
  uint32_t cached_count() const { return cached_; }
  uint32_t holders(PageId page) const { return pages_[page].holders; }

  // A free page, held once. Lower numbers first, so that memory which was never touched stays so.
  std::optional<PageId> allocate();
  void retain(PageId page);
  void release(PageId page);  // free when nobody holds it any more

  // The prefix tree's own hold: one of the holders.
  void retain_for_tree(PageId page);
  void release_from_tree(PageId page);

 private:
  struct Page {
    uint32_t holders = 0;
    bool in_tree = false;
  };
  bool only_in_tree(PageId page) const { return pages_[page].in_tree && pages_[page].holders == 1; }

  std::vector<Page> pages_;
  std::vector<PageId> free_;  // a heap, smallest on top
  uint32_t cached_ = 0;
};

}  // namespace rival::engine
