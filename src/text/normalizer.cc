#include "text/normalizer.h"

#include <utf8proc.h>

#include <cstdlib>

#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

// map(code, out) appends what a character becomes.
template <typename Map>
void map_chars(std::string& text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    map(c.code, out);
    at += c.length;
  }
  text = std::move(out);
}

Status append_form(int options, std::string_view text, std::string& out) {
  if (is_ascii(text)) {
    out += text;
    return {};
  }
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                               static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                               static_cast<utf8proc_option_t>(options));
  if (length < 0) return make_error(ErrorCode::kInternal, "normalising text: {}", utf8proc_errmsg(length));
  out.append(reinterpret_cast<const char*>(mapped), static_cast<size_t>(length));
  std::free(mapped);
  return {};
}

// Characters that are newer than the library's tables stay as they are, and nothing is ordered or composed
// across them.
Status to_form(UnicodeForm form, std::string& text) {
  if (is_ascii(text)) return {};
  const bool composes = form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc;
  const bool compatible = form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd;
  const int options = UTF8PROC_STABLE | (composes ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
                      (compatible ? UTF8PROC_COMPAT : 0);
  std::string out;
  out.reserve(text.size());
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    if (is_unnormalized(c.code)) {
      RIVAL_RETURN_IF_ERROR(append_form(options, std::string_view(text).substr(begin, at - begin), out));
      out.append(text, at, c.length);
      begin = at + c.length;
    }
    at += c.length;
  }
  RIVAL_RETURN_IF_ERROR(append_form(options, std::string_view(text).substr(begin), out));
  text = std::move(out);
  return {};
}

Status run(UnicodeForm form, bool, std::string& text) { return to_form(form, text); }

Status run(const Lowercase&, bool, std::string& text) {
  map_chars(text, [](char32_t code, std::string& out) { append_lower(out, code); });
  return {};
}

Status run(const StripAccents&, bool, std::string& text) {
  map_chars(text, [](char32_t code, std::string& out) {
    if (!is_mark(code)) append_utf8(out, code);
  });
  return {};
}

Status run(const NmtNormalize&, bool, std::string& text) {
  map_chars(text, [](char32_t code, std::string& out) {
    const bool dropped = (code >= 0x1 && code <= 0x8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
                         code == 0x7F || code == 0x8F || code == 0x9F;
    const bool space = code == 0x9 || code == 0xA || code == 0xC || code == 0xD || code == 0x1680 ||
                       (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 ||
                       code == 0x2581 || code == 0xFEFF || code == 0xFFFD;
    if (!dropped) append_utf8(out, space ? U' ' : code);
  });
  return {};
}

Status run(const ByteLettersNormalize&, bool escaped, std::string& text) {
  std::string out;
  append_byte_letters(out, text, escaped);
  text = std::move(out);
  return {};
}

Status run(const Prepend& step, bool, std::string& text) {
  if (!text.empty()) text.insert(0, step.text);
  return {};
}

Status run(const Replace& step, bool, std::string& text) {
  std::vector<Span> matches;
  if (step.regex) {
    RIVAL_RETURN_IF_ERROR(step.regex->find_all(text, matches));
  } else {
    for (size_t at = text.find(step.literal); at != std::string::npos && !step.literal.empty();
         at = text.find(step.literal, at + step.literal.size()))
      matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + step.literal.size())});
  }
  std::string out;
  out.reserve(text.size() + matches.size() * step.content.size());
  uint32_t done = 0;
  for (const Span match : matches) {
    out.append(text, done, match.begin - done).append(step.content);
    done = match.end;
  }
  text = out.append(text, done);
  return {};
}

Status run(const StripSpace& step, bool, std::string& text) {
  size_t begin = 0, end = text.size();
  while (step.left && begin < end && is_white_space(decode_utf8(text, begin).code))
    begin += decode_utf8(text, begin).length;
  while (step.right && end > begin) {
    size_t last = end - 1;
    while (last > begin && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!is_white_space(decode_utf8(text, last).code)) break;
    end = last;
  }
  text = text.substr(begin, end - begin);
  return {};
}

Status run(const BertNormalize& step, bool escaped, std::string& text) {
  map_chars(text, [&](char32_t code, std::string& out) {
    const bool space = is_white_space(code);
    const bool kept_control = code == '\t' || code == '\n' || code == '\r';
    if (step.clean_text && (code == 0 || code == 0xFFFD || (is_other(code) && !kept_control))) return;
    const bool apart = step.space_ideographs && is_cjk(code);
    if (apart) out += ' ';
    append_utf8(out, step.clean_text && space ? U' ' : code);
    if (apart) out += ' ';
  });
  if (step.strip_accents) {
    RIVAL_RETURN_IF_ERROR(to_form(UnicodeForm::kNfd, text));
    map_chars(text, [](char32_t code, std::string& out) {
      if (!is_nonspacing_mark(code)) append_utf8(out, code);
    });
  }
  return step.lowercase ? run(Lowercase{}, escaped, text) : Status();
}

Status run(const CollapseSpaces&, bool, std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text)
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  if (!out.empty() && out.back() == ' ') out.pop_back();
  text = std::move(out);
  return {};
}

Status run(const Charsmap& map, bool, std::string& text) {
  text = map.apply(text);
  return {};
}

}  // namespace

Status apply(const NormalizerStep& step, bool escaped, std::string& text) {
  return std::visit([&](const auto& s) { return run(s, escaped, text); }, step);
}

}  // namespace rival::text
