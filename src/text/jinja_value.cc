#include "text/jinja_value.h"

#include <algorithm>

#include "base/limits.h"
#include "text/jinja_ops.h"
#include "text/jinja_unicode.h"

namespace rival::text::jinja {
namespace {

constexpr size_t kLinearDict = 8;     // dicts up to this size are searched entry by entry
constexpr size_t kNotFound = SIZE_MAX;

}  // namespace

Object::Object(Runtime& owner, Kind object_kind, size_t bytes)
    : runtime(owner), charged(bytes), kind(object_kind) {
  runtime.spend(1);
  runtime.charge(bytes);
}

Object::~Object() { runtime.discharge(charged); }

Cyclic::Cyclic(Runtime& owner, Kind object_kind, size_t bytes) : Object(owner, object_kind, bytes) {
  next = runtime.cyclic;
  if (next != nullptr) next->previous = this;
  runtime.cyclic = this;
}

Cyclic::~Cyclic() {
  (previous != nullptr ? previous->next : runtime.cyclic) = next;
  if (next != nullptr) next->previous = previous;
}

void Value::release() {
  if (--object_->references == 0) object_->runtime.destroy(object_);
}

Undefined::Undefined(Runtime& owner, Raised error, std::string text)
    : Object(owner, Kind::kUndefined, sizeof(*this) + text.size()), raised(error), message(std::move(text)) {}

String::String(Runtime& owner, std::string content, bool is_markup)
    : Object(owner, Kind::kString, sizeof(*this) + content.size()),
      text(std::move(content)),
      length(count_code_points(text)),
      markup(is_markup) {
  runtime.check_size(text.size());
  runtime.spend_bytes(text.size());
}

Sequence::Sequence(Runtime& owner, Kind list_or_tuple, Values values)
    : Object(owner, list_or_tuple, sizeof(*this) + values.size() * sizeof(Value)), items(std::move(values)) {
  runtime.spend_bytes(items.size() * sizeof(Value));
}

DictView::DictView(Runtime& owner, Value of, Part which)
    : Object(owner, Kind::kDictView, sizeof(*this)), dict(std::move(of)), part(which) {}

Range::Range(Runtime& owner, int64_t first, int64_t end, int64_t stride)
    : Object(owner, Kind::kRange, sizeof(*this)), start(first), stop(end), step(stride) {}

int64_t Range::length() const {
  if (step > 0 ? start >= stop : start <= stop) return 0;
  const auto distance = step > 0 ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                                 : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  return static_cast<int64_t>(std::min<uint64_t>((distance - 1) / stride + 1, INT64_MAX));
}

Iterator::Iterator(Runtime& owner, Next function, const char* name)
    : Object(owner, Kind::kIterator, sizeof(*this)), step(std::move(function)), type_name(name) {}

bool Iterator::next(Value& out) {
  runtime.spend(1);
  runtime.check_stack();
  if (!step) return false;
  if (step(out)) return true;
  step = nullptr;
  return false;
}

Namespace::Namespace(Runtime& owner)
    : Cyclic(owner, Kind::kNamespace, sizeof(*this)), attributes(owner.make<Dict>()) {}

void Namespace::clear() { attributes = Value(); }

Cycler::Cycler(Runtime& owner, Values values)
    : Object(owner, Kind::kCycler, sizeof(*this)), items(std::move(values)) {}

Joiner::Joiner(Runtime& owner, Value between)
    : Object(owner, Kind::kJoiner, sizeof(*this)), separator(std::move(between)) {}

Function::Function(Runtime& owner, const Builtin& row)
    : Object(owner, Kind::kFunction, sizeof(*this)), builtin(row) {}

Method::Method(Runtime& owner, Value object, const Builtin& row)
    : Object(owner, Kind::kMethod, sizeof(*this)), self(std::move(object)), builtin(row) {}

// ---- Dict ------------------------------------------------------------------------------------------------------

Dict::Dict(Runtime& owner) : Object(owner, Kind::kDict, sizeof(*this)) {}

template <typename Same>
size_t Dict::locate(size_t hash, Same same) const {
  if (table_.empty()) {
    for (size_t i = 0; i < entries.size(); ++i)
      if (entries[i].hash == hash && same(entries[i].key)) return i;
    return kNotFound;
  }
  for (size_t slot = hash & (table_.size() - 1); table_[slot] != 0; slot = (slot + 1) & (table_.size() - 1)) {
    const Entry& entry = entries[table_[slot] - 1];
    if (entry.hash == hash && same(entry.key)) return table_[slot] - 1;
  }
  return kNotFound;
}

void Dict::index(size_t entry) {
  if (entries.size() <= kLinearDict) return;
  if (table_.size() < entries.size() * 2) {
    table_.assign(std::max<size_t>(32, table_.size() * 2), 0);
    for (size_t i = 0; i < entries.size(); ++i) index(i);
    return;
  }
  size_t slot = entries[entry].hash & (table_.size() - 1);
  while (table_[slot] != 0) slot = (slot + 1) & (table_.size() - 1);
  table_[slot] = static_cast<uint32_t>(entry + 1);
}

const Value* Dict::find(const Value& key) const {
  const size_t at = locate(hash_value(key), [&](const Value& other) { return equal(key, other); });
  return at == kNotFound ? nullptr : &entries[at].value;
}

const Value* Dict::find(std::string_view key) const {
  const size_t at = locate(hash_text(key), [&](const Value& other) {
    return other.is_string() && other.text() == key;
  });
  return at == kNotFound ? nullptr : &entries[at].value;
}

void Dict::set(const Value& key, Value value) {
  const size_t hash = hash_value(key);
  const size_t at = locate(hash, [&](const Value& other) { return equal(key, other); });
  if (at != kNotFound) {
    entries[at].value = std::move(value);
    return;
  }
  constexpr size_t kEntryBytes = sizeof(Entry) + 2 * sizeof(uint32_t);
  runtime.charge(kEntryBytes);
  charged += kEntryBytes;
  entries.push_back({key, std::move(value), hash});
  index(entries.size() - 1);
}

// ---- Runtime ---------------------------------------------------------------------------------------------------

Runtime::Runtime() : stack_base_(static_cast<const char*>(__builtin_frame_address(0))) {}

Runtime::~Runtime() { clear_cycles(); }

void Runtime::charge(size_t bytes) {
  if (bytes > limits::kTemplateMemoryBytesMax - bytes_)
    raise(Raised::kLimit, "the template needs more than {} bytes of memory", limits::kTemplateMemoryBytesMax);
  bytes_ += bytes;
}

void Runtime::spend(size_t steps) {
  if (steps > limits::kTemplateStepsMax - steps_)
    raise(Raised::kLimit, "the template needs more than {} steps", limits::kTemplateStepsMax);
  steps_ += steps;
}

void Runtime::spend_bytes(size_t bytes) { spend(bytes / limits::kTemplateBytesPerStep); }

void Runtime::check_size(size_t text_bytes) {
  if (text_bytes > limits::kTemplateOutputBytesMax)
    raise(Raised::kLimit, "a text of more than {} bytes", limits::kTemplateOutputBytesMax);
}

void Runtime::check_stack() const {
  const auto* here = static_cast<const char*>(__builtin_frame_address(0));
  if (static_cast<size_t>(stack_base_ - here) > limits::kTemplateStackBytesMax)
    raise(Raised::kLimit, "maximum recursion depth exceeded");
}

// Iterative: the last reference to a long chain of objects must not recurse through it.
void Runtime::destroy(Object* object) {
  object->next_dead = dead_;
  dead_ = object;
  if (destroying_) return;
  destroying_ = true;
  while (dead_ != nullptr) {
    Object* const dying = dead_;
    dead_ = dying->next_dead;
    delete dying;
  }
  destroying_ = false;
}

void Runtime::clear_cycles() {
  Values living;
  for (Cyclic* object = cyclic; object != nullptr; object = object->next) living.emplace_back(object);
  for (const Value& object : living) object.as<Cyclic>().clear();
}

}  // namespace rival::text::jinja
