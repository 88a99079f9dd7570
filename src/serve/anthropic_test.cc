// What clients of Anthropic's API send, and what they get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/anthropic_events.h"
#include "serve/anthropic_models.h"
#include "serve/anthropic_request.h"

namespace rival::serve {
namespace {

json::value parse(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : json::value();
}

std::variant<AnthropicRequest, ApiError> read(std::string_view body, AnthropicUse use = AnthropicUse::kAnswer) {
  return read_anthropic(parse(body).as_object(), use);
}

AnthropicRequest request(std::string_view body) {
  auto out = read(body);
  if (const ApiError* error = std::get_if<ApiError>(&out)) {
    ADD_FAILURE() << error->message;
    return {};
  }
  return std::move(std::get<AnthropicRequest>(out));
}

// The message of the error that a body gets; every one of them is a 400.
std::string refusal(std::string_view body) {
  const auto out = read(body);
  const ApiError* error = std::get_if<ApiError>(&out);
  if (!error) return "accepted";
  EXPECT_EQ(error->status, 400) << body;
  return error->message;
}

std::string with_messages(std::string_view messages, std::string_view more = "") {
  return fmt::format(R"({{"max_tokens": 9, "messages": {}{}}})", messages, more);
}

std::string user_and(std::string_view more) { return with_messages(R"([{"role": "user", "content": "hi"}])", more); }

TEST(AnthropicRequest, BlocksBecomeMessagesOfTemplates) {
  const AnthropicRequest r = request(R"({"max_tokens": 50, "stream": true,
    "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
      {"role": "user", "content": "What is the weather?"},
      {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "I need a tool.", "signature": "x"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}}]},
      {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "12"}, {"type": "text", "text": "degrees"}]},
        {"type": "text", "text": "And tomorrow?"}]},
      {"role": "user", "content": "Well?"}]})");
  EXPECT_TRUE(r.stream);
  EXPECT_FALSE(r.chat.continue_last);
  EXPECT_EQ(*r.chat.generation.max_tokens, 50u);
  EXPECT_EQ(json::value(r.chat.messages), parse(R"([
    {"role": "system", "content": "Be brief.\nBe kind."},
    {"role": "user", "content": "What is the weather?"},
    {"role": "assistant", "content": "Let me look.", "reasoning_content": "I need a tool.", "tool_calls":
      [{"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Bern\"}"}}]},
    {"role": "tool", "tool_call_id": "toolu_1", "content": "12\ndegrees", "name": "weather"},
    {"role": "user", "content": "And tomorrow?\nWell?"}])"));
}

TEST(AnthropicRequest, AFailedResultSaysSo) {
  const AnthropicRequest r = request(with_messages(R"([{"role": "user", "content": [
    {"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": "no such city"}, {"type": "tool_result", "tool_use_id": "b"}]}])"));
  EXPECT_EQ(json::value(r.chat.messages), parse(R"([{"role": "tool", "tool_call_id": "a", "content": "Error: no such city"},
    {"role": "tool", "tool_call_id": "b", "content": ""}])"));
}

TEST(AnthropicRequest, TheLastMessageOfTheAssistantIsWrittenOn) {
  EXPECT_TRUE(request(with_messages(R"([{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "It is ("}])")).chat.continue_last);
  EXPECT_FALSE(request(with_messages(R"([{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": ""}])")).chat.continue_last);
  EXPECT_THAT(refusal(with_messages(R"([{"role": "user", "content": "x"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": {}}]}])")), testing::HasSubstr("tool_result"));
}

TEST(AnthropicRequest, SamplingAndStops) {
  const AnthropicRequest r = request(user_and(R"(, "temperature": 0.5, "top_p": 0.25, "top_k": 7, "stop_sequences": ["a", "bc"], "metadata": {"user_id": "u"})"));
  EXPECT_FLOAT_EQ(r.chat.generation.sampler.temperature, 0.5f);
  EXPECT_FLOAT_EQ(r.chat.generation.sampler.top_p, 0.25f);
  EXPECT_EQ(r.chat.generation.sampler.top_k, 7u);
  EXPECT_THAT(r.chat.generation.stop, testing::ElementsAre("a", "bc"));
}

