// What `rival serve` can be told, on the command line, in the environment and in its configuration file.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "engine/model_handle.h"
#include "serve/api_keys.h"
#include "serve/models.h"

namespace rival::cmd {

struct ServeFlags {
  // models
  std::vector<std::string> models;
  engine::LoadOptions load;
  serve::ModelLimits limits;
  bool pull_on_demand = false;
  bool accept_licence = false;
  // address
  std::string host = "127.0.0.1";
  uint32_t port = 8080;
  std::string tls_cert, tls_key;
  // access
  std::vector<std::string> keys, allowed_hosts, allowed_origins;
  serve::RateLimits rates;
  // running
  std::string database, access_log;
  double drain_s = 30;
  double keep_responses_days = 30;
  uint64_t body_bytes_max = limits::kBodyBytes;
  uint64_t unsent_bytes_max = limits::kUnsentBytes;
  uint32_t connections_max = limits::kConnections;

  bool other_machines() const { return host != "127.0.0.1" && host != "localhost" && host != "::1"; }
};

// An exit status when there is nothing left to do, or what was given is wrong, which has been said.
std::variant<ServeFlags, int> read_serve_flags(int argc, char** argv);

// What the text of a configuration file says, and nothing else. Errors name the key, what was found and what was expected.
Result<ServeFlags> parse_serve_config(std::string_view text);

}  // namespace rival::cmd
