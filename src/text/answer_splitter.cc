#include "text/answer_splitter.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "text/control_mark.h"

namespace rival::text {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kRecipient = "to=functions.";

// Bytes at the end of `text` that may be the start of `marker`.
size_t partial_marker(std::string_view text, std::string_view marker) {
  for (size_t size = std::min(text.size(), marker.size() - 1); size > 0; --size)
    if (text.ends_with(marker.substr(0, size))) return size;
  return 0;
}

size_t without_blanks_at_end(std::string_view text) { return text.find_last_not_of(kBlank) + 1; }

}  // namespace

AnswerSplitter::AnswerSplitter(const AnswerSyntax& syntax, SplitOptions options, Sink sink)
    : syntax_(syntax), options_(std::move(options)), sink_(std::move(sink)) {
  if (options_.thinking_open) begin(State::kThinking, true);
  else begin(syntax_.thinks() ? State::kStart : State::kText, options_.trim);
}

void AnswerSplitter::begin(State state, bool trims) {
  state_ = state;
  trims_ = trims;
  told_ = false;
}

void AnswerSplitter::push(std::string_view text) {
  held_ += text;
  while (!held_.empty() && advance()) {
  }
}

void AnswerSplitter::finish() {
  finished_ = true;
  while (!held_.empty() && advance()) {
  }
  end_call();
  held_.clear();
}

bool AnswerSplitter::advance() {
  switch (state_) {
    case State::kStart: return at_start();
    case State::kHeader: return at_header();
    case State::kThinking: return at_thought();
    case State::kText: return at_text();
    case State::kCall: return at_call();
    case State::kArguments: return syntax_.harmony ? at_message_arguments() : syntax_.calls.tagged() ? at_key() : at_arguments();
    case State::kValue: return at_value();
    case State::kAfter: return at_after();
  }
  return false;
}

// ---- helpers over held_ ----

size_t AnswerSplitter::blanks() const { return std::min(held_.find_first_not_of(kBlank), held_.size()); }

AnswerSplitter::Match AnswerSplitter::match(size_t at, std::string_view wanted) const {
  const std::string_view rest = std::string_view(held_).substr(at);
  if (rest.starts_with(wanted)) return Match::kYes;
  return !finished_ && wanted.starts_with(rest) ? Match::kMaybe : Match::kNo;
}

// The most of the first `size` bytes that ends in no half of a control mark.
size_t AnswerSplitter::whole(size_t size) const {
  const std::string_view text = std::string_view(held_).substr(0, size);
  const size_t mark = text.rfind(kControlBegin);
  return finished_ || mark == text.npos || text.find(kControlEnd, mark) != text.npos ? size : mark;
}

void AnswerSplitter::drop(size_t size) {
  held_.erase(0, size);
  read_ += size;
}

// Tells held_[0, size) without the control tokens in it, and drops it.
void AnswerSplitter::tell(Kind kind, size_t size) {
  const std::string piece = held_.substr(0, size);
  drop(size);
  size_t at = trims_ && !told_ ? std::min(piece.find_first_not_of(kBlank), piece.size()) : 0;
  while (at < piece.size()) {
    if (piece[at] == kControlBegin) {
      at = std::min(piece.find(kControlEnd, at), piece.size() - 1) + 1;
      continue;
    }
    const size_t end = std::min(piece.find(kControlBegin, at), piece.size());
    told_ = true;
    if (kind == Kind::kText) fresh_ = false;
    sink_({kind, std::string_view(piece).substr(at, end - at), read_ - piece.size() + end});
    at = end;
  }
}

void AnswerSplitter::begin_call(std::string_view name) {
  in_call_ = true;
  depth_ = 0;
  in_string_ = escaped_ = false;
  called_ = name;
  first_key_ = true;
  sink_({Kind::kCallBegin, name, read_});
  begin(State::kArguments, false);
}

void AnswerSplitter::end_call() {
  if (std::exchange(in_call_, false)) sink_({Kind::kCallEnd, {}, read_});
}

// ---- states ----

bool AnswerSplitter::at_start() {
  const size_t at = blanks();
  if (syntax_.harmony) {
    if (at == held_.size()) return false;
    const bool headed = held_[at] == kControlBegin || match(at, kRecipient) != Match::kNo;
    begin(headed ? State::kHeader : State::kText, options_.trim);
    return true;
  }
  switch (match(at, syntax_.think_open)) {
    case Match::kMaybe: return false;
    case Match::kNo: begin(State::kText, options_.trim); return true;
    case Match::kYes: break;
  }
  drop(at + syntax_.think_open.size());
  begin(State::kThinking, true);
  return true;
}

