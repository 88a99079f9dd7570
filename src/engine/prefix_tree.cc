#include "engine/prefix_tree.h"

#include <algorithm>

#include "base/check.h"

namespace rival::engine {
namespace {

using model::kPagePositions;

uint32_t common_size(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<uint32_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

PrefixTree::PrefixTree(PagePool& pool) : pool_(pool), root_(std::make_unique<Node>()) {}

PrefixTree::~PrefixTree() {
  for (Node* node : by_use_) pool_.release_from_tree(node->page);
}

PrefixTree::Match PrefixTree::match(std::span<const TokenId> tokens) {
  Match match;
  match.node = root_.get();
  while (tokens.size() >= kPagePositions) {
    const auto child = match.node->children.find(tokens.first(kPagePositions));
    if (child == match.node->children.end()) break;
    match.node = child->second.get();
    match.pages.push_back(match.node->page);
    pool_.retain(match.node->page);
    tokens = tokens.subspan(kPagePositions);
  }
  touch(match.node);
  // In the order of tokens, the child with the longest common beginning is next to where `tokens` would stand.
  const Children& children = match.node->children;
  auto near = children.lower_bound(tokens.first(std::min<size_t>(tokens.size(), kPagePositions)));
  Node* best = nullptr;
  for (int i = 0; i < 2; ++i) {
    if (near != children.end()) {
      const uint32_t common = common_size(near->first, tokens);
      if (common > match.partial_tokens) match.partial_tokens = common, best = near->second.get();
    }
    if (near == children.begin()) break;
    --near;
  }
  if (best) {
    match.partial_page = best->page;
    pool_.retain(best->page);
    touch(best);
  }
  return match;
}

PrefixTree::Known PrefixTree::known(std::span<const TokenId> tokens) const {
  const Node* node = root_.get();
  Known known;
  while (tokens.size() >= kPagePositions) {
    const auto child = node->children.find(tokens.first(kPagePositions));
    if (child == node->children.end()) break;
    node = child->second.get();
    ++known.pages;
    if (pool_.holders(node->page) == 1) ++known.unused;
    tokens = tokens.subspan(kPagePositions);
  }
  return known;
}

PrefixTree::Node* PrefixTree::insert(Node* parent, std::span<const TokenId> tokens, PageId* page) {
  const bool full = tokens.size() == kPagePositions;
  const auto next = parent->children.lower_bound(tokens);
  const bool known = next != parent->children.end() && common_size(next->first, tokens) == tokens.size();
  if (known && (full || next->first.size() >= tokens.size())) {
    Node* node = next->second.get();
    touch(node);
    if (!full) return nullptr;
    if (node->page != *page) {
      pool_.retain(node->page);
      pool_.release(*page);
      *page = node->page;
    }
    return node;
  }
  drop_shorter(parent, tokens);
  auto node = std::make_unique<Node>();
  Node* raw = node.get();
  raw->parent = parent;
  raw->page = *page;
  raw->tokens.assign(tokens.begin(), tokens.end());
  raw->use = by_use_.insert(by_use_.begin(), raw);
  pool_.retain_for_tree(*page);
  parent->children.emplace(raw->tokens, std::move(node));
  ++size_;
  touch(raw);
  return full ? raw : nullptr;
}

// A partly filled leaf whose tokens begin `tokens` says nothing new. It stands right before them in order.
void PrefixTree::drop_shorter(Node* parent, std::span<const TokenId> tokens) {
  auto near = parent->children.lower_bound(tokens);
  if (near == parent->children.begin()) return;
  --near;
  if (near->first.size() < tokens.size() && common_size(near->first, tokens) == near->first.size())
    remove(near->second.get());
}

void PrefixTree::touch(Node* node) {
  for (; node != root_.get(); node = node->parent) by_use_.splice(by_use_.begin(), by_use_, node->use);
}

void PrefixTree::remove(Node* node) {
  RIVAL_CHECK(node->children.empty());
  pool_.release_from_tree(node->page);
  by_use_.erase(node->use);
  --size_;
  Node* parent = node->parent;
  parent->children.erase(parent->children.find(node->tokens));
}

bool PrefixTree::evict_one() {
  if (pool_.cached_count() == 0) return false;
  for (auto it = by_use_.rbegin(); it != by_use_.rend(); ++it) {
    if ((*it)->children.empty() && pool_.holders((*it)->page) == 1) {
      remove(*it);
      return true;
    }
  }
  return false;
}

void PrefixTree::evict_all_unused() {
  while (evict_one()) {
  }
}

void PrefixTree::check() const {
  size_t count = 0;
  for (const Node* node : by_use_) {
    ++count;
    RIVAL_CHECK(pool_.holders(node->page) >= 1);
    RIVAL_CHECK(node->children.empty() || node->tokens.size() == kPagePositions);
    RIVAL_CHECK(!node->tokens.empty() && node->tokens.size() <= kPagePositions);
    for (const auto& [tokens, child] : node->children) RIVAL_CHECK(child->parent == node && child->tokens == tokens);
    if (node->parent != root_.get())
      RIVAL_CHECK(pool_.holders(node->parent->page) >= pool_.holders(node->page) || node->tokens.size() < kPagePositions);
  }
  RIVAL_CHECK(count == size_);
}

}  // namespace rival::engine
