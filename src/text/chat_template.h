// Chat templates: the Jinja that models ship, rendered as Python's jinja2 does with transformers' settings
// (sandboxed and immutable, trim_blocks, lstrip_blocks, loop controls, {% generation %}, its tojson).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace rival::text {

namespace jinja {
class Tree;
}

struct RenderOptions {
  // What strftime_now tells; the clock where it is not given.
  std::optional<std::chrono::system_clock::time_point> now;
  // Where given, receives the bytes [first, second) of the result that {% generation %} blocks wrote: the assistant's
  // own words, for a training mask.
  std::vector<std::pair<size_t, size_t>>* generations = nullptr;
};

// A parsed template. Rendering is const and thread-safe.
class ChatTemplate {
 public:
  // Errors: kCorrupt where jinja2 would not compile it, kLimit, kUnsupported; the message names the line.
  static Result<ChatTemplate> parse(std::string_view source);

  // The template of a model that ships none: ChatML.
  static ChatTemplate chatml();

  // `variables`: messages, tools (null where there are none), documents, add_generation_prompt, bos_token,
  // eos_token, and whatever else the template asks for. Errors: kInvalidArgument where the template refuses the
  // messages or cannot work on them, kLimit, kUnsupported.
  Result<std::string> render(const json::object& variables, const RenderOptions& options = {}) const;

  // Whether the template looks at a variable or attribute of this name, such as tools or enable_thinking.
  bool uses(std::string_view name) const;

  bool marks_generation() const;

 private:
  explicit ChatTemplate(std::shared_ptr<const jinja::Tree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<const jinja::Tree> tree_;
};

}  // namespace rival::text
