// Byte strings as a trie in depth-first order: a walk that meets a dead end jumps to `end`.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rival::text::grammar {

class TokenTrie {
 public:
  struct Node {
    uint32_t end;    // index of the first node after this subtree
    int32_t value;   // of the string that ends here, or -1
    uint16_t depth;  // of the byte in its string, from 0
    uint8_t byte;
  };

  TokenTrie() = default;
  // Sorts `strings`. Of equal strings the first value stays in the trie; the others are returned as pairs (first, other).
  std::vector<std::pair<int32_t, int32_t>> build(std::vector<std::pair<std::string_view, int32_t>> strings);

  const std::vector<Node>& nodes() const { return nodes_; }
  size_t depth_max() const { return depth_max_; }  // length of the longest string

 private:
  std::vector<Node> nodes_;
  size_t depth_max_ = 0;
};

}  // namespace rival::text::grammar