// A message of gpt-oss begins with its role, recipient and channel; all but the final channel and calls is thinking
// aloud.
bool AnswerSplitter::at_header() {
  static const std::string message = control_mark("<|message|>"), final = control_mark("<|channel|>") + "final";
  const size_t end = held_.find(message);
  if (end == held_.npos) return false;
  const std::string header = held_.substr(0, end);
  drop(end + message.size());
  const size_t recipient = header.find(kRecipient);
  if (recipient == header.npos) {
    begin(header.find(final) != header.npos ? State::kText : State::kThinking, true);
    return true;
  }
  const size_t name = recipient + kRecipient.size();
  const std::string called = header.substr(name, std::min(header.find_first_of(" \t\n\xFF", name), header.size()) - name);
  const bool known = std::find(options_.tools.begin(), options_.tools.end(), called) != options_.tools.end();
  known ? begin_call(called) : begin(State::kThinking, true);
  return true;
}

bool AnswerSplitter::at_thought() {
  static const std::string end_of_message = control_mark("<|end|>");
  const std::string& close = syntax_.harmony ? end_of_message : syntax_.think_close;
  const size_t found = held_.find(close);
  if (found == held_.npos) {
    tell(Kind::kReasoning, whole(held_.size() - (finished_ ? 0 : partial_marker(held_, close))));
    return false;
  }
  tell(Kind::kReasoning, found);
  drop(close.size());
  begin(syntax_.harmony ? State::kHeader : State::kText, true);
  return true;
}

bool AnswerSplitter::at_text() {
  if (syntax_.harmony) {
    static const std::string end_of_message = control_mark("<|end|>");
    const size_t found = held_.find(end_of_message);
    tell(Kind::kText, whole(std::min(found, held_.size())));
    if (found == held_.npos) return false;
    drop(end_of_message.size());
    begin(State::kHeader, true);
    return true;
  }
  if (options_.tools.empty()) return tell(Kind::kText, whole(held_.size())), false;
  if (syntax_.calls.bare || options_.formatted) return at_first_text();
  std::string_view open;
  const size_t found = find_open(&open);
  if (!open.empty()) {
    tell(Kind::kText, without_blanks_at_end(std::string_view(held_).substr(0, found)));
    drop(held_.find(open) + open.size());
    state_ = State::kCall;
    return true;
  }
  const size_t size = finished_ ? held_.size() : without_blanks_at_end(std::string_view(held_).substr(0, found));
  tell(Kind::kText, whole(size));
  return false;
}

// Where the first OPEN begins; without one (`open` empty), where one may begin.
size_t AnswerSplitter::find_open(std::string_view* open) const {
  size_t found = held_.size(), may = held_.size();
  for (const std::string& spelling : syntax_.calls.open) {
    const size_t at = held_.find(spelling);
    if (at < found) found = at, *open = spelling;
    if (!finished_) may = std::min(may, held_.size() - partial_marker(held_, spelling));
  }
  return open->empty() ? may : found;
}

// Calls stand in place of text: the beginning decides.
bool AnswerSplitter::at_first_text() {
  if (!fresh_) return tell(Kind::kText, whole(held_.size())), false;
  const size_t at = blanks();
  if (at == held_.size() && !finished_) return false;
  bool maybe = false;
  for (const std::string& open : syntax_.calls.open) {
    const Match found = match(at, open);
    maybe |= found == Match::kMaybe;
    if (found != Match::kYes) continue;
    drop(at + open.size());
    state_ = State::kCall;
    return true;
  }
  const Match bare = syntax_.calls.bare ? match_call(at) : Match::kNo;
  if (bare == Match::kYes) return true;
  if (maybe || bare == Match::kMaybe) return false;
  fresh_ = false;
  return true;
}

// Begins the call whose name stands there.
AnswerSplitter::Match AnswerSplitter::match_call(size_t at) {
  bool maybe = false;
  for (const std::string& name : options_.tools) {
    const std::string begin = syntax_.calls.before_name + name + syntax_.calls.after_name;
    const Match found = match(at, begin);
    maybe |= found == Match::kMaybe;
    if (found != Match::kYes) continue;
    const size_t end = at + begin.size();
    const std::string& after_id = syntax_.calls.after_id;
    const size_t id_end = after_id.empty() ? end : held_.find(after_id, end);
    if (id_end == held_.npos) return finished_ ? Match::kNo : Match::kMaybe;
    drop(id_end + after_id.size());
    begin_call(name);
    return Match::kYes;
  }
  return maybe ? Match::kMaybe : Match::kNo;
}

bool AnswerSplitter::at_call() {
  const size_t at = blanks();
  if (at == held_.size()) return false;
  const Match found = match_call(at);
  if (found == Match::kYes) return true;
  if (finished_) drop(held_.size());  // cut before the call had its name
  else if (found == Match::kNo) state_ = State::kText;
  return found == Match::kNo;
}

