// Answers in the shapes of Anthropic's messages API: a message as a whole, and the events of a stream (names and order
// as its clients' accumulators expect them).
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "serve/chat.h"

namespace rival::serve {

// {"id", "type": "message", "content": [...], "stop_reason", "usage", ...}
json::object anthropic_message(const std::string& id, const std::string& model, const ChatAnswer& answer);

// Pieces of one answer to events: message_start, ping, the blocks one after the other, message_delta, message_stop; or
// error at any place.
class AnthropicEvents {
 public:
  // `send` gets each event; its "type" is the event's name.
  struct Message {
    std::string id, model, request_id;
    size_t prompt_tokens = 0;
  };
  AnthropicEvents(Message message, std::function<void(json::object)> send) : message_(std::move(message)), send_(std::move(send)) {}

  void take(const ChatPiece& piece);

 private:
  enum class Block : uint8_t { kNone, kThinking, kText, kTool };
  void start_message();
  void open(Block kind, json::object block);
  void close();
  void delta(Block kind, json::object delta);
  void finish(const ChatPiece& piece);

  const Message message_;
  const std::function<void(json::object)> send_;
  bool started_ = false;
  Block block_ = Block::kNone;
  uint32_t index_ = 0;  // of the open block, or of the next one
};

}  // namespace rival::serve
