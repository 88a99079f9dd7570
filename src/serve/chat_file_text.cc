#include "serve/chat_file_text.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/limits.h"
#include "hub/process.h"
#include "text/unicode.h"

namespace rival::serve {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPdfSeconds = "20";              // of a processor; a 1,000 page book takes about 3
constexpr const char* kPdfMemory = "--as=2147483648";  // bytes

std::string from_utf16(std::string_view bytes, bool little) {
  std::string out;
  const auto unit = [&](size_t i) -> char32_t {
    const auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
    return little ? a | b << 8 : a << 8 | b;
  };
  for (size_t i = 2; i + 1 < bytes.size(); i += 2) {
    char32_t c = unit(i);
    const bool high = c >= 0xD800 && c < 0xDC00 && i + 3 < bytes.size();
    const char32_t low = high ? unit(i + 2) : 0;
    if (high && low >= 0xDC00 && low < 0xE000) c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00), i += 2;
    text::append_utf8(out, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
  }
  return out;
}

std::string from_latin1(std::string_view bytes) {
  std::string out;
  for (unsigned char c : bytes) text::append_utf8(out, c);
  return out;
}

// Zero bytes, or many control characters, are no text in any of the encodings.
bool looks_binary(std::string_view bytes) {
  size_t controls = 0;
  for (unsigned char c : bytes) {
    if (c == 0) return true;
    controls += c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1B;
  }
  return controls * 100 > bytes.size();
}

// A folder of its own that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "rival-XXXXXX").string();
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Result<std::string> pdf_text(std::string_view bytes) {
  const TemporaryFolder folder;
  if (folder.path().empty()) return make_error(ErrorCode::kIo, "there is no place for a temporary file");
  RIVAL_RETURN_IF_ERROR(write_file_atomically(folder.path() / "in.pdf", bytes));
  std::string text;
  hub::ProcessRequest request;
  // prlimit bounds what a hostile file can make the program use.
  request.arguments = {"prlimit", fmt::format("--cpu={}", kPdfSeconds), kPdfMemory, "--", "pdftotext", "-q", "-enc", "UTF-8", "in.pdf", "-"};
  request.folder = folder.path();
  request.on_output = [&](std::string_view piece) -> Status {
    if (text.size() + piece.size() > limits::kPageAttachmentBytesMax) return make_error(ErrorCode::kLimit, "its text has more than {} bytes", limits::kPageAttachmentBytesMax);
    text += piece;
    return {};
  };
  RIVAL_ASSIGN_OR_RETURN(const hub::ProcessEnd end, hub::run_process(request));
  if (end.status != 0 && end.errors.find("pdftotext") != std::string::npos && end.errors.find("No such file") != std::string::npos)
    return make_error(ErrorCode::kNotFound, "PDF files are read by pdftotext, which is not installed (Debian: poppler-utils)");
  if (end.status != 0) return make_error(ErrorCode::kCorrupt, "pdftotext cannot read this PDF ({})", end.errors.empty() ? "it took too long" : end.errors.substr(0, 200));
  return text::replace_invalid_utf8(text);
}

}  // namespace

Result<std::string> chat_file_text(std::string_view bytes) {
  if (bytes.starts_with("%PDF-")) return pdf_text(bytes);
  std::string text;
  if (bytes.starts_with("\xFF\xFE")) text = from_utf16(bytes, true);
  else if (bytes.starts_with("\xFE\xFF")) text = from_utf16(bytes, false);
  else if (looks_binary(bytes)) return make_error(ErrorCode::kUnsupported, "this file is no text");
  else if (text::is_valid_utf8(bytes)) text = bytes.starts_with("\xEF\xBB\xBF") ? bytes.substr(3) : bytes;
  else text = from_latin1(bytes);
  if (text.size() > limits::kPageAttachmentBytesMax) return make_error(ErrorCode::kLimit, "the file has {} bytes of text; at most {}", text.size(), limits::kPageAttachmentBytesMax);
  return text;
}

}  // namespace rival::serve
