// The text of a file that somebody attaches to a message.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rival::serve {

// UTF-8, UTF-16 with a byte order mark, Latin-1, or a PDF (by poppler's pdftotext, where it is installed) as UTF-8.
// Blocks while pdftotext runs, some seconds at most. Errors: kUnsupported for what is no text, kNotFound when a PDF
// comes and pdftotext is not there, kLimit for too much text, kCorrupt for a PDF that cannot be read.
Result<std::string> chat_file_text(std::string_view bytes);

}  // namespace rival::serve
