#include "serve/response_builder.h"

#include <ctime>

#include "serve/fresh_id.h"
#include "serve/openai_logprobs.h"

namespace rival::serve {
namespace {

json::object output_text(const std::string& text, const json::array& logprobs) {
  return {{"type", "output_text"}, {"text", text}, {"annotations", json::array{}}, {"logprobs", logprobs}};
}

json::object reasoning_text(const std::string& text) { return {{"type", "reasoning_text"}, {"text", text}}; }

json::object usage_of(const engine::Usage& usage, uint64_t reasoning_tokens) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"cache_write_tokens", 0}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", reasoning_tokens}}},
          {"total_tokens", uint64_t{usage.prompt_tokens} + usage.completion_tokens}};
}

}  // namespace

ResponseBuilder::ResponseBuilder(json::object response, const text::Tokenizer* tokenizer, Emit emit)
    : response_(std::move(response)), tokenizer_(tokenizer), emit_(std::move(emit)) {}

void ResponseBuilder::emit(std::string_view type, json::object fields) {
  if (!emit_) return;
  json::object event{{"type", type}, {"sequence_number", sequence_++}};
  for (auto& [name, value] : fields) event.insert_or_assign(name, std::move(value));
  emit_(event);
}

void ResponseBuilder::emit_response(std::string_view type) { emit(type, {{"response", response_}}); }

json::object& ResponseBuilder::item() { return response_["output"].get_array().back().get_object(); }

json::object ResponseBuilder::place() const {
  return {{"item_id", output().back().at("id")}, {"output_index", output().size() - 1}};
}

void ResponseBuilder::begin() {
  emit_response("response.created");
  if (status() == "queued") emit_response("response.queued");
  response_["status"] = "in_progress";
  emit_response("response.in_progress");
}

void ResponseBuilder::open(Open kind, json::object item) {
  close("completed");
  open_ = kind;
  response_["output"].get_array().push_back(item);
  emit("response.output_item.added", {{"output_index", output().size() - 1}, {"item", std::move(item)}});
}

void ResponseBuilder::open_part(json::object part) {
  json::object event = place();
  event["content_index"] = 0;
  item()["content"].get_array().push_back(part);
  event["part"] = std::move(part);
  emit("response.content_part.added", std::move(event));
}

// Ends the open item: the events that tell it whole.
void ResponseBuilder::close(std::string_view status) {
  if (open_ == Open::kNothing) return;
  json::object event = place();
  if (open_ == Open::kCall) {
    item()["arguments"] = text_;
    event["name"] = item()["name"];
    event["arguments"] = text_;
    emit("response.function_call_arguments.done", std::move(event));
  } else {
    const bool is_text = open_ == Open::kText;
    const json::object part = is_text ? output_text(text_, logprobs_) : reasoning_text(text_);
    event["content_index"] = 0;
    json::object whole = event;
    whole["text"] = text_;
    if (is_text) whole["logprobs"] = logprobs_;
    emit(is_text ? "response.output_text.done" : "response.reasoning_text.done", std::move(whole));
    item()["content"] = json::array{part};
    event["part"] = part;
    emit("response.content_part.done", std::move(event));
  }
  item()["status"] = status;
  emit("response.output_item.done", {{"output_index", output().size() - 1}, {"item", item()}});
  open_ = Open::kNothing;
  text_.clear();
  logprobs_.clear();
}

void ResponseBuilder::reasoning(const ChatPiece& piece) {
  if (piece.text.empty()) return;
  if (open_ != Open::kReasoning) {
    open(Open::kReasoning, {{"id", fresh_id("rs_")}, {"type", "reasoning"}, {"status", "in_progress"}, {"summary", json::array{}}, {"content", json::array{}}});
    open_part(reasoning_text(""));
  }
  text_ += piece.text;
  json::object event = place();
  event["content_index"] = 0;
  event["delta"] = piece.text;
  emit("response.reasoning_text.delta", std::move(event));
}

void ResponseBuilder::open_message() {
  open(Open::kText, {{"id", fresh_id("msg_")}, {"type", "message"}, {"status", "in_progress"}, {"role", "assistant"}, {"content", json::array{}}});
  open_part(output_text("", {}));
}

void ResponseBuilder::text(ChatPiece& piece) {
  if (tokenizer_) untold_.insert(untold_.end(), piece.tokens.begin(), piece.tokens.end());
  if (piece.text.empty() && untold_.empty()) return;
  if (open_ != Open::kText) open_message();
  json::array logprobs;
  if (tokenizer_) logprobs = std::move(chat_logprobs(*tokenizer_, untold_)["content"].get_array());
  untold_.clear();
  text_ += piece.text;
  logprobs_.insert(logprobs_.end(), logprobs.begin(), logprobs.end());
  json::object event = place();
  event["content_index"] = 0;
  event["delta"] = piece.text;
  event["logprobs"] = std::move(logprobs);
  emit("response.output_text.delta", std::move(event));
}

void ResponseBuilder::take(ChatPiece piece) {
  switch (piece.kind) {
    case ChatPiece::Kind::kReasoning:
      return reasoning(piece);
    case ChatPiece::Kind::kText:
      return text(piece);
    case ChatPiece::Kind::kCallBegin:
      return open(Open::kCall, {{"id", fresh_id("fc_")}, {"type", "function_call"}, {"status", "in_progress"}, {"call_id", piece.id}, {"name", piece.name}, {"arguments", ""}});
    case ChatPiece::Kind::kCallArguments: {
      if (piece.text.empty()) return;
      text_ += piece.text;
      json::object event = place();
      event["delta"] = piece.text;
      return emit("response.function_call_arguments.delta", std::move(event));
    }
    case ChatPiece::Kind::kCallEnd:
      return close("completed");
    case ChatPiece::Kind::kFinish:
      return;
  }
}

void ResponseBuilder::finish(const engine::Finish& finish, uint32_t reasoning_tokens, bool cancelled) {
  using Reason = engine::FinishReason;
  const bool whole = finish.reason == Reason::kStop;
  if (whole && output().empty()) open_message();
  close(whole ? "completed" : "incomplete");
  response_["usage"] = usage_of(finish.usage, reasoning_tokens);
  switch (finish.reason) {
    case Reason::kStop:
      response_["status"] = "completed";
      response_["completed_at"] = std::time(nullptr);
      return;
    case Reason::kLength:
    case Reason::kContext:
      response_["status"] = "incomplete";
      response_["incomplete_details"] = json::object{{"reason", "max_output_tokens"}};
      return;
    case Reason::kCancelled:
      if (!cancelled) return fail("server_error", "the server ended before the answer did");
      response_["status"] = "cancelled";
      return;
    case Reason::kError:
      return fail("server_error", finish.error.message);
  }
}

void ResponseBuilder::fail(const std::string& code, const std::string& message) {
  close("incomplete");
  response_["status"] = "failed";
  response_["error"] = json::object{{"code", code}, {"message", message}};
}

void ResponseBuilder::conclude() {
  const std::string_view now = status();
  // The API knows no event for a cancelled response; clients take .incomplete as an end, and read the status.
  emit_response(now == "completed" ? "response.completed" : now == "failed" ? "response.failed" : "response.incomplete");
}

}  // namespace rival::serve
