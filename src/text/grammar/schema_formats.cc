#include "text/grammar/schema_formats.h"

#include <string>

#include "text/grammar/regex_parser.h"

namespace rival::text::grammar {

namespace {

std::string group(const std::string& s) { return "(?:" + s + ")"; }

// RFC 3339, section 5.6, with the days that each month has; a leap second only where UTC shows one (23:59:60Z).
std::string date() {
  const std::string year = "[0-9]{4}-";
  const std::string days31 = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])", days30 = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)";
  const std::string february = "02-(?:0[1-9]|1[0-9]|2[0-8])";
  const std::string leap = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29";
  return group(year + group(days31 + "|" + days30 + "|" + february) + "|" + leap);
}

std::string time() {
  const std::string fraction = "(?:\\.[0-9]+)?", clock = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
  return group(clock + ":[0-5][0-9]" + fraction + "(?:[Zz]|[+-]" + clock + ")|23:59:60" + fraction + "(?:[Zz]|[+-]00:00)");
}

// ISO 8601 durations as RFC 3339, appendix A spells them.
std::string duration() {
  const std::string time = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)";
  const std::string days = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)";
  return "P(?:" + days + "(?:" + time + ")?|" + time + "|[0-9]+W)";
}

std::string ipv4() {
  const std::string octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  return group(octet + "(?:\\." + octet + "){3}");
}

// RFC 4291, section 2.2: n groups before "::" and at most 7 - n behind.
std::string ipv6() {
  const std::string h = "[0-9A-Fa-f]{1,4}", tail32 = group(h + ":" + h + "|" + ipv4());
  std::string all = "(?:" + h + ":){6}" + tail32;
  for (int before = 0; before <= 7; ++before) {
    const std::string head = before == 0 ? "::" : before == 1 ? h + "::" : h + "(?::" + h + "){" + std::to_string(before - 1) + "}::";
    const int behind = 7 - before;
    std::string tail;
    for (int n = 1; n <= behind; ++n) tail += (n > 1 ? "|" : "") + (n == 1 ? h : h + "(?::" + h + "){" + std::to_string(n - 1) + "}");
    for (int n = 0; n + 2 <= behind; ++n) tail += "|(?:" + h + ":){" + std::to_string(n) + "}" + ipv4();
    all += "|" + head + (tail.empty() ? "" : "(?:" + tail + ")?");
  }
  return group(all);
}

std::string label() { return "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"; }
std::string hostname() { return label() + "(?:\\." + label() + ")*"; }

// RFC 5321, section 4.1.2; `wide` also takes characters beyond ASCII (RFC 6531).
std::string email(const std::string& wide) {
  const std::string atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~" + wide + "-]+";
  const std::string quoted = "\"(?:[ !#-\\[\\]-~" + wide + "]|\\\\[ -~])*\"";
  const std::string domain = wide.empty() ? hostname() : "[A-Za-z0-9" + wide + "](?:[A-Za-z0-9." + wide + "-]*[A-Za-z0-9" + wide + "])?";
  return group(atom + "(?:\\." + atom + ")*|" + quoted) + "@" + group(domain + "|\\[" + ipv4() + "\\]|\\[IPv6:" + ipv6() + "\\]");
}

// RFC 3986, appendix A; `wide` are the further characters of RFC 3987.
std::string uri(bool reference, const std::string& wide, const std::string& wide_query) {
  const std::string unreserved = "A-Za-z0-9._~!$&'()*+,;=" + wide + "-", percent = "%[0-9A-Fa-f]{2}";
  const std::string pchar = group("[:@" + unreserved + "]|" + percent), pchar_no_colon = group("[@" + unreserved + "]|" + percent);
  const std::string registered = group("[" + unreserved + "]|" + percent) + "*";
  const std::string user = group("[:" + unreserved + "]|" + percent) + "*@";
  const std::string future = "[vV][0-9A-Fa-f]+\\.[:" + unreserved + "]+";
  const std::string authority = group(user) + "?" + group("\\[" + group(ipv6() + "|" + future) + "\\]|" + registered) + "(?::[0-9]*)?";
  const std::string absolute = "(?:/" + pchar + "*)*";
  const std::string hierarchy = group("//" + authority + absolute + "|/(?:" + pchar + "+" + absolute + ")?|" + pchar + "+" + absolute + "|");
  const std::string relative = group("//" + authority + absolute + "|/(?:" + pchar + "+" + absolute + ")?|" + pchar_no_colon + "+" + absolute + "|");
  const std::string rest = "(?:\\?" + group(pchar + "|[/?" + wide_query + "]") + "*)?(?:#" + group(pchar + "|[/?]") + "*)?";
  const std::string with_scheme = "[A-Za-z][A-Za-z0-9+.-]*:" + hierarchy + rest;
  return reference ? group(with_scheme + "|" + relative + rest) : with_scheme;
}

// RFC 6570.
std::string uri_template() {
  const std::string name = "(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*";
  const std::string variable = name + "(?::[1-9][0-9]{0,3}|\\*)?";
  return "(?:[^\\x00-\\x20\"%<>\\\\^`{|}\\x7f]|%[0-9A-Fa-f]{2}|\\{[+#./;?&=,!@|]?" + variable + "(?:," + variable + ")*\\})*";
}

constexpr char kWide[] = "\\u00a0-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\uffef\\u{10000}-\\u{1fffd}\\u{20000}-\\u{2fffd}\\u{30000}-\\u{3fffd}";
constexpr char kPrivate[] = "\\ue000-\\uf8ff\\u{f0000}-\\u{ffffd}\\u{100000}-\\u{10fffd}";
constexpr char kJsonPointer[] = "(?:/(?:[^~/]|~[01])*)*";

std::string pattern_of(std::string_view name) {
  if (name == "date-time") return date() + "[Tt]" + time();
  if (name == "date") return date();
  if (name == "time") return time();
  if (name == "duration") return duration();
  if (name == "email") return email("");
  if (name == "idn-email") return email("\\u0080-\\u{10ffff}");
  if (name == "hostname") return hostname();
  if (name == "ipv4") return ipv4();
  if (name == "ipv6") return ipv6();
  if (name == "uri") return uri(false, "", "");
  if (name == "uri-reference") return uri(true, "", "");
  if (name == "iri") return uri(false, kWide, kPrivate);
  if (name == "iri-reference") return uri(true, kWide, kPrivate);
  if (name == "uuid") return "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
  if (name == "uri-template") return uri_template();
  if (name == "json-pointer") return kJsonPointer;
  if (name == "relative-json-pointer") return std::string("(?:0|[1-9][0-9]*)(?:#|") + kJsonPointer + ")";
  return "";
}

}  // namespace

Result<std::optional<RegexId>> format_language(std::string_view name, RegexPool* pool) {
  if (name == "regex" || name == "idn-hostname") return make_error(ErrorCode::kUnsupported, "format \"{}\" is not supported", name);
  const std::string pattern = pattern_of(name);
  if (pattern.empty()) return std::optional<RegexId>();
  RIVAL_ASSIGN_OR_RETURN(RegexId language, parse_regex(pattern, {.whole = true}, pool));
  if (name == "hostname") {  // what stands behind xn-- is punycode (RFC 3492), no regular language: left out
    RIVAL_ASSIGN_OR_RETURN(const RegexId punycode, parse_regex("(^|\\.)[Xx][Nn]--", {}, pool));
    language = pool->all_of({language, pool->repeat(kAnyChar, 1, 253), pool->negate(punycode)});
  }
  return std::optional<RegexId>(language);
}

}  // namespace rival::text::grammar
