#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "serve/conversation_store.h"
#include "serve/response_builder.h"
#include "serve/response_items.h"
#include "serve/response_store.h"

namespace rival::serve {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

json::value parsed(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.ok()) << value.error().message;
  return std::move(value).value();
}

json::array items_of(std::string_view body) {
  const json::value value = parsed(body);
  Fields fields(value.get_object());
  json::array items = read_items(fields, "input");
  EXPECT_FALSE(fields.error()) << fields.error()->message;
  return items;
}

std::string error_of(std::string_view body) {
  const json::value value = parsed(body);
  Fields fields(value.get_object());
  read_items(fields, "input");
  return fields.error() ? fields.error()->param : "none";
}

TEST(ResponseItems, TextIsAMessageOfTheUser) {
  const json::array items = items_of(R"({"input": "Hi"})");
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].at("role"), json::value("user"));
  EXPECT_EQ(items[0].at("content"), parsed(R"([{"type": "input_text", "text": "Hi"}])"));
  EXPECT_THAT(std::string(items[0].at("id").as_string()), testing::StartsWith("msg_"));
}

TEST(ResponseItems, ACallItsResultAndReasoningBecomeMessages) {
  const json::array items = items_of(R"({"input": [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": "Weather"}, {"type": "input_text", "text": "?"}]},
    {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Ask."}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{\"city\""},
    {"type": "function_call", "call_id": "c2", "name": "time", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "noon"}]}]})");
  EXPECT_EQ(json::value(item_messages("Stay.", items)), parsed(R"([
    {"role": "system", "content": "Stay.\n\nBe brief."},
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "Let me see.", "reasoning_content": "Ask.", "tool_calls": [
      {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\""}},
      {"id": "c2", "type": "function", "function": {"name": "time", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c2", "content": "noon", "name": "time"}])"));
}

TEST(ResponseItems, ErrorsNameThePlace) {
  EXPECT_EQ(error_of(R"({"input": 3})"), "input");
  EXPECT_EQ(error_of(R"({"input": ["x"]})"), "input[0]");
  EXPECT_EQ(error_of(R"({"input": [{"role": "user", "content": "x"}, {"role": "robot", "content": "x"}]})"), "input[1].role");
  EXPECT_EQ(error_of(R"({"input": [{"role": "user"}]})"), "input[0].content");
  EXPECT_EQ(error_of(R"({"input": [{"role": "user", "content": [{"type": "input_image"}]}]})"), "input[0].content[0].type");
  EXPECT_EQ(error_of(R"({"input": [{"role": "user", "content": [{"type": "input_text", "text": 1}]}]})"), "input[0].content[0].text");
  EXPECT_EQ(error_of(R"({"input": [{"type": "function_call", "call_id": "c", "name": "n", "arguments": {}}]})"), "input[0].arguments");
  EXPECT_EQ(error_of(R"({"input": [{"type": "function_call_output", "output": "x"}]})"), "input[0].call_id");
  EXPECT_EQ(error_of(R"({"input": [{"type": "web_search_call"}]})"), "input[0].type");
  EXPECT_EQ(error_of(R"({"input": [{"type": "item_reference"}]})"), "input[0].id");
  EXPECT_EQ(error_of(R"({"input": [{"type": "reasoning", "summary": "x"}]})"), "input[0].summary");
  EXPECT_EQ(error_of(R"({"input": [{"role": "user", "content": "x", "id": ""}]})"), "input[0].id");
}

json::object fresh_response(std::string_view id, std::string_view status = "in_progress") {
  return {{"id", id}, {"status", status}, {"created_at", 1}, {"output", json::array{}}, {"conversation", nullptr}, {"previous_response_id", nullptr}};
}

TEST(ResponseBuilder, ThoughtTextAndCallsAreItemsOfTheirOwn) {
  std::vector<std::string> kinds;
  std::vector<int64_t> numbers;
  ResponseBuilder builder(fresh_response("resp_1"), nullptr, [&](const json::object& event) {
    kinds.emplace_back(event.at("type").as_string());
    numbers.push_back(event.at("sequence_number").to_number<int64_t>());
  });
  using Kind = ChatPiece::Kind;
  builder.begin();
  builder.take({.kind = Kind::kReasoning, .text = "Hm", .tokens = {{1}, {2}}});
  builder.take({.kind = Kind::kText, .text = "Sun"});
  builder.take({.kind = Kind::kText, .text = "ny."});
  builder.take({.kind = Kind::kCallBegin, .call = 0, .id = "call_1", .name = "weather"});
  builder.take({.kind = Kind::kCallArguments, .text = "{\"a\""});
  builder.take({.kind = Kind::kCallArguments, .text = ":1}"});
  builder.take({.kind = Kind::kCallEnd});
  builder.finish({.reason = engine::FinishReason::kStop, .usage = {.prompt_tokens = 5, .completion_tokens = 7}}, 2, false);
  builder.conclude();
  EXPECT_THAT(kinds, ElementsAre("response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
                                 "response.reasoning_text.delta", "response.reasoning_text.done", "response.content_part.done", "response.output_item.done",
                                 "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
                                 "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.output_item.added",
                                 "response.function_call_arguments.delta", "response.function_call_arguments.delta", "response.function_call_arguments.done",
                                 "response.output_item.done", "response.completed"));
  for (size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], static_cast<int64_t>(i));
  ASSERT_EQ(builder.output().size(), 3u);
  EXPECT_EQ(builder.output()[0].at("content"), parsed(R"([{"type": "reasoning_text", "text": "Hm"}])"));
  EXPECT_EQ(builder.output()[1].at("content").at(0).at("text"), json::value("Sunny."));
  EXPECT_EQ(builder.output()[2].at("arguments"), json::value("{\"a\":1}"));
  EXPECT_EQ(builder.output()[2].at("call_id"), json::value("call_1"));
  EXPECT_EQ(builder.response().at("usage").at("output_tokens_details").at("reasoning_tokens"), json::value(2));
  EXPECT_EQ(builder.status(), "completed");
}

