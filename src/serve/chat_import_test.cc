#include "serve/chat_import.h"

#include <gtest/gtest.h>

namespace rival::serve {
namespace {

const ImportedChat& only(const Result<std::vector<ImportedRow>>& rows) {
  RIVAL_CHECK(rows.ok() && rows->size() == 1 && std::holds_alternative<ImportedChat>(rows->front()));
  return std::get<ImportedChat>(rows->front());
}

std::string failure(const std::string& text) {
  const auto rows = read_chat_file(text);
  if (!rows.ok()) return rows.error().message;
  const auto* row = rows->empty() ? nullptr : std::get_if<ImportFailure>(&rows->front());
  return row ? row->reason : "";
}

TEST(ChatImport, SkippedNodesGiveTheirChildrenAway) {
  const auto rows = read_chat_file(R"([{"title": "t", "current_node": "c", "mapping": {
    "a": {"parent": null, "message": null},
    "b": {"parent": "a", "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Q"]}}},
    "x": {"parent": "b", "message": {"author": {"role": "assistant"}, "content": {"content_type": "thoughts", "thoughts": [{"content": "hm"}, {"content": "so"}]}}},
    "c": {"parent": "x", "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["A"]}}}}}])");
  const ImportedChat& chat = only(rows);
  ASSERT_EQ(chat.messages.size(), 2u);
  EXPECT_EQ(chat.parents[0], std::nullopt);
  EXPECT_EQ(chat.parents[1], 0u);
  EXPECT_EQ(chat.messages[1].reasoning, "hm\n\nso");
  EXPECT_EQ(chat.leaf, 1u);
}

TEST(ChatImport, ChildrenMayStandBeforeTheirParents) {
  const auto rows = read_chat_file(R"({"conv": {"id": "k", "name": "n", "currNode": "2"}, "messages": [
    {"id": 2, "parent": 1, "role": "assistant", "content": "A", "timestamp": 5},
    {"id": 1, "parent": null, "role": "user", "content": "Q", "timestamp": 4}]})");
  const ImportedChat& chat = only(rows);
  EXPECT_EQ(chat.chat.origin, "llama:k");
  ASSERT_EQ(chat.messages.size(), 2u);
  EXPECT_EQ(chat.messages[0].text, "Q");
  EXPECT_EQ(chat.parents[1], 0u);
  EXPECT_EQ(chat.leaf, 1u);
}

TEST(ChatImport, AListWithoutParentsIsALine) {
  const auto rows = read_chat_file(R"({"id": "conv-1", "messages": [{"id": 1, "role": "user", "content": "a"},
    {"id": 2, "role": "assistant", "content": "b"}, {"id": 3, "role": "user", "content": "c"}]})");
  const ImportedChat& chat = only(rows);
  ASSERT_EQ(chat.parents.size(), 3u);
  EXPECT_EQ(chat.parents[1], 0u);
  EXPECT_EQ(chat.parents[2], 1u);
}

TEST(ChatImport, CyclesAndStrangersAreLeftOut) {
  EXPECT_NE(failure(R"([{"mapping": {"a": {"parent": "b", "message": null}, "b": {"parent": "a", "message": null}}}])"), "");
  const auto rows = read_chat_file(R"({"conv": {}, "messages": [{"id": "s", "parent": "s", "role": "user", "content": "own parent"},
    {"id": "s", "parent": "gone", "role": "user", "content": "second of its name"}, 7, null, {"role": "wizard", "content": "x"}]})");
  EXPECT_EQ(only(rows).messages.size(), 2u);
}

TEST(ChatImport, NoFormatIsAnError) {
  for (const char* text : {"", "{}", "[1]", "\"x\"", "{\"messages\": 1}", "{\"format\": \"rival-chats\"}"}) EXPECT_NE(failure(text), "") << text;
  EXPECT_TRUE(read_chat_file("[]").ok());
}

TEST(ChatImport, ChatGptNamesItsFilesAndLosesItsReferences) {
  const auto rows = read_chat_file(R"([{"mapping": {"a": {"parent": null, "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Q"]},
    "metadata": {"attachments": [{"name": "plan.pdf", "size": 12}, {"size": 1}, 7, {"name": "x", "size": -5}]}}},
    "b": {"parent": "a", "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["It is so \ue200cite\ue202turn0search1\ue201. Open \ue200end"]}}}}}])");
  const ImportedChat& chat = only(rows);
  ASSERT_EQ(chat.messages[0].attachments.size(), 2u);
  EXPECT_EQ(chat.messages[0].attachments[0].name, "plan.pdf");
  EXPECT_EQ(chat.messages[0].attachments[0].bytes, 12);
  EXPECT_EQ(chat.messages[0].attachments[0].text, "");
  EXPECT_EQ(chat.messages[0].attachments[1].bytes, 0);
  EXPECT_EQ(chat.messages[1].text, "It is so . Open \xEE\x88\x80" "end");
}

