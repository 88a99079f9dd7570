// Chats on disk, one JSON file each, in the folder "chats" of RIVAL_HOME:
//
//   {"version": 1, "model": "smollm2:135m",
//    "messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "...", "thinking": "...",
//                                                       "complete": false}]}
//
// "thinking" and "complete" may be absent (none, true). A chat is written whole at every change, atomically.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "cmd/chat.h"

namespace rival::cmd {

json::object to_json(const Chat& chat);

// Errors: kCorrupt names the field that is wrong.
Result<Chat> parse_chat(std::string_view text);

// Errors of reading: kNotFound, kIo, kCorrupt, kLimit.
Result<Chat> read_chat(const std::filesystem::path& path);
Status write_chat(const std::filesystem::path& path, const Chat& chat);

// For people: "## You", "## smollm2:135m", ...
std::string to_markdown(const Chat& chat);

class ChatStore {
 public:
  explicit ChatStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool empty() const;
  std::filesystem::path new_path() const;  // by time and process; nothing is created
  // The chat that was written last. Error: kNotFound says that there is none.
  Result<std::filesystem::path> last() const;
  // Creates the folder, which only its owner may read.
  Status save(const std::filesystem::path& path, const Chat& chat) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace rival::cmd
