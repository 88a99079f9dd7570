#include "cmd/terminal_editor.h"

#include <fmt/format.h>
#include <histedit.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cwchar>
#include <utility>

#include "cmd/terminal_style.h"

namespace rival::cmd {
namespace {

constexpr int kHistoryLines = 1000;

std::string to_utf8(const std::wstring& text) {
  std::string result;
  std::mbstate_t state{};
  char buffer[16];
  for (const wchar_t c : text) {
    const size_t size = std::wcrtomb(buffer, c, &state);
    if (size != static_cast<size_t>(-1)) result.append(buffer, size);
  }
  return result;
}

}  // namespace

struct LineEditor::Impl {
  Interrupts& interrupts;
  std::vector<std::string> words;
  std::filesystem::path history_file;
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent event{};
  std::string prompt;
  std::vector<std::pair<std::string, std::string>> pastes;  // what stands in the line, what was pasted

  static Impl& of(EditLine* editor) {
    void* data = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<Impl*>(data);
  }

  // One character from the terminal; 0 when a signal or the end of the input stops the line.
  static int read_character(EditLine* editor, wchar_t* out) {
    std::mbstate_t state{};
    while (of(editor).wait_for_input()) {
      char byte = 0;
      if (::read(STDIN_FILENO, &byte, 1) != 1) return 0;
      const size_t size = std::mbrtowc(out, &byte, 1, &state);
      if (size == static_cast<size_t>(-2)) continue;
      if (size == static_cast<size_t>(-1)) {
        state = {};
        continue;
      }
      return 1;
    }
    return 0;
  }

  // False when the line shall end: Ctrl-C, or an end of the program.
  bool wait_for_input() {
    for (;;) {
      if (interrupts.any()) return false;
      pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {interrupts.wake_fd(), POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0 && errno != EINTR) return false;
      if (fds[1].revents != 0) {
        interrupts.drain_wake();
        if (!interrupts.any()) redraw();
      } else if (fds[0].revents != 0) {
        return true;
      }
    }
  }

  // After the window's size has changed, or the program was in the background.
  void redraw() {
    ::el_set(editor, EL_PREP_TERM, 1);
    ::el_resize(editor);
    ::el_set(editor, EL_REFRESH);
  }

  static char* show_prompt(EditLine* editor) { return of(editor).prompt.data(); }

  static unsigned char complete(EditLine* editor, int) {
    const LineInfo* line = ::el_line(editor);
    const std::string begun(line->buffer, line->cursor);
    std::string found;
    for (const std::string& word : of(editor).words) {
      if (begun.empty() || !word.starts_with(begun)) continue;
      if (!found.empty()) return CC_REFRESH_BEEP;
      found = word;
    }
    if (found.empty()) return CC_REFRESH_BEEP;
    ::el_insertstr(editor, (found.substr(begun.size()) + " ").c_str());
    return CC_REFRESH;
  }

  // What a terminal sends between its marks of pasted text. Several lines stand in the line as one word.
  static unsigned char paste(EditLine* editor, int) {
    static constexpr std::wstring_view kEnd = L"\033[201~";
    std::wstring text;
    wchar_t c = 0;
    while (!std::wstring_view(text).ends_with(kEnd) && ::el_wgetc(editor, &c) == 1) text += c == L'\r' ? L'\n' : c;
    if (std::wstring_view(text).ends_with(kEnd)) text.resize(text.size() - kEnd.size());
    std::string pasted = to_utf8(text);
    if (pasted.find('\n') != std::string::npos) {
      auto& pastes = of(editor).pastes;
      const auto lines = std::count(pasted.begin(), pasted.end(), '\n') + (pasted.ends_with('\n') ? 0 : 1);
      pastes.emplace_back(fmt::format("[paste {}: {} lines]", pastes.size() + 1, lines), std::move(pasted));
      pasted = pastes.back().first;
    }
    ::el_insertstr(editor, pasted.c_str());
    return CC_REFRESH;
  }

  std::string expanded(std::string line) const {
    for (const auto& [shown, pasted] : pastes)
      if (const size_t at = line.find(shown); at != std::string::npos) line.replace(at, shown.size(), pasted);
    return line;
  }
};

LineEditor::LineEditor(const std::filesystem::path& history_file, std::vector<std::string> words, Interrupts& interrupts)
    : impl_(new Impl{.interrupts = interrupts, .words = std::move(words), .history_file = history_file}) {
  // The answers' place, or stderr where they go to a file.
  impl_->editor = ::el_init("rival", stdin, ::isatty(STDOUT_FILENO) ? stdout : stderr, stderr);
  EditLine* editor = impl_->editor;
  ::el_set(editor, EL_CLIENTDATA, impl_.get());
  ::el_set(editor, EL_PROMPT, &Impl::show_prompt);
  ::el_set(editor, EL_EDITOR, "emacs");
  ::el_set(editor, EL_GETCFN, &Impl::read_character);
  // The narrow form of EL_ADDFN would leak the copies that it makes.
  ::el_wset(editor, EL_ADDFN, L"rival-complete", L"completes a command", &Impl::complete);
  ::el_wset(editor, EL_ADDFN, L"rival-paste", L"takes pasted text", &Impl::paste);
  ::el_set(editor, EL_BIND, "^I", "rival-complete", nullptr);
  ::el_set(editor, EL_BIND, "\033[200~", "rival-paste", nullptr);
  ::el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  ::el_set(editor, EL_BIND, "\033[1;5D", "ed-prev-word", nullptr);
  ::el_set(editor, EL_BIND, "\033[1;5C", "em-next-word", nullptr);
  impl_->history = ::history_init();
  ::history(impl_->history, &impl_->event, H_SETSIZE, kHistoryLines);
  ::history(impl_->history, &impl_->event, H_SETUNIQUE, 1);
  ::history(impl_->history, &impl_->event, H_LOAD, history_file.c_str());
  ::el_set(editor, EL_HIST, &::history, impl_->history);
}

LineEditor::~LineEditor() {
  ::history_end(impl_->history);
  ::el_end(impl_->editor);
}

LineEditor::Line LineEditor::read(const std::string& prompt) {
  impl_->prompt = prompt;
  impl_->pastes.clear();
  const bool marks_paste = terminal_is_capable();
  if (marks_paste) fmt::print(stderr, "\033[?2004h");
  // Before the prompt is seen: a Ctrl-D that a terminal still takes for the end of a line would be lost.
  ::el_set(impl_->editor, EL_PREP_TERM, 1);
  int count = 0;
  const char* text = ::el_gets(impl_->editor, &count);
  if (marks_paste) fmt::print(stderr, "\033[?2004l");
  if (text == nullptr || count <= 0) {
    fmt::print(stderr, "\n");
    return {.outcome = impl_->interrupts.ctrl_c() ? Outcome::kInterrupt : Outcome::kEnd, .text = {}};
  }
  std::string line(text, static_cast<size_t>(count));
  if (line.ends_with('\n')) line.pop_back();
  return {.outcome = Outcome::kLine, .text = impl_->expanded(std::move(line)), .pasted = !impl_->pastes.empty()};
}

void LineEditor::remember(const std::string& line) {
  if (line.empty()) return;
  ::history(impl_->history, &impl_->event, H_ENTER, line.c_str());
  std::error_code code;
  std::filesystem::create_directories(impl_->history_file.parent_path(), code);
  const mode_t mask = ::umask(077);
  ::history(impl_->history, &impl_->event, H_SAVE, impl_->history_file.c_str());
  ::umask(mask);
}

}  // namespace rival::cmd
