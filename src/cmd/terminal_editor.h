// The line that a person types: editing, history and completion by libedit.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cmd/terminal_interrupt.h"

namespace rival::cmd {

class LineEditor {
 public:
  enum class Outcome { kLine, kInterrupt, kEnd };
  struct Line {
    Outcome outcome = Outcome::kEnd;
    std::string text;       // without its line feed; may hold line feeds that were pasted
    bool pasted = false;    // it holds lines that were pasted
  };

  // Lines are remembered in `history_file`, which may be absent. `words` complete at the start of a line.
  // `interrupts` outlives the editor.
  LineEditor(const std::filesystem::path& history_file, std::vector<std::string> words, Interrupts& interrupts);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  Line read(const std::string& prompt);
  void remember(const std::string& line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rival::cmd
