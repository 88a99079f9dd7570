// A table of Markdown, its columns aligned.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rival::cmd {

struct TableLine {
  std::string text;
  bool header = false;
};

// `lines`: as written, each beginning with '|'. The second says how columns are aligned; without it the lines are no
// table. What is no table, or is wider than `columns`, comes back as it is.
std::vector<TableLine> format_table(const std::vector<std::string>& lines, int columns);

}  // namespace rival::cmd
