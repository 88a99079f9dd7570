// Bodies of Ollama's API, read into the chat that all APIs share. Defaults are those of its documentation.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/json.h"
#include "serve/api_error.h"
#include "serve/chat.h"
#include "serve/fields.h"

namespace rival::serve {

struct OllamaRequest {
  std::string model;                  // as the client wrote it; told back in every line
  ChatRequest chat;
  bool stream = true;
  bool load_only = false;             // nothing to answer: the model is only made ready, or let go with keep_s 0
  std::optional<double> keep_s;       // how long the model stays afterwards, as Models::keep() has it
  std::optional<uint32_t> context;    // prompt and answer together, if fewer than the model's
  std::optional<std::string> raw;     // generate: the prompt goes in as it is
  std::optional<std::string> suffix;  // generate: what comes after the answer
};

std::variant<OllamaRequest, ApiError> read_ollama_chat(const json::object& body);
std::variant<OllamaRequest, ApiError> read_ollama_generate(const json::object& body);

// keep_alive: a number of seconds, or a duration such as "5m", "1h30m", "-1"; negative = for ever.
std::optional<double> read_keep_alive(Fields& fields);

// "minilm:latest" is the model "minilm": a name without a tag means that one there.
std::string ollama_model_name(std::string_view name);

}  // namespace rival::serve
