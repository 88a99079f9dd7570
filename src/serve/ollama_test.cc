// What clients of Ollama's API send, and what they get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/ollama_lines.h"
#include "serve/ollama_request.h"

namespace rival::serve {
namespace {

json::value parse(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : json::value();
}

using Read = std::variant<OllamaRequest, ApiError> (*)(const json::object&);

OllamaRequest request(Read read, std::string_view body) {
  auto out = read(parse(body).as_object());
  if (const ApiError* error = std::get_if<ApiError>(&out)) {
    ADD_FAILURE() << error->message;
    return {};
  }
  return std::move(std::get<OllamaRequest>(out));
}

std::string refusal(Read read, std::string_view body) {
  const auto out = read(parse(body).as_object());
  const ApiError* error = std::get_if<ApiError>(&out);
  if (!error) return "accepted";
  EXPECT_EQ(error->status, 400) << body;
  return error->message;
}

std::string chat_with(std::string_view more) { return fmt::format(R"({{"model": "m", "messages": [{{"role": "user", "content": "hi"}}]{}}})", more); }

TEST(OllamaRequest, MessagesAsTemplatesHaveThem) {
  const OllamaRequest r = request(read_ollama_chat, R"({"model": "m:latest", "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Bern"}}}]},
    {"role": "tool", "tool_name": "weather", "content": "12"}]})");
  EXPECT_EQ(r.model, "m:latest");
  EXPECT_TRUE(r.stream);
  EXPECT_FALSE(r.load_only);
  EXPECT_EQ(json::value(r.chat.messages), parse(R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "reasoning_content": "Hm.", "tool_calls":
      [{"id": "call_0", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Bern\"}"}}]},
    {"role": "tool", "name": "weather", "content": "12"}])"));
}

TEST(OllamaRequest, OptionsAndTheirDefaults) {
  const engine::SamplerParams d = request(read_ollama_chat, chat_with("")).chat.generation.sampler;
  EXPECT_FLOAT_EQ(d.temperature, 0.8f);
  EXPECT_EQ(d.top_k, 40u);
  EXPECT_FLOAT_EQ(d.top_p, 0.9f);
  EXPECT_FLOAT_EQ(d.repetition_penalty, 1.1f);
  EXPECT_EQ(d.seed, std::nullopt);
  const OllamaRequest r = request(read_ollama_chat, chat_with(R"(, "options": {"temperature": 0, "top_k": 3, "top_p": 0.5, "min_p": 0.1, "seed": 7,
    "repeat_penalty": 1.5, "repeat_last_n": 9, "presence_penalty": 1, "frequency_penalty": -1, "num_predict": 11, "num_ctx": 256, "stop": "x",
    "num_thread": 4, "use_mmap": true, "mirostat": 0})"));
  const engine::SamplerParams& s = r.chat.generation.sampler;
  EXPECT_TRUE(s.greedy());
  EXPECT_EQ(s.top_k, 3u);
  EXPECT_FLOAT_EQ(s.top_p, 0.5f);
  EXPECT_FLOAT_EQ(s.min_p, 0.1f);
  EXPECT_EQ(s.seed, 7u);
  EXPECT_FLOAT_EQ(s.repetition_penalty, 1.5f);
  EXPECT_EQ(s.penalty_last_n, 9);
  EXPECT_FLOAT_EQ(s.presence_penalty, 1);
  EXPECT_FLOAT_EQ(s.frequency_penalty, -1);
  EXPECT_EQ(r.chat.generation.max_tokens, 11u);
  EXPECT_EQ(r.context, 256u);
  EXPECT_THAT(r.chat.generation.stop, testing::ElementsAre("x"));
  EXPECT_EQ(request(read_ollama_chat, chat_with(R"(, "options": {"num_predict": -1})")).chat.generation.max_tokens, std::nullopt);
}

TEST(OllamaRequest, FormatThinkToolsLogprobs) {
  EXPECT_EQ(request(read_ollama_chat, chat_with(R"(, "format": "json")")).chat.format.kind, AnswerFormat::Kind::kJsonObject);
  EXPECT_EQ(request(read_ollama_chat, chat_with(R"(, "format": "")")).chat.format.kind, AnswerFormat::Kind::kText);
  const OllamaRequest r = request(read_ollama_chat, chat_with(R"(, "format": {"type": "object"}, "think": "high", "stream": false, "logprobs": true,
    "top_logprobs": 2, "keep_alive": "5m", "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}])"));
  EXPECT_EQ(r.chat.format.schema, parse(R"({"type": "object"})"));
  EXPECT_EQ(json::value(r.chat.template_variables), parse(R"({"enable_thinking": true, "reasoning_effort": "high"})"));
  EXPECT_FALSE(r.stream);
  EXPECT_TRUE(r.chat.generation.sampler.want_logprobs);
  EXPECT_EQ(r.chat.generation.sampler.logprobs, 2u);
  ASSERT_EQ(r.chat.tools.size(), 1u);
  EXPECT_EQ(r.chat.tools[0].name, "f");
}

