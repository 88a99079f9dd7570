#include "serve/chat.h"

#include <algorithm>
#include <map>
#include <set>

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

Result<text::CallArguments> arguments_of(const ServedModel& model, const Tool& tool) {
  json::object schema = tool.parameters;
  if (!schema.contains("type")) schema["type"] = "object";
  if (schema["type"] != "object") return make_error(ErrorCode::kInvalidArgument, "the parameters of '{}' are not of type object", tool.name);
  return text::call_arguments(model.grammar_vocabulary(), model.syntax().calls, schema,
                              {.json = [&](const json::value& part) { return compile_schema(model, part); },
                               .text = [&](const json::value& part, std::string_view end) { return compile_string_text(model, part, end); }});
}

// Whether the text of a format goes on that the prompt has begun.
bool writes_on(const ChatRequest& request, const ChatPrompt& prompt) {
  return request.format.kind != AnswerFormat::Kind::kText && !prompt.answer_begun.empty();
}

struct CompiledAnswer {
  std::shared_ptr<const text::Grammar> grammar;  // null: anything
  std::map<std::string, std::set<std::string>> texts;  // SplitOptions::texts
};

std::variant<CompiledAnswer, ApiError> compile_answer(const ServedModel& model, const ChatRequest& request, const ChatPrompt& prompt) {
  using Kind = ToolChoice::Kind;
  CompiledAnswer out;
  text::AnswerRules rules{.calls_needed = request.tool_choice.kind == Kind::kRequired || request.tool_choice.kind == Kind::kNamed,
                          .parallel = request.tool_choice.parallel,
                          .thinking_open = prompt.thinking_open,
                          .may_think = prompt.thinking_open || (!request.continue_last && !prompt.thinking_closed)};
  for (const Tool* tool : callable_tools(request)) {
    auto arguments = arguments_of(model, *tool);
    if (!arguments.ok()) return bad_field(tool_param(*tool), fmt::format("{}: {}", tool->name, arguments.error().message));
    rules.tools.push_back({tool->name, std::move(arguments->grammar)});
    out.texts[tool->name] = std::move(arguments->texts);
  }
  auto format = compile_format(model, request.format);
  if (!format.ok()) return bad_field(request.format.param, format.error().message);
  rules.format = *format;
  rules.begun = writes_on(request, prompt);
  auto grammar = text::answer_grammar(model.grammar_vocabulary(), model.syntax(), rules);
  if (!grammar.ok()) return bad_field(rules.tools.empty() ? request.format.param : "tools", grammar.error().message);
  out.grammar = std::move(grammar).value();
  return out;
}

// Where the answer's grammar stands: at its beginning, or, of one that is written on, behind its text so far.
std::variant<text::GrammarState, ApiError> begin_grammar(const std::shared_ptr<const text::Grammar>& grammar, const ChatRequest& request, const ChatPrompt& prompt) {
  text::GrammarState state(grammar);
  if (writes_on(request, prompt) && !state.accept_bytes(prompt.answer_begun))
    return bad_field("messages", fmt::format("the last message, which is to be written on, begins no text that {} allows", request.format.param));
  return state;
}

TellerOptions teller_options(const ServedModel& model, ChatRequest& request, const ChatPrompt& prompt, CompiledAnswer& answer) {
  TellerOptions options{.split = {.thinking_open = prompt.thinking_open, .texts = std::move(answer.texts), .formatted = request.format.kind != AnswerFormat::Kind::kText},
                        .n = request.generation.n};
  if (!writes_on(request, prompt))
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
  const bool cut = request.generation.overflow == engine::OverflowPolicy::kTruncateLeft;
  if (auto error = cut ? std::nullopt : check_prompt_size(*model, prompt.tokens.size())) return std::move(*error);
  auto compiled = compile_answer(*model, request, prompt);
  if (auto* error = std::get_if<ApiError>(&compiled)) return std::move(*error);
  CompiledAnswer& answer = std::get<CompiledAnswer>(compiled);
  engine::Request& generation = request.generation;
  if (answer.grammar) {
    auto state = begin_grammar(answer.grammar, request, prompt);
    if (auto* error = std::get_if<ApiError>(&state)) return std::move(*error);
    generation.constraint = constrain(std::get<text::GrammarState>(std::move(state)));
  }
  const TellerOptions options = teller_options(*model, request, prompt, answer);
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
