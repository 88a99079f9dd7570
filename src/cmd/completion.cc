#include <fmt/format.h>

#include <algorithm>

#include "cmd/cli.h"
#include "cmd/command.h"

namespace rival::cmd {
namespace {

// Flags are read from a command's own --help when they are asked for, so that this file need not know them.
// A colon breaks words in bash: the word is taken from the line, and what stands before its last colon is there already.
constexpr const char* kBash = R"sh(_rival() {
  local line=${COMP_LINE:0:COMP_POINT} command=${COMP_WORDS[1]} all=""
  local word=${line##*[[:space:]]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "@COMMANDS@ --help --version" -- "$word"))
    return
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(rival "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$word"))
    return
  fi
  case $command in
    @MODEL_COMMANDS@)
      [ "$command" = pull ] && all=--all
      COMPREPLY=($(compgen -W "$(rival ls --names $all 2>/dev/null)" -- "$word")) ;;
    completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")) && return ;;
  esac
  if [ "${#COMPREPLY[@]}" = 0 ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  fi
  if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local there=${word%"${word##*:}"}
    COMPREPLY=("${COMPREPLY[@]#"$there"}")
  fi
}
complete -F _rival rival
)sh";

// As a file of the fpath it is the function itself when it is first called; read by `source` it only announces it.
constexpr const char* kZsh = R"sh(#compdef rival
_rival() {
  local command=${words[2]} all=""
  if (( CURRENT == 2 )); then
    compadd -- @COMMANDS@ --help --version
  elif [[ ${words[CURRENT]} == -* ]]; then
    compadd -- ${(f)"$(rival $command --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)"}
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
if [[ ${funcstack[1]} == _rival ]]; then
  _rival "$@"
else
  compdef _rival rival
fi
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
