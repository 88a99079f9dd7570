// Finds stop strings in a text that arrives in pieces, and tells how much of it can be shown already.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rival::engine {

class StopText {
 public:
  // Empty strings never match.
  explicit StopText(std::vector<std::string> stops);

  // Appends a piece. Sets met() if a stop string is now complete: the one that ends first, and of those that end
  // together the one that begins first.
  void add(std::string_view piece);

  // The text not taken yet that cannot be part of a stop string. After met(): everything before the stop string.
  std::string take();
  // Everything not taken yet (the answer ends, so nothing can complete a stop string any more).
  std::string take_all();

  const std::optional<std::string>& met() const { return met_; }
  size_t taken() const { return taken_; }         // bytes handed out so far
  size_t size() const { return taken_ + held_.size(); }  // bytes added so far; up to the stop string once met

 private:
  size_t safe_size() const;

  std::vector<std::string> stops_;
  std::string held_;  // not handed out yet
  size_t taken_ = 0;
  std::optional<std::string> met_;
};

}  // namespace rival::engine
