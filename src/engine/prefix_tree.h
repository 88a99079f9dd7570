// Computed pages by the tokens that lead to them, for prompts that begin alike (as in SGLang's RadixAttention, Zheng
// et al. 2023, but in whole pages, as vLLM's prefix caching). A node is one page: the tokens whose keys and values it
// holds; the path from the root is the text before it. The last page of a finished answer may be partly filled: such
// a leaf is copied, not shared.
//
// Invariants
//   1. A node's page is held once by the tree, and once by every sequence that stands on it or below it.
//   2. Full pages have kPagePositions tokens; a node with fewer has no children.
//   3. In the list of recent use a node comes before its descendants do: the oldest node is a leaf or in use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/page_pool.h"
#include "text/vocabulary.h"

namespace rival::engine {

using text::TokenId;

// Not thread-safe.
class PrefixTree {
 public:
  struct Node;

  explicit PrefixTree(PagePool& pool);
  ~PrefixTree();

  struct Match {
    std::vector<PageId> pages;     // full ones, each retained for the caller
    Node* node = nullptr;          // of the last full page; the root if there is none
    PageId partial_page = 0;       // to copy the first partial_tokens positions from; retained if partial_tokens > 0
    uint32_t partial_tokens = 0;
  };
  // The longest known beginning of `tokens`. The caller releases what was retained.
  Match match(std::span<const TokenId> tokens);

  struct Known {
    uint32_t pages = 0;   // full ones that match() would find
    uint32_t unused = 0;  // of them, held by nobody else: they count as free until they are matched
  };
  Known known(std::span<const TokenId> tokens) const;

  Node* root() { return root_.get(); }

  // Puts a page of the caller's under `parent`, which the caller stands on. If the tree knows these tokens already,
  // *page is released and replaced by the tree's own, retained for the caller. Returns the node; for a partly filled
  // page, on which nobody stands, null.
  Node* insert(Node* parent, std::span<const TokenId> tokens, PageId* page);

  // Frees the page that was not used for longest. False if every page is in use.
  bool evict_one();
  void evict_all_unused();

  size_t size() const { return size_; }
  void check() const;  // the invariants; for tests

 private:
  struct ByTokens {
    using is_transparent = void;
    bool operator()(std::span<const TokenId> a, std::span<const TokenId> b) const {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    }
  };
  using Children = std::map<std::vector<TokenId>, std::unique_ptr<Node>, ByTokens>;

  void touch(Node* node);  // the node and its ancestors
  void remove(Node* node);
  void drop_shorter(Node* parent, std::span<const TokenId> tokens);

  PagePool& pool_;
  std::unique_ptr<Node> root_;
  std::list<Node*> by_use_;  // most recent first
  size_t size_ = 0;
};

struct PrefixTree::Node {
  Node* parent = nullptr;
  PageId page = 0;
  std::vector<TokenId> tokens;
  Children children;  // by their tokens, so that the nearest neighbours have the longest common beginnings
  std::list<Node*>::iterator use;
};

}  // namespace rival::engine
