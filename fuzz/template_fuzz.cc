// Any bytes as a chat template, rendered with one fixed chat: an error or a prompt, within the limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/chat_template.h"

namespace {

constexpr std::string_view kVariables = R"({
  "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Grüße 🎉\n", "name": "u"},
    {"role": "assistant", "content": null, "reasoning_content": "hm",
     "tool_calls": [{"id": "123456789", "type": "function",
                     "function": {"name": "f", "arguments": {"a": [1, 2.5, true, null], "b": {}}}}]},
    {"role": "tool", "content": [{"type": "text", "text": "42"}], "tool_call_id": "123456789"}
  ],
  "tools": [{"type": "function", "function": {"name": "f", "description": "d",
             "parameters": {"type": "object", "properties": {"a": {"type": ["array", "null"]}}, "required": []}}}],
  "documents": null, "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>", "n": 3, "s": "a b"
})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rival;
  static const json::object variables = parse_json(kVariables).value().as_object();
  const auto parsed = text::ChatTemplate::parse({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) {
    RIVAL_CHECK(!parsed.error().message.empty());
    return 0;
  }
  (void)parsed->uses("tools");
  const auto result = parsed->render(variables);
  RIVAL_CHECK(result.ok() || !result.error().message.empty());
  return 0;
}
