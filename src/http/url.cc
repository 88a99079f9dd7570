#include "http/url.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace rival::http {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return result;
}

bool has_unsafe_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '\\'; });
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (has_unsafe_character(text))
    return make_error(ErrorCode::kInvalidArgument, "a URL holds a space, a backslash or a control character");
  const size_t scheme_end = text.find("://");
  Url url;
  url.scheme = lower(text.substr(0, std::min(scheme_end, text.size())));
  if (scheme_end == std::string_view::npos || (url.scheme != "http" && url.scheme != "https"))
    return make_error(ErrorCode::kInvalidArgument, "'{}' is not an http:// or https:// address", text);
  text.remove_prefix(scheme_end + 3);
  text = text.substr(0, text.find('#'));
  const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  url.authority = lower(text.substr(0, authority_end));
  if (url.authority.empty() || url.authority.front() == ':')
    return make_error(ErrorCode::kInvalidArgument, "a URL names no host");
  if (url.authority.find('@') != std::string::npos)
    return make_error(ErrorCode::kInvalidArgument, "a URL holds a user name or password; these are not sent");
  text.remove_prefix(authority_end);
  const size_t query = std::min(text.find('?'), text.size());
  url.path = query == 0 ? "/" : std::string(text.substr(0, query));
  url.query = std::string(text.substr(query));
  return url;
}

Result<Url> resolve_location(const Url& base, std::string_view location) {
  if (location.find("://") != std::string_view::npos && location.find("://") < location.find_first_of("/?#"))
    return parse_url(location);
  const std::string origin = base.scheme + "://" + base.authority;
  if (location.starts_with("//")) return parse_url(base.scheme + ":" + std::string(location));
  if (location.starts_with("/")) return parse_url(origin + std::string(location));
  if (location.starts_with("?")) return parse_url(origin + base.path + std::string(location));
  return parse_url(origin + base.path.substr(0, base.path.rfind('/') + 1) + std::string(location));
}

std::string encode_path(std::string_view path) {
  std::string result;
  for (const unsigned char c : path) {
    if (std::isalnum(c) ||
        std::string_view("-._~/!$&'()*+,;=:@").find(static_cast<char>(c)) != std::string_view::npos)
      result += static_cast<char>(c);
    else
      result += fmt::format("%{:02X}", c);
  }
  return result;
}

std::string decode_percent(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* end = text.data() + std::min(i + 3, text.size());
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(text.data() + i + 1, end, value, 16).ptr == end) {
      result += static_cast<char>(value);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name) return decode_percent(pair.substr(std::min(equals + 1, pair.size())));
  }
  return std::nullopt;
}

}  // namespace rival::http
