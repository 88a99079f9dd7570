#include "cmd/chat_model.h"

#include <chrono>
#include <utility>

#include "engine/output_queue.h"
#include "text/answer_splitter.h"
#include "text/chat_encoder.h"
#include "text/tokenizer.h"

namespace rival::cmd {
namespace {

constexpr std::chrono::milliseconds kPoll{50};

Status check_writes_text(const engine::ModelHandle& handle) {
  const model::ModelConfig& config = handle.config();
  if (!config.causal || config.pooling != model::Pooling::kNone)
    return make_error(ErrorCode::kUnsupported,
                      "this is an embedding model ({}): it turns text into vectors and writes none; `rival ls --all` "
                      "shows models that chat",
                      config.architecture);
  if (handle.tokenizer() == nullptr)
    return make_error(ErrorCode::kUnsupported,
                      "this model file has no tokenizer; fetch one that has, or put tokenizer.json beside it");
  return {};
}

// Index of the first message that remains when `dropped` of the oldest are left out; the system message stays.
size_t first_kept(const Chat& chat, size_t dropped) {
  const bool system = !chat.messages.empty() && chat.messages.front().role == Role::kSystem;
  return dropped + (system ? 1 : 0);
}

json::object to_json(Role role, const std::string& content) {
  return {{"role", to_text(role)}, {"content", content}};
}

// `fold_system`: the system text stands before the first question.
json::array to_json(const Chat& chat, size_t dropped, bool fold_system) {
  json::array result;
  const bool system = first_kept(chat, 0) == 1;
  if (system && !fold_system) result.push_back(to_json(Role::kSystem, chat.messages.front().content));
  bool first = true;
  for (size_t i = first_kept(chat, dropped); i < chat.messages.size(); ++i) {
    const Message& message = chat.messages[i];
    const bool fold = std::exchange(first, false) && system && fold_system;
    result.push_back(to_json(message.role, fold ? chat.messages.front().content + "\n\n" + message.content : message.content));
  }
  return result;
}

}  // namespace

Result<std::unique_ptr<ChatModel>> ChatModel::load(const std::filesystem::path& path, const engine::LoadOptions& options,
                                                   bool base) {
  std::unique_ptr<ChatModel> model(new ChatModel);
  RIVAL_ASSIGN_OR_RETURN(model->handle_, engine::ModelHandle::load(path, options));
  RIVAL_RETURN_IF_ERROR(check_writes_text(*model->handle_));
  const std::string& source = model->handle_->chat_template();
  if (source.empty() || base) return model;
  RIVAL_ASSIGN_OR_RETURN(model->template_, text::ChatTemplate::parse(source));
  model->syntax_ = text::answer_syntax(source, *model->handle_->tokenizer());
  return model;
}

Result<Prompt> ChatModel::text_prompt(std::string_view text) const {
  Prompt prompt;
  RIVAL_ASSIGN_OR_RETURN(prompt.tokens, handle_->tokenizer()->encode(text));
  return prompt;
}

Result<std::string> ChatModel::render_text(const json::value& messages, const ChatSettings& settings) const {
  json::object variables{{"messages", messages},
                         {"tools", nullptr},
                         {"add_generation_prompt", true},
                         {"bos_token", handle_->bos_text()},
                         {"eos_token", handle_->eos_text()}};
  if (settings.think) variables["enable_thinking"] = *settings.think;
  return template_->render(variables);
}

Result<Prompt> ChatModel::render(const Chat& chat, size_t dropped, const ChatSettings& settings) const {
  Prompt prompt;
  prompt.dropped_messages = dropped;
  json::value messages = to_json(chat, dropped, false);
  auto text = render_text(messages, settings);
  if (!text.ok() && first_kept(chat, 0) == 1) {
    prompt.folded_system = true;
    json::value with_system_folded = to_json(chat, dropped, true);
    if (auto folded = render_text(with_system_folded, settings); folded.ok()) text = std::move(folded), messages = std::move(with_system_folded);
  }
  if (!text.ok()) return text.error();
  const text::Tokenizer& tokenizer = *handle_->tokenizer();
  RIVAL_ASSIGN_OR_RETURN(prompt.tokens, text::encode_chat(tokenizer, *text, messages, [&](const json::value& hidden) { return render_text(hidden, settings); }));
  // Some templates leave the beginning-of-text token to the tokenizer, as others write it out themselves.
  const text::Vocabulary& vocabulary = tokenizer.vocabulary();
  if (vocabulary.add_bos && vocabulary.bos && (prompt.tokens.empty() || prompt.tokens.front() != *vocabulary.bos))
    prompt.tokens.insert(prompt.tokens.begin(), *vocabulary.bos);
  prompt.opens_thinking = text::opens_thinking(syntax_, *text);
  return prompt;
}

Error ChatModel::with_advice(Error error) const {
  if (error.code != ErrorCode::kLimit) return error;
  error.message += context() < config().context_length
                       ? fmt::format("; --context can be up to {} with this model", config().context_length)
                       : "; this model can have no more";
  return error;
}

uint32_t ChatModel::answer_room(const ChatSettings& settings) const {
  return std::min(settings.max_tokens.value_or(context() / 4), context() / 2);
}

Result<Prompt> ChatModel::chat_prompt(const Chat& chat, const ChatSettings& settings, ContextPolicy policy) {
  RIVAL_ASSIGN_OR_RETURN(Prompt prompt, render(chat, dropped_, settings));
  if (policy == ContextPolicy::kStop || prompt.tokens.size() + answer_room(settings) <= context()) return prompt;
  // Down to half of the context at once: a chat that lost a turn at every question would be computed anew each time.
  const size_t first = first_kept(chat, 0);
  while (prompt.tokens.size() > context() / 2 && first + dropped_ + 1 < chat.messages.size()) {
    do ++dropped_;
    while (first + dropped_ + 1 < chat.messages.size() && chat.messages[first + dropped_].role != Role::kUser);
    RIVAL_ASSIGN_OR_RETURN(prompt, render(chat, dropped_, settings));
  }
  return prompt;
}

Result<Answer> ChatModel::answer(Prompt prompt, const ChatSettings& settings, const Interrupts& interrupts,
                                 const Sink& on_text) {
  Answer answer;
  text::AnswerSplitter splitter(syntax_, {.thinking_open = prompt.opens_thinking, .trim = true}, [&](const text::AnswerPart& part) {
    const bool thinking = part.kind == text::AnswerPart::Kind::kReasoning;
    (thinking ? answer.thinking : answer.text) += part.text;
    on_text(thinking, part.text);
  });
  const auto queue = std::make_shared<engine::OutputQueue>();
  engine::Request request;
  request.prompt = std::move(prompt.tokens);
  request.sampler = settings.sampler;
  request.max_tokens = settings.max_tokens;
  request.special_text = syntax_.thinks();
  request.on_output = engine::OutputQueue::sink(queue);
  const auto id = handle_->engine().submit(std::move(request));
  if (!id.ok()) return with_advice(id.error());
  for (bool cancelled = false;;) {
    if (!cancelled && interrupts.any()) {
      cancelled = true;
      handle_->engine().cancel(*id);
    }
    auto output = queue->pop_for(kPoll);
    if (!output) {
      on_text(false, "");
      continue;
    }
    if (!cancelled) splitter.push(output->text);
    if (!output->finish) continue;
    splitter.finish();
    answer.finish = std::move(*output->finish);
    break;
  }
  if (answer.finish.reason == engine::FinishReason::kError) return answer.finish.error;
  return answer;
}

}  // namespace rival::cmd
