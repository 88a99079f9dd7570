// Settings of a long-running command, each of which has three names by one rule: --some-name on the command line,
// RIVAL_SOME_NAME in the environment and "some_name" in a JSON file. The command line wins over the environment, and
// that over the file.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "cmd/cli.h"

namespace rival::cmd {

class Settings {
 public:
  explicit Settings(CommandLine& app) : app_(app.app()) {}

  // `value` holds the default. Names begin without dashes. The flag, for checks.
  Flag add(const std::string& group, const std::string& name, std::string& value, const std::string& help);
  Flag add(const std::string& group, const std::string& name, std::vector<std::string>& value, const std::string& help);
  Flag add(const std::string& group, const std::string& name, uint32_t& value, const std::string& help);
  Flag add(const std::string& group, const std::string& name, double& value, const std::string& help);
  Flag add(const std::string& group, const std::string& name, bool& value, const std::string& help);
  // Bytes, as "8GB" or a number.
  Flag add_size(const std::string& group, const std::string& name, uint64_t& value, const std::string& help);

  // After the command line was parsed: what it left open, from the environment and then from the file. Errors:
  // kInvalidArgument names the variable or the key, what was found and what was expected.
  Status read_environment();
  Status read_file(const std::filesystem::path& path);
  Status read_text(std::string_view text, const std::string& file);  // of such a file, whose name stands before errors

  // [{"flag", "environment", "key", "kind", "source", "value"}], secrets left out.
  json::array describe() const;

 private:
  enum class Kind { kText, kList, kInteger, kNumber, kBoolean, kSize };
  struct Setting {
    std::string name;
    Kind kind;
    CLI::Option* option;
    const char* source = "default";
  };

  Flag note(const std::string& group, const std::string& name, Kind kind, CLI::Option* option);
  Setting* find(std::string_view key);
  static const char* kind_name(Kind kind);
  static Result<std::vector<std::string>> texts_of(const json::value& value, Kind kind);
  static Status set(Setting& setting, const std::vector<std::string>& texts, const char* source, const std::string& where);

  CLI::App& app_;
  std::deque<Setting> settings_;
};

std::string environment_name(std::string_view name);  // "idle-unload" -> "RIVAL_IDLE_UNLOAD"
std::string key_name(std::string_view name);          // "idle-unload" -> "idle_unload"

}  // namespace rival::cmd
