#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>

#include <mutex>

#include "base/limits.h"
#include "text/unicode.h"

namespace rival::text {
namespace {

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct MatchContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct JitStackDeleter {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

constexpr uint32_t kCompileOptions =
    PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
constexpr size_t kJitStackStart = 64u << 10;

std::string pcre2_message(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Compiled {
  std::string pattern;
  std::unique_ptr<pcre2_code, CodeDeleter> code;
  std::once_flag jit_once;
};

Regex::Regex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

const std::string& Regex::pattern() const { return compiled_->pattern; }

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > limits::kRegexBytesMax)
    return make_error(ErrorCode::kLimit, "pattern of {} bytes, at most {} are taken", pattern.size(),
                      limits::kRegexBytesMax);
  RIVAL_ASSIGN_OR_RETURN(const std::string translated, to_pcre2(pattern));
  std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE where = 0;
  auto compiled = std::make_unique<Compiled>();
  compiled->pattern = pattern;
  compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                     kCompileOptions, &error, &where, context.get()));
  if (!compiled->code)
    return make_error(ErrorCode::kUnsupported, "pattern '{}' cannot be used: {}", pattern,
                      pcre2_message(error));
  return Regex(std::move(compiled));
}

namespace {

// One run over a text: match data, and a growing machine stack for the compiled code.
class Run {
 public:
  Run(const pcre2_code* code, std::string_view text)
      : code_(code),
        text_(text),
        data_(pcre2_match_data_create_from_pattern(code, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    pcre2_set_match_limit(context_.get(), limits::kRegexStepsMax);
  }

  // PCRE2's return code for the first match at or after `at`.
  int match(size_t at, uint32_t options) {
    int rc = match_once(at, options);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT && !stack_) {
      stack_.reset(pcre2_jit_stack_create(kJitStackStart, limits::kRegexStackBytesMax, nullptr));
      pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
      rc = match_once(at, options);
    }
    return rc;
  }

  Span found() const {
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data_.get());
    return {static_cast<uint32_t>(offsets[0]), static_cast<uint32_t>(offsets[1])};
  }

 private:
  int match_once(size_t at, uint32_t options) {
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text_.data()), text_.size(), at,
                       options | PCRE2_NO_UTF_CHECK, data_.get(), context_.get());
  }

  const pcre2_code* code_;
  std::string_view text_;
  std::unique_ptr<pcre2_match_data, MatchDataDeleter> data_;
  std::unique_ptr<pcre2_match_context, MatchContextDeleter> context_;
  std::unique_ptr<pcre2_jit_stack, JitStackDeleter> stack_;
};

size_t next_char(std::string_view text, size_t at) {
  do ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

}  // namespace

Status Regex::find_all(std::string_view text, std::vector<Span>& matches) const {
  std::call_once(compiled_->jit_once, [&] { pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE); });
  matches.clear();
  if (!is_valid_utf8(text)) return {};  // PCRE2 does not check it
  std::string older;
  if (replace_by_stand_ins(text, older)) text = older;
  Run run(compiled_->code.get(), text);
  size_t at = 0;
  while (at <= text.size()) {
    const int rc = run.match(at, 0);
    if (rc == PCRE2_ERROR_NOMATCH) break;
    if (rc < 0)
      return make_error(ErrorCode::kLimit, "pattern '{}' gave up on a text of {} bytes: {}", pattern(),
                        text.size(), pcre2_message(rc));
    const Span found = run.found();
    const bool repeats_end = found.begin == found.end && !matches.empty() && matches.back().end == found.end;
    if (!repeats_end) matches.push_back(found);
    at = found.end > found.begin ? found.end : next_char(text, found.end);
  }
  return {};
}

}  // namespace rival::text
