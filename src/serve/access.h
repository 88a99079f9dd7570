// Who may call: the names this machine is called by, the sites whose pages may call from a browser, and the keys.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/server.h"
#include "serve/api_error.h"
#include "serve/api_keys.h"
#include "serve/rate_limit.h"

namespace rival::serve {

struct AccessRules {
  std::vector<std::string> hosts;    // in the Host header, beside localhost and plain addresses; "*" = any
  std::vector<std::string> origins;  // "https://site.example", beside the server's own and this machine's; "*" = any
  std::vector<ApiKey> keys;          // none = all may call
  RateLimits limits;                 // of keys without their own, and of callers where there are no keys
};

class Access {
 public:
  explicit Access(AccessRules rules) { set_rules(std::move(rules)); }

  // Keys that stay keep what they have used.
  void set_rules(AccessRules rules);
  bool has_keys() const;

  // A page of another site that the user visits can make the browser send requests here: under that site's name (DNS
  // rebinding), which the Host header shows, or under ours, which the Origin header shows. 400 or 403.
  std::optional<ApiError> check_source(const http::ServerRequest& request) const;

  // The key of this text; null for a wrong one.
  std::shared_ptr<KeyUse> find_key(std::string_view text) const;
  bool has_key_hash(std::string_view sha256) const;
  // The use of the key with this hash; without keys that of anybody, null without limits.
  std::shared_ptr<KeyUse> use_of(std::string_view sha256) const;

  // What lets a browser read an answer that a page of an allowed origin has asked for. Empty without an Origin.
  http::HeaderList cors_headers(const http::ServerRequest& request) const;
  // Those of the answer to a preflight, cors_headers() included.
  http::HeaderList preflight_headers(const http::ServerRequest& request) const;

  // The caller's key, or 401. Null where there are neither keys nor limits.
  std::variant<std::shared_ptr<KeyUse>, ApiError> identify(const http::ServerRequest& request) const;

 private:
  mutable std::mutex mutex_;
  // guarded by mutex_
  AccessRules rules_;
  std::vector<std::shared_ptr<KeyUse>> uses_;
  std::shared_ptr<KeyUse> anonymous_;
};

// The key that a request shows: "Authorization: Bearer KEY" or x-api-key; empty if it has none.
std::string_view shown_key(const http::ServerRequest& request);

}  // namespace rival::serve
