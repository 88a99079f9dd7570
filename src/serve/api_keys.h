// API keys. A key is 256 random bits written as text; what is kept of it is its SHA-256, which at that entropy nobody
// can turn back. keys.json in RIVAL_HOME:
//
//   {"version": 1, "keys": [{"name": "phone", "sha256": HEX, "created": UNIX TIME,
//                            "requests_per_minute": 60, "tokens_per_minute": 100000}]}
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rival::serve {

// 0 = no bound.
struct RateLimits {
  uint32_t requests_per_minute = 0;
  uint32_t tokens_per_minute = 0;  // of prompts and answers
};

struct ApiKey {
  std::string name;    // unique; written in logs
  std::string sha256;  // lower-case hexadecimal
  int64_t created_s = 0;
  RateLimits limits;
};

std::string sha256_text(std::string_view text);

// A new key's text, to be shown once.
std::string make_key_text();

// An absent file holds no keys. Errors: kCorrupt names the field; kIo.
Result<std::vector<ApiKey>> read_key_file(const std::filesystem::path& path);
Result<std::vector<ApiKey>> parse_key_file(std::string_view text);
std::string key_file_text(const std::vector<ApiKey>& keys);
// For the owner's eyes only. Errors: kIo.
Status write_key_file(const std::filesystem::path& path, const std::vector<ApiKey>& keys);

// 1 to 64 letters, digits and "._-", so that a log line stays one line.
bool is_key_name(std::string_view name);

}  // namespace rival::serve