TEST(AnthropicRequest, ToolsAndTheirChoice) {
  const std::string tools = R"(, "tools": [{"name": "weather", "description": "d", "input_schema": {"type": "object"}}, {"type": "custom", "name": "time", "input_schema": {}}])";
  const auto choice = [&](std::string_view text) { return request(user_and(tools + ", \"tool_choice\": " + std::string(text))).chat.tool_choice; };
  const AnthropicRequest r = request(user_and(tools));
  ASSERT_EQ(r.chat.tools.size(), 2u);
  EXPECT_EQ(r.chat.tools[0].name, "weather");
  EXPECT_EQ(r.chat.tools[0].description, "d");
  EXPECT_EQ(json::value(r.chat.tools[0].parameters), parse(R"({"type": "object"})"));
  EXPECT_EQ(choice(R"({"type": "auto"})").kind, ToolChoice::Kind::kAuto);
  EXPECT_EQ(choice(R"({"type": "none"})").kind, ToolChoice::Kind::kNone);
  EXPECT_EQ(choice(R"({"type": "any"})").kind, ToolChoice::Kind::kRequired);
  EXPECT_TRUE(choice(R"({"type": "any"})").parallel);
  EXPECT_FALSE(choice(R"({"type": "any", "disable_parallel_tool_use": true})").parallel);
  EXPECT_EQ(choice(R"({"type": "tool", "name": "time"})").name, "time");
  EXPECT_THAT(refusal(user_and(tools + R"(, "tool_choice": {"type": "tool", "name": "other"})")), testing::HasSubstr("'other'"));
  EXPECT_THAT(refusal(user_and(R"(, "tool_choice": {"type": "any"})")), testing::HasSubstr("no tools"));
}

TEST(AnthropicRequest, ThinkingIsOffUnlessAskedFor) {
  const auto enabled = [](const AnthropicRequest& r) { return r.chat.template_variables.at("enable_thinking").as_bool(); };
  EXPECT_FALSE(enabled(request(user_and(""))));
  EXPECT_FALSE(enabled(request(user_and(R"(, "thinking": {"type": "disabled"})"))));
  EXPECT_TRUE(enabled(request(user_and(R"(, "thinking": {"type": "enabled", "budget_tokens": 8})"))));
  EXPECT_TRUE(enabled(request(user_and(R"(, "thinking": {"type": "adaptive"})"))));
  EXPECT_THAT(refusal(user_and(R"(, "thinking": {"type": "enabled", "budget_tokens": 9})")), testing::HasSubstr("less than max_tokens"));
}

TEST(AnthropicRequest, AFormatIsASchema) {
  const AnthropicRequest r = request(user_and(R"(, "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "integer"}}})"));
  EXPECT_EQ(r.chat.format.kind, AnswerFormat::Kind::kJsonSchema);
  EXPECT_EQ(r.chat.format.schema, parse(R"({"type": "integer"})"));
  EXPECT_EQ(r.chat.template_variables.at("reasoning_effort"), json::string("low"));
}

TEST(AnthropicRequest, CountingNeedsNoLength) {
  const auto counted = read(R"({"messages": [{"role": "user", "content": "hi"}]})", AnthropicUse::kCount);
  EXPECT_TRUE(std::holds_alternative<AnthropicRequest>(counted));
  EXPECT_THAT(refusal(R"({"messages": [{"role": "user", "content": "hi"}]})"), testing::HasSubstr("max_tokens"));
}

struct Bad {
  std::string body, named;
};

