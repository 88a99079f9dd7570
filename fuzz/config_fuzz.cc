// The files that a user writes for the server: serve.json and keys.json. What is accepted is within its bounds, and what is
// refused is named.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "cmd/serve_flags.h"
#include "serve/api_keys.h"

namespace {

using namespace rival;

void require(bool holds) {
  if (!holds) std::abort();
}

void try_config(std::string_view text) {
  const auto flags = cmd::parse_serve_config(text);
  if (!flags.ok()) return require(!flags.error().message.empty());
  require(flags->port <= 65535 && flags->load.threads <= 1024 && flags->load.sequences_max >= 1 && flags->load.waiting_max >= 1);
  require(flags->drain_s >= 0 && flags->drain_s <= 3600 && flags->limits.idle_unload_s >= 0 && flags->keep_responses_days >= 0);
  require(!flags->models.empty() && flags->tls_cert.empty() == flags->tls_key.empty());
  for (const std::string& key : flags->keys) require(key.size() >= 4);
}

void try_keys(std::string_view text) {
  const auto keys = serve::parse_key_file(text);
  if (!keys.ok()) return require(!keys.error().message.empty());
  std::set<std::string> names;
  for (const serve::ApiKey& key : *keys) {
    require(serve::is_key_name(key.name) && names.insert(key.name).second);
    require(key.sha256.size() == 64 && key.created_s >= 0);
  }
  const std::string written = serve::key_file_text(*keys);
  const auto again = serve::parse_key_file(written);
  require(again.ok() && serve::key_file_text(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  (data[0] % 2 == 0 ? try_config : try_keys)(text);
  return 0;
}
