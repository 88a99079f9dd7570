// `rival inspect template`: the prompt that a chat template makes of messages.
#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cmd/cli.h"
#include "cmd/inspect.h"
#include "text/chat_template.h"

namespace rival::cmd {
namespace {

struct Flags {
  std::string model;
  std::string messages;
  std::string tools;
  bool add_generation_prompt = false;
  std::optional<std::string> bos, eos;
  std::vector<std::string> set;
};

void declare(CommandLine& app, Flags& flags) {
  app.add_option("MODEL", flags.model, "a model's name or path, or a template in a file FILE.jinja").required();
  app.add_option("--messages", flags.messages, "JSON file: a list of messages").required();
  app.add_option("--tools", flags.tools, "JSON file: a list of tools");
  app.add_flag("--add-generation-prompt", flags.add_generation_prompt, "let the assistant speak next");
  app.add_option("--bos", flags.bos, "text of the token that begins a sequence");
  app.add_option("--eos", flags.eos, "text of the token that ends a sequence");
  app.add_option("--set", flags.set, "KEY=JSON: another variable of the template, such as enable_thinking=false")
      .one_value_each();
}

Result<json::value> read_json(const std::string& path) {
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(path, limits::kPromptBytesMax));
  auto parsed = parse_json(text);
  if (!parsed.ok()) return with_context(parsed.error(), path);
  return parsed;
}

struct Template {
  std::string source;
  std::string bos, eos;  // empty: the model has none, and the variable stays undefined
};

Result<Template> find_template(const std::string& name) {
  if (name.ends_with(".jinja")) {
    RIVAL_ASSIGN_OR_RETURN(std::string source, read_file(name, limits::kTemplateBytesMax));
    return Template{std::move(source), "", ""};
  }
  RIVAL_ASSIGN_OR_RETURN(const auto path, find_model(name));
  RIVAL_ASSIGN_OR_RETURN(model::ModelSource source, model::open_texts(path));
  if (source.chat_template.empty()) return make_error(ErrorCode::kNotFound, "{} holds no chat template", path.string());
  return Template{std::move(source.chat_template), source.bos_text, source.eos_text};
}

void set_token(json::object& variables, std::string_view name, const std::optional<std::string>& given,
               const std::string& of_model) {
  if (given.has_value() || !of_model.empty()) variables[name] = given.value_or(of_model);
}

Status set_variables(const std::vector<std::string>& settings, json::object& variables) {
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos)
      return make_error(ErrorCode::kInvalidArgument, "--set '{}': expected KEY=JSON", setting);
    auto value = parse_json(std::string_view(setting).substr(equals + 1));
    if (!value.ok()) return with_context(value.error(), fmt::format("--set '{}'", setting));
    variables[setting.substr(0, equals)] = std::move(value).value();
  }
  return {};
}

Result<std::string> render(const Flags& flags) {
  RIVAL_ASSIGN_OR_RETURN(const Template found, find_template(flags.model));
  RIVAL_ASSIGN_OR_RETURN(const auto parsed, text::ChatTemplate::parse(found.source));
  json::object variables;
  RIVAL_ASSIGN_OR_RETURN(variables["messages"], read_json(flags.messages));
  variables["tools"] = nullptr;
  if (!flags.tools.empty()) {
    RIVAL_ASSIGN_OR_RETURN(variables["tools"], read_json(flags.tools));
  }
  variables["documents"] = nullptr;
  variables["add_generation_prompt"] = flags.add_generation_prompt;
  set_token(variables, "bos_token", flags.bos, found.bos);
  set_token(variables, "eos_token", flags.eos, found.eos);
  RIVAL_RETURN_IF_ERROR(set_variables(flags.set, variables));
  return parsed.render(variables);
}

}  // namespace

int run_inspect_template(int argc, char** argv) {
  Flags flags;
  CommandLine app("The prompt that a chat template makes of messages.");
  declare(app, flags);
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto prompt = render(flags);
  if (!prompt.ok()) return fail(prompt.error());
  std::fwrite(prompt->data(), 1, prompt->size(), stdout);
  return 0;
}

}  // namespace rival::cmd
