#include "cmd/chat_thinking.h"

#include <algorithm>
#include <utility>

namespace rival::cmd {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>";
constexpr std::string_view kChannel = "<|channel|>", kMessage = "<|message|>", kEnd = "<|end|>";
constexpr std::string_view kFinal = "<|channel|>final";
constexpr std::string_view kSpace = " \t\r\n";

// Bytes at the end of `text` that may be the start of `marker`.
size_t partial_marker(std::string_view text, std::string_view marker) {
  for (size_t size = std::min(text.size(), marker.size() - 1); size > 0; --size)
    if (text.ends_with(marker.substr(0, size))) return size;
  return 0;
}

}  // namespace

ThinkingSplitter::ThinkingSplitter(ThinkingStyle style, bool inside, Sink sink)
    : style_(style), state_(inside ? State::kThinking : State::kStart), sink_(std::move(sink)) {}

void ThinkingSplitter::push(std::string_view text) {
  held_ += text;
  while (!held_.empty() && advance()) {
  }
}

void ThinkingSplitter::finish() {
  if (state_ != State::kHeader) tell(held_);
  held_.clear();
}

bool ThinkingSplitter::advance() {
  switch (state_) {
    case State::kStart: return at_start();
    case State::kHeader: return at_header();
    case State::kThinking: return style_ == ThinkingStyle::kTags ? until(kClose, State::kAnswer) : until(kEnd, State::kHeader);
    case State::kAnswer:
      if (style_ == ThinkingStyle::kHarmony) return until(kEnd, State::kHeader);
      tell(held_);
      held_.clear();
      return false;
  }
  return false;
}

bool ThinkingSplitter::at_start() {
  const std::string_view marker = style_ == ThinkingStyle::kTags ? kOpen : kChannel;
  const size_t begin = std::min(held_.find_first_not_of(kSpace), held_.size());
  const std::string_view rest = std::string_view(held_).substr(begin);
  if (rest.size() < marker.size() && marker.starts_with(rest)) return false;
  if (!rest.starts_with(marker)) {
    state_ = State::kAnswer;
  } else if (style_ == ThinkingStyle::kTags) {
    held_.erase(0, begin + marker.size());
    state_ = State::kThinking;
  } else {
    state_ = State::kHeader;
  }
  return true;
}

// A message of gpt-oss begins with its role and channel; all but the final channel is thinking aloud.
bool ThinkingSplitter::at_header() {
  const size_t end = held_.find(kMessage);
  if (end == std::string::npos) return false;
  state_ = std::string_view(held_).substr(0, end).find(kFinal) != std::string_view::npos ? State::kAnswer : State::kThinking;
  told_ = false;
  held_.erase(0, end + kMessage.size());
  return true;
}

bool ThinkingSplitter::until(std::string_view marker, State next) {
  const size_t found = held_.find(marker);
  if (found == std::string::npos) {
    const size_t kept = partial_marker(held_, marker);
    tell(std::string_view(held_).substr(0, held_.size() - kept));
    held_.erase(0, held_.size() - kept);
    return false;
  }
  tell(std::string_view(held_).substr(0, found));
  held_.erase(0, found + marker.size());
  state_ = next;
  told_ = false;
  return true;
}

void ThinkingSplitter::tell(std::string_view text) {
  if (!told_) text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  if (text.empty()) return;
  told_ = true;
  sink_(state_ == State::kThinking, text);
}

}  // namespace rival::cmd
