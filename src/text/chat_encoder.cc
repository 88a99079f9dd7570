#include "text/chat_encoder.h"

#include <algorithm>
#include <map>
#include <optional>

#include "text/unicode.h"

namespace rival::text {
namespace {

constexpr char32_t kPlane = 0xF0000, kPlaneEnd = 0xFFFFE;  // private use

// What is hidden: every character that can begin a control token, or only those that do. Templates look for markup in
// messages ("</think>"), in the assistant's above all, and must still find it.
enum class Reach : uint8_t { kEverywhere, kSpelledByAssistants, kSpelled };

// Calls visit(code, position) for each character.
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    visit(c, at);
    at += c.length;
  }
}

bool spells_one(std::string_view text, const std::vector<std::string_view>& tokens) {
  return std::any_of(tokens.begin(), tokens.end(), [&](std::string_view token) { return text.starts_with(token) || token.starts_with(text); });
}

// Changes characters and changes them back.
class Veil {
 public:
  explicit Veil(const std::vector<std::string_view>& controls) {
    for (std::string_view token : controls) by_start_[decode_utf8(token, 0).code].push_back(token);
  }

  // Takes characters that no text has; false if there are not enough.
  bool choose(std::string_view prompt, const json::value& messages) {
    std::vector<bool> used(kPlaneEnd - kPlane);
    const auto note = [&](const DecodedChar& c, size_t) {
      if (c.code >= kPlane && c.code < kPlaneEnd) used[c.code - kPlane] = true;
    };
    for_each_character(prompt, note);
    for_each_character(to_json_text(messages), note);
    char32_t next = kPlane;
    for (const auto& [start, tokens] : by_start_) {
      while (next < kPlaneEnd && used[next - kPlane]) ++next;
      if (next == kPlaneEnd) return false;
      hidden_[start] = next;
      shown_[next++] = start;
    }
    return true;
  }

  bool holds_any(const json::value& value) const {
    if (const json::string* text = value.if_string()) return holds_any(std::string_view(*text));
    if (const json::array* items = value.if_array()) return std::any_of(items->begin(), items->end(), [&](const json::value& item) { return holds_any(item); });
    const json::object* members = value.if_object();
    return members && std::any_of(members->begin(), members->end(), [&](const auto& m) { return holds_any(std::string_view(m.key())) || holds_any(m.value()); });
  }

  json::value hide(const json::value& value, Reach reach) const {
    if (const json::string* text = value.if_string()) return json::value(hide(std::string_view(*text), reach));
    if (const json::array* items = value.if_array()) {
      json::array out;
      for (const json::value& item : *items) out.push_back(hide(item, reach));
      return out;
    }
    const json::object* members = value.if_object();
    if (!members) return value;
    const json::value* role = members->if_contains("role");
    if (reach == Reach::kSpelledByAssistants && role && *role == "assistant") reach = Reach::kSpelled;
    json::object out;
    for (const auto& member : *members) out[hide(std::string_view(member.key()), reach)] = hide(member.value(), reach);
    return out;
  }

  // The text as it was, and where characters were hidden in it.
  std::string show(std::string_view text, std::vector<size_t>& places) const {
    std::string out;
    places.clear();
    for_each_character(text, [&](const DecodedChar& c, size_t at) {
      const auto shown = shown_.find(c.code);
      if (shown == shown_.end()) {
        out.append(text.substr(at, c.length));
      } else {
        places.push_back(out.size());
        append_utf8(out, shown->second);
      }
    });
    return out;
  }

 private:
  bool holds_any(std::string_view text) const {
    bool found = false;
    for_each_character(text, [&](const DecodedChar& c, size_t) { found |= c.valid && by_start_.contains(c.code); });
    return found;
  }

  std::string hide(std::string_view text, Reach reach) const {
    std::string out;
    for_each_character(text, [&](const DecodedChar& c, size_t at) {
      const auto tokens = c.valid ? by_start_.find(c.code) : by_start_.end();
      const bool hides = tokens != by_start_.end() && (reach != Reach::kSpelled || spells_one(text.substr(at), tokens->second));
      if (hides) append_utf8(out, hidden_.at(c.code));
      else out.append(text.substr(at, c.length));
    });
    return out;
  }

  std::map<char32_t, std::vector<std::string_view>> by_start_;  // control tokens by their first character
  std::map<char32_t, char32_t> hidden_, shown_;
};

size_t control_count(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  return static_cast<size_t>(std::count_if(ids.begin(), ids.end(), [&](TokenId id) { return tokenizer.is_control(id); }));
}

Error indistinct() {
  return make_error(ErrorCode::kInvalidArgument, "the messages spell control tokens of the model in a way that its chat template mixes with its own");
}

}  // namespace

Result<std::vector<TokenId>> encode_chat(const Tokenizer& tokenizer, const std::string& prompt, const json::value& messages,
                                         const RenderAgain& render) {
  const auto encode = [&](std::string_view text, std::span<const size_t> plain) { return tokenizer.encode(text, {.add_special = false, .plain = plain}); };
  Veil veil(tokenizer.control_texts());
  if (!veil.holds_any(messages)) return encode(prompt, {});
  if (!veil.choose(prompt, messages)) return indistinct();
  std::vector<size_t> plain;
  for (const Reach reach : {Reach::kEverywhere, Reach::kSpelledByAssistants, Reach::kSpelled}) {
    const Result<std::string> hidden = render(veil.hide(messages, reach));
    if (!hidden.ok()) {
      if (reach == Reach::kSpelled) return indistinct();
      continue;
    }
    const std::string shown = veil.show(*hidden, plain);
    if (shown == prompt) return encode(prompt, plain);
    if (reach != Reach::kSpelled) continue;
    // The template looks for control tokens in messages. Where it has taken them out, its prompt is as good as any;
    // else it must see them as the text that they are.
    RIVAL_ASSIGN_OR_RETURN(std::vector<TokenId> as_given, encode(prompt, {}));
    RIVAL_ASSIGN_OR_RETURN(std::vector<TokenId> as_text, encode(shown, plain));
    return control_count(tokenizer, as_given) == control_count(tokenizer, as_text) ? std::move(as_given) : std::move(as_text);
  }
  return indistinct();
}

}  // namespace rival::text
