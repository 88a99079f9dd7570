#include "text/chat_template.h"

#include <utf8proc.h>

#include <new>

#include "base/limits.h"
#include "text/jinja_interpreter.h"
#include "text/jinja_parser.h"

namespace rival::text {
namespace {

constexpr std::string_view kChatMl =
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

ErrorCode code_of(jinja::Raised raised) {
  switch (raised) {
    case jinja::Raised::kSyntax: return ErrorCode::kCorrupt;
    case jinja::Raised::kLimit: return ErrorCode::kLimit;
    case jinja::Raised::kUnsupported: return ErrorCode::kUnsupported;
    default: return ErrorCode::kInvalidArgument;
  }
}

jinja::Value to_value(jinja::Runtime& runtime, const json::value& source);

jinja::Value to_dict(jinja::Runtime& runtime, const json::object& source) {
  jinja::Value dict = runtime.make<jinja::Dict>();
  for (const auto& member : source)
    dict.as<jinja::Dict>().set(runtime.string(std::string(member.key())), to_value(runtime, member.value()));
  return dict;
}

jinja::Value to_value(jinja::Runtime& runtime, const json::value& source) {
  runtime.check_stack();
  switch (source.kind()) {
    case json::kind::null: return jinja::Value::none();
    case json::kind::bool_: return jinja::Value::boolean(source.get_bool());
    case json::kind::int64: return jinja::Value::integer(source.get_int64());
    case json::kind::uint64: return jinja::Value::large(source.get_uint64());
    case json::kind::double_: return jinja::Value::real(source.get_double());
    case json::kind::string: return runtime.string(std::string(source.get_string()));
    case json::kind::object: return to_dict(runtime, source.get_object());
    case json::kind::array: break;
  }
  jinja::Values items;
  items.reserve(source.get_array().size());
  for (const json::value& item : source.get_array()) items.push_back(to_value(runtime, item));
  return runtime.list(std::move(items));
}

Status check_source(std::string_view source) {
  if (source.size() > limits::kTemplateBytesMax)
    return make_error(ErrorCode::kLimit, "the chat template has {} bytes, the limit is {}", source.size(),
                      limits::kTemplateBytesMax);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(source.data());
  for (size_t at = 0; at < source.size();) {
    utf8proc_int32_t code_point = 0;
    const auto size = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(source.size() - at), &code_point);
    if (size <= 0) return make_error(ErrorCode::kCorrupt, "the chat template is not UTF-8 at byte {}", at);
    at += static_cast<size_t>(size);
  }
  return {};
}

}  // namespace

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  RIVAL_RETURN_IF_ERROR(check_source(source));
  try {
    return ChatTemplate(jinja::parse_template(source));
  } catch (const jinja::Raise& error) {
    return make_error(code_of(error.kind), "chat template, {}", error.message);
  }
}

ChatTemplate ChatTemplate::chatml() {
  auto parsed = parse(kChatMl);
  return std::move(parsed).value();
}

Result<std::string> ChatTemplate::render(const json::object& variables, const RenderOptions& options) const {
  jinja::Runtime runtime;
  if (options.now.has_value()) runtime.now = *options.now;
  try {
    jinja::Interpreter interpreter(*tree_, runtime, to_dict(runtime, variables));
    try {
      std::string result = interpreter.render();
      if (options.generations != nullptr) *options.generations = interpreter.generations();
      return result;
    } catch (const jinja::Raise& error) {
      if (error.kind == jinja::Raised::kTemplate)
        return make_error(ErrorCode::kInvalidArgument, "the chat template refuses these messages: {}", error.message);
      return make_error(code_of(error.kind), "chat template, line {}: {}", interpreter.line(), error.message);
    }
  } catch (const jinja::Raise& error) {
    return make_error(code_of(error.kind), "variables of the chat template: {}", error.message);
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kLimit, "no memory is left to render the chat template");
  }
}

bool ChatTemplate::uses(std::string_view name) const {
  for (const jinja::Expr& expr : tree_->expressions())
    if (expr.text == name) return true;
  return false;
}

bool ChatTemplate::marks_generation() const { return tree_->has_generation; }

}  // namespace rival::text
