// A loaded model as a partner in conversation: messages and plain text become requests, requests become text that
// streams in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cmd/chat.h"
#include "cmd/chat_settings.h"
#include "cmd/terminal_interrupt.h"
#include "engine/model_handle.h"
#include "text/answer_syntax.h"
#include "text/chat_template.h"

namespace rival::cmd {

enum class ContextPolicy {
  kStop,  // a chat that no longer fits is an error
  kDrop,  // its oldest turns are left out
};

struct Prompt {
  std::vector<text::TokenId> tokens;
  bool opens_thinking = false;  // the answer begins inside a thinking block
  size_t dropped_messages = 0;  // the oldest ones, left out because they do not fit
  bool folded_system = false;   // the template knows no system role; the first question carries its text
};

struct Answer {
  std::string text;
  std::string thinking;
  engine::Finish finish;
};

class ChatModel {
 public:
  // `base`: the model is known to be a base model, so its template, if it has one, is not used.
  // Errors: those of ModelHandle::load; kUnsupported for a model that gives vectors or has no tokenizer.
  static Result<std::unique_ptr<ChatModel>> load(const std::filesystem::path& path, const engine::LoadOptions& options,
                                                 bool base);

  engine::ModelHandle& handle() const { return *handle_; }
  const model::ModelConfig& config() const { return handle_->config(); }
  bool chats() const { return template_.has_value(); }  // false: it continues text
  uint32_t context() const { return handle_->engine().context_limit(); }

  // Errors: kLimit for text that leaves no room for an answer.
  Result<Prompt> text_prompt(std::string_view text) const;

  // The messages as the template writes them, ready for an answer. Turns left out once stay out, so that what
  // follows can use the pages computed before. Errors: kInvalidArgument where the template refuses the messages;
  // kLimit where they do not fit and may not be dropped.
  Result<Prompt> chat_prompt(const Chat& chat, const ChatSettings& settings, ContextPolicy policy);

  // Forgets what chat_prompt() left out: another chat begins.
  void begin_chat() { dropped_ = 0; }

  using Sink = std::function<void(bool thinking, std::string_view text)>;
  // Runs the request; `on_text` is called on this thread, and with an empty text about every 50 ms when none comes.
  // Ctrl-C or an end of the program ends the answer early (FinishReason::kCancelled).
  Result<Answer> answer(Prompt prompt, const ChatSettings& settings, const Interrupts& interrupts, const Sink& on_text);

 private:
  ChatModel() = default;
  Result<Prompt> render(const Chat& chat, size_t dropped, const ChatSettings& settings) const;
  Result<std::string> render_text(const json::value& messages, const ChatSettings& settings) const;
  Error with_advice(Error error) const;  // what to do about text that is too long
  uint32_t answer_room(const ChatSettings& settings) const;

  std::unique_ptr<engine::ModelHandle> handle_;
  std::optional<text::ChatTemplate> template_;
  text::AnswerSyntax syntax_;
  size_t dropped_ = 0;  // oldest messages that the model is no longer told
};

}  // namespace rival::cmd
