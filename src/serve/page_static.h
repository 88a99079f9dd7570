// The files of the page, which are in the program (made by cmake/page.py).
#pragma once

#include <span>
#include <string_view>

namespace rival::serve {

struct PageFile {
  std::string_view name;   // "index.html", "app-3F9A2C1B.js"
  std::string_view tag;    // changes with the content
  std::string_view plain;
  std::string_view gzip;   // empty: not worth it
};

std::span<const PageFile> page_files();

}  // namespace rival::serve
