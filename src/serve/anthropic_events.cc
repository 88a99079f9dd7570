#include "serve/anthropic_events.h"

namespace rival::serve {
namespace {

const char* stop_reason(const engine::Finish& finish, bool calls) {
  switch (finish.reason) {
    case engine::FinishReason::kLength: return "max_tokens";
    case engine::FinishReason::kContext: return "model_context_window_exceeded";
    default: break;
  }
  if (!finish.stop_string.empty()) return "stop_sequence";
  return calls ? "tool_use" : "end_turn";
}

json::value stop_sequence(const engine::Finish& finish) {
  return finish.stop_string.empty() ? json::value(nullptr) : json::value(finish.stop_string);
}

json::object usage_json(const engine::Usage& usage) {
  // What came from the cache is told apart, not counted twice.
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

json::object message_head(const std::string& id, const std::string& model) {
  return {{"id", id}, {"type", "message"}, {"role", "assistant"}, {"model", model}};
}

// Arguments that max_tokens cut off are no JSON; they are kept under a name that says so.
json::value input_json(const std::string& arguments) {
  if (arguments.empty()) return json::object{};
  auto value = parse_json(arguments);
  if (value.ok() && value->is_object()) return *value;
  return json::object{{"INVALID_JSON", arguments}};
}

json::object tool_block(const std::string& id, const std::string& name, json::value input) {
  return {{"type", "tool_use"}, {"id", id}, {"name", name}, {"input", std::move(input)}};
}

}  // namespace

json::object anthropic_message(const std::string& id, const std::string& model, const ChatAnswer& answer) {
  json::object out = message_head(id, model);
  json::array content;
  if (!answer.reasoning.empty())
    content.push_back(json::object{{"type", "thinking"}, {"thinking", answer.reasoning}, {"signature", ""}});
  if (!answer.text.empty()) content.push_back(json::object{{"type", "text"}, {"text", answer.text}});
  for (const ChatCall& call : answer.calls) content.push_back(tool_block(call.id, call.name, input_json(call.arguments)));
  out["content"] = std::move(content);
  out["stop_reason"] = stop_reason(answer.finish, !answer.calls.empty());
  out["stop_sequence"] = stop_sequence(answer.finish);
  out["usage"] = usage_json(answer.finish.usage);
  return out;
}

void AnthropicEvents::start_message() {
  started_ = true;
  json::object message = message_head(message_.id, message_.model);
  message["content"] = json::array{};
  message["stop_reason"] = nullptr;
  message["stop_sequence"] = nullptr;
  message["usage"] = usage_json({.prompt_tokens = static_cast<uint32_t>(message_.prompt_tokens)});
  send_({{"type", "message_start"}, {"message", std::move(message)}});
  send_({{"type", "ping"}});
}

void AnthropicEvents::open(Block kind, json::object block) {
  close();
  block_ = kind;
  send_({{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(block)}});
}

void AnthropicEvents::close() {
  if (block_ == Block::kNone) return;
  send_({{"type", "content_block_stop"}, {"index", index_}});
  block_ = Block::kNone;
  ++index_;
}

void AnthropicEvents::delta(Block kind, json::object delta) {
  if (block_ != kind) {
    if (kind == Block::kThinking) open(kind, {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
    if (kind == Block::kText) open(kind, {{"type", "text"}, {"text", ""}});
  }
  send_({{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(delta)}});
}

void AnthropicEvents::take(const ChatPiece& piece) {
  if (!started_) start_message();
  const bool told = !piece.text.empty();
  switch (piece.kind) {
    case ChatPiece::Kind::kReasoning:
      if (told) delta(Block::kThinking, {{"type", "thinking_delta"}, {"thinking", piece.text}});
      break;
    case ChatPiece::Kind::kText:
      if (told) delta(Block::kText, {{"type", "text_delta"}, {"text", piece.text}});
      break;
    case ChatPiece::Kind::kCallBegin:
      open(Block::kTool, tool_block(piece.id, piece.name, json::object{}));
      break;
    case ChatPiece::Kind::kCallArguments:
      if (told) delta(Block::kTool, {{"type", "input_json_delta"}, {"partial_json", piece.text}});
      break;
    case ChatPiece::Kind::kCallEnd:
      close();
      break;
    case ChatPiece::Kind::kFinish:
      finish(piece);
  }
}

void AnthropicEvents::finish(const ChatPiece& piece) {
  const engine::Finish& end = *piece.finish;
  close();
  if (const auto error = finish_error(end)) return send_(anthropic_error(*error, message_.request_id));
  send_({{"type", "message_delta"},
         {"delta", {{"stop_reason", stop_reason(end, piece.calls)}, {"stop_sequence", stop_sequence(end)}}},
         {"usage", usage_json(end.usage)}});
  send_({{"type", "message_stop"}});
}

}  // namespace rival::serve
