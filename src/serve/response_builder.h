// A response of OpenAI's Responses API as it grows: pieces of the answer in, the object and its stream's events out.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json.h"
#include "serve/chat.h"
#include "text/tokenizer.h"

namespace rival::serve {

class ResponseBuilder {
 public:
  using Emit = std::function<void(const json::object& event)>;

  // `response`: the object before the answer. Log-probabilities are told if `tokenizer` is given. Events are numbered
  // from 0; `emit` may be empty.
  ResponseBuilder(json::object response, const text::Tokenizer* tokenizer, Emit emit);

  void begin();                 // response.created, .queued (of one in the background), .in_progress
  void take(ChatPiece piece);   // all but kFinish
  // Ends the items and sets the status; the event that says so is left to conclude(), since what is said there must
  // have been kept before. `cancelled`: the client wished it.
  void finish(const engine::Finish& finish, uint32_t reasoning_tokens, bool cancelled);
  void fail(const std::string& code, const std::string& message);
  void conclude();              // response.completed, .incomplete, .failed

  const json::object& response() const { return response_; }
  const json::array& output() const { return response_.at("output").get_array(); }
  std::string_view status() const { return response_.at("status").get_string(); }

 private:
  enum class Open : uint8_t { kNothing, kReasoning, kText, kCall };
  void open(Open kind, json::object item);
  void open_message();
  void open_part(json::object part);
  void close(std::string_view status);
  void text(ChatPiece& piece);
  void reasoning(const ChatPiece& piece);
  void emit(std::string_view type, json::object fields);
  void emit_response(std::string_view type);
  json::object place() const;  // item_id and output_index of the open item
  json::object& item();

  json::object response_;
  const text::Tokenizer* tokenizer_;
  Emit emit_;
  int64_t sequence_ = 0;
  Open open_ = Open::kNothing;
  std::string text_;         // of the open item
  json::array logprobs_;     // of the open item
  std::vector<engine::SampledToken> untold_;  // tokens whose text has not come yet
};

}  // namespace rival::serve
