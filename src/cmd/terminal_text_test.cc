#include "cmd/terminal_text.h"

#include <gtest/gtest.h>

namespace rival::cmd {
namespace {

TEST(Printable, KeepsTextLinesAndTabs) {
  const std::string text = "plain\ttext\nümläut 日本 👩‍👩‍👧 e\xCC\x81 \xC2\xA0.";
  EXPECT_EQ(printable(text), text);
}

TEST(Printable, ControlsBecomePictures) {
  EXPECT_EQ(printable("\x1B[31m"), "␛[31m");
  EXPECT_EQ(printable("\x1B]52;c;aGk=\x07"), "␛]52;c;aGk=␇");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a␀b");
  EXPECT_EQ(printable("a\bb\x7F"), "a␈b␡");
}

TEST(Printable, CarriageReturns) {
  EXPECT_EQ(printable("one\r\ntwo"), "one\ntwo");
  EXPECT_EQ(printable("good\rbad"), "good␍bad");
  EXPECT_EQ(printable("end\r"), "end␍");
}

// The eight-bit forms of escape sequences, and what turns the direction of the text.
TEST(Printable, C1AndDirectionOverrides) {
  EXPECT_EQ(printable("\xC2\x9B" "31m"), "\uFFFD31m");
  EXPECT_EQ(printable("a\u202Eb\u2066c\u2028"), "a\uFFFDb\uFFFDc\uFFFD");
}

TEST(Printable, BytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\x9B" "31m"), "\uFFFD31m");
  EXPECT_EQ(printable("\xC0\x9B"), "\uFFFD\uFFFD");
  EXPECT_EQ(printable("\xE0\x80\x9B"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(printable("\xF5x"), "\uFFFDx");
  EXPECT_EQ(printable("\xE2\x82"), "\uFFFD");
}

// Wherever the pieces break off, no byte below 32 but tab and line feed, and the same text.
TEST(Printable, PiecesGiveTheSameAsTheWhole) {
  const std::string text = "a\x1B[2J\r\n€\xC2\x9B\xE2\x82 👩 \x07\x9F.\r";
  for (size_t first = 0; first <= text.size(); ++first)
    for (size_t second = first; second <= text.size(); ++second) {
      PrintableStream stream;
      std::string result = stream.push(text.substr(0, first));
      result += stream.push(text.substr(first, second - first));
      result += stream.push(text.substr(second));
      result += stream.finish();
      EXPECT_EQ(result, printable(text)) << first << ' ' << second;
    }
}

}  // namespace
}  // namespace rival::cmd
