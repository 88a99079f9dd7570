// The parts of an http or https URL (RFC 3986) that a client decides by.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rival::http {

struct Url {
  std::string scheme;     // "http" or "https"
  std::string authority;  // host[:port], lower case, without user information
  std::string path;       // begins with "/", without query and fragment
  std::string query;      // begins with "?", or empty
  std::string text() const { return scheme + "://" + authority + path + query; }
};

// Errors: kInvalidArgument for another scheme, user information, an empty host, spaces or control characters.
Result<Url> parse_url(std::string_view text);

// Resolves a Location header against the URL that answered with it.
Result<Url> resolve_location(const Url& base, std::string_view location);

// Percent-encodes what may not stand in a path; "/" stays.
std::string encode_path(std::string_view path);

// "%2F" as "/"; what is no escape stays as it is.
std::string decode_percent(std::string_view text);

// The decoded value of a parameter of "a=1&b=2"; absent if there is none.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace rival::http
