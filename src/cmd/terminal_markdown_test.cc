#include "cmd/terminal_markdown.h"

#include <gtest/gtest.h>

#include "cmd/terminal_table.h"

namespace rival::cmd {
namespace {

// Escape sequences as short signs: {1} for bold, {} for none, ...
std::string readable(std::string text) {
  for (size_t at = text.find("\033["); at != std::string::npos; at = text.find("\033[")) {
    const size_t end = text.find('m', at);
    std::string codes = text.substr(at + 2, end - at - 2);
    codes.erase(0, codes.starts_with("0;") ? 2 : 1);
    text.replace(at, end + 1 - at, "{" + codes + "}");
  }
  return text;
}

std::string in_pieces(std::string_view text, size_t piece, int columns = 40) {
  use_utf8_locale();
  MarkdownStream stream(columns);
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t size = std::min(piece, text.size() - at);
    while (at + size < text.size() && (static_cast<uint8_t>(text[at + size]) & 0xC0) == 0x80) ++size;
    result += stream.push(text.substr(at, size));
    at += size;
  }
  return readable(result + stream.finish());
}

struct Row {
  const char* markdown;
  const char* shown;
};

constexpr Row kRows[] = {
    {"plain", "plain\n"},
    {"two\nlines\n\nand more\n", "two\nlines\n\nand more\n"},
    {"a **bold** b", "a {1}bold {}b\n"},
    {"**bold:** and *italic*.", "{1}bold: {}and {3}italic{}.\n"},
    {"***both*** __b__ _i_", "{1;3}both {1}b {3}i{}\n"},
    {"2*3*4 = 24 and 5 * 6, snake_case_name, 2**3", "2*3*4 = 24 and 5 * 6, snake_case_name,\n2**3\n"},
    {"never **closed\nnext", "never {1}closed{}\nnext\n"},
    {"run `ls -l **x**` now", "run {36}ls -l **x** {}now\n"},
    {"``a`b``", "{36}a`b{}\n"},
    {"\\*not italic\\*", "*not italic*\n"},
    {"~~gone~~ ~ok~", "{9}gone {}~ok~\n"},
    {"# Title\ntext", "{1;4}Title{}\ntext\n"},
    {"### Third", "{1}Third{}\n"},
    {"#hashtag", "#hashtag\n"},
    {"- one\n- two\n  - deep", "• one\n• two\n  ◦ deep\n"},
    {"* one\n+ two", "• one\n• two\n"},
    {"1. one\n10) ten", "1. one\n10) ten\n"},
    {"1.5 is a number\n-5 too", "1.5 is a number\n-5 too\n"},
    {"> said", "{2}│ {3}said{}\n"},
    {"```python\na = **b**\n\n  c\n```\nafter", "{2}```python{}\n{36}a = **b**{}\n{36}{}\n{36}  c{}\n{2}```{}\nafter\n"},
    {"````\n```\n````", "{2}````{}\n{36}```{}\n{2}````{}\n"},
    {"```\nopen", "{2}```{}\n{36}open{}\n"},
    {"see [this](http://x) <b>", "see [this](http://x) <b>\n"},
    {"日本**語**です", "日本{1}語{}です\n"},
};

TEST(Markdown, IsShownReadably) {
  for (const Row& row : kRows) EXPECT_EQ(in_pieces(row.markdown, 1000), row.shown) << row.markdown;
}

TEST(Markdown, PiecesDoNotChangeWhatIsShown) {
  for (const Row& row : kRows) {
    const std::string whole = in_pieces(row.markdown, 1000);
    for (size_t piece = 1; piece < 6; ++piece) {
      std::string pieces = in_pieces(row.markdown, piece);
      EXPECT_EQ(pieces, whole) << row.markdown << " in pieces of " << piece;
    }
  }
}

// A reader sees a word as soon as the next one begins.
TEST(Markdown, WordsAreShownAsTheyCome) {
  MarkdownStream stream(40);
  EXPECT_EQ(stream.push("The"), "");
  EXPECT_EQ(stream.push(" sky"), "The");
  EXPECT_EQ(stream.push(" is"), " sky");
  EXPECT_EQ(stream.finish(), " is\n");
}

TEST(Markdown, LinesWrapAtWords) {
  EXPECT_EQ(in_pieces("one two three four", 3, 10), "one two\nthree four\n");
  EXPECT_EQ(in_pieces("- one two three", 3, 10), "• one two\n  three\n");
  EXPECT_EQ(in_pieces("日本語 日本語", 3, 10), "日本語\n日本語\n");
  EXPECT_EQ(in_pieces("abcdefghijklmnop x", 3, 10), "abcdefghijklmnop\nx\n");
}

TEST(Markdown, Rule) { EXPECT_EQ(in_pieces("a\n\n---\nb", 1, 5), "a\n\n{2}─────{}\nb\n"); }

TEST(Markdown, TablesAreAligned) {
  const char* table = "| Name | Count |\n|---|---:|\n| **apple** | 3 |\n| 日本 | 12 |\nend";
  EXPECT_EQ(in_pieces(table, 1), "{1}Name  │ Count{}\n──────┼──────\napple │     3\n日本  │    12\nend\n");
  EXPECT_EQ(in_pieces("| no table\n| at all", 2), "| no table\n| at all\n");
  EXPECT_EQ(in_pieces(table, 1, 5), "| Name | Count |\n|---|---:|\n| **apple** | 3 |\n| 日本 | 12 |\nend\n");
}

TEST(Markdown, AnyBytesInAnyPiecesEnd) {
  const std::string signs = "*_`~#->|\\ \n1.a\"";
  uint32_t state = 1;
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += signs[(state = state * 1664525u + 1013904223u) >> 16 & 0xF];
    EXPECT_EQ(in_pieces(text, 1), in_pieces(text, 1000)) << text;
  }
}

}  // namespace
}  // namespace rival::cmd
