#include "cmd/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cmd/terminal_text.h"

namespace rival::cmd {

Flag& Flag::required() { return option_->required(), *this; }
Flag& Flag::shows_default() { return option_->capture_default_str(), *this; }
Flag& Flag::group(const std::string& title) { return option_->group(title), *this; }
Flag& Flag::type_name(const std::string& name) { return option_->type_name(name), *this; }
Flag& Flag::environment(const std::string& variable) { return option_->envname(variable), *this; }
Flag& Flag::one_value_each() { return option_->allow_extra_args(false), *this; }
Flag& Flag::separated_by(char separator) { return option_->delimiter(separator), *this; }
Flag& Flag::one_of(const std::vector<std::string>& words) { return option_->check(CLI::IsMember(words)), *this; }
bool Flag::given() const { return option_->count() > 0; }
Flag& Flag::needs(Flag other) { return option_->needs(other.option_), *this; }
Flag& Flag::excludes(Flag other) { return option_->excludes(other.option_), *this; }
Flag& Flag::between_integers(int64_t low, int64_t high) { return option_->check(CLI::Range(low, high)), *this; }
Flag& Flag::between_numbers(double low, double high) { return option_->check(CLI::Range(low, high)), *this; }

CommandLine::CommandLine(const std::string& about) : owned_(std::make_unique<CLI::App>(about)), app_(owned_.get()) {}
CommandLine::CommandLine(CLI::App* subcommand) : app_(subcommand) {}
CommandLine::~CommandLine() = default;

template <class T>
Flag CommandLine::add_option(const std::string& name, T& value, const std::string& help) {
  return Flag(app_->add_option(name, value, help));
}
template Flag CommandLine::add_option(const std::string&, std::string&, const std::string&);
template Flag CommandLine::add_option(const std::string&, std::optional<std::string>&, const std::string&);
template Flag CommandLine::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template Flag CommandLine::add_option(const std::string&, uint32_t&, const std::string&);
template Flag CommandLine::add_option(const std::string&, std::vector<uint32_t>&, const std::string&);

Flag CommandLine::add_checked(const std::string& name, std::function<Status(const std::string&)> read, const std::string& help) {
  const auto checked = [read = std::move(read)](const std::string& text) {
    const Status status = read(text);
    if (!status.ok()) throw CLI::ValidationError(status.error().message);
  };
  return Flag(app_->add_option_function<std::string>(name, checked, help));
}

Flag CommandLine::add_flag(const std::string& name, bool& value, const std::string& help) {
  return Flag(app_->add_flag(name, value, help));
}

CommandLine& CommandLine::add_subcommand(const std::string& name, const std::string& about) {
  app_->require_subcommand(1);
  return *subcommands_.emplace_back(new CommandLine(app_->add_subcommand(name, about)));
}

bool CommandLine::given() const { return app_->parsed(); }

std::optional<int> CommandLine::parse(int argc, char** argv) {
  app_->name(std::string("rival ") + argv[0]);
  try {
    app_->parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app_->help());
    return 0;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "rival {}: {}; `rival {} --help` shows the flags\n", argv[0], error.what(), argv[0]);
    return 2;
  }
}

int fail(const Error& error) {
  fmt::print(stderr, "rival: {}\n", printable(error.message));  // it may quote a hostile file
  if (error.code == ErrorCode::kCancelled) return 130;
  return error.code == ErrorCode::kInvalidArgument ? 2 : 1;
}

}  // namespace rival::cmd
