#include "engine/stop_text.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace rival::engine {
namespace {

TEST(StopText, HoldsBackWhatMayBecomeAStop) {
  StopText text({"END", "\n\n"});
  text.add("abcE");
  EXPECT_EQ(text.take(), "abc");
  text.add("N");
  EXPECT_EQ(text.take(), "");
  text.add("x\n");
  EXPECT_EQ(text.take(), "ENx");
  text.add("\nmore");
  EXPECT_EQ(*text.met(), "\n\n");
  EXPECT_EQ(text.take_all(), "");
  text.add("ignored");
  EXPECT_EQ(text.take_all(), "");
}

TEST(StopText, AllIsTakenAtTheEnd) {
  StopText text({"END", ""});
  text.add("abcEN");
  EXPECT_EQ(text.take(), "abc");
  EXPECT_EQ(text.take_all(), "EN");
  EXPECT_EQ(text.taken(), 5u);
}

TEST(StopText, EarliestEndThenEarliestBegin) {
  StopText text({"bcd", "c", "abc"});
  text.add("xabcd");
  EXPECT_EQ(*text.met(), "abc");
  EXPECT_EQ(text.take_all(), "x");
}

// However the text is cut into pieces, the same is shown and the same stop is met.
TEST(StopText, PiecesDoNotMatter) {
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    std::string whole;
    for (int i = 0; i < 20; ++i) whole += static_cast<char>('a' + random.next_below(3));
    const std::vector<std::string> stops = {"abca", "bb", "cacb"};
    StopText letters(stops), pieces(stops);
    std::string shown, shown_pieces;
    for (const char c : whole) letters.add(std::string(1, c)), shown += letters.take();
    for (size_t i = 0; i < whole.size();) {
      const size_t n = 1 + random.next_below(5);
      pieces.add(whole.substr(i, n));
      shown_pieces += pieces.take();
      i += n;
    }
    EXPECT_EQ(shown + letters.take_all(), shown_pieces + pieces.take_all()) << whole;
    EXPECT_EQ(letters.met(), pieces.met()) << whole;
  }
}

}  // namespace
}  // namespace rival::engine