TEST(AnthropicRequest, WhatIsWrongIsNamed) {
  const std::string image = R"({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}})";
  const Bad rows[] = {
      {R"({"max_tokens": 9})", "messages"},
      {with_messages("[]"), "messages"},
      {with_messages("7"), "messages"},
      {with_messages("[7]"), "messages.0.role"},
      {with_messages(R"([{"role": "tool", "content": "x"}])"), "messages.0.role"},
      {with_messages(R"([{"role": "user"}])"), "messages.0.content"},
      {with_messages(R"([{"role": "user", "content": ""}])"), "messages.0.content"},
      {with_messages(R"([{"role": "user", "content": []}])"), "messages.0.content"},
      {with_messages(R"([{"role": "user", "content": 3}])"), "messages.0.content"},
      {with_messages(R"([{"role": "user", "content": [3]}])"), "messages.0.content.0"},
      {with_messages(R"([{"role": "user", "content": [{"type": "text"}]}])"), "messages.0.content.0.text"},
      {with_messages(R"([{"role": "user", "content": [)" + image + "]}]"), "reads text only"},
      {with_messages(R"([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [)" + image + "]}]}]"), "reads text only"},
      {with_messages(R"([{"role": "user", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": {}}]}])"), "'tool_use'"},
      {with_messages(R"([{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": 3}]}])"), "input"},
      {with_messages(R"([{"role": "assistant", "content": ""}])"), "messages"},
      {user_and(R"(, "system": 3)"), "system"},
      {user_and(R"(, "system": [{"type": "image"}])"), "system.0"},
      {user_and(R"(, "temperature": 1.5)"), "temperature"},
      {user_and(R"(, "top_p": 2)"), "top_p"},
      {user_and(R"(, "top_k": -1)"), "top_k"},
      {user_and(R"(, "max_tokens": -1)"), "max_tokens"},
      {user_and(R"(, "stop_sequences": [""])"), "stop_sequences"},
      {user_and(R"(, "stop_sequences": "x")"), "stop_sequences"},
      {user_and(R"(, "metadata": {"user_id": 3})"), "metadata"},
      {user_and(R"(, "stream": "yes")"), "stream"},
      {user_and(R"(, "tools": [{"type": "web_search_20250305", "name": "web_search"}])"), "web_search_20250305"},
      {user_and(R"(, "tools": [{"name": "a b", "input_schema": {}}])"), "tools.0.name"},
      {user_and(R"(, "tools": [{"name": "a"}])"), "input_schema"},
      {user_and(R"(, "tools": [{"name": "a", "input_schema": {}}, {"name": "a", "input_schema": {}}])"), "two tools"},
      {user_and(R"(, "tool_choice": {"type": "maybe"})"), "tool_choice.type"},
      {user_and(R"(, "thinking": {"type": "enabled"})"), "budget_tokens"},
      {user_and(R"(, "thinking": {"type": "much"})"), "thinking.type"},
      {user_and(R"(, "output_config": {"format": {"type": "xml"}})"), "output_config.format"},
      {user_and(R"(, "mcp_servers": [])"), "mcp_servers"},
  };
  for (const Bad& row : rows) EXPECT_THAT(refusal(row.body), testing::HasSubstr(row.named)) << row.body;
}

// ---- answers ----

engine::Finish finish(engine::FinishReason reason) {
  engine::Finish f;
  f.reason = reason;
  f.usage = {.prompt_tokens = 10, .cached_tokens = 4, .completion_tokens = 3};
  return f;
}

ChatPiece piece(ChatPiece::Kind kind, std::string text) { return {.kind = kind, .text = std::move(text)}; }

ChatPiece last(engine::FinishReason reason, bool calls = false) {
  return {.kind = ChatPiece::Kind::kFinish, .finish = finish(reason), .calls = calls};
}

std::vector<json::object> events_of(const std::vector<ChatPiece>& pieces) {
  std::vector<json::object> out;
  AnthropicEvents events({"msg_1", "m", "req_1", 10}, [&](json::object event) { out.push_back(std::move(event)); });
  for (const ChatPiece& p : pieces) events.take(p);
  return out;
}

using Kind = ChatPiece::Kind;

