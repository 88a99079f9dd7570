#include "serve/chat.h"

#include "serve/answer_format.h"
#include "serve/chat_prompt.h"
#include "serve/generation.h"

namespace rival::serve {
namespace {

void tell(engine::Output output, const std::function<void(ChatPiece)>& on_piece) {
  if (!output.text.empty() || !output.tokens.empty())
    on_piece({.index = output.index, .text = std::move(output.text), .tokens = std::move(output.tokens)});
  if (output.finish) on_piece({.index = output.index, .kind = ChatPiece::Kind::kFinish, .finish = std::move(output.finish)});
}

}  // namespace

std::variant<engine::RequestId, ApiError> start_chat(const std::shared_ptr<ServedModel>& model, ChatRequest request,
                                                     std::function<void(ChatPiece)> on_piece) {
  auto prompt = make_chat_prompt(*model, request);
  if (auto* error = std::get_if<ApiError>(&prompt)) return std::move(*error);
  engine::Request& generation = request.generation;
  generation.prompt = std::move(std::get<ChatPrompt>(prompt).tokens);
  if (auto error = check_prompt_size(*model, generation.prompt.size())) return std::move(*error);
  auto grammar = compile_format(*model, request.format);
  if (!grammar.ok()) return bad_field(request.format.param, grammar.error().message);
  if (*grammar) generation.constraint = constrain(*grammar);
  generation.on_output = [model, on_piece = std::move(on_piece)](engine::Output output) { tell(std::move(output), on_piece); };
  const auto id = model->engine().submit(std::move(generation));
  if (!id.ok()) return submit_error(id.error());
  return *id;
}

std::variant<std::vector<text::TokenId>, ApiError> chat_prompt(const ServedModel& model, const ChatRequest& request) {
  auto prompt = make_chat_prompt(model, request);
  if (auto* error = std::get_if<ApiError>(&prompt)) return std::move(*error);
  return std::move(std::get<ChatPrompt>(prompt).tokens);
}

std::function<void(ChatPiece)> collect_chat(uint32_t n, std::function<void(std::vector<ChatAnswer>)> done) {
  struct State {
    std::vector<ChatAnswer> answers;
    uint32_t open;
    std::function<void(std::vector<ChatAnswer>)> done;
  };
  const auto state = std::make_shared<State>(State{std::vector<ChatAnswer>(n), n, std::move(done)});
  return [state](ChatPiece piece) {
    ChatAnswer& answer = state->answers[piece.index];
    switch (piece.kind) {
      case ChatPiece::Kind::kReasoning: answer.reasoning += piece.text; break;
      case ChatPiece::Kind::kText: answer.text += piece.text; break;
      case ChatPiece::Kind::kCallBegin: answer.calls.push_back({piece.id, piece.name, {}}); break;
      case ChatPiece::Kind::kCallArguments: answer.calls.back().arguments += piece.text; break;
      case ChatPiece::Kind::kCallEnd:
      case ChatPiece::Kind::kFinish: break;
    }
    answer.tokens.insert(answer.tokens.end(), piece.tokens.begin(), piece.tokens.end());
    if (!piece.finish) return;
    answer.finish = std::move(*piece.finish);
    if (--state->open == 0) state->done(std::move(state->answers));
  };
}

}  // namespace rival::serve