TEST(OllamaRequest, NothingToAnswerLoadsTheModel) {
  EXPECT_TRUE(request(read_ollama_chat, R"({"model": "m"})").load_only);
  EXPECT_TRUE(request(read_ollama_chat, R"({"model": "m", "messages": [], "keep_alive": 0})").load_only);
  EXPECT_TRUE(request(read_ollama_generate, R"({"model": "m"})").load_only);
}

TEST(OllamaRequest, HowLongTheModelStays) {
  const auto kept = [](std::string_view value) { return request(read_ollama_chat, fmt::format(R"({{"model": "m", "keep_alive": {}}})", value)).keep_s; };
  EXPECT_EQ(request(read_ollama_chat, R"({"model": "m"})").keep_s, std::nullopt);
  EXPECT_EQ(kept("null"), std::nullopt);
  EXPECT_EQ(kept("0"), 0);
  EXPECT_EQ(kept("300"), 300);
  EXPECT_EQ(kept("-1"), -1);
  EXPECT_EQ(kept("1e300"), -1);
  EXPECT_EQ(kept("\"5m\""), 300);
  EXPECT_EQ(kept("\"1h30m0.5s\""), 5400.5);
  EXPECT_EQ(kept("\"1500ms\""), 1.5);
  EXPECT_EQ(kept("\"-1m\""), -60);
  EXPECT_EQ(kept("\"-1\""), -1);
  EXPECT_EQ(kept("\"0\""), 0);
  for (const char* wrong : {"\"\"", "\"-\"", "\"soon\"", "\"5d\"", "\"5m3\"", "\"infs\"", "\"nan\"", "\"1e5s\"", "\"m\"", "true", "[]", "\"--1\"", "\"5 m\""})
    EXPECT_THAT(refusal(read_ollama_chat, fmt::format(R"({{"model": "m", "keep_alive": {}}})", wrong)), testing::HasSubstr("keep_alive")) << wrong;
}

TEST(OllamaRequest, Generate) {
  const OllamaRequest r = request(read_ollama_generate, R"({"model": "m", "prompt": "hi", "system": "Be brief."})");
  EXPECT_EQ(json::value(r.chat.messages), parse(R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}])"));
  EXPECT_EQ(r.raw, std::nullopt);
  EXPECT_EQ(request(read_ollama_generate, R"({"model": "m", "prompt": "hi", "raw": true})").raw, "hi");
  EXPECT_EQ(request(read_ollama_generate, R"({"model": "m", "prompt": "a", "suffix": "b"})").suffix, "b");
}

TEST(OllamaRequest, WhatIsWrongIsNamed) {
  const struct {
    Read read;
    std::string body, named;
  } rows[] = {
      {read_ollama_chat, "{}", "model"},
      {read_ollama_chat, R"({"model": 3})", "model"},
      {read_ollama_chat, R"({"model": "m", "messages": 3})", "messages"},
      {read_ollama_chat, R"({"model": "m", "messages": [3]})", "messages[0]"},
      {read_ollama_chat, R"({"model": "m", "messages": [{"role": "robot", "content": "x"}]})", "messages[0]: role"},
      {read_ollama_chat, R"({"model": "m", "messages": [{"role": "user", "content": 3}]})", "messages[0]: content"},
      {read_ollama_chat, R"({"model": "m", "messages": [{"role": "user", "content": "x", "images": ["aGk="]}]})", "reads text only"},
      {read_ollama_chat, R"({"model": "m", "messages": [{"role": "assistant", "tool_calls": [{"function": 3}]}]})", "tool_calls"},
      {read_ollama_chat, chat_with(R"(, "stream": 1)"), "stream"},
      {read_ollama_chat, chat_with(R"(, "format": "xml")"), "format"},
      {read_ollama_chat, chat_with(R"(, "think": "hard")"), "think"},
      {read_ollama_chat, chat_with(R"(, "keep_alive": "soon")"), "keep_alive"},
      {read_ollama_chat, chat_with(R"(, "tools": [{}])"), "tools[0]"},
      {read_ollama_chat, chat_with(R"(, "tools": [{"function": {"name": ""}}])"), "tools[0].function"},
      {read_ollama_chat, chat_with(R"(, "top_logprobs": 2)"), "top_logprobs"},
      {read_ollama_chat, chat_with(R"(, "options": 3)"), "options"},
      {read_ollama_chat, chat_with(R"(, "options": {"temperature": "hot"})"), "options: temperature"},
      {read_ollama_chat, chat_with(R"(, "options": {"num_predict": -3})"), "options: num_predict"},
      {read_ollama_chat, chat_with(R"(, "options": {"stop": [3]})"), "options: stop"},
      {read_ollama_chat, chat_with(R"(, "options": {"mirostat": 2})"), "options: mirostat"},
      {read_ollama_generate, R"({"model": "m", "prompt": ["x"]})", "prompt"},
      {read_ollama_generate, R"({"model": "m", "prompt": "x", "images": ["aGk="]})", "reads text only"},
      {read_ollama_generate, R"({"model": "m", "prompt": "x", "template": "{{ .Prompt }}"})", "template"},
      {read_ollama_generate, R"({"model": "m", "prompt": "x", "context": [1, 2]})", "context"},
      {read_ollama_generate, R"({"model": "m", "prompt": "x", "raw": true, "system": "y"})", "system"},
  };
  for (const auto& row : rows) EXPECT_THAT(refusal(row.read, row.body), testing::HasSubstr(row.named)) << row.body;
}

