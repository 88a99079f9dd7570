#include "cmd/terminal_wrap.h"

#include <langinfo.h>

#include <clocale>
#include <cwchar>
#include <utility>

namespace rival::cmd {
namespace {

struct Attribute {
  Style style;
  const char* code;
};

constexpr Attribute kAttributes[] = {{kBold, ";1"},      {kDim, ";2"},    {kItalic, ";3"},
                                     {kUnderline, ";4"}, {kStrike, ";9"}, {kCode, ";36"}};

size_t character_bytes(std::string_view text) {
  size_t size = 1;
  while (size < text.size() && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) ++size;
  return size;
}

int character_width(std::string_view character) {
  wchar_t wide = 0;
  std::mbstate_t state{};
  const size_t size = std::mbrtowc(&wide, character.data(), character.size(), &state);
  if (size == static_cast<size_t>(-1) || size == static_cast<size_t>(-2)) return 1;
  const int width = ::wcwidth(wide);
  return width < 0 ? 1 : width;
}

}  // namespace

int text_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const size_t size = character_bytes(text);
    width += character_width(text.substr(0, size));
    text.remove_prefix(size);
  }
  return width;
}

void use_utf8_locale() {
  std::setlocale(LC_CTYPE, "");
  if (std::string_view(::nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
}

void LineWrapper::set_style(std::string& out, uint8_t style) {
  if (style == style_) return;
  style_ = style;
  out += "\033[0";
  for (const Attribute& attribute : kAttributes)
    if (style & attribute.style) out += attribute.code;
  out += 'm';
}

void LineWrapper::put(std::string_view character, uint8_t style) {
  if (character == "\n") {
    end_word();
    set_style(out_, style & ~(kUnderline | kStrike));
    out_ += '\n';
    column_ = indent_ = spaces_ = 0;
  } else if (character == " " || character == "\t") {
    end_word();
    ++spaces_;
  } else {
    set_style(word_, style);
    word_ += character;
    word_width_ += character_width(character);
  }
}

void LineWrapper::put_text(std::string_view text, uint8_t style) {
  while (!text.empty()) {
    const size_t size = character_bytes(text);
    put(text.substr(0, size), style);
    text.remove_prefix(size);
  }
}

void LineWrapper::put_verbatim(std::string_view text, uint8_t style) {
  end_word();
  out_.append(static_cast<size_t>(spaces_), ' ');
  column_ += spaces_ + text_width(text);
  spaces_ = 0;
  set_style(out_, style);
  out_ += text;
}

void LineWrapper::end_word() {
  if (word_.empty()) return;
  if (column_ > indent_ && column_ + spaces_ + word_width_ > columns_) {
    out_ += '\n';
    column_ = 0;
    spaces_ = indent_;
  }
  out_.append(static_cast<size_t>(spaces_), ' ');
  out_ += word_;
  column_ += spaces_ + word_width_;
  spaces_ = word_width_ = 0;
  word_.clear();
}

std::string LineWrapper::take() { return std::exchange(out_, {}); }

std::string LineWrapper::finish() {
  end_word();
  set_style(out_, kNoStyle);
  spaces_ = 0;
  return take();
}

}  // namespace rival::cmd
