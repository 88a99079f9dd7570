#include "cmd/answer_view.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "cmd/terminal_wrap.h"

namespace rival::cmd {
namespace {

struct Piece {
  bool thinking;
  const char* text;
};

std::string shown(std::unique_ptr<AnswerView> (*make)(Output), const std::vector<Piece>& pieces) {
  std::string result;
  const auto view = make([&](std::string_view text) { result += text; });
  for (const Piece& piece : pieces) view->text(piece.thinking, piece.text);
  view->end();
  return result;
}

std::unique_ptr<AnswerView> make_terminal(Output out) { return make_terminal_view(std::move(out), 40); }

TEST(PlainView, TheAnswerAloneAndALineFeed) {
  EXPECT_EQ(shown(make_plain_view, {{true, "hm"}, {false, "**Yes**"}, {false, ""}, {false, "\x1B[2J."}}), "**Yes**␛[2J.\n");
  EXPECT_EQ(shown(make_plain_view, {{false, "line\n"}}), "line\n");
  EXPECT_EQ(shown(make_plain_view, {}), "");
}

TEST(TerminalView, ThinkingIsDimAndApart) {
  use_utf8_locale();
  EXPECT_EQ(shown(make_terminal, {{true, "let me"}, {true, " see"}, {false, "**Yes**"}, {false, "."}}),
            "\033[0;2;3mThinking…\n\033[0;2mlet me see\033[0m\n\n\033[0;1mYes\033[0m.\n");
}

TEST(TerminalView, OnlyItsOwnEscapeSequences) {
  use_utf8_locale();
  for (const bool thinking : {false, true}) {
    const std::string text = shown(make_terminal, {{thinking, "a\x1B"}, {thinking, "]0;t\x07 \xC2\x9B"}});
    EXPECT_EQ(text.find("\033]"), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_NE(text.find("a␛]0;t␇ \uFFFD"), std::string::npos) << text;
  }
}

TEST(JsonView, OneHarmlessObjectALine) {
  const std::string text = shown(make_json_view, {{true, "hm"}, {false, "a\n\x1B\u009B\u00A0ü"}});
  EXPECT_EQ(text, "{\"type\":\"thinking\",\"text\":\"hm\"}\n{\"type\":\"text\",\"text\":\"a\\n\\u001b\\u009b\u00A0ü\"}\n");
  const std::string second = text.substr(text.find('\n') + 1);
  EXPECT_EQ(parse_json(second.substr(0, second.size() - 1))->at("text").as_string(), "a\n\x1B\u009B\u00A0ü");
}

}  // namespace
}  // namespace rival::cmd
