#include "cmd/chat_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace rival::cmd {
namespace fs = std::filesystem;
namespace {

class ChatStoreTest : public testing::Test {
 protected:
  ChatStoreTest() : folder_(fs::path(testing::TempDir()) / ("rival_chat_store_" + std::to_string(::getpid()))) {}
  ~ChatStoreTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

Chat example() {
  Chat chat{.model = "smollm2:135m", .messages = {}};
  chat.messages.push_back({.role = Role::kSystem, .content = "Be brief."});
  chat.messages.push_back({.role = Role::kUser, .content = std::string("a\0\x1B \"quoted\" ü\n", 16)});
  chat.messages.push_back({.role = Role::kAssistant, .content = "Yes", .thinking = "hm", .complete = false});
  return chat;
}

std::string text_of(const Chat& chat) { return to_json_text(to_json(chat)); }

TEST_F(ChatStoreTest, AChatComesBackAsItWas) {
  const auto read = parse_chat(text_of(example()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(text_of(*read), text_of(example()));
  EXPECT_EQ(read->messages[1].content, example().messages[1].content);
  EXPECT_EQ(read->messages[2].thinking, "hm");
  EXPECT_FALSE(read->messages[2].complete);
  EXPECT_TRUE(read->messages[1].complete);
}

TEST_F(ChatStoreTest, WhatIsNoChatIsRefusedByField) {
  const std::pair<const char*, const char*> rows[] = {
      {"[]", "no version"},
      {R"({"version":2,"model":"m","messages":[]})", "no version 1"},
      {R"({"version":1,"messages":[]})", "'model'"},
      {R"({"version":1,"model":"m","messages":{}})", "'messages'"},
      {R"({"version":1,"model":"m","messages":[3]})", "messages[0] has no object"},
      {R"({"version":1,"model":"m","messages":[{"role":"tool","content":""}]})", "no role"},
      {R"({"version":1,"model":"m","messages":[{"role":"user"}]})", "no text as its content"},
      {R"({"version":1,"model":"m","messages":[{"role":"user","content":"","complete":1}]})", "complete"},
      {R"({"version":1,"model":"m","messages":[{"role":"user","content":""},{"role":"system","content":""}]})",
       "messages[1] has a system role"},
      {"{\"version\":1,", ""},
  };
  for (const auto& [text, expected] : rows) {
    const auto chat = parse_chat(text);
    ASSERT_FALSE(chat.ok()) << text;
    EXPECT_EQ(chat.error().code, ErrorCode::kCorrupt) << text;
    EXPECT_NE(chat.error().message.find(expected), std::string::npos) << chat.error().message;
  }
}

TEST_F(ChatStoreTest, TheLastOneIsTheOneWrittenLast) {
  const ChatStore store(folder_);
  EXPECT_TRUE(store.empty());
  EXPECT_EQ(store.last().error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(store.save(folder_ / "b.json", example()).ok());
  ASSERT_TRUE(store.save(folder_ / "a.json", example()).ok());
  const auto now = fs::last_write_time(folder_ / "a.json");
  fs::last_write_time(folder_ / "b.json", now - std::chrono::seconds(5));
  EXPECT_EQ(*store.last(), folder_ / "a.json");
  fs::last_write_time(folder_ / "b.json", now + std::chrono::seconds(5));
  EXPECT_EQ(*store.last(), folder_ / "b.json");
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
}

TEST(Chat, SystemAndTurns) {
  Chat chat = example();
  set_system(chat, "Be long.");
  EXPECT_EQ(chat.messages.size(), 3u);
  EXPECT_EQ(chat.messages[0].content, "Be long.");
  set_system(chat, "");
  EXPECT_EQ(chat.messages.size(), 2u);
  EXPECT_NE(take_last_turn(chat), "");
  EXPECT_TRUE(chat.messages.empty());
  EXPECT_EQ(take_last_turn(chat), "");
}

}  // namespace
}  // namespace rival::cmd
