#include "text/grammar/token_trie.h"

#include <algorithm>

namespace rival::text::grammar {

std::vector<std::pair<int32_t, int32_t>> TokenTrie::build(std::vector<std::pair<std::string_view, int32_t>> strings) {
  std::sort(strings.begin(), strings.end());
  std::vector<std::pair<int32_t, int32_t>> equal;
  std::vector<uint32_t> path;  // nodes of the string before
  std::string_view before;
  for (const auto& [text, value] : strings) {
    size_t shared = 0;
    while (shared < before.size() && shared < text.size() && before[shared] == text[shared]) ++shared;
    if (shared == text.size() && !text.empty()) {
      equal.emplace_back(nodes_[path[shared - 1]].value, value);
      continue;
    }
    for (size_t d = shared; d < path.size(); ++d) nodes_[path[d]].end = static_cast<uint32_t>(nodes_.size());
    path.resize(shared);
    for (size_t d = shared; d < text.size(); ++d) {
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, -1, static_cast<uint16_t>(d), static_cast<uint8_t>(text[d])});
    }
    if (!path.empty()) nodes_[path.back()].value = value;
    depth_max_ = std::max(depth_max_, text.size());
    before = text;
  }
  for (uint32_t node : path) nodes_[node].end = static_cast<uint32_t>(nodes_.size());
  return equal;
}

}  // namespace rival::text::grammar
