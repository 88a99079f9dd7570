#include "cmd/run_flags.h"

#include "cmd/cli.h"
#include "hub/hub.h"

namespace rival::cmd {
namespace {

constexpr const char* kAbout =
    "Chats with a model, or answers one prompt.\n"
    "\n"
    "  rival run                                     chat with the small default model\n"
    "  rival run qwen3:1.7b                          chat with another one (`rival ls --all` shows their names)\n"
    "  rival run smollm2:135m \"Why is the sky blue?\" one answer, streamed\n"
    "  rival run smollm2:135m \"Summarise:\" < a.txt   the prompt and what comes through the pipe\n"
    "  rival run ./model.gguf                        a model file of yours, or a folder with safetensors\n"
    "  rival run --continue                          take up the last chat\n"
    "  rival run smollm2:135m \"Hi\" --temperature 0   the same answer every time\n"
    "\n"
    "Inside a chat: Ctrl-C stops an answer, Ctrl-D leaves, /help shows the rest.";

struct RawFlags {
  std::vector<std::string> prompt;
  std::string kv = "f16", memory, policy = "drop";
  bool no_color = false;
};

void add_model_flags(CommandLine& app, RunFlags& flags, RawFlags& raw) {
  const char* group = "Model";
  app.add_option("--context", flags.load.context, "longest prompt and answer together, in tokens; as trained").group(group);
  app.add_option("--context-policy", raw.policy, "a chat longer than that: drop its oldest turns, or stop")
      .one_of({"drop", "stop"})
      .shows_default()
      .group(group);
  app.add_option("--threads", flags.load.threads, "one a CPU").between(1, 1024).group(group);
  app.add_option("--kv", raw.kv, "keys and values of the context as f16, or q8: half the memory")
      .one_of({"f16", "q8"})
      .shows_default()
      .group(group);
  app.add_option("--memory", raw.memory, "hard bound of the memory for them, such as 512MB").group(group);
  app.add_flag("--accept-licence", flags.accept_licence, "accept the model's licence without being asked").group(group);
}

void add_answer_flags(CommandLine& app, RunFlags& flags) {
  const char* group = "Answers (defaults: what the model's makers advise)";
  app.add_option("--system", flags.system, "what the model is told before the chat").type_name("TEXT").group(group);
  for (const Setting& setting : settings()) {
    const auto note = [&flags, name = setting.name](const std::string& text) -> Status {
      ChatSettings scratch;
      if (const Status status = set_setting(scratch, name, text); !status.ok())
        return Error{status.error().code, "--" + status.error().message};
      flags.settings.emplace_back(name, text);
      return {};
    };
    app.add_checked(std::string("--") + setting.name, note, setting.help)
        .type_name(setting.value)
        .group(group);
  }
  app.add_flag("--raw", flags.raw, "the prompt as it is, without the model's chat template").group(group);
}

void add_output_flags(CommandLine& app, RunFlags& flags, RawFlags& raw) {
  const char* group = "Terminal";
  app.add_flag("--continue", flags.resume, "take up the last chat").group(group);
  app.add_flag("--json-stream", flags.json_stream, "one JSON object a line: text as it comes, then the numbers").group(group);
  app.add_flag("--verbose", flags.verbose, "show memory and token rates").group(group);
  app.add_flag("--no-color", raw.no_color, "no colours and no Markdown; NO_COLOR=1 does the same").group(group);
}

Status take_over(RunFlags& flags, const RawFlags& raw) {
  for (const std::string& word : raw.prompt) flags.prompt += (flags.prompt.empty() ? "" : " ") + word;
  flags.policy = raw.policy == "stop" ? ContextPolicy::kStop : ContextPolicy::kDrop;
  flags.load.kv_type = raw.kv == "q8" ? model::KvType::kQ8 : model::KvType::kF16;
  flags.load.sequences_max = 1;
  flags.color = !raw.no_color;
  if (raw.memory.empty()) return {};
  RIVAL_ASSIGN_OR_RETURN(flags.load.kv_bytes, parse_bytes(raw.memory));
  if (flags.load.kv_bytes == 0) return make_error(ErrorCode::kInvalidArgument, "--memory must be more than 0");
  return {};
}

}  // namespace

std::optional<int> parse_run_flags(RunFlags& flags, int argc, char** argv) {
  RawFlags raw;
  CommandLine app(kAbout);
  app.add_option("MODEL", flags.model, fmt::format("a model's name or path [{}]", hub::kDefaultModel));
  app.add_option("PROMPT", raw.prompt, "the question; without one a chat opens");
  add_answer_flags(app, flags);
  add_model_flags(app, flags, raw);
  add_output_flags(app, flags, raw);
  if (const auto status = app.parse(argc, argv)) return status;
  if (const Status status = take_over(flags, raw); !status.ok()) return fail(status.error());
  return std::nullopt;
}

ChatSettings settings_for(const ChatModel& model, const RunFlags& flags) {
  ChatSettings result = default_settings(model.config(), model.handle().loaded().sampling_defaults(), model.chats());
  for (const auto& [name, value] : flags.settings) {
    const Status status = set_setting(result, name, value);
    RIVAL_CHECK(status.ok(), "a flag was checked when it was read: {}", status.error().message);
  }
  return result;
}

}  // namespace rival::cmd
