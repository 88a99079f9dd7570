#include "serve/rate_limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "serve/rfc3339.h"

namespace rival::serve {
namespace {

ApiError too_many(const ApiKey& key, const char* what, const TokenBucket& bucket, double wait_s) {
  const int wait = std::max(1, static_cast<int>(std::ceil(wait_s)));
  return {429, "rate_limit_error", fmt::format("the key '{}' may use {:.0f} {} a minute; try again in {} s", key.name, bucket.capacity(), what, wait),
          "", "rate_limit_exceeded", wait};
}

void add_headers(http::HeaderList& headers, const char* what, std::optional<TokenBucket>& bucket, TokenBucket::Time now, bool anthropic) {
  if (!bucket) return;
  const std::string limit = fmt::format("{:.0f}", bucket->capacity());
  const std::string remaining = fmt::format("{:.0f}", std::floor(std::max(0.0, bucket->level(now))));
  const double reset_s = bucket->seconds_until(bucket->capacity(), now);
  headers.emplace_back(fmt::format("x-ratelimit-limit-{}", what), limit);
  headers.emplace_back(fmt::format("x-ratelimit-remaining-{}", what), remaining);
  headers.emplace_back(fmt::format("x-ratelimit-reset-{}", what), fmt::format("{:.0f}ms", 1000 * reset_s));
  if (!anthropic) return;
  headers.emplace_back(fmt::format("anthropic-ratelimit-{}-limit", what), limit);
  headers.emplace_back(fmt::format("anthropic-ratelimit-{}-remaining", what), remaining);
  headers.emplace_back(fmt::format("anthropic-ratelimit-{}-reset", what), rfc3339(std::time(nullptr) + static_cast<int64_t>(std::ceil(reset_s))));
}

}  // namespace

double TokenBucket::level(Time now) {
  level_ = std::min(capacity_, level_ + capacity_ / 60 * std::chrono::duration<double>(now - filled_).count());
  filled_ = now;
  return level_;
}

double TokenBucket::seconds_until(double amount, Time now) { return std::max(0.0, (amount - level(now)) * 60 / capacity_); }

KeyUse::KeyUse(ApiKey key, TokenBucket::Time now) : key_(std::move(key)) {
  if (key_.limits.requests_per_minute > 0) requests_.emplace(key_.limits.requests_per_minute, now);
  if (key_.limits.tokens_per_minute > 0) tokens_.emplace(key_.limits.tokens_per_minute, now);
}

std::optional<ApiError> KeyUse::admit(TokenBucket::Time now) {
  const std::lock_guard lock(mutex_);
  if (requests_ && requests_->level(now) < 1) return too_many(key_, "requests", *requests_, requests_->seconds_until(1, now));
  if (tokens_ && tokens_->level(now) < 1) return too_many(key_, "tokens", *tokens_, tokens_->seconds_until(1, now));
  if (requests_) requests_->take(1, now);
  return std::nullopt;
}

void KeyUse::charge_tokens(uint64_t tokens, TokenBucket::Time now) {
  const std::lock_guard lock(mutex_);
  if (tokens_) tokens_->take(static_cast<double>(tokens), now);
}

http::HeaderList KeyUse::headers(TokenBucket::Time now, bool anthropic) {
  const std::lock_guard lock(mutex_);
  http::HeaderList headers;
  add_headers(headers, "requests", requests_, now, anthropic);
  add_headers(headers, "tokens", tokens_, now, anthropic);
  return headers;
}

}  // namespace rival::serve
