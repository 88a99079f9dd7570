#include "engine/stop_text.h"

#include <algorithm>
#include <utility>

namespace rival::engine {

StopText::StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
}

void StopText::add(std::string_view piece) {
  if (met_) return;
  const size_t before = held_.size();
  held_ += piece;
  size_t best_end = std::string::npos, best_begin = 0;
  for (const std::string& stop : stops_) {
    // A match must end inside the new piece, so it begins at most stop.size() - 1 bytes before it.
    const size_t from = before >= stop.size() ? before - stop.size() + 1 : 0;
    const size_t begin = held_.find(stop, from);
    if (begin == std::string::npos) continue;
    const size_t end = begin + stop.size();
    if (end > best_end || (end == best_end && begin >= best_begin)) continue;
    best_end = end, best_begin = begin, met_ = stop;
  }
  if (met_) held_.resize(best_begin);
}

size_t StopText::safe_size() const {
  if (met_) return held_.size();
  size_t longest = 0;  // suffix of held_ that begins some stop string
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > longest; --n)
      if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, n))) longest = n;
  }
  return held_.size() - longest;
}

std::string StopText::take() {
  const size_t n = safe_size();
  std::string text = held_.substr(0, n);
  held_.erase(0, n);
  taken_ += n;
  return text;
}

std::string StopText::take_all() {
  taken_ += held_.size();
  return std::exchange(held_, {});
}

}  // namespace rival::engine
