#include "serve/answer_teller.h"

#include <utility>

#include "serve/fresh_id.h"
#include "text/control_mark.h"
#include "text/tokenizer.h"

namespace rival::serve {

struct AnswerTeller::Answer {
  struct Token {
    engine::SampledToken token;
    size_t end;  // of its text in the raw answer
  };
  uint32_t index = 0;
  std::unique_ptr<text::AnswerSplitter> splitter;
  engine::StopText stop{{}};
  std::deque<Token> tokens;  // not told yet
  size_t size = 0;           // of the raw answer
  uint32_t calls = 0, reasoning_tokens = 0;
};

AnswerTeller::AnswerTeller(ServedModel& model, TellerOptions options, std::function<void(ChatPiece)> on_piece)
    : model_(model), options_(std::move(options)), on_piece_(std::move(on_piece)) {
  for (uint32_t i = 0; i < options_.n; ++i) {
    Answer& answer = *answers_.emplace_back(std::make_unique<Answer>());
    answer.index = i;
    answer.stop = engine::StopText(options_.stops);
    answer.splitter = std::make_unique<text::AnswerSplitter>(model.syntax(), options_.split, [this, &answer](const text::AnswerPart& part) { tell(answer, part); });
  }
}

AnswerTeller::~AnswerTeller() = default;

size_t AnswerTeller::raw_size(text::TokenId token) const {
  if (!model_.tokenizer().is_control(token)) return model_.tokenizer().token_bytes(token).size();
  return options_.special_text ? text::control_mark(model_.tokenizer().token_bytes(token)).size() : 0;
}

void AnswerTeller::take(engine::Output output) {
  Answer& answer = *answers_[output.index];
  const bool stopped = answer.stop.met().has_value();
  // Bytes that were no UTF-8 may have changed their size: what an output tells ends with it.
  size_t at = answer.size;
  answer.size += output.text.size();
  for (size_t i = 0; i < output.tokens.size() && !stopped; ++i) {
    at = i + 1 == output.tokens.size() ? answer.size : std::min(answer.size, at + raw_size(output.tokens[i].id));
    answer.tokens.push_back({std::move(output.tokens[i]), at});
  }
  if (!stopped) answer.splitter->push(output.text);
  if (answer.stop.met() && !stopped) model_.engine().cancel(output.request, output.index);
  if (output.finish) finish(answer, std::move(*output.finish));
}

void AnswerTeller::tell(Answer& answer, const text::AnswerPart& part) {
  using From = text::AnswerPart::Kind;
  if (answer.stop.met()) return;
  ChatPiece piece{.index = answer.index, .text = std::string(part.text)};
  for (; !answer.tokens.empty() && answer.tokens.front().end <= part.end; answer.tokens.pop_front())
    piece.tokens.push_back(std::move(answer.tokens.front().token));
  switch (part.kind) {
    case From::kReasoning:
      piece.kind = ChatPiece::Kind::kReasoning;
      answer.reasoning_tokens += static_cast<uint32_t>(piece.tokens.size());
      break;
    case From::kText: return tell_text(answer, std::move(piece));
    case From::kCallBegin:
      piece.kind = ChatPiece::Kind::kCallBegin;
      piece.name = std::exchange(piece.text, {});
      piece.id = model_.syntax().short_call_ids ? fresh_id("").substr(0, 9) : fresh_id("call_");
      ++answer.calls;
      break;
    case From::kCallArguments: piece.kind = ChatPiece::Kind::kCallArguments; break;
    case From::kCallEnd: piece.kind = ChatPiece::Kind::kCallEnd; break;
  }
  if (answer.calls > 0) piece.call = answer.calls - 1;
  on_piece_(std::move(piece));
}

void AnswerTeller::tell_text(Answer& answer, ChatPiece piece) {
  answer.stop.add(piece.text);
  piece.text = answer.stop.take();
  if (!piece.text.empty() || !piece.tokens.empty()) on_piece_(std::move(piece));
}

void AnswerTeller::finish(Answer& answer, engine::Finish finish) {
  answer.splitter->finish();
  ChatPiece piece{.index = answer.index, .kind = ChatPiece::Kind::kFinish};
  if (answer.stop.met()) {
    finish.stop_string = *answer.stop.met();
    if (finish.reason != engine::FinishReason::kError) finish.reason = engine::FinishReason::kStop;
  } else {
    const std::string held = answer.stop.take_all();
    if (!held.empty()) on_piece_({.index = answer.index, .text = held});
    for (auto& token : answer.tokens) piece.tokens.push_back(std::move(token.token));
    if (answer.splitter->thinking()) answer.reasoning_tokens += static_cast<uint32_t>(piece.tokens.size());
  }
  piece.finish = std::move(finish);
  piece.calls = answer.calls > 0;
  piece.reasoning_tokens = answer.reasoning_tokens;
  on_piece_(std::move(piece));
}

}  // namespace rival::serve