TEST(ResponseBuilder, EndsAreToldApart) {
  const auto end = [](engine::FinishReason reason, bool cancelled) {
    std::string last;
    ResponseBuilder builder(fresh_response("resp_1"), nullptr, [&](const json::object& event) { last = event.at("type").as_string(); });
    builder.begin();
    builder.take({.text = "so far"});
    builder.finish({.reason = reason}, 0, cancelled);
    builder.conclude();
    return fmt::format("{} {} {}", builder.status(), std::string_view(builder.output()[0].at("status").as_string()), last);
  };
  using Reason = engine::FinishReason;
  EXPECT_EQ(end(Reason::kStop, false), "completed completed response.completed");
  EXPECT_EQ(end(Reason::kLength, false), "incomplete incomplete response.incomplete");
  EXPECT_EQ(end(Reason::kContext, false), "incomplete incomplete response.incomplete");
  EXPECT_EQ(end(Reason::kError, false), "failed incomplete response.failed");
  EXPECT_EQ(end(Reason::kCancelled, false), "failed incomplete response.failed");
  EXPECT_EQ(end(Reason::kCancelled, true), "cancelled incomplete response.incomplete");
}

// Who takes all events holds at every moment what was told, and at the end the response.
TEST(ResponseLog, EventsTellTheWholeResponse) {
  json::object told, so_far;
  size_t events = 0;
  ResponseBuilder builder(fresh_response("resp_1", "queued"), nullptr, [&](const json::object& event) {
    take_event(told, event);
    if (++events == 10) so_far = told;
  });
  using Kind = ChatPiece::Kind;
  builder.begin();
  EXPECT_EQ(told.at("status"), json::value("in_progress"));
  builder.take({.kind = Kind::kReasoning, .text = "Hm"});
  builder.take({.kind = Kind::kReasoning, .text = "m."});
  builder.take({.kind = Kind::kCallBegin, .call = 0, .id = "call_1", .name = "weather"});
  builder.take({.kind = Kind::kCallArguments, .text = "{\"a\""});
  EXPECT_EQ(told.at("output").at(1).at("arguments"), json::value("{\"a\""));
  builder.take({.kind = Kind::kCallArguments, .text = ":1}"});
  builder.take({.kind = Kind::kCallEnd});
  builder.take({.kind = Kind::kText, .text = "Sun"});
  builder.take({.kind = Kind::kText, .text = "ny."});
  EXPECT_EQ(told.at("output").at(2).at("content").at(0).at("text"), json::value("Sunny."));
  builder.finish({.reason = engine::FinishReason::kStop, .usage = {.prompt_tokens = 5, .completion_tokens = 7}}, 2, false);
  EXPECT_EQ(told.at("output"), builder.response().at("output"));
  builder.conclude();
  EXPECT_EQ(told, builder.response());
  EXPECT_EQ(so_far.at("output").at(0).at("content").at(0).at("text"), json::value("Hmm."));
}

