#include "cmd/chat_settings.h"

#include <gtest/gtest.h>

namespace rival::cmd {
namespace {

TEST(Settings, AreSetAndShown) {
  ChatSettings settings;
  for (const auto& [name, value] : {std::pair{"temperature", "0.5"}, {"top-p", "0.9"}, {"top-k", "40"}, {"min-p", "0.1"},
                                    {"max-tokens", "100"}, {"seed", "18446744073709551615"}, {"think", "off"}}) {
    const Status status = set_setting(settings, name, value);
    EXPECT_TRUE(status.ok()) << name;
    for (const Setting& setting : cmd::settings()) {
      if (std::string_view(setting.name) == name) { EXPECT_EQ(setting.show(settings), value); }
    }
  }
  EXPECT_EQ(settings.sampler.temperature, 0.5f);
  EXPECT_EQ(settings.max_tokens, 100u);
}

TEST(Settings, WrongOnesChangeNothing) {
  for (const auto& [name, value] :
       {std::pair{"temperature", "hot"}, {"temperature", "-1"}, {"temperature", "nan"}, {"top-p", "2"}, {"top-k", "-1"},
        {"top-k", "99999999999"}, {"max-tokens", ""}, {"seed", "1x"}, {"think", "maybe"}, {"colour", "1"}}) {
    ChatSettings settings;
    const Status status = set_setting(settings, name, value);
    ASSERT_FALSE(status.ok()) << name << ' ' << value;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(status.error().message.find(name), std::string::npos) << status.error().message;
    for (const Setting& setting : cmd::settings()) EXPECT_EQ(setting.show(settings), setting.show(ChatSettings()));
  }
}

TEST(Settings, FollowTheModelsFiles) {
  model::ModelConfig config;
  config.architecture = "qwen3";
  EXPECT_EQ(default_settings(config, {}, true).sampler.top_k, 20u);
  const ChatSettings partly = default_settings(config, {.top_p = 0.5f}, true);
  EXPECT_EQ(partly.sampler.top_p, 0.5f);
  EXPECT_EQ(partly.sampler.temperature, 0.6f);
  const ChatSettings wholly = default_settings(config, {.temperature = 0.9f, .repetition_penalty = 1.1f}, true);
  EXPECT_EQ(wholly.sampler.temperature, 0.9f);
  EXPECT_EQ(wholly.sampler.top_k, 0u);
  EXPECT_EQ(wholly.sampler.repetition_penalty, 1.1f);
}

TEST(Settings, Bytes) {
  EXPECT_EQ(*parse_bytes("512MB"), 512'000'000u);
  EXPECT_EQ(*parse_bytes("1.5 gb"), 1'500'000'000u);
  EXPECT_EQ(*parse_bytes("300"), 300u);
  for (const char* text : {"", "MB", "-1", "1PBB", "1e30", "nan", "inf", "12 apples"}) EXPECT_FALSE(parse_bytes(text).ok()) << text;
}

}  // namespace
}  // namespace rival::cmd
