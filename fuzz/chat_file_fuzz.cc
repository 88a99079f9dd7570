// Chats from files of anywhere: no crash, and what is accepted is a forest in an order that can be stored.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/limits.h"
#include "serve/chat_file_text.h"
#include "serve/chat_import.h"
#include "text/unicode.h"

namespace {

using namespace rival;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const serve::ImportedChat& chat) {
  require(!chat.messages.empty() && chat.parents.size() == chat.messages.size());
  for (size_t i = 0; i < chat.parents.size(); ++i) require(!chat.parents[i] || *chat.parents[i] < i);
  require(chat.leaf && *chat.leaf < chat.messages.size());
  require(chat.chat.title.size() <= limits::kPageTitleBytesMax && chat.chat.folder.size() <= limits::kPageFolderBytesMax);
  for (const serve::PageMessage& message : chat.messages) {
    require(message.role == "user" || message.role == "assistant" || message.role == "tool");
    require(message.state != "running" && message.attachments.size() <= limits::kPageAttachmentsMax);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto rows = serve::read_chat_file(text); rows.ok())
    for (const serve::ImportedRow& row : *rows)
      if (const auto* chat = std::get_if<serve::ImportedChat>(&row)) check(*chat);
  if (text.starts_with("%PDF-")) return 0;  // another program reads it
  if (const auto plain = serve::chat_file_text(text); plain.ok()) require(text::is_valid_utf8(*plain));
  return 0;
}
