#include "serve/chat.h"

#include <algorithm>

#include "serve/answer_format.h"
#include "serve/answer_teller.h"
#include "serve/chat_prompt.h"
#include "serve/generation.h"
#include "serve/submit.h"
#include "text/answer_grammar.h"

namespace rival::serve {
namespace {

constexpr size_t kToolsMax = 512;
constexpr size_t kToolNameMax = 128;

std::string tool_param(const Tool& tool) { return tool.param.empty() ? "tools" : tool.param; }

std::optional<ApiError> check_tools(const ChatRequest& request) {
  if (request.tools.size() > kToolsMax) return bad_field("tools", fmt::format("{} tools; at most {} are possible", request.tools.size(), kToolsMax));
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/";
  for (const Tool& tool : request.tools) {
    const auto same = std::count_if(request.tools.begin(), request.tools.end(), [&](const Tool& other) { return other.name == tool.name; });
    if (tool.name.empty() || tool.name.size() > kToolNameMax || tool.name.find_first_not_of(kLetters) != tool.name.npos)
      return bad_field(tool_param(tool), fmt::format("the name '{}' is not 1 to {} letters, digits, or any of _-.:/", tool.name, kToolNameMax));
    if (same > 1) return bad_field(tool_param(tool), fmt::format("two tools are called '{}'", tool.name));
  }
  const ToolChoice& choice = request.tool_choice;
  const bool wanted = choice.kind == ToolChoice::Kind::kRequired || choice.kind == ToolChoice::Kind::kNamed;
  if (wanted && request.tools.empty()) return bad_field("tool_choice", "asks for a call, but there are no tools");
  if (choice.kind != ToolChoice::Kind::kNamed) return std::nullopt;
  const bool there = std::any_of(request.tools.begin(), request.tools.end(), [&](const Tool& tool) { return tool.name == choice.name; });
  if (!there) return bad_field("tool_choice", fmt::format("there is no tool '{}'", choice.name));
  return std::nullopt;
}

// Those that may be called.
std::vector<const Tool*> callable_tools(const ChatRequest& request) {
  std::vector<const Tool*> out;
  if (request.tool_choice.kind == ToolChoice::Kind::kNone) return out;
  for (const Tool& tool : request.tools)
    if (request.tool_choice.kind != ToolChoice::Kind::kNamed || tool.name == request.tool_choice.name) out.push_back(&tool);
  return out;
}

text::Grammar::Compiled arguments_grammar(const ServedModel& model, const Tool& tool) {
  json::object schema = tool.parameters;
  if (!schema.contains("type")) schema["type"] = "object";
  if (schema["type"] != "object") return make_error(ErrorCode::kInvalidArgument, "the parameters of '{}' are not of type object", tool.name);
  return compile_schema(model, schema);
}

std::variant<std::shared_ptr<const text::Grammar>, ApiError> compile_answer(const ServedModel& model, const ChatRequest& request, const ChatPrompt& prompt) {
  using Kind = ToolChoice::Kind;
  text::AnswerRules rules{.calls_needed = request.tool_choice.kind == Kind::kRequired || request.tool_choice.kind == Kind::kNamed,
                          .parallel = request.tool_choice.parallel,
                          .thinking_open = prompt.thinking_open,
                          .may_think = prompt.thinking_open || (!request.continue_last && !prompt.thinking_closed)};
  for (const Tool* tool : callable_tools(request)) {
    auto arguments = arguments_grammar(model, *tool);
    if (!arguments.ok()) return bad_field(tool_param(*tool), fmt::format("{}: {}", tool->name, arguments.error().message));
    rules.tools.push_back({tool->name, std::move(arguments).value()});
  }
  auto format = compile_format(model, request.format);
  if (!format.ok()) return bad_field(request.format.param, format.error().message);
  rules.format = *format;
  auto grammar = text::answer_grammar(model.grammar_vocabulary(), model.syntax(), rules);
  if (!grammar.ok()) return bad_field(rules.tools.empty() ? request.format.param : "tools", grammar.error().message);
  return std::move(grammar).value();
}

TellerOptions teller_options(const ServedModel& model, ChatRequest& request, const ChatPrompt& prompt) {
  TellerOptions options{.split = {.thinking_open = prompt.thinking_open, .formatted = request.format.kind != AnswerFormat::Kind::kText},
                        .n = request.generation.n};
  for (const Tool* tool : callable_tools(request)) options.split.tools.push_back(tool->name);
  options.special_text = model.syntax().thinks() || !options.split.tools.empty();
  if (options.special_text) options.stops = std::exchange(request.generation.stop, {});
  return options;
}

}  // namespace

std::variant<engine::RequestId, ApiError> start_chat(const std::shared_ptr<ServedModel>& model, ChatRequest request,
                                                     std::function<void(ChatPiece)> on_piece) {
  if (auto error = check_tools(request)) return std::move(*error);
  auto made = make_chat_prompt(*model, request);
  if (auto* error = std::get_if<ApiError>(&made)) return std::move(*error);
  ChatPrompt& prompt = std::get<ChatPrompt>(made);
  if (auto error = check_prompt_size(*model, prompt.tokens.size())) return std::move(*error);
  auto grammar = compile_answer(*model, request, prompt);
  if (auto* error = std::get_if<ApiError>(&grammar)) return std::move(*error);
  const TellerOptions options = teller_options(*model, request, prompt);
  engine::Request& generation = request.generation;
  if (auto& shared = std::get<std::shared_ptr<const text::Grammar>>(grammar)) generation.constraint = constrain(std::move(shared));
  generation.prompt = std::move(prompt.tokens);
  generation.special_text = options.special_text;
  const auto teller = std::make_shared<AnswerTeller>(*model, options, std::move(on_piece));
  generation.on_output = [model, teller](engine::Output output) { teller->take(std::move(output)); };
  const auto id = submit(model, std::move(generation), request.record);
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
    answer.reasoning_tokens = piece.reasoning_tokens;
    if (--state->open == 0) state->done(std::move(state->answers));
  };
}

}  // namespace rival::serve