// JSON, which says itself where it ends.
bool AnswerSplitter::at_arguments() {
  for (size_t i = 0; i < held_.size(); ++i) {
    const char c = held_[i];
    if (in_string_) {
      if (!std::exchange(escaped_, !escaped_ && c == '\\') && c == '"') in_string_ = false;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ <= 0) {
      tell(Kind::kCallArguments, i + 1);
      end_call();
      state_ = State::kAfter;
      return true;
    }
  }
  tell(Kind::kCallArguments, held_.size());
  return false;
}

// Arguments that have no JSON of their own.
void AnswerSplitter::tell_argument(std::string_view json) { sink_({Kind::kCallArguments, json, read_}); }

// Before the key of an argument, or behind the last.
bool AnswerSplitter::at_key() {
  const CallSyntax& calls = syntax_.calls;
  drop(blanks());
  if (held_.empty()) return false;
  const Match end = match(0, calls.after_arguments), key = match(0, calls.before_key);
  if (end == Match::kYes) {
    drop(calls.after_arguments.size());
    tell_argument(first_key_ ? "{}" : "}");
    end_call();
    state_ = State::kAfter;
    return true;
  }
  const size_t key_end = key == Match::kYes ? held_.find(calls.after_key, calls.before_key.size()) : held_.npos;
  if (key_end == held_.npos) {
    if (finished_) drop(held_.size());  // cut
    return false;
  }
  const std::string name = held_.substr(calls.before_key.size(), key_end - calls.before_key.size());
  const auto texts = options_.texts.find(called_);
  text_value_ = texts != options_.texts.end() && texts->second.contains(name);
  drop(key_end + calls.after_key.size());
  tell_argument((std::exchange(first_key_, false) ? "{" : ", ") + to_json_text(json::string(name)) + ": " + (text_value_ ? "\"" : ""));
  state_ = State::kValue;
  return true;
}

// Where the value ends, or as far as it surely goes. AFTER_VALUE inside of a JSON string ends nothing.
size_t AnswerSplitter::find_value_end(bool* found) {
  const std::string& close = syntax_.calls.after_value;
  if (text_value_) {
    const size_t end = held_.find(close);
    *found = end != held_.npos;
    return *found ? end : held_.size() - (finished_ ? 0 : partial_marker(held_, close));
  }
  for (size_t i = 0; i < held_.size(); ++i) {
    const char c = held_[i];
    if (in_string_) {
      if (!std::exchange(escaped_, !escaped_ && c == '\\') && c == '"') in_string_ = false;
      continue;
    }
    const Match end = match(i, close);
    *found = end == Match::kYes;
    if (end != Match::kNo) return i;
    in_string_ = c == '"';
  }
  return held_.size();
}

bool AnswerSplitter::at_value() {
  bool found = false;
  const size_t size = find_value_end(&found);
  const std::string value = held_.substr(0, size);
  drop(size);
  if (text_value_) {
    const std::string quoted = to_json_text(json::string(value));
    if (!value.empty()) tell_argument(std::string_view(quoted).substr(1, quoted.size() - 2));
  } else if (!value.empty()) {
    tell_argument(value);
  }
  if (!found) return false;
  drop(syntax_.calls.after_value.size());
  if (text_value_) tell_argument("\"");
  state_ = State::kArguments;
  return true;
}

// Of gpt-oss: up to the next control token.
bool AnswerSplitter::at_message_arguments() {
  const size_t end = held_.find(kControlBegin);
  tell(Kind::kCallArguments, std::min(end, held_.size()));
  if (end == held_.npos) return false;
  end_call();
  begin(State::kHeader, true);
  return true;
}

bool AnswerSplitter::at_after() {
  const CallSyntax& calls = syntax_.calls;
  // Those in tags have been read up to their end.
  const std::string after = calls.tagged() ? std::string() : calls.after_arguments;
  const size_t size = after.size();
  const Match end = match(0, after);
  if (end == Match::kMaybe) return false;
  const Match close = end == Match::kYes ? match(size, calls.close) : Match::kNo;
  const Match next = end == Match::kYes && calls.list ? match(size, calls.separator) : Match::kNo;
  if (close == Match::kMaybe || (close == Match::kNo && next == Match::kMaybe)) return false;
  if (close == Match::kNo && next == Match::kYes) {
    drop(size + calls.separator.size());
    state_ = State::kCall;
    return true;
  }
  if (close == Match::kYes) drop(size + calls.close.size());
  begin(State::kText, true);
  return true;
}

}  // namespace rival::text
