#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "base/limits.h"
#include "cmd/answer_view.h"
#include "cmd/chat_report.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/models.h"
#include "cmd/run_flags.h"

namespace rival::cmd {
namespace {

// What a pipe or a file gives as (the rest of) the prompt. A terminal is for chatting, and /dev/null is nothing.
Result<std::string> piped_input() {
  struct stat info = {};
  if (::fstat(STDIN_FILENO, &info) != 0 || S_ISCHR(info.st_mode)) return std::string();
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count == 0) return text;
    if (count < 0) return make_error(ErrorCode::kIo, "standard input cannot be read");
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > limits::kPromptBytesMax)
      return make_error(ErrorCode::kLimit, "more than {} bytes came in; a prompt has at most that", limits::kPromptBytesMax);
  }
}

std::string joined(std::string prompt, std::string piped) {
  while (!piped.empty() && piped.back() == '\n') piped.pop_back();
  if (prompt.empty() || piped.empty()) return prompt + piped;
  return prompt + "\n\n" + piped;
}

// The embedding models of the catalogue are refused before they are fetched.
Status check_kind(const hub::Hub& hub, const std::string& name) {
  const hub::Row* row = hub.catalogue().find(name);
  if (row == nullptr || row->kind != hub::Kind::kEmbedding) return {};
  return make_error(ErrorCode::kUnsupported,
                    "{} is an embedding model: it turns text into vectors and writes none; `rival ls --all` shows "
                    "models that chat",
                    row->name);
}

int fail_run(const RunFlags& flags, const Error& error) {
  if (flags.json_stream) print_json_error(error);
  return fail(error);
}

Result<Answer> answer_once(ChatModel& model, const RunFlags& flags, AnswerView& view, const Interrupts& interrupts) {
  const ChatSettings settings = settings_for(model, flags);
  Result<Prompt> prompt = Prompt();
  if (model.chats()) {
    Chat chat;
    if (flags.system) set_system(chat, *flags.system);
    chat.messages.push_back({.role = Role::kUser, .content = flags.prompt});
    prompt = model.chat_prompt(chat, settings, ContextPolicy::kStop);
  } else {
    prompt = model.text_prompt(flags.prompt);
  }
  if (!prompt.ok()) return prompt.error();
  return model.answer(std::move(*prompt), settings, interrupts,
                      [&](bool thinking, std::string_view piece) { view.text(thinking, piece); });
}

int run_once(ChatModel& model, const std::string& name, const RunFlags& flags) {
  const Interrupts interrupts;
  const auto view = flags.json_stream ? make_json_view() : make_plain_view();
  const auto answer = answer_once(model, flags, *view, interrupts);
  if (!answer.ok()) return fail_run(flags, answer.error());
  view->end();
  if (flags.json_stream) print_json_end(*answer, name);
  report_end(*answer, model);
  if (flags.verbose) report_rates(*answer);
  if (interrupts.ended_by() != 0) return 128 + interrupts.ended_by();
  return interrupts.ctrl_c() ? 128 + SIGINT : 0;
}

}  // namespace

int run_run(int argc, char** argv) {
  RunFlags flags;
  if (const auto status = parse_run_flags(flags, argc, argv)) return *status;
  auto piped = piped_input();
  if (!piped.ok()) return fail_run(flags, piped.error());
  flags.prompt = joined(flags.prompt, *piped);
  if (flags.model.empty()) flags.model = hub::kDefaultModel;
  const auto hub = hub::Hub::open();
  if (!hub.ok()) return fail_run(flags, hub.error());
  if (const Status status = check_kind(*hub, flags.model); !status.ok()) return fail_run(flags, status.error());
  const auto resolved = hub->resolve(flags.model, terminal_options(flags.accept_licence));
  if (!resolved.ok()) return fail_run(flags, resolved.error());
  const bool base = flags.raw || (resolved->row && resolved->row->kind == hub::Kind::kBase);
  auto model = ChatModel::load(resolved->path, flags.load, base);
  if (!model.ok()) return fail_run(flags, model.error());
  if (flags.verbose) report_model(**model, resolved->name);
  return run_once(**model, resolved->name, flags);
}

}  // namespace rival::cmd
