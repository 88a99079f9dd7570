#include "cmd/chat_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "cmd/chat_report.h"
#include "cmd/models.h"
#include "cmd/terminal_style.h"
#include "cmd/terminal_text.h"
#include "text/unicode.h"

namespace rival::cmd {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kKeepEvery{1};  // while an answer comes

// The embedding models of the catalogue are refused before they are fetched.
Status check_kind(const hub::Hub& hub, const std::string& name) {
  const hub::Row* row = hub.catalogue().find(name);
  if (row == nullptr || row->kind != hub::Kind::kEmbedding) return {};
  return make_error(ErrorCode::kUnsupported,
                    "{} is an embedding model: it turns text into vectors and writes none; `rival ls --all` shows "
                    "models that chat",
                    row->name);
}

void note(const std::string& text) { say_to_person("[" + text + "]"); }

}  // namespace

ChatSession::ChatSession(const hub::Hub& hub, Interrupts& interrupts, RunFlags flags)
    : hub_(hub), interrupts_(interrupts), flags_(std::move(flags)), store_(hub.store().home() / "chats") {
  path_ = store_.new_path();
  if (flags_.system) set_system(*flags_.system);
}

Status ChatSession::open_model(const std::string& name) {
  interrupts_.pause();
  Status status = load_model(name);
  interrupts_.resume();
  return status;
}

Status ChatSession::load_model(const std::string& name) {
  RIVAL_RETURN_IF_ERROR(check_kind(hub_, name));
  RIVAL_ASSIGN_OR_RETURN(auto resolved, hub_.resolve(name, terminal_options(flags_.accept_licence)));
  const bool base = flags_.raw || (resolved.row && resolved.row->kind == hub::Kind::kBase);
  const bool styled = flags_.color && wants_style(STDERR_FILENO);
  if (styled) fmt::print(stderr, "\033[2mloading {}\033[0m", printable(resolved.name));
  auto model = ChatModel::load(resolved.path, flags_.load, base);
  if (styled) fmt::print(stderr, "\r\033[K");
  if (!model.ok()) return model.error();
  const bool local = resolved.where == "local";
  model_ = std::move(*model);
  name_ = local ? resolved.path.filename().string() : resolved.name;
  chat_.model = local ? std::filesystem::absolute(resolved.path).string() : resolved.name;
  resolved_ = std::move(resolved);
  settings_ = settings_for(*model_, flags_);
  told_plain_ = flags_.raw;
  if (flags_.verbose) report_model(*model_, name_);
  return {};
}

Status ChatSession::resume() {
  RIVAL_ASSIGN_OR_RETURN(path_, store_.last());
  RIVAL_ASSIGN_OR_RETURN(chat_, read_chat(path_));
  if (flags_.system) set_system(*flags_.system);
  return {};
}

Status ChatSession::load(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(Chat chat, read_chat(path));
  chat.model = chat_.model;
  chat_ = std::move(chat);
  path_ = store_.new_path();
  model_->begin_chat();
  return {};
}

std::string ChatSession::system() const {
  const auto& messages = chat_.messages;
  return !messages.empty() && messages.front().role == Role::kSystem ? messages.front().content : "";
}

void ChatSession::set_system(const std::string& text) { cmd::set_system(chat_, text); }

std::string ChatSession::undo() {
  std::string question = take_last_turn(chat_);
  model_->begin_chat();
  keep();
  return question;
}

void ChatSession::clear() {
  chat_.messages.erase(chat_.messages.begin() + (system().empty() ? 0 : 1), chat_.messages.end());
  path_ = store_.new_path();
  model_->begin_chat();
}

std::unique_ptr<AnswerView> ChatSession::make_view() const {
  if (flags_.json_stream) return make_json_view(write_stdout);
  if (!flags_.color || !wants_style(STDOUT_FILENO)) return make_plain_view(write_stdout);
  return make_terminal_view(write_stdout, terminal_columns(STDOUT_FILENO));
}

Result<Prompt> ChatSession::make_prompt() {
  if (model_->chats()) return model_->chat_prompt(chat_, settings_, flags_.policy);
  return model_->text_prompt(chat_.messages.back().content);
}

// What the model is not told as the person may think.
void ChatSession::tell_of(const Prompt& prompt) {
  if (prompt.dropped_messages > 0 && !std::exchange(told_dropped_, true))
    note(fmt::format("the chat is longer than the context of {} tokens: its oldest {} messages are left out, and more "
                     "as it grows",
                     model_->context(), prompt.dropped_messages));
  if (prompt.folded_system && !std::exchange(told_folded_, true))
    note("this model's template has no system prompt; it is put before the first question");
  if (!model_->chats() && !std::exchange(told_plain_, true))
    note(fmt::format("{} is no chat model: it goes on with your text, each time from the start", name_));
}

// A chat that cannot be written goes on all the same.
void ChatSession::keep() {
  if (!keeps_) return;
  const Status status = store_.save(path_, chat_);
  if (!status.ok() && !std::exchange(told_no_room_, true)) note(status.error().message);
}

Status ChatSession::ask(const std::string& question) {
  const size_t before = chat_.messages.size();
  chat_.messages.push_back({.role = Role::kUser, .content = text::replace_invalid_utf8(question)});
  auto prompt = make_prompt();
  if (!prompt.ok()) {
    chat_.messages.resize(before);
    return prompt.error();
  }
  tell_of(*prompt);
  chat_.messages.push_back({.role = Role::kAssistant, .content = {}, .complete = false});
  keep();
  const auto view = make_view();
  const QuietInterrupts quiet;
  Clock::time_point kept = Clock::now();
  auto answer = model_->answer(std::move(*prompt), settings_, interrupts_, [&](bool thinking, std::string_view piece) {
    view->text(thinking, piece);
    Message& message = chat_.messages.back();
    (thinking ? message.thinking : message.content) += piece;
    if (!piece.empty() && Clock::now() - kept > kKeepEvery) {
      keep();
      kept = Clock::now();
    }
  });
  if (!answer.ok()) {
    chat_.messages.resize(before);
    keep();
    return answer.error();
  }
  view->end();
  chat_.messages.back().complete = answer->finish.reason == engine::FinishReason::kStop;
  keep();
  if (flags_.json_stream) print_json_end(*answer, name_);
  report_end(*answer, *model_);
  if (flags_.verbose) report_rates(*answer);
  return {};
}

}  // namespace rival::cmd
