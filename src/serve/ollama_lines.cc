#include "serve/ollama_lines.h"

#include "serve/rfc3339.h"

namespace rival::serve {
namespace {

int64_t nanoseconds(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

json::value arguments_json(const std::string& text) {
  auto value = parse_json(text.empty() ? "{}" : text);
  return value.ok() && value->is_object() ? *value : json::value(json::object{});
}

void put_text(json::object& line, OllamaShape shape, std::string_view text, std::string_view thinking, json::array calls) {
  if (shape == OllamaShape::kGenerate) {
    line["response"] = text;
    if (!thinking.empty()) line["thinking"] = thinking;
    return;
  }
  json::object message{{"role", "assistant"}, {"content", text}};
  if (!thinking.empty()) message["thinking"] = thinking;
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  line["message"] = std::move(message);
}

}  // namespace

json::object ollama_nothing(OllamaShape shape, const std::string& model, std::string_view reason) {
  json::object out{{"model", model}, {"created_at", rfc3339_us(std::chrono::system_clock::now())}};
  put_text(out, shape, "", "", {});
  out["done"] = true;
  out["done_reason"] = reason;
  return out;
}

json::object OllamaLines::line(std::string_view text, std::string_view thinking, json::array calls) const {
  json::object out{{"model", model_}, {"created_at", rfc3339_us(std::chrono::system_clock::now())}};
  put_text(out, shape_, text, thinking, std::move(calls));
  if (logprobs_ && !tokens_.empty()) out["logprobs"] = logprobs_(tokens_);
  return out;
}

void OllamaLines::tell(std::string_view text, std::string_view thinking, json::array calls) {
  if (whole_) {
    text_ += text;
    thinking_ += thinking;
    calls_.insert(calls_.end(), calls.begin(), calls.end());
    return;
  }
  json::object out = line(text, thinking, std::move(calls));
  tokens_.clear();
  out["done"] = false;
  send_(std::move(out));
}

void OllamaLines::take(const ChatPiece& piece) {
  if (logprobs_) tokens_.insert(tokens_.end(), piece.tokens.begin(), piece.tokens.end());
  switch (piece.kind) {
    case ChatPiece::Kind::kReasoning:
      if (!piece.text.empty()) tell("", piece.text, {});
      break;
    case ChatPiece::Kind::kText:
      if (!piece.text.empty()) tell(piece.text, "", {});
      break;
    case ChatPiece::Kind::kCallBegin:
      name_ = piece.name;
      id_ = piece.id;
      arguments_.clear();
      break;
    case ChatPiece::Kind::kCallArguments:
      arguments_ += piece.text;
      break;
    case ChatPiece::Kind::kCallEnd:  // this API tells calls as a whole
      tell("", "", {json::object{{"id", id_}, {"function", {{"index", piece.call}, {"name", name_}, {"arguments", arguments_json(arguments_)}}}}});
      break;
    case ChatPiece::Kind::kFinish:
      finish(*piece.finish);
  }
}

void OllamaLines::finish(const engine::Finish& end) {
  if (const auto error = finish_error(end)) return send_(ollama_error(*error));
  json::object out = line(text_, thinking_, std::move(calls_));
  const bool length = end.reason == engine::FinishReason::kLength || end.reason == engine::FinishReason::kContext;
  out["done"] = true;
  out["done_reason"] = length ? "length" : "stop";
  out["total_duration"] = nanoseconds(end.timings.total_s);
  out["load_duration"] = nanoseconds(end.timings.queue_s);
  out["prompt_eval_count"] = end.usage.prompt_tokens;
  out["prompt_eval_duration"] = nanoseconds(end.timings.prefill_s);
  out["eval_count"] = end.usage.completion_tokens;
  out["eval_duration"] = nanoseconds(end.timings.decode_s);
  send_(std::move(out));
}

}  // namespace rival::serve
