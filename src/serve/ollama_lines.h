// Answers as the lines of Ollama's API: one JSON object each.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/json.h"
#include "serve/chat.h"

namespace rival::serve {

enum class OllamaShape : uint8_t { kChat, kGenerate };  // {"message": {...}} or {"response": text}

// Pieces of one answer to lines; with `whole` there is only the last one, which holds everything. Durations are
// nanoseconds, as in all of this API.
class OllamaLines {
 public:
  // `logprobs` writes those of tokens; empty where the client wants none.
  using Logprobs = std::function<json::value(std::span<const engine::SampledToken>)>;
  OllamaLines(OllamaShape shape, std::string model, bool whole, Logprobs logprobs, std::function<void(json::object)> send)
      : shape_(shape), model_(std::move(model)), whole_(whole), logprobs_(std::move(logprobs)), send_(std::move(send)) {}

  void take(const ChatPiece& piece);

 private:
  json::object line(std::string_view text, std::string_view thinking, json::array calls) const;
  void tell(std::string_view text, std::string_view thinking, json::array calls);
  void finish(const engine::Finish& finish);

  const OllamaShape shape_;
  const std::string model_;
  const bool whole_;
  const Logprobs logprobs_;
  const std::function<void(json::object)> send_;
  std::vector<engine::SampledToken> tokens_;  // not told yet
  std::string text_, thinking_;               // with `whole`: all so far
  json::array calls_;                         // as above
  std::string name_, id_, arguments_;         // of the call under way
};

// The line of a request without anything to answer: the model is ready ("load"), or was let go ("unload").
json::object ollama_nothing(OllamaShape shape, const std::string& model, std::string_view reason);

}  // namespace rival::serve
