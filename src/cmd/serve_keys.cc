#include "cmd/serve_keys.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "cmd/cli.h"
#include "hub/store.h"
#include "serve/api_keys.h"

namespace rival::cmd {
namespace {

constexpr const char* kAbout =
    "Keys that callers of `rival serve` must show. Only their hashes are kept; a running server takes changes over\n"
    "when it gets SIGHUP.\n"
    "\n"
    "  rival serve keys add phone                            print a new key, once\n"
    "  rival serve keys add team --requests-per-minute 60    one with a bound\n"
    "  rival serve keys ls\n"
    "  rival serve keys rm phone";

using serve::ApiKey;

auto find_key(std::vector<ApiKey>& keys, const std::string& name) {
  return std::find_if(keys.begin(), keys.end(), [&](const ApiKey& key) { return key.name == name; });
}

// Prints the new key alone on standard output, so that a script can take it.
Status add_key(const std::filesystem::path& path, ApiKey key) {
  if (!serve::is_key_name(key.name))
    return make_error(ErrorCode::kInvalidArgument, "NAME: found '{}', expected 1 to 64 letters, digits and ._-", key.name);
  RIVAL_ASSIGN_OR_RETURN(std::vector<ApiKey> keys, serve::read_key_file(path));
  if (find_key(keys, key.name) != keys.end()) return make_error(ErrorCode::kInvalidArgument, "there is a key '{}' already", key.name);
  const std::string text = serve::make_key_text();
  key.sha256 = serve::sha256_text(text);
  key.created_s = std::time(nullptr);
  keys.push_back(std::move(key));
  RIVAL_RETURN_IF_ERROR(serve::write_key_file(path, keys));
  fmt::print("{}\n", text);
  fmt::print(stderr, "This is shown once and kept nowhere: note it now.\n");
  return {};
}

Status list_keys(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const std::vector<ApiKey> keys, serve::read_key_file(path));
  const auto bound = [](uint32_t limit) { return limit == 0 ? std::string("-") : std::to_string(limit); };
  fmt::print("{:<24}  {:<10}  {:>12}  {:>12}\n", "NAME", "CREATED", "REQUESTS/MIN", "TOKENS/MIN");
  for (const ApiKey& key : keys)
    fmt::print("{:<24}  {:%Y-%m-%d}  {:>12}  {:>12}\n", key.name, fmt::gmtime(static_cast<std::time_t>(key.created_s)), bound(key.limits.requests_per_minute),
               bound(key.limits.tokens_per_minute));
  return {};
}

Status remove_key(const std::filesystem::path& path, const std::string& name) {
  RIVAL_ASSIGN_OR_RETURN(std::vector<ApiKey> keys, serve::read_key_file(path));
  const auto place = find_key(keys, name);
  if (place == keys.end()) return make_error(ErrorCode::kNotFound, "there is no key '{}'; `rival serve keys ls` shows those that there are", name);
  keys.erase(place);
  return serve::write_key_file(path, keys);
}

}  // namespace

Result<std::filesystem::path> key_file_path() {
  RIVAL_ASSIGN_OR_RETURN(const hub::Store store, hub::Store::open());
  return store.home() / "keys.json";
}

int run_serve_keys(int argc, char** argv) {
  ApiKey key;
  CommandLine app(kAbout);
  CommandLine& add = app.add_subcommand("add", "make a key");
  add.add_option("NAME", key.name, "what it is called in lists and logs").required();
  add.add_option("--requests-per-minute", key.limits.requests_per_minute, "0 = as the server's own bound");
  add.add_option("--tokens-per-minute", key.limits.tokens_per_minute, "of prompts and answers");
  CommandLine& list = app.add_subcommand("ls", "the keys' names");
  CommandLine& remove = app.add_subcommand("rm", "take a key away");
  remove.add_option("NAME", key.name).required();
  if (const auto status = app.parse(argc, argv)) return *status;
  const auto path = key_file_path();
  if (!path.ok()) return fail(path.error());
  const Status status = add.given() ? add_key(*path, key) : list.given() ? list_keys(*path) : remove_key(*path, key.name);
  return status.ok() ? 0 : fail(status.error());
}

}  // namespace rival::cmd
