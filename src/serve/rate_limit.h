// How many requests and tokens a key may still use: buckets that fill over a minute.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "http/server.h"
#include "serve/api_error.h"
#include "serve/api_keys.h"

namespace rival::serve {

// Holds what may be used at once, and fills from empty to full in a minute. It may be overdrawn: what an answer costs
// is known only at its end.
class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  TokenBucket(double per_minute, Time now) : capacity_(per_minute), level_(per_minute), filled_(now) {}

  double level(Time now);
  void take(double amount, Time now) { level_ = level(now) - amount; }
  // Seconds until it holds `amount`.
  double seconds_until(double amount, Time now);
  double capacity() const { return capacity_; }

 private:
  double capacity_;
  double level_;
  Time filled_;
};

// The use of one key. Thread-safe.
class KeyUse {
 public:
  KeyUse(ApiKey key, TokenBucket::Time now);

  const ApiKey& key() const { return key_; }
  // Takes one request; 429 where there is none left, or where earlier answers have used up the tokens.
  std::optional<ApiError> admit(TokenBucket::Time now);
  void charge_tokens(uint64_t tokens, TokenBucket::Time now);
  // x-ratelimit-{limit,remaining,reset}-{requests,tokens}, of the bounds that there are; for a client of Anthropic's API
  // also anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}.
  http::HeaderList headers(TokenBucket::Time now, bool anthropic);

 private:
  const ApiKey key_;
  std::mutex mutex_;
  // guarded by mutex_
  std::optional<TokenBucket> requests_, tokens_;
};

}  // namespace rival::serve
