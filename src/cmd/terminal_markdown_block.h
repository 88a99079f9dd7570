// What a line of Markdown is, from as few of its first characters as tell.
#pragma once

#include <optional>
#include <string_view>

namespace rival::cmd {

enum class BlockKind { kText, kHeading, kBullet, kNumber, kQuote, kRule, kFence, kTableRow };

struct Block {
  BlockKind kind = BlockKind::kText;
  size_t indent = 0;  // spaces before it
  size_t marker = 0;  // bytes of indent and marker together, with the space behind it
  int level = 0;      // of a heading
};

// `line`: the beginning of a line, or, if `whole`, all of it. Nothing: more characters decide.
std::optional<Block> recognise_block(std::string_view line, bool whole);

}  // namespace rival::cmd