TEST(ResponseLog, WhatIsNoEventChangesNothing) {
  json::object response = fresh_response("resp_1");
  response["output"] = parsed(R"([{"id": "m", "content": [{"text": "a"}]}])");
  const json::object before = response;
  for (const char* event : {R"({})", R"({"type": 3})", R"({"type": "response.output_text.delta", "delta": "x"})",
                            R"({"type": "response.output_text.delta", "output_index": 0, "content_index": 7, "delta": "x"})",
                            R"({"type": "response.output_text.delta", "output_index": -1, "content_index": 0, "delta": "x"})",
                            R"({"type": "response.output_item.done", "output_index": "0", "item": 3})", R"({"type": "response.created", "response": []})"}) {
    take_event(response, parsed(event).get_object());
    EXPECT_EQ(response, before) << event;
  }
}

TEST(ResponseBuilder, AnEmptyAnswerIsAnEmptyMessage) {
  ResponseBuilder builder(fresh_response("resp_1"), nullptr, {});
  builder.begin();
  builder.finish({}, 0, false);
  ASSERT_EQ(builder.output().size(), 1u);
  EXPECT_EQ(builder.output()[0].at("content").at(0).at("text"), json::value(""));
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rival_store_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    db_ = std::move(Connection::open(folder_ / "serve.db", true)).value();
    ASSERT_TRUE(db_->migrate(schema()).ok());
  }
  void TearDown() override {
    db_.reset();
    fs::remove_all(folder_);
  }

  // A response with one item of input and one of output.
  void keep(const std::string& id, const std::string& previous = "", std::string_view status = "completed", const std::string& conversation = "") {
    json::object response = fresh_response(id, status);
    if (!previous.empty()) response["previous_response_id"] = previous;
    if (!conversation.empty()) response["conversation"] = json::object{{"id", conversation}};
    response["output"] = json::array{json::object{{"id", "out_" + id}, {"text", "o" + id}}};
    const Status kept = keep_response(*db_, {"me", response}, json::array{json::object{{"id", "in_" + id}, {"text", "i" + id}}});
    ASSERT_TRUE(kept.ok()) << kept.error().message;
  }

  static std::string texts(const json::array& items) {
    std::string out;
    for (const json::value& item : items) out += std::string(item.at("text").as_string()) + " ";
    return out;
  }

  fs::path folder_;
  std::unique_ptr<Connection> db_;
};

