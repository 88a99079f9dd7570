#include "text/decoder.h"

#include <array>
#include <utility>

#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  size_t at = text.find(from);
  if (at == std::string::npos) return;
  std::string out;
  size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    out.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  text = out.append(text, done);
}

// The clean-up of the BERT tokenizers, in their order.
void clean_up(std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRules = {{{" .", "."},
                                                                                     {" ?", "?"},
                                                                                     {" !", "!"},
                                                                                     {" ,", ","},
                                                                                     {" ' ", "'"},
                                                                                     {" n't", "n't"},
                                                                                     {" 'm", "'m"},
                                                                                     {" do not", " don't"},
                                                                                     {" 's", "'s"},
                                                                                     {" 've", "'ve"},
                                                                                     {" 're", "'re"}}};
  for (const auto& [from, to] : kRules) replace_all(text, from, to);
}

size_t count_leading(std::string_view text, std::string_view unit, size_t count_max) {
  size_t count = 0;
  while (count < count_max && !unit.empty() && text.starts_with(unit)) {
    text.remove_prefix(unit.size());
    ++count;
  }
  return count;
}

size_t count_trailing(std::string_view text, std::string_view unit, size_t count_max) {
  size_t count = 0;
  while (count < count_max && !unit.empty() && text.ends_with(unit)) {
    text.remove_suffix(unit.size());
    ++count;
  }
  return count;
}

bool fuses(const DecoderStep& step) {
  return std::holds_alternative<FuseDecode>(step) || std::holds_alternative<ByteLettersDecode>(step);
}

}  // namespace

DecoderRun::DecoderRun(const std::vector<DecoderStep>& steps, bool inside)
    : steps_(&steps), inside_(inside), states_(steps.size()) {
  for (size_t i = 1; i < steps.size(); ++i) states_[i].fused = states_[i - 1].fused || fuses(steps[i - 1]);
}

std::string DecoderRun::push(std::string_view token, bool as_is) {
  std::string out;
  feed(0, {std::string(token), as_is}, out);
  return out;
}

std::string DecoderRun::finish() {
  std::string out;
  for (size_t i = 0; i < steps_->size(); ++i) {
    StepState& state = states_[i];
    if (!std::exchange(state.has_held, false)) continue;
    if (const auto* suffix = std::get_if<SuffixDecode>(&(*steps_)[i])) {
      replace_all(state.held, suffix->suffix, "");
      feed(i + 1, {std::move(state.held)}, out);
    }
  }
  return out;
}

void DecoderRun::feed(size_t index, Item item, std::string& out) {
  if (index == steps_->size()) {
    out += item.text;
    return;
  }
  std::visit([&](const auto& step) { run(step, index, std::move(item), out); }, (*steps_)[index]);
  if (!std::holds_alternative<StripDecode>((*steps_)[index])) ++states_[index].tokens;
}

bool DecoderRun::is_first(size_t index) const {
  return !inside_ && (states_[index].fused || states_[index].tokens == 0);
}

void DecoderRun::run(const ByteLettersDecode&, size_t index, Item item, std::string& out) {
  std::string bytes;
  if (item.as_is || !append_letter_bytes(bytes, item.text)) bytes = std::move(item.text);
  feed(index + 1, {std::move(bytes)}, out);
}

void DecoderRun::run(const ByteFallbackDecode&, size_t index, Item item, std::string& out) {
  if (const int byte = byte_of_token(item.text); byte >= 0) item.text.assign(1, static_cast<char>(byte));
  feed(index + 1, std::move(item), out);
}

void DecoderRun::run(const FuseDecode&, size_t index, Item item, std::string& out) {
  feed(index + 1, std::move(item), out);
}

void DecoderRun::run(const ReplaceDecode& step, size_t index, Item item, std::string& out) {
  if (!step.regex) {
    replace_all(item.text, step.literal, step.content);
  } else if (std::vector<Span> matches; step.regex->find_all(item.text, matches).ok()) {
    std::string text;
    uint32_t done = 0;
    for (const Span match : matches) {
      text.append(item.text, done, match.begin - done).append(step.content);
      done = match.end;
    }
    item.text = text.append(item.text, done);
  }
  feed(index + 1, std::move(item), out);
}

void DecoderRun::run(const StripDecode& step, size_t index, Item item, std::string& out) {
  StepState& state = states_[index];
  const size_t unit = step.content.size();
  if (!state.fused) {
    item.text.erase(0, unit * count_leading(item.text, step.content, step.start));
    item.text.resize(item.text.size() - unit * count_trailing(item.text, step.content, step.stop));
    return feed(index + 1, std::move(item), out);
  }
  if (state.open && !inside_) {
    const size_t cut = count_leading(item.text, step.content, step.start - state.tokens);
    state.tokens += cut;
    item.text.erase(0, unit * cut);
    state.open = item.text.empty() && state.tokens < step.start;
  }
  item.text.insert(0, std::exchange(state.held, {}));
  const size_t kept_back = unit * count_trailing(item.text, step.content, step.stop);
  state.held = item.text.substr(item.text.size() - kept_back);
  item.text.resize(item.text.size() - kept_back);
  feed(index + 1, std::move(item), out);
}

void DecoderRun::run(const MetaspaceDecode& step, size_t index, Item item, std::string& out) {
  replace_all(item.text, step.replacement, is_first(index) && !step.keep_first ? "" : " ");
  feed(index + 1, std::move(item), out);
}

void DecoderRun::run(const WordPieceDecode& step, size_t index, Item item, std::string& out) {
  const bool marked = !step.word_start.empty();
  const bool has_mark = item.text.starts_with(marked ? step.word_start : step.prefix) && !item.as_is;
  const bool begins = marked ? has_mark || item.as_is : !has_mark;
  if (has_mark && (marked || !is_first(index)))
    item.text.erase(0, (marked ? step.word_start : step.prefix).size());
  if (begins && !is_first(index)) item.text.insert(0, " ");
  if (step.cleanup) clean_up(item.text);
  feed(index + 1, std::move(item), out);
}

void DecoderRun::run(const SuffixDecode& step, size_t index, Item item, std::string& out) {
  StepState& state = states_[index];
  std::string previous = std::exchange(state.held, std::move(item.text));
  if (!std::exchange(state.has_held, true)) return;
  replace_all(previous, step.suffix, " ");
  feed(index + 1, {std::move(previous)}, out);
}

void DecoderRun::run(const CtcDecode& step, size_t index, Item item, std::string& out) {
  StepState& state = states_[index];
  const bool repeats = state.tokens > 0 && state.held == item.text;
  state.held = item.text;
  if (repeats) return;
  replace_all(item.text, step.pad, "");
  if (step.cleanup) {
    clean_up(item.text);
    replace_all(item.text, step.delimiter, " ");
  }
  if (!item.text.empty()) feed(index + 1, std::move(item), out);
}

void DecoderRun::run(const JoinDecode&, size_t index, Item item, std::string& out) {
  if (!is_first(index)) item.text.insert(0, " ");
  feed(index + 1, std::move(item), out);
}

}  // namespace rival::text
