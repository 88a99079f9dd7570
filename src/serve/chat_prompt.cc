#include "serve/chat_prompt.h"

#include "serve/chat_messages.h"
#include "text/chat_encoder.h"

namespace rival::serve {
namespace {

Result<std::string> render(const PromptStyle& style, const ChatRequest& request, json::array messages, bool generation_prompt) {
  json::object variables = request.template_variables;
  variables["messages"] = std::move(messages);
  variables["tools"] = template_tools(style, request);
  variables["add_generation_prompt"] = generation_prompt;
  variables["bos_token"] = style.bos_text;
  variables["eos_token"] = style.eos_text;
  return style.chat_template.render(variables);
}

// The prompt up to the end of the last message, which the model writes on.
Result<std::string> render_continued(const PromptStyle& style, const ChatRequest& request, json::array messages) {
  const json::value content = messages.back().get_object()["content"];
  const std::string text = content.is_string() ? std::string(content.get_string()) : "";
  const size_t size = text.find_last_not_of(" \t\r\n") + 1;  // templates like to trim
  if (size > 0) {
    RIVAL_ASSIGN_OR_RETURN(const std::string whole, render(style, request, messages, false));
    const size_t begin = text.find_first_not_of(" \t\r\n");
    const size_t at = whole.rfind(text.substr(begin, size - begin));
    if (at != whole.npos) return whole.substr(0, at + size - begin) + text.substr(size);
  }
  messages.pop_back();
  RIVAL_ASSIGN_OR_RETURN(const std::string before, render(style, request, std::move(messages), true));
  return before + text;
}

Result<std::string> render_form(const PromptStyle& style, const ChatRequest& request, MessageForm form) {
  json::array messages = make_messages(style, request, form);
  if (request.continue_last) return render_continued(style, request, std::move(messages));
  return render(style, request, std::move(messages), true);
}

// All of a request that may hold words of others.
json::object foreign_words(const ChatRequest& request) {
  json::array tools;
  for (const Tool& tool : request.tools) tools.push_back(json::array{tool.description, tool.parameters});
  return {{"messages", request.messages}, {"tools", std::move(tools)}, {"variables", request.template_variables}};
}

// The request with other words in the place of those.
ChatRequest with_words(const ChatRequest& request, const json::object& words) {
  ChatRequest out{.messages = words.at("messages").get_array(), .tools = request.tools, .tool_choice = request.tool_choice, .format = {},
                  .template_variables = words.at("variables").get_object(), .continue_last = request.continue_last, .generation = {}};
  for (size_t i = 0; i < out.tools.size(); ++i) {
    const json::array& tool = words.at("tools").get_array()[i].get_array();
    out.tools[i].description = std::string(tool[0].get_string());
    out.tools[i].parameters = tool[1].get_object();
  }
  return out;
}

Result<std::string> render_words(const PromptStyle& style, const ChatRequest& request, const json::value& words) {
  auto text = render_chat(style, with_words(request, words.get_object()));
  if (const ApiError* error = std::get_if<ApiError>(&text)) return make_error(ErrorCode::kInvalidArgument, "{}", error->message);
  return std::get<std::string>(std::move(text));
}

// What the message that is written on has said: a thought that may be open, and text.
void begin_answer(const text::AnswerSyntax& syntax, const ChatRequest& request, ChatPrompt& prompt) {
  const json::value* content = request.messages.back().get_object().if_contains("content");
  if (!content || !content->is_string()) return;
  const text::BegunAnswer begun = text::begun_answer(syntax, content->get_string());
  prompt.thinking_open |= begun.thinking;
  prompt.answer_begun = begun.text;
}

ApiError of_messages(const Error& error) {
  ApiError out = to_api_error(error);
  out.param = "messages";
  out.code.clear();
  return out;
}

}  // namespace

std::variant<std::string, ApiError> render_chat(const PromptStyle& style, const ChatRequest& request) {
  if (request.messages.empty()) return bad_field("messages", "expected at least one message");
  const auto* last = request.messages.back().if_object();
  if (request.continue_last && (!last || !last->contains("role") || last->at("role") != "assistant"))
    return bad_field("messages", "the last message is not an assistant's, so it cannot be continued");
  auto text = render_form(style, request, MessageForm::kAsGiven);
  for (MessageForm form : {MessageForm::kSystemFirst, MessageForm::kTurnsOnly}) {
    if (text.ok()) break;
    if (auto bent = render_form(style, request, form); bent.ok()) text = std::move(bent);
  }
  if (!text.ok()) return of_messages(text.error());
  return std::move(text).value();
}

std::variant<ChatPrompt, ApiError> make_chat_prompt(const ServedModel& model, const ChatRequest& request) {
  if (model.embeds()) return bad_field("model", "is an embedding model: it turns text into vectors and writes none");
  const text::ChatTemplate* chat_template = model.chat_template();
  if (!chat_template) return bad_field("model", fmt::format("{} is a base model without a chat template; use /v1/completions", model.name()));
  const std::string& source = model.loaded().chat_template();
  const bool null_content = source.find("is none") != source.npos || source.find("is not none") != source.npos;
  const PromptStyle style{.chat_template = *chat_template, .syntax = model.syntax(), .bos_text = model.loaded().bos_text(),
                          .eos_text = model.loaded().eos_text(), .null_content = null_content};
  const auto text = render_chat(style, request);
  if (const ApiError* error = std::get_if<ApiError>(&text)) return *error;
  const std::string& written = std::get<std::string>(text);
  auto ids = text::encode_chat(model.tokenizer(), written, foreign_words(request), [&](const json::value& words) { return render_words(style, request, words); });
  if (!ids.ok()) return of_messages(ids.error());
  ChatPrompt prompt{.tokens = std::move(ids).value(), .thinking_open = text::opens_thinking(model.syntax(), written), .thinking_closed = text::closes_thinking(model.syntax(), written)};
  if (request.continue_last) begin_answer(model.syntax(), request, prompt);
  // Some templates leave the beginning-of-text token to the tokenizer, as others write it out themselves.
  const text::Vocabulary& vocabulary = model.tokenizer().vocabulary();
  if (vocabulary.add_bos && vocabulary.bos && (prompt.tokens.empty() || prompt.tokens.front() != *vocabulary.bos))
    prompt.tokens.insert(prompt.tokens.begin(), *vocabulary.bos);
  return prompt;
}

}  // namespace rival::serve