TEST(AnthropicEvents, OneBlockAfterTheOther) {
  ChatPiece begin{.kind = Kind::kCallBegin, .id = "toolu_1", .name = "weather"};
  const auto events = events_of({piece(Kind::kReasoning, "Hm"), piece(Kind::kReasoning, "m."), piece(Kind::kText, ""), piece(Kind::kText, "Let me "),
                                 piece(Kind::kText, "look."), begin, piece(Kind::kCallArguments, "{\"a\":"), piece(Kind::kCallArguments, "1}"),
                                 piece(Kind::kCallEnd, ""), last(engine::FinishReason::kStop, true)});
  json::array all(events.begin(), events.end());
  EXPECT_EQ(json::value(all), parse(R"([
    {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null,
      "stop_sequence": null, "usage": {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0}}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "m."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Let me "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "look."}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":"}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
      "usage": {"input_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4, "output_tokens": 3}},
    {"type": "message_stop"}])"));
}

std::string reason_of(ChatPiece end) {
  const auto events = events_of({std::move(end)});
  const json::object& delta = events[events.size() - 2];
  return std::string(delta.at("delta").at("stop_reason").as_string());
}

TEST(AnthropicEvents, WhyAnAnswerEnds) {
  EXPECT_EQ(reason_of(last(engine::FinishReason::kStop)), "end_turn");
  EXPECT_EQ(reason_of(last(engine::FinishReason::kLength)), "max_tokens");
  EXPECT_EQ(reason_of(last(engine::FinishReason::kContext)), "model_context_window_exceeded");
  ChatPiece stopped = last(engine::FinishReason::kStop);
  stopped.finish->stop_string = "###";
  EXPECT_EQ(reason_of(stopped), "stop_sequence");
  EXPECT_EQ(events_of({stopped})[2].at("delta").at("stop_sequence"), json::string("###"));
}

TEST(AnthropicEvents, AnErrorEndsTheStream) {
  ChatPiece failed = last(engine::FinishReason::kError);
  failed.finish->error = {ErrorCode::kInternal, "out of luck"};
  const auto events = events_of({piece(Kind::kText, "a"), failed});
  EXPECT_EQ(events.back().at("type"), json::string("error"));
  EXPECT_EQ(events.back().at("error").at("type"), json::string("api_error"));
  EXPECT_EQ(events.back().at("request_id"), json::string("req_1"));
}

TEST(AnthropicMessage, Whole) {
  ChatAnswer answer;
  answer.text = "Four.";
  answer.calls = {{"toolu_1", "add", "{\"a\": 2}"}, {"toolu_2", "add", "{\"a\": "}};
  answer.finish = finish(engine::FinishReason::kLength);
  EXPECT_EQ(json::value(anthropic_message("msg_1", "m", answer)), parse(R"({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
    "content": [{"type": "text", "text": "Four."}, {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 2}},
      {"type": "tool_use", "id": "toolu_2", "name": "add", "input": {"INVALID_JSON": "{\"a\": "}}],
    "stop_reason": "max_tokens", "stop_sequence": null,
    "usage": {"input_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4, "output_tokens": 3}})"));
}

TEST(AnthropicModels, PagesOfTheList) {
  const std::vector<json::object> cards = {anthropic_model_card("a", 0), anthropic_model_card("b:1", 0), anthropic_model_card("c", 0)};
  const auto ids = [&](std::string_view query) {
    const json::object list = std::get<json::object>(anthropic_model_list(cards, query));
    std::string out;
    for (const json::value& card : list.at("data").as_array()) out += std::string(card.at("id").as_string()) + " ";
    return out + (list.at("has_more").as_bool() ? "more" : "end");
  };
  EXPECT_EQ(ids(""), "a b:1 c end");
  EXPECT_EQ(ids("limit=2"), "a b:1 more");
  EXPECT_EQ(ids("limit=2&after_id=b%3A1"), "c end");
  EXPECT_EQ(ids("before_id=c&limit=1"), "b:1 more");
  EXPECT_TRUE(std::holds_alternative<ApiError>(anthropic_model_list(cards, "limit=x")));
  EXPECT_EQ(cards[0].at("created_at"), json::string("1970-01-01T00:00:00Z"));
}

TEST(ApiError, InTheShapeOfTheApiThatWasCalled) {
  const auto body = [](std::string path, http::HeaderList headers = {}) {
    return error_body({.path = std::move(path), .headers = std::move(headers)}, {404, "not_found_error", "gone", "model", "model_not_found"}, "req_7");
  };
  EXPECT_EQ(json::value(body("/api/chat")), parse(R"({"error": "gone"})"));
  EXPECT_EQ(body("/v1/chat/completions").at("error").at("code"), json::string("model_not_found"));
  EXPECT_EQ(body("/v1/messages").at("type"), json::string("error"));
  EXPECT_EQ(body("/v1/messages").at("request_id"), json::string("req_7"));
  EXPECT_EQ(body("/v1/messages/count_tokens").at("error").at("type"), json::string("not_found_error"));
  EXPECT_EQ(body("/v1/models", {{"anthropic-version", "2023-06-01"}}).at("type"), json::string("error"));
}

TEST(ApiError, AnEarlierVersionOfAnthropicsApiIsRefusedByName) {
  const auto refused = [](const char* version) {
    const auto error = check_anthropic_version({.headers = {{"anthropic-version", version}}});
    return error ? error->param : "";
  };
  EXPECT_EQ(refused("2023-06-01"), "");
  EXPECT_EQ(refused("2026-10-21"), "");  // what its clients of that day send
  EXPECT_EQ(refused("2023-01-01"), "anthropic-version");
  EXPECT_EQ(refused("2026-10-21x"), "anthropic-version");
  EXPECT_EQ(refused("latest"), "anthropic-version");
  EXPECT_FALSE(check_anthropic_version({}));
}

}  // namespace
}  // namespace rival::serve