TEST(ChatImport, LlamaKeepsToolsAndPicturesByName) {
  const auto rows = read_chat_file(R"({"conv": {"id": "k"}, "messages": [
    {"id": "1", "parent": null, "role": "user", "content": "Q", "extra": [{"type": "IMAGE", "name": "cat.png", "base64Url": "data:image/png;base64,AA"}, {"type": "TEXT", "name": "n", "content": "abc"}]},
    {"id": "2", "parent": "1", "role": "assistant", "content": "", "toolCalls": "[{\"id\": \"c1\", \"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}, 5, {\"function\": {}}]"},
    {"id": "3", "parent": "2", "role": "tool", "content": "ok", "toolCallId": "c1"},
    {"id": "4", "parent": "3", "role": "assistant", "content": "A", "toolCalls": "no json"}]})");
  const ImportedChat& chat = only(rows);
  ASSERT_EQ(chat.messages.size(), 4u);
  EXPECT_EQ(chat.messages[0].attachments.size(), 2u);
  EXPECT_EQ(to_json_text(chat.messages[1].more.at("tool_calls")), R"([{"id":"c1","name":"f","arguments":"{}"}])");
  EXPECT_EQ(chat.messages[2].more.at("tool_call_id"), "c1");
  EXPECT_FALSE(chat.messages[3].more.contains("tool_calls"));
}

TEST(ChatImport, OwnFilesOfTheWrongShapeKeepTheirTextAlone) {
  for (const char* more : {R"("tool_calls": "x")", R"("tool_calls": [5, {}, {"name": {}}])", R"("usage": 5)", R"("timings": [1])", R"("settings": {"stop": 5})", R"("settings": {"evil": 1})",
                           R"("group": {"a": 1})", R"("error": ["x"])", R"("tool_call_id": {})", R"("model": {}, "reasoning": 7, "state": [], "attachments": {})"}) {
    const auto rows = read_chat_file(fmt::format(R"({{"format": "rival-chats", "chats": [{{"title": 5, "folder": [], "pinned": "x", "settings": {{"temperature": "hot"}}, "messages": [{{"id": 1, "role": "user", "text": "T", {}}}]}}]}})", more));
    const ImportedChat& chat = only(rows);
    EXPECT_EQ(chat.messages[0].text, "T");
    for (const auto& [name, value] : chat.messages[0].more) EXPECT_TRUE(value.is_object() && value.get_object().empty()) << more;
    EXPECT_TRUE(chat.chat.settings.empty());
  }
  const auto rows = read_chat_file(R"({"format": "rival-chats", "chats": [{"settings": {"stop": ["a"], "tools": [{}]}, "messages": [{"id": 1, "role": "assistant", "text": "T",
    "usage": {"prompt_tokens": 3, "completion_tokens": "4"}, "timings": {"tokens_per_s": 8}, "tool_calls": [{"id": "c", "name": "f", "arguments": "{}", "evil": 1}], "group": "g"}]}]})");
  EXPECT_EQ(to_json_text(only(rows).messages[0].more), R"({"group":"g","usage":{"prompt_tokens":3},"timings":{"tokens_per_s":8},"tool_calls":[{"id":"c","name":"f","arguments":"{}"}]})");
  EXPECT_EQ(only(rows).chat.settings.size(), 2u);
}

TEST(ChatImport, OwnFilesKeepWhatTheyHaveWithinBounds) {
  const std::string file = R"({"format": "rival-chats", "version": 1, "chats": [{"id": "0", "title": "T", "title_by": "model", "pinned": true, "folder": "F",
    "settings": {"temperature": 0.5}, "leaf": 9, "created": 1, "updated": 2, "messages": [
    {"id": 4, "parent": null, "role": "user", "state": "done", "text": "Q", "attachments": [{"name": "n", "bytes": 3, "text": "abc"}]},
    {"id": 9, "parent": 4, "role": "assistant", "state": "running", "text": "A", "usage": {"prompt_tokens": 3, "dropped": [1]}, "evil": 1}]}]})";
  const auto rows = read_chat_file(file);
  const ImportedChat& chat = only(rows);
  EXPECT_TRUE(chat.chat.pinned);
  EXPECT_EQ(chat.chat.title_by, "model");
  EXPECT_EQ(chat.messages[0].attachments[0].text, "abc");
  EXPECT_EQ(chat.messages[1].state, "interrupted");
  EXPECT_FALSE(chat.messages[1].more.at("usage").as_object().contains("dropped"));
  EXPECT_FALSE(chat.messages[1].more.contains("evil"));
  EXPECT_EQ(chat.leaf, 1u);
}

}  // namespace
}  // namespace rival::serve
