#include "cmd/chat_input.h"

#include <gtest/gtest.h>

#include <vector>

namespace rival::cmd {
namespace {

// The messages of lines, and what is still open as the last one after "...".
std::vector<std::string> messages(const std::vector<std::string>& lines) {
  InputParser parser;
  std::vector<std::string> result;
  for (const std::string& line : lines)
    if (parser.add(line)) result.push_back(parser.take());
  if (parser.begun()) result.push_back("..." + parser.take());
  return result;
}

using Lines = std::vector<std::string>;

TEST(InputParser, OneLineIsAMessage) {
  EXPECT_EQ(messages({"hello", "", "/help"}), (Lines{"hello", "", "/help"}));
}

TEST(InputParser, ABackslashGoesOn) {
  EXPECT_EQ(messages({"one\\", "two\\", "three"}), (Lines{"one\ntwo\nthree"}));
  EXPECT_EQ(messages({"\\", "x"}), (Lines{"\nx"}));
  EXPECT_EQ(messages({"open\\"}), (Lines{"...open"}));
}

TEST(InputParser, QuotesHoldLinesAsTheyAre) {
  EXPECT_EQ(messages({"\"\"\"one\\", "", "/two", "\"\"\""}), (Lines{"one\\\n\n/two"}));
  EXPECT_EQ(messages({"\"\"\"", "one", "two\"\"\"", "next"}), (Lines{"one\ntwo", "next"}));
  EXPECT_EQ(messages({"\"\"\"one line\"\"\""}), (Lines{"one line"}));
  EXPECT_EQ(messages({"\"\"\"open"}), (Lines{"...open"}));
}

TEST(InputParser, OnlyASingleLineMayBeACommand) {
  InputParser parser;
  parser.add("/help");
  EXPECT_TRUE(parser.is_single_line());
  parser.take();
  parser.add("/help\\");
  parser.add("x");
  EXPECT_FALSE(parser.is_single_line());
  parser.take();
  parser.add("\"\"\"/help\"\"\"");
  EXPECT_FALSE(parser.is_single_line());
}

}  // namespace
}  // namespace rival::cmd
