#include "serve/access.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/limits.h"

namespace rival::serve {
namespace {

using Clock = std::chrono::steady_clock;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// "name:port" or "[::1]:port" without its port; empty for what is neither.
std::string_view without_port(std::string_view host) {
  const size_t end = host.starts_with('[') ? host.find(']') + 1 : std::min(host.find(':'), host.size());
  const std::string_view rest = host.substr(end);
  const bool port = rest.empty() || (rest.starts_with(':') && rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
  return port ? host.substr(0, end) : std::string_view();
}

// An address in the Host header is what the caller typed: no name server can have put it there.
bool is_address(std::string_view host) {
  unsigned char bytes[16];
  if (host.starts_with('[') && host.ends_with(']')) return ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), bytes) == 1;
  return ::inet_pton(AF_INET, std::string(host).c_str(), bytes) == 1;
}

bool is_loopback_name(std::string_view host) { return host == "localhost" || host == "127.0.0.1" || host == "[::1]"; }

bool contains(const std::vector<std::string>& list, std::string_view value) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) { return entry == "*" || lower(entry) == value; });
}

bool allowed_host(const AccessRules& rules, std::string_view header) {
  const std::string host = lower(without_port(header));
  return !host.empty() && (host == "localhost" || is_address(host) || contains(rules.hosts, host));
}

// Pages of this server, of programs on this machine, and of sites that are allowed by name.
bool allowed_origin(const AccessRules& rules, std::string_view header, std::string_view host) {
  if (header.size() > limits::kOriginBytesMax) return false;
  const std::string origin = lower(header);
  if (contains(rules.origins, origin)) return true;
  const size_t scheme = origin.find("://");
  if (scheme == std::string::npos || (!origin.starts_with("http://") && !origin.starts_with("https://"))) return false;
  const std::string_view authority = std::string_view(origin).substr(scheme + 3);
  return authority == lower(host) || is_loopback_name(without_port(authority));
}

// Names of header fields as a preflight lists them; nothing else is given back.
bool is_header_names(std::string_view text) {
  return text.size() <= limits::kHeaderNamesBytesMax && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == ',' || c == ' '; });
}

}  // namespace

std::string_view shown_key(const http::ServerRequest& request) {
  const std::string_view authorization = request.header("authorization");
  return lower(authorization.substr(0, 7)) == "bearer " ? authorization.substr(7) : request.header("x-api-key");
}

void Access::set_rules(AccessRules rules) {
  const std::lock_guard lock(mutex_);
  const auto same = [](const ApiKey& a, const ApiKey& b) {
    return a.sha256 == b.sha256 && a.name == b.name && a.limits.requests_per_minute == b.limits.requests_per_minute &&
           a.limits.tokens_per_minute == b.limits.tokens_per_minute;
  };
  std::vector<std::shared_ptr<KeyUse>> uses;
  for (ApiKey key : rules.keys) {
    if (key.limits.requests_per_minute == 0) key.limits.requests_per_minute = rules.limits.requests_per_minute;
    if (key.limits.tokens_per_minute == 0) key.limits.tokens_per_minute = rules.limits.tokens_per_minute;
    const auto old = std::find_if(uses_.begin(), uses_.end(), [&](const auto& use) { return same(use->key(), key); });
    uses.push_back(old == uses_.end() ? std::make_shared<KeyUse>(key, Clock::now()) : *old);
  }
  const ApiKey anonymous{.name = "-", .sha256 = "", .limits = rules.limits};
  if (rules.limits.requests_per_minute == 0 && rules.limits.tokens_per_minute == 0) {
    anonymous_ = nullptr;
  } else if (!anonymous_ || !same(anonymous_->key(), anonymous)) {
    anonymous_ = std::make_shared<KeyUse>(anonymous, Clock::now());
  }
  uses_ = std::move(uses);
  rules_ = std::move(rules);
}

bool Access::has_keys() const {
  const std::lock_guard lock(mutex_);
  return !uses_.empty();
}

std::optional<ApiError> Access::check_source(const http::ServerRequest& request) const {
  const std::lock_guard lock(mutex_);
  const auto hosts = std::count_if(request.headers.begin(), request.headers.end(), [](const auto& h) { return h.first == "host"; });
  if (hosts > 1) return ApiError{400, "invalid_request_error", "there are several Host headers", "Host", "invalid_host"};
  const std::string_view host = request.header("host");
  if (!allowed_host(rules_, host))
    return ApiError{403, "permission_error", fmt::format("this server is not known as '{}'; --allow-host adds a name", host.substr(0, limits::kOriginBytesMax)),
                    "Host", "host_not_allowed"};
  const std::string_view origin = request.header("origin");
  if (!origin.empty() && !allowed_origin(rules_, origin, host))
    return ApiError{403, "permission_error",
                    fmt::format("pages of '{}' may not call this server; --allow-origin adds a site", origin.substr(0, limits::kOriginBytesMax)), "Origin",
                    "origin_not_allowed"};
  return std::nullopt;
}

http::HeaderList Access::cors_headers(const http::ServerRequest& request) const {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return {};
  return {{"Access-Control-Allow-Origin", std::string(origin)},
          {"Access-Control-Expose-Headers",
           "x-request-id, request-id, retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
           "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, anthropic-ratelimit-requests-limit, "
           "anthropic-ratelimit-requests-remaining, anthropic-ratelimit-requests-reset, anthropic-ratelimit-tokens-limit, "
           "anthropic-ratelimit-tokens-remaining, anthropic-ratelimit-tokens-reset"},
          {"Vary", "Origin"}};
}

http::HeaderList Access::preflight_headers(const http::ServerRequest& request) const {
  http::HeaderList headers = cors_headers(request);
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
  const std::string_view wanted = request.header("access-control-request-headers");
  if (!wanted.empty() && is_header_names(wanted)) headers.emplace_back("Access-Control-Allow-Headers", std::string(wanted));
  if (request.header("access-control-request-private-network") == "true") headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  headers.emplace_back("Access-Control-Max-Age", "600");
  return headers;
}

std::shared_ptr<KeyUse> Access::find_key(std::string_view text) const {
  const std::string digest = sha256_text(text);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<KeyUse> found;
  for (const auto& use : uses_)  // all of them, so that time tells nothing
    if (CRYPTO_memcmp(use->key().sha256.data(), digest.data(), digest.size()) == 0) found = use;
  return found;
}

bool Access::has_key_hash(std::string_view sha256) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(uses_.begin(), uses_.end(), [&](const auto& use) { return use->key().sha256 == sha256; });
}

std::shared_ptr<KeyUse> Access::use_of(std::string_view sha256) const {
  const std::lock_guard lock(mutex_);
  if (uses_.empty()) return anonymous_;
  const auto place = std::find_if(uses_.begin(), uses_.end(), [&](const auto& use) { return use->key().sha256 == sha256; });
  return place == uses_.end() ? nullptr : *place;
}

std::variant<std::shared_ptr<KeyUse>, ApiError> Access::identify(const http::ServerRequest& request) const {
  {
    const std::lock_guard lock(mutex_);
    if (uses_.empty()) return anonymous_;
  }
  if (auto found = find_key(shown_key(request))) return found;
  return ApiError{401, "authentication_error", "a valid API key is needed: Authorization: Bearer KEY, or x-api-key: KEY", "", "invalid_api_key"};
}

}  // namespace rival::serve
