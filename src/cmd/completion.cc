#include <fmt/format.h>

#include "cmd/cli.h"
#include "cmd/command.h"

namespace rival::cmd {
namespace {

// Flags are read from a command's own --help when they are asked for, so that this file need not know them.
constexpr const char* kBash = R"sh(_rival() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "@COMMANDS@ --help --version" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(rival "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*')" -- "$word"))
  else
    case $command in
      @MODEL_COMMANDS@)
        local all=""
        [ "$command" = pull ] && all=--all
        COMPREPLY=($(compgen -W "$(rival ls --names $all 2>/dev/null)" -- "$word") $(compgen -f -- "$word"))
        declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word" ;;
      completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")) ;;
      *) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
  fi
}
complete -o filenames -F _rival rival
)sh";

constexpr const char* kZsh = R"sh(#compdef rival
_rival() {
  local command=${words[2]} all=""
  if (( CURRENT == 2 )); then
    compadd -- @COMMANDS@ --help --version
  elif [[ ${words[CURRENT]} == -* ]]; then
    compadd -- ${(f)"$(rival $command --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*')"}
  else
    case $command in
      @MODEL_COMMANDS@)
        [[ $command == pull ]] && all=--all
        compadd -- ${(f)"$(rival ls --names $all 2>/dev/null)"}
        _files ;;
      completion) compadd -- bash zsh fish ;;
      *) _files ;;
    esac
  fi
}
compdef _rival rival
)sh";

constexpr const char* kFish = R"sh(function __rival_flags
  set -l words (commandline -opc)
  rival $words[2] --help 2>/dev/null | string match -ar -- '--[a-z][a-z-]*'
end
complete -c rival -n __fish_use_subcommand -f -a "@COMMANDS@ --help --version"
complete -c rival -n "not __fish_use_subcommand" -a "(__rival_flags)"
complete -c rival -n "__fish_seen_subcommand_from @MODEL_WORDS@" -a "(rival ls --names 2>/dev/null)"
complete -c rival -n "__fish_seen_subcommand_from pull" -a "(rival ls --names --all 2>/dev/null)"
complete -c rival -n "__fish_seen_subcommand_from completion" -f -a "bash zsh fish"
)sh";

// Commands whose arguments are models.
constexpr const char* kModelCommands[] = {"run",   "pull", "show",     "rm",      "inspect",
                                          "bench", "eval", "quantize", "convert", "serve"};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string joined_commands(const char* separator, bool models_only) {
  std::string result;
  for (const Command& command : commands()) {
    const bool model = std::find(std::begin(kModelCommands), std::end(kModelCommands),
                                 std::string_view(command.name)) != std::end(kModelCommands);
    if (!models_only || model) result += (result.empty() ? "" : separator) + std::string(command.name);
  }
  return result;
}

}  // namespace

int run_completion(int argc, char** argv) {
  std::string shell;
  CommandLine app(
      "Prints a completion script. To have it in every shell:\n"
      "  bash   rival completion bash > ~/.local/share/bash-completion/completions/rival\n"
      "  zsh    rival completion zsh > a folder of your fpath, as _rival\n"
      "  fish   rival completion fish > ~/.config/fish/completions/rival.fish");
  app.add_option("SHELL", shell, "bash, zsh or fish")
      .required()
      .one_of({"bash", "zsh", "fish"});
  if (const auto status = app.parse(argc, argv)) return *status;
  std::string script = shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
  script = replaced(script, "@COMMANDS@", joined_commands(" ", false));
  script = replaced(script, "@MODEL_COMMANDS@", joined_commands("|", true));
  script = replaced(script, "@MODEL_WORDS@", joined_commands(" ", true));
  fmt::print("{}", script);
  return 0;
}

}  // namespace rival::cmd