TEST(OllamaRequest, Names) {
  EXPECT_EQ(ollama_model_name("minilm:latest"), "minilm");
  EXPECT_EQ(ollama_model_name("smollm2:135m"), "smollm2:135m");
  EXPECT_EQ(ollama_model_name("ollama:qwen3:latest"), "ollama:qwen3:latest");
}

// ---- answers ----

using Kind = ChatPiece::Kind;

std::vector<json::object> lines_of(OllamaShape shape, bool whole, const std::vector<ChatPiece>& pieces, OllamaLines::Logprobs logprobs = {}) {
  std::vector<json::object> out;
  OllamaLines lines(shape, "m", whole, std::move(logprobs), [&](json::object line) {
    line.erase("created_at");
    out.push_back(std::move(line));
  });
  for (const ChatPiece& piece : pieces) lines.take(piece);
  return out;
}

std::vector<ChatPiece> an_answer(engine::FinishReason reason) {
  engine::Finish finish;
  finish.reason = reason;
  finish.usage = {.prompt_tokens = 10, .completion_tokens = 3};
  finish.timings = {.queue_s = 0.25, .prefill_s = 0.5, .total_s = 2, .decode_s = 1};
  return {{.kind = Kind::kReasoning, .text = "Hm."}, {.text = "Let me"}, {.text = " look.", .tokens = {{.id = 7, .logprob = -1.0f}}},
          {.kind = Kind::kCallBegin, .id = "call_9", .name = "weather"}, {.kind = Kind::kCallArguments, .text = "{\"city\":"},
          {.kind = Kind::kCallArguments, .text = "\"Bern\"}"}, {.kind = Kind::kCallEnd}, {.kind = Kind::kFinish, .finish = finish, .calls = true}};
}

TEST(OllamaLines, AChatAsItComes) {
  const auto lines = lines_of(OllamaShape::kChat, false, an_answer(engine::FinishReason::kStop));
  EXPECT_EQ(json::value(json::array(lines.begin(), lines.end())), parse(R"([
    {"model": "m", "message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": false},
    {"model": "m", "message": {"role": "assistant", "content": "Let me"}, "done": false},
    {"model": "m", "message": {"role": "assistant", "content": " look."}, "done": false},
    {"model": "m", "message": {"role": "assistant", "content": "", "tool_calls":
      [{"id": "call_9", "function": {"index": 0, "name": "weather", "arguments": {"city": "Bern"}}}]}, "done": false},
    {"model": "m", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop", "total_duration": 2000000000,
      "load_duration": 250000000, "prompt_eval_count": 10, "prompt_eval_duration": 500000000, "eval_count": 3, "eval_duration": 1000000000}])"));
}

TEST(OllamaLines, OneObject) {
  const auto lines = lines_of(OllamaShape::kChat, true, an_answer(engine::FinishReason::kLength));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].at("message"), parse(R"({"role": "assistant", "content": "Let me look.", "thinking": "Hm.", "tool_calls":
      [{"id": "call_9", "function": {"index": 0, "name": "weather", "arguments": {"city": "Bern"}}}]})"));
  EXPECT_EQ(lines[0].at("done_reason"), json::string("length"));
}

TEST(OllamaLines, GenerateAndLogprobs) {
  const auto lines = lines_of(OllamaShape::kGenerate, false, an_answer(engine::FinishReason::kStop),
                              [](std::span<const engine::SampledToken> tokens) { return json::value(tokens.size()); });
  EXPECT_EQ(lines[0].at("thinking"), json::string("Hm."));
  EXPECT_EQ(lines[1].at("response"), json::string("Let me"));
  EXPECT_FALSE(lines[1].contains("logprobs"));
  EXPECT_EQ(lines[2].at("logprobs"), json::value(1));
  EXPECT_EQ(lines.back().at("response"), json::string(""));
}

TEST(OllamaLines, AnErrorIsALine) {
  ChatPiece failed{.kind = Kind::kFinish, .finish = engine::Finish{}};
  failed.finish->reason = engine::FinishReason::kError;
  failed.finish->error = {ErrorCode::kInternal, "out of luck"};
  const auto lines = lines_of(OllamaShape::kChat, false, {failed});
  EXPECT_EQ(json::value(lines.back()), parse(R"({"error": "out of luck"})"));
}

}  // namespace
}  // namespace rival::serve
