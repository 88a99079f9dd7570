// Functions that every template can call.
#include <ctime>

#include "base/limits.h"
#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"
#include "text/jinja_string.h"

namespace rival::text::jinja {
namespace {

constexpr size_t kTimeTextMax = 4096;

Value range(Runtime& runtime, const Bound& a) {
  const int64_t first = integer_argument(a[0]);
  const int64_t start = a.given(1) ? first : 0, stop = a.given(1) ? integer_argument(a[1]) : first;
  const int64_t step = a.integer(2, 1);
  if (step == 0) raise(Raised::kValue, "range() arg 3 must not be zero");
  Value value = runtime.make<Range>(start, stop, step);
  if (value.as<Range>().length() > limits::kTemplateRangeMax)
    raise(Raised::kArithmetic, "Range too big. The sandbox blocks ranges larger than {}.", limits::kTemplateRangeMax);
  return value;
}

Value make_dict(Runtime& runtime, const Bound& a) {
  const Value dict = runtime.make<Dict>();
  if (a.given(0) && a[0].is_undefined()) raise_undefined(a[0]);
  if (a.given(0) && a[0].is(Kind::kDict)) {
    for (const Dict::Entry& entry : a[0].as<Dict>().entries) dict.as<Dict>().set(entry.key, entry.value);
  } else if (a.given(0)) {
    for (const Value& pair : to_values(runtime, a[0])) {
      const Values parts = to_values(runtime, pair);
      if (parts.size() != 2)
        raise(Raised::kValue, "dictionary update sequence element has length {}; 2 is required", parts.size());
      dict.as<Dict>().set(parts[0], parts[1]);
    }
  }
  for (const auto& [name, value] : a.keywords) dict.as<Dict>().set(name, value);
  return dict;
}

Value make_namespace(Runtime& runtime, const Bound& a) {
  const Value attributes = make_dict(runtime, a);
  for (const Dict::Entry& entry : attributes.as<Dict>().entries)
    if (entry.key.is_string() && entry.key.text().starts_with('_'))
      raise(Raised::kSecurity, "a namespace cannot hold {}: the name starts with an underscore", repr(entry.key));
  Value value = runtime.make<Namespace>();
  value.as<Namespace>().attributes = attributes;
  return value;
}

Value make_cycler(Runtime& runtime, const Bound& a) {
  if (a.rest.empty()) raise(Raised::kRuntime, "at least one item has to be provided");
  return runtime.make<Cycler>(a.rest);
}

Value make_joiner(Runtime& runtime, const Bound& a) {
  return runtime.make<Joiner>(a.given(0) ? a[0] : runtime.string(", "));
}

Value lipsum(Runtime&, const Bound&) {
  raise(Raised::kUnsupported, "lipsum() is not supported: a prompt must not depend on chance");
}

Value raise_exception(Runtime&, const Bound& a) { throw Raise(Raised::kTemplate, to_text(a[0])); }

// datetime.now().strftime(): %f is Python's own, a time without a zone has no name or offset of one.
std::string python_directives(std::string_view format, int64_t microseconds) {
  std::string result;
  for (size_t i = 0; i < format.size(); ++i) {
    const char directive = format[i] == '%' && i + 1 < format.size() ? format[i + 1] : '\0';
    if (directive == 'f') {
      result += fmt::format("{:06}", microseconds);
    } else if (directive == '%') {
      result += "%%";
    } else if (directive != 'z' && directive != 'Z') {
      result += format[i];
      continue;
    }
    ++i;
  }
  return result;
}

Value strftime_now(Runtime& runtime, const Bound& a) {
  using std::chrono::duration_cast;
  const auto since_epoch = runtime.now.time_since_epoch();
  const auto microseconds = duration_cast<std::chrono::microseconds>(since_epoch).count() % 1'000'000;
  const time_t seconds = std::chrono::system_clock::to_time_t(runtime.now);
  struct tm local = {};
  localtime_r(&seconds, &local);
  const std::string format = python_directives(string_argument(a[0]), microseconds);
  if (format.empty()) return runtime.string("");
  std::string text(kTimeTextMax, '\0');
  const size_t size = std::strftime(text.data(), text.size(), format.c_str(), &local);
  if (size == 0 && format.size() > kTimeTextMax / 64) raise(Raised::kLimit, "the format of strftime_now is too long");
  text.resize(size);
  return runtime.string(std::move(text));
}

constexpr Builtin kGlobals[] = {
    {"cycler", "*", make_cycler},
    {"dict", "/mapping? **", make_dict},
    {"joiner", "sep?", make_joiner},
    {"lipsum", "* **", lipsum},
    {"namespace", "/mapping? **", make_namespace},
    {"raise_exception", "message", raise_exception},
    {"range", "/start /stop? /step?", range},
    {"strftime_now", "format", strftime_now},
};

}  // namespace

const Builtin* find_global(std::string_view name) {
  for (const Builtin& row : kGlobals)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace rival::text::jinja
