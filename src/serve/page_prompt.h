// From the branch of a chat's tree to a request of the chat seam.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "serve/chat.h"
#include "serve/chat_store.h"

namespace rival::serve {

// The names and kinds that Settings may have; sizes. Ranges are looked at when they are used.
std::optional<ApiError> check_page_settings(const json::object& settings);

// `over` wins.
json::object merged_settings(const json::object& base, const json::object& over);

// The messages from the root to `leaf`. Error: 404 for a message that is not of this chat, 400 for one still running.
std::variant<std::vector<PageMessage>, ApiError> page_branch(const std::vector<PageMessage>& messages, std::optional<int64_t> leaf);

struct PagePrompt {
  ChatRequest request;
  std::vector<size_t> dropped;  // indices into the branch
  uint32_t tokens = 0;
};

struct PagePromptOptions {
  std::string system;
  json::object settings;
  bool allow_drop = false;     // oldest messages give way to the context; else 400 context_length_exceeded
  bool continue_last = false;  // the last message is an answer that is written on
  bool count_only = false;     // what is too long for the context is no error
};

// Errors name the field.
std::variant<PagePrompt, ApiError> make_page_prompt(const std::shared_ptr<ServedModel>& model, const std::vector<PageMessage>& branch,
                                                    const PagePromptOptions& options);

}  // namespace rival::serve
