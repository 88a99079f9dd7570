#include "cmd/terminal_table.h"

#include <algorithm>
#include <utility>

#include "cmd/terminal_wrap.h"

namespace rival::cmd {
namespace {

using Row = std::vector<std::string>;

std::string trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t end = text.find_last_not_of(" \t");
  return std::string(text.substr(begin, end == std::string_view::npos ? 0 : end + 1 - begin));
}

// A cell without the signs of emphasis and code, which would spoil the alignment.
std::string plain_cell(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`') continue;
    if (text.substr(i, 2) == "**")
      ++i;
    else
      result += text[i];
  }
  return trimmed(result);
}

Row split_row(std::string_view line) {
  Row row;
  std::string cell;
  line.remove_prefix(std::min(line.find('|') + 1, line.size()));
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|')
      cell += line[++i];
    else if (line[i] == '|')
      row.push_back(plain_cell(std::exchange(cell, {})));
    else
      cell += line[i];
  }
  if (!trimmed(cell).empty()) row.push_back(plain_cell(cell));
  return row;
}

bool is_separator(const Row& row) {
  return !row.empty() && std::all_of(row.begin(), row.end(), [](const std::string& cell) {
    return cell.find('-') != std::string::npos && cell.find_first_not_of("-:") == std::string::npos;
  });
}

std::vector<int> column_widths(const std::vector<Row>& rows) {
  std::vector<int> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], text_width(row[i]));
  }
  return widths;
}

std::string padded(const std::string& cell, int width, bool right) {
  const std::string space(static_cast<size_t>(width - text_width(cell)), ' ');
  return right ? space + cell : cell + space;
}

std::string format_row(const Row& row, const std::vector<int>& widths, const Row& alignment) {
  std::string line;
  for (size_t i = 0; i < widths.size(); ++i) {
    const bool right = i < alignment.size() && alignment[i].ends_with(':') && !alignment[i].starts_with(':');
    line += (i == 0 ? "" : " │ ") + padded(i < row.size() ? row[i] : "", widths[i], right);
  }
  return line;
}

std::string rule(const std::vector<int>& widths) {
  std::string line;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) line += "─┼─";
    for (int k = 0; k < widths[i]; ++k) line += "─";
  }
  return line;
}

}  // namespace

std::vector<TableLine> format_table(const std::vector<std::string>& lines, int columns) {
  std::vector<Row> rows;
  for (const std::string& line : lines) rows.push_back(split_row(line));
  std::vector<TableLine> result;
  if (rows.size() >= 2 && is_separator(rows[1])) {
    const Row alignment = std::move(rows[1]);
    rows.erase(rows.begin() + 1);
    const std::vector<int> widths = column_widths(rows);
    for (const Row& row : rows) result.push_back({format_row(row, widths, alignment), result.empty()});
    result.insert(result.begin() + 1, {rule(widths), false});
    if (text_width(result[1].text) <= columns) return result;
  }
  result.clear();
  for (const std::string& line : lines) result.push_back({line, false});
  return result;
}

}  // namespace rival::cmd