TEST_F(StoreTest, AChainIsReadFromItsBeginning) {
  keep("a");
  keep("b", "a");
  keep("c", "b");
  const auto chain = response_chain(*db_, "me", "c");
  ASSERT_TRUE(chain.ok()) << chain.error().message;
  EXPECT_EQ(texts(*chain), "ia oa ib ob ic oc ");
  EXPECT_EQ(response_chain(*db_, "you", "c").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(*remove_response(*db_, "me", "a"));
  EXPECT_THAT(response_chain(*db_, "me", "c").error().message, HasSubstr("'a', which 'b' went on from, has been deleted"));
  keep("d", "", "in_progress");
  EXPECT_EQ(response_chain(*db_, "me", "d").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(StoreTest, DeletingTakesTheItemsToo) {
  keep("a");
  EXPECT_FALSE(*remove_response(*db_, "you", "a"));
  EXPECT_TRUE(find_item(*db_, "me", "out_a").ok());
  EXPECT_FALSE(find_item(*db_, "you", "out_a").ok());
  EXPECT_TRUE(*remove_response(*db_, "me", "a"));
  EXPECT_FALSE(*remove_response(*db_, "me", "a"));
  EXPECT_FALSE(find_item(*db_, "me", "out_a").ok());
}

TEST_F(StoreTest, WhatAnEndedServerLeftIsFailed) {
  keep("a");
  keep("b", "", "queued");
  ASSERT_TRUE(fail_unfinished(*db_).ok());
  const auto lost = find_response(*db_, "me", "b");
  ASSERT_TRUE(lost.ok() && *lost);
  EXPECT_EQ((*lost)->response.at("status"), json::value("failed"));
  EXPECT_EQ((*lost)->response.at("error").at("code"), json::value("server_error"));
  EXPECT_EQ((*find_response(*db_, "me", "a"))->response.at("status"), json::value("completed"));
}

TEST_F(StoreTest, WhatAnEndedServerHadToldIsThere) {
  std::vector<std::string> events;
  ResponseBuilder builder(fresh_response("b", "queued"), nullptr, [&](const json::object& event) { events.push_back(to_json_text(event)); });
  builder.begin();
  const json::array input{json::object{{"id", "in_b"}, {"text", "ib"}}};
  ASSERT_TRUE(keep_response(*db_, {"me", builder.response()}, input, {0, events}).ok());
  const size_t before = events.size();
  builder.take({.text = "so "});
  builder.take({.text = "far"});
  ASSERT_TRUE(add_events(*db_, "b", {before, std::span(events).subspan(before)}).ok());
  ASSERT_TRUE(add_events(*db_, "gone", {0, events}).ok());
  ASSERT_TRUE(fail_unfinished(*db_).ok());
  const json::object lost = (*find_response(*db_, "me", "b"))->response;
  EXPECT_EQ(lost.at("status"), json::value("failed"));
  EXPECT_EQ(lost.at("output").at(0).at("content").at(0).at("text"), json::value("so far"));
  EXPECT_EQ(lost.at("output").at(0).at("status"), json::value("incomplete"));
  const auto kept = events_after(*db_, "b", 1);
  ASSERT_TRUE(kept.ok());
  ASSERT_EQ(kept->size(), events.size() - 2 + 1);
  EXPECT_EQ(kept->front(), events[2]);
  const json::value last = parsed(kept->back());
  EXPECT_EQ(last.at("type"), json::value("response.failed"));
  EXPECT_EQ(last.at("sequence_number"), json::value(events.size()));
  EXPECT_EQ(last.at("response"), json::value(lost));
  // What it was asked, and what it had answered, can be gone on from.
  EXPECT_EQ(response_chain(*db_, "me", "b")->size(), 2u);
  EXPECT_TRUE(*remove_response(*db_, "me", "b"));
  EXPECT_TRUE(events_after(*db_, "b", -1)->empty());
}

TEST_F(StoreTest, OldResponsesGoUnlessYoungerOnesLeadBackToThem) {
  const auto keep_at = [&](const std::string& id, int64_t created, const std::string& previous = "", std::string_view status = "completed") {
    json::object response = fresh_response(id, status);
    response["created_at"] = created;
    if (!previous.empty()) response["previous_response_id"] = previous;
    ASSERT_TRUE(keep_response(*db_, {"me", response}, {}).ok());
  };
  keep_at("old", 10);
  keep_at("first", 20);
  keep_at("second", 30, "first");
  keep_at("young", 100, "second");
  keep_at("working", 40, "", "in_progress");
  EXPECT_EQ(*remove_expired(*db_, 10), 0u);
  EXPECT_EQ(*remove_expired(*db_, 90), 1u);
  EXPECT_FALSE((*find_response(*db_, "me", "old")).has_value());
  EXPECT_TRUE(response_chain(*db_, "me", "young").ok());
  EXPECT_EQ(*remove_expired(*db_, 101), 3u);
  EXPECT_TRUE((*find_response(*db_, "me", "working")).has_value());
}

TEST_F(StoreTest, AConversationGrowsByFinishedResponses) {
  ASSERT_TRUE(keep_conversation(*db_, "me", {"conv", 1, {}}, json::array{json::object{{"id", "first"}, {"text", "f"}}}).ok());
  keep("a", "", "in_progress", "conv");
  EXPECT_EQ(texts(*conversation_items(*db_, "conv")), "f ");
  keep("a", "", "completed", "conv");
  EXPECT_EQ(texts(*conversation_items(*db_, "conv")), "f ia oa ");
  PageRequest page{.limit = 2, .ascending = true};
  auto found = conversation_page(*db_, "conv", page);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(texts(found->at("data").as_array()), "f ia ");
  EXPECT_EQ(found->at("has_more"), json::value(true));
  page.after = std::string(found->at("last_id").as_string());
  found = conversation_page(*db_, "conv", page);
  EXPECT_EQ(texts(found->at("data").as_array()), "oa ");
  EXPECT_EQ(found->at("has_more"), json::value(false));
  page.after = "unknown";
  EXPECT_EQ(conversation_page(*db_, "conv", page).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(remove_conversation(*db_, "conv").ok());
  EXPECT_EQ(texts(*conversation_items(*db_, "conv")), "");
  keep("b", "", "completed", "conv");  // it is gone meanwhile: the response is kept all the same
  EXPECT_TRUE((*find_response(*db_, "me", "b")).has_value());
}

}  // namespace
}  // namespace rival::serve
