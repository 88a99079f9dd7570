// Templates against what Python's jinja2 made of them (tools/golden_templates.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/file.h"
#include "base/limits.h"
#include "text/chat_template.h"

namespace rival::text {
namespace {

const std::string kGolden = RIVAL_SOURCE_DIR "/src/text/golden/";

json::object load(const std::string& name) {
  const auto text = read_file(kGolden + name, limits::kJsonFileBytesMax);
  return parse_json(text.value()).value().as_object();
}

class ChatTemplateGolden : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("TZ", "UTC", 1);  // of the golden files
    tzset();
  }

  // Null where parsing or rendering fails, as in the golden files.
  static json::value render(std::string_view source, const json::object& variables, int64_t now) {
    const auto parsed = ChatTemplate::parse(source);
    if (!parsed.ok()) return nullptr;
    const auto result = parsed->render(
        variables, {.now = std::chrono::system_clock::time_point(std::chrono::seconds(now))});
    return result.ok() ? json::value(*result) : json::value(nullptr);
  }

  static void check_chats(const std::string& name) {
    const json::object golden = load(name);
    for (const json::value& entry : golden.at("cases").as_array()) {
      const std::string path = kGolden + "templates/" + std::string(entry.at("template").as_string());
      const auto source = read_file(path, limits::kTemplateBytesMax);
      const json::object& variables = entry.at("variables").as_object();
      EXPECT_EQ(render(*source, variables, golden.at("now").as_int64()), entry.at("output"))
          << path << "\n" << to_json_text(variables);
    }
  }
};

TEST_F(ChatTemplateGolden, ChatsOfTheFirstTemplates) { check_chats("template_chats_a.json"); }

TEST_F(ChatTemplateGolden, ChatsOfTheOtherTemplates) { check_chats("template_chats_b.json"); }

TEST_F(ChatTemplateGolden, ExpressionsAndStatements) {
  const json::object golden = load("template_expressions.json");
  const json::object& variables = golden.at("variables").as_object();
  for (const json::value& entry : golden.at("cases").as_array()) {
    const std::string_view source = entry.at(0).as_string();
    EXPECT_EQ(render(source, variables, golden.at("now").as_int64()), entry.at(1)) << source;
  }
}

}  // namespace
}  // namespace rival::text
