// What every command needs at its edge: its flags, read by CLI11, and errors told to a person. CLI11 itself, which takes
// seconds to compile, is seen by cli.cc and settings.cc alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace rival::cmd {

// One flag or argument of a command line, for what there is to say of it beyond its name: each call returns it again.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}

  Flag& required();
  Flag& shows_default();                              // --help tells the value that the variable has now
  Flag& group(const std::string& title);              // the part of --help that it stands in
  Flag& type_name(const std::string& name);           // what --help calls its value
  Flag& environment(const std::string& variable);     // read where the command line does not name it
  Flag& one_value_each();                             // may be given again, each time with one value
  Flag& separated_by(char separator);                 // several values in one word
  Flag& one_of(const std::vector<std::string>& words);
  bool given() const;  // once parsed
  Flag& needs(Flag other);
  Flag& excludes(Flag other);
  template <class T, class U>
  Flag& between(T low, U high) {                      // both ends belong
    if constexpr (std::is_floating_point_v<T>) return between_numbers(low, high);
    else return between_integers(static_cast<int64_t>(low), static_cast<int64_t>(high));
  }

 private:
  Flag& between_integers(int64_t low, int64_t high);
  Flag& between_numbers(double low, double high);

  CLI::Option* option_;
};

// The command line of one command. The variables that they fill outlive the parsing.
class CommandLine {
 public:
  explicit CommandLine(const std::string& about);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;

  // "--name" or "-n,--name" makes a flag with a value, "NAME" an argument by its place. T: text, numbers, lists and
  // optionals of them; cli.cc names each that is in use.
  template <class T>
  Flag add_option(const std::string& name, T& value, const std::string& help = "");
  // `read` gets each value; its error ends the parsing.
  Flag add_checked(const std::string& name, std::function<Status(const std::string&)> read, const std::string& help);
  Flag add_flag(const std::string& name, bool& value, const std::string& help);
  // A command within this one, such as `add` in `rival serve keys add`; one of them must be given.
  CommandLine& add_subcommand(const std::string& name, const std::string& about);
  bool given() const;  // as a subcommand

  // Reads the command line; an exit status when there is nothing left to do (--help, or a wrong flag: 2).
  std::optional<int> parse(int argc, char** argv);

  CLI::App& app() { return *app_; }

 private:
  explicit CommandLine(CLI::App* subcommand);

  std::unique_ptr<CLI::App> owned_;
  CLI::App* app_;
  std::vector<std::unique_ptr<CommandLine>> subcommands_;
};

// Says on stderr what went wrong; the exit status.
int fail(const Error& error);

}  // namespace rival::cmd
