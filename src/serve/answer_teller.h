// The answers of one request as they grow: what the engine samples becomes pieces of reasoning, text and calls.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/stop_text.h"
#include "serve/chat.h"
#include "text/answer_splitter.h"

namespace rival::serve {

struct TellerOptions {
  text::SplitOptions split;
  bool special_text = false;           // of the engine's request
  std::vector<std::string> stops = {};  // of the text alone: thoughts and calls do not end at them
  uint32_t n = 1;
};

// Used on the engine's thread.
class AnswerTeller {
 public:
  // `model` outlives it.
  AnswerTeller(ServedModel& model, TellerOptions options, std::function<void(ChatPiece)> on_piece);
  ~AnswerTeller();
  void take(engine::Output output);

 private:
  struct Answer;
  void tell(Answer& answer, const text::AnswerPart& part);
  void tell_text(Answer& answer, ChatPiece piece);
  void finish(Answer& answer, engine::Finish finish);
  size_t raw_size(text::TokenId token) const;

  ServedModel& model_;
  const TellerOptions options_;
  const std::function<void(ChatPiece)> on_piece_;
  std::vector<std::unique_ptr<Answer>> answers_;
};

}  // namespace rival::serve
