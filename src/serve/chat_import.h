// Chats from files: Rival's own export, ChatGPT's conversations.json, and the export of llama.cpp's web page.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serve/chat_store.h"

namespace rival::serve {

// Parents stand before their children. Ids and chats are set when it is stored.
struct ImportedChat {
  PageChat chat;  // origin tells one file's chats apart and finds them again
  std::vector<PageMessage> messages;
  std::vector<std::optional<size_t>> parents;  // of each message, its place in `messages`
  std::optional<size_t> leaf;
};

struct ImportFailure {
  std::string title, reason;
};

using ImportedRow = std::variant<ImportedChat, ImportFailure>;

// One row a conversation. Errors: kCorrupt for what is no JSON, kUnsupported for none of the formats.
Result<std::vector<ImportedRow>> read_chat_file(std::string_view text);

}  // namespace rival::serve
