#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "engine/prefix_tree.h"

namespace rival::engine {
namespace {

constexpr uint32_t kPage = model::kPagePositions;

std::vector<TokenId> run_of(TokenId first, size_t n) {
  std::vector<TokenId> tokens(n);
  for (size_t i = 0; i < n; ++i) tokens[i] = first + static_cast<TokenId>(i);
  return tokens;
}

// A sequence that computes `tokens` from what the tree knows, as the scheduler does; returns the pages it stands on.
std::vector<PageId> compute(PrefixTree& tree, PagePool& pool, const std::vector<TokenId>& tokens) {
  auto match = tree.match(tokens);
  if (match.partial_tokens > 0) pool.release(match.partial_page);
  std::vector<PageId> pages = match.pages;
  PrefixTree::Node* node = match.node;
  for (size_t at = pages.size() * kPage; at < tokens.size(); at += kPage) {
    auto page = pool.allocate();
    if (!page) {
      EXPECT_TRUE(tree.evict_one());
      page = pool.allocate();
    }
    const auto part = std::span(tokens).subspan(at, std::min<size_t>(kPage, tokens.size() - at));
    PrefixTree::Node* next = tree.insert(node, part, &*page);
    if (next) node = next;
    pages.push_back(*page);
  }
  return pages;
}

void release(PagePool& pool, const std::vector<PageId>& pages) {
  for (const PageId page : pages) pool.release(page);
}

TEST(PagePool, CountsHolders) {
  PagePool pool(2);
  const PageId a = *pool.allocate();
  EXPECT_EQ(a, 0u);
  EXPECT_EQ(*pool.allocate(), 1u);
  EXPECT_FALSE(pool.allocate().has_value());
  pool.retain_for_tree(a);
  EXPECT_EQ(pool.cached_count(), 0u);
  pool.release(a);
  EXPECT_EQ(pool.cached_count(), 1u);
  pool.retain(a);
  EXPECT_EQ(pool.cached_count(), 0u);
  pool.release(a);
  pool.release_from_tree(a);
  EXPECT_EQ(pool.cached_count(), 0u);
  EXPECT_EQ(pool.free_count(), 1u);
}

TEST(PrefixTree, SharesFullPagesAndOffersPartOfOne) {
  PagePool pool(10);
  PrefixTree tree(pool);
  const auto tokens = run_of(1, 2 * kPage + 5);
  const auto pages = compute(tree, pool, tokens);
  auto match = tree.match(run_of(1, 3 * kPage));
  EXPECT_EQ(match.pages, std::vector<PageId>(pages.begin(), pages.begin() + 2));
  EXPECT_EQ(match.partial_tokens, 5u);
  EXPECT_EQ(match.partial_page, pages[2]);
  release(pool, match.pages);
  pool.release(match.partial_page);
  // A text that leaves the path inside the second page.
  auto other = run_of(1, 2 * kPage);
  other[kPage + 7] = 1000;
  match = tree.match(other);
  EXPECT_EQ(match.pages.size(), 1u);
  EXPECT_EQ(match.partial_tokens, 7u);
  release(pool, match.pages);
  pool.release(match.partial_page);
  EXPECT_EQ(tree.known(tokens).pages, 2u);
  EXPECT_EQ(tree.known(tokens).unused, 0u);
  release(pool, pages);
  EXPECT_EQ(tree.known(tokens).unused, 2u);
  EXPECT_EQ(pool.cached_count(), 3u);
}

TEST(PrefixTree, SamePageTwiceIsKeptOnce) {
  PagePool pool(4);
  PrefixTree tree(pool);
  const auto tokens = run_of(1, kPage);
  PageId a = *pool.allocate(), b = *pool.allocate();
  const PageId first = a;
  auto* node = tree.insert(tree.root(), tokens, &a);
  EXPECT_EQ(tree.insert(tree.root(), tokens, &b), node);
  EXPECT_EQ(b, first);
  EXPECT_EQ(pool.holders(first), 3u);
  EXPECT_EQ(pool.free_count(), 3u);
  release(pool, {a, b});
}

TEST(PrefixTree, LongerPageReplacesItsBeginning) {
  PagePool pool(4);
  PrefixTree tree(pool);
  const auto tokens = run_of(1, kPage);
  for (const size_t n : {5u, 9u, 7u, kPage}) {
    PageId page = *pool.allocate();
    tree.insert(tree.root(), std::span(tokens).first(n), &page);
    pool.release(page);
    EXPECT_EQ(tree.size(), 1u);
    EXPECT_EQ(pool.free_count(), 3u);
  }
  EXPECT_EQ(tree.known(tokens).pages, 1u);
}

TEST(PrefixTree, EvictsTheOldestLeafFirstAndNeverAPageInUse) {
  PagePool pool(6);
  PrefixTree tree(pool);
  const auto a = compute(tree, pool, run_of(1, 2 * kPage));
  const auto b = compute(tree, pool, run_of(5000, 2 * kPage));
  release(pool, a);
  EXPECT_TRUE(tree.evict_one());  // a's second page, then its first
  EXPECT_EQ(tree.known(run_of(1, 2 * kPage)).pages, 1u);
  EXPECT_TRUE(tree.evict_one());
  EXPECT_FALSE(tree.evict_one());
  release(pool, b);
  tree.evict_all_unused();
  EXPECT_EQ(pool.free_count(), 6u);
  EXPECT_EQ(tree.size(), 0u);
}

// Texts that share beginnings come and go; pages are never lost nor shared wrongly.
TEST(PrefixTree, RandomTextsKeepTheBooks) {
  Random random(11);
  PagePool pool(40);
  PrefixTree tree(pool);
  std::vector<std::vector<PageId>> standing;
  for (int round = 0; round < 3000; ++round) {
    if (standing.size() < 5 && random.next_below(2) == 0) {
      std::vector<TokenId> tokens(1 + random.next_below(4 * kPage));
      for (size_t i = 0; i < tokens.size(); ++i)
        tokens[i] = static_cast<TokenId>(i / 20 % 2 ? random.next_below(40) / 39 : i % 3);
      standing.push_back(compute(tree, pool, tokens));
    } else if (!standing.empty()) {
      const size_t i = random.next_below(static_cast<uint32_t>(standing.size()));
      release(pool, standing[i]);
      standing.erase(standing.begin() + static_cast<ptrdiff_t>(i));
    }
    tree.check();
    std::set<PageId> used;
    for (const auto& pages : standing) used.insert(pages.begin(), pages.end());
    EXPECT_EQ(pool.page_count() - pool.free_count() - pool.cached_count(), used.size());
  }
  for (const auto& pages : standing) release(pool, pages);
  tree.evict_all_unused();
  EXPECT_EQ(pool.free_count(), 40u);
}

}  // namespace
}  // namespace rival::engine
