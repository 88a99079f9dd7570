#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "base/limits.h"
#include "cmd/chat_loop.h"
#include "cmd/cli.h"
#include "cmd/command.h"
#include "cmd/run_flags.h"
#include "cmd/terminal_wrap.h"

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

int fail_run(const RunFlags& flags, const Error& error) {
  if (flags.json_stream) print_json_error(error);
  return fail(error);
}

Status read_prompt(RunFlags& flags) {
  RIVAL_ASSIGN_OR_RETURN(std::string piped, piped_input());
  flags.prompt = joined(flags.prompt, std::move(piped));
  if (flags.prompt.empty() && !::isatty(STDIN_FILENO))
    return make_error(ErrorCode::kInvalidArgument,
                      "there is no prompt: give one behind the model's name, through a pipe, or run this in a terminal");
  if (flags.prompt.empty() && flags.json_stream)
    return make_error(ErrorCode::kInvalidArgument, "--json-stream answers one prompt: give it behind the model's name");
  return {};
}

// The chat that is taken up names the model, unless the command line does.
Status open(ChatSession& session, const RunFlags& flags) {
  if (flags.resume) RIVAL_RETURN_IF_ERROR(session.resume());
  const std::string& remembered = session.chat().model;
  return session.open_model(!flags.model.empty() ? flags.model : !remembered.empty() ? std::string(remembered) : hub::kDefaultModel);
}

int run_once(ChatSession& session, const RunFlags& flags, const Interrupts& interrupts) {
  if (flags.resume) session.keep_chat();
  const Status status = session.ask(flags.prompt);
  if (!status.ok()) return fail_run(flags, status.error());
  if (interrupts.ended_by() != 0) return 128 + interrupts.ended_by();
  return interrupts.ctrl_c() ? 128 + SIGINT : 0;
}

}  // namespace

int run_run(int argc, char** argv) {
  RunFlags flags;
  if (const auto status = parse_run_flags(flags, argc, argv)) return *status;
  if (const Status status = read_prompt(flags); !status.ok()) return fail_run(flags, status.error());
  use_utf8_locale();
  const auto hub = hub::Hub::open();
  if (!hub.ok()) return fail_run(flags, hub.error());
  Interrupts interrupts;
  ChatSession session(*hub, interrupts, flags);
  if (const Status status = open(session, flags); !status.ok()) return fail_run(flags, status.error());
  if (!flags.prompt.empty()) return run_once(session, flags, interrupts);
  return run_chat(session, *hub, interrupts);
}

}  // namespace rival::cmd
