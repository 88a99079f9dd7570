// One turn of a chat, whatever API asked for it: the prompt made of messages and tools, the constraint of what may be
// answered, and the answer told as it grows, split into reasoning, text and tool calls.
//
// The APIs translate their requests into a ChatRequest and the pieces into their own events; nothing about prompts,
// grammars or a family's call syntax is known outside of this file's sources.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "engine/request.h"
#include "serve/api_error.h"
#include "serve/call.h"
#include "serve/served_model.h"

namespace rival::serve {

struct Tool {
  std::string name;
  std::string description;
  json::object parameters;  // a JSON Schema of objects; empty: any object
  std::string param = {};   // the field of the request that an error names; empty: "tools"
};

struct ToolChoice {
  enum class Kind : uint8_t { kAuto, kNone, kRequired, kNamed };
  Kind kind = Kind::kAuto;
  std::string name;      // of kNamed
  bool parallel = true;  // more than one call in an answer
};

// What the text of an answer must be.
struct AnswerFormat {
  enum class Kind : uint8_t { kText, kJsonObject, kJsonSchema, kGbnf, kRegex };
  Kind kind = Kind::kText;
  json::value schema;  // of kJsonSchema
  std::string source;  // of kGbnf and kRegex
  std::string param;   // the field of the request that an error names
};

struct ChatRequest {
  // Messages as chat templates have them, which is OpenAI's shape: role (system, user, assistant, tool), content a
  // string; an assistant's may carry reasoning_content and tool_calls ([{id, type: "function", function: {name,
  // arguments: TEXT}}]); a tool's carries tool_call_id and, where known, name.
  json::array messages;
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  AnswerFormat format;
  json::object template_variables;   // enable_thinking, reasoning_effort, ...: for the template as they are
  bool continue_last = false;        // the last message is an assistant's and is written on
  engine::Request generation;        // all but prompt, constraint and on_output
  std::shared_ptr<CallRecord> record = {};  // record_of() the exchange, so that its log line tells the tokens; may be null
};

// News of one answer. Pieces of an index come in order; the last one has `finish`.
struct ChatPiece {
  enum class Kind : uint8_t {
    kReasoning,      // `text` was thought
    kText,           // `text` was answered
    kCallBegin,      // a call `call` of tool `name` begins, known by `id`
    kCallArguments,  // `text` goes on with the arguments of `call`: JSON that the tool's schema allows
    kCallEnd,
    kFinish,
  };
  uint32_t index = 0;  // which of the n answers
  Kind kind = Kind::kText;
  std::string text = {};
  uint32_t call = 0;
  std::string id = {}, name = {};
  std::vector<engine::SampledToken> tokens = {};  // those whose text is told with this piece
  std::optional<engine::Finish> finish = {};
  bool calls = false;  // of kFinish: the answer holds tool calls
  uint32_t reasoning_tokens = 0;  // of kFinish: those of completion_tokens that were thought
};

// Starts the answer. `on_piece` is called on the engine's thread and must not block; nothing has been called where an
// error is returned. The model is kept loaded until the last piece.
std::variant<engine::RequestId, ApiError> start_chat(const std::shared_ptr<ServedModel>& model, ChatRequest request,
                                                     std::function<void(ChatPiece)> on_piece);

// The prompt alone, for counting. Errors as above.
std::variant<std::vector<text::TokenId>, ApiError> chat_prompt(const ServedModel& model, const ChatRequest& request);

struct ChatCall {
  std::string id, name, arguments;
};

// An answer as a whole.
struct ChatAnswer {
  std::string reasoning, text;
  std::vector<ChatCall> calls;
  std::vector<engine::SampledToken> tokens;
  engine::Finish finish;
  uint32_t reasoning_tokens = 0;
};

// A sink for start_chat() that collects all answers and calls `done` once.
std::function<void(ChatPiece)> collect_chat(uint32_t n, std::function<void(std::vector<ChatAnswer>)> done);

}  // namespace rival::serve
