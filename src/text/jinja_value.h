// Values of the template language: Python's, as far as templates see them. A Value is 16 bytes: a kind and either a
// number or a counted reference to an Object. Everything lives in one Runtime (one render, one thread) and dies with
// it; reference cycles can only pass through Cyclic objects, which the Runtime clears at its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja_error.h"

namespace rival::text::jinja {

enum class Kind : uint8_t {
  kMissing,  // no value: an unset variable or an argument that was not given
  kNone,
  kBool,
  kInt,
  kFloat,
  kLarge,  // an int from 2^63 to 2^64 - 1, as schemas have for a maximum: it is written and compared, not computed with
  kUndefined,  // from here on: objects
  kString,
  kList,
  kTuple,
  kDict,
  kDictView,
  kRange,
  kIterator,
  kNamespace,
  kMacro,
  kLoop,
  kFunction,
  kMethod,
  kCycler,
  kJoiner,
  kActivation,
};

class Runtime;

struct Object {
  Object(Runtime& owner, Kind object_kind, size_t bytes);
  virtual ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Runtime& runtime;
  Object* next_dead = nullptr;
  size_t charged;  // bytes counted against the memory of the render
  uint32_t references = 0;
  Kind kind;
};

// An object whose content changes after it was made, so that it may come to hold itself.
struct Cyclic : Object {
  Cyclic(Runtime& owner, Kind object_kind, size_t bytes);
  ~Cyclic() override;
  virtual void clear() = 0;  // lets go of all values

  Cyclic* previous = nullptr;
  Cyclic* next = nullptr;
};

class Value {
 public:
  Value() : integer_(0) {}
  Value(const Value& other) : kind_(other.kind_), integer_(other.integer_) { retain(); }
  Value(Value&& other) noexcept : kind_(other.kind_), integer_(other.integer_) { other.kind_ = Kind::kMissing; }
  explicit Value(Object* object) : kind_(object->kind), object_(object) { ++object->references; }
  Value& operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(integer_, other.integer_);
    return *this;
  }
  ~Value() {
    if (kind_ >= Kind::kUndefined) release();
  }

  static Value none() { return number(Kind::kNone, 0); }
  static Value boolean(bool value) { return number(Kind::kBool, value ? 1 : 0); }
  static Value integer(int64_t value) { return number(Kind::kInt, value); }
  static Value large(uint64_t value) { return number(Kind::kLarge, static_cast<int64_t>(value)); }
  static Value real(double value) {
    Value result;
    result.kind_ = Kind::kFloat;
    result.real_ = value;
    return result;
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool missing() const { return kind_ == Kind::kMissing; }
  bool is_none() const { return kind_ == Kind::kNone; }
  bool is_undefined() const { return kind_ == Kind::kUndefined; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_integral() const { return kind_ == Kind::kBool || kind_ == Kind::kInt; }  // a bool is an int
  bool is_number() const { return is_integral() || kind_ == Kind::kFloat; }
  bool is_object() const { return kind_ >= Kind::kUndefined; }

  int64_t integer() const { return integer_; }  // of a bool or an int
  uint64_t large() const { return static_cast<uint64_t>(integer_); }  // of a large int
  double real() const { return kind_ == Kind::kFloat ? real_ : static_cast<double>(integer_); }  // of a number
  Object* object() const { return object_; }
  template <typename T>
  T& as() const {
    return *static_cast<T*>(object_);
  }
  std::string_view text() const;  // of a string

  // The same object, or the same bool, none or number.
  bool same_as(const Value& other) const { return kind_ == other.kind_ && integer_ == other.integer_; }

 private:
  static Value number(Kind kind, int64_t value) {
    Value result;
    result.kind_ = kind;
    result.integer_ = value;
    return result;
  }
  void retain() const {
    if (kind_ >= Kind::kUndefined) ++object_->references;
  }
  void release();

  Kind kind_ = Kind::kMissing;
  union {
    int64_t integer_;
    double real_;
    Object* object_;
  };
};
static_assert(sizeof(Value) == 16);

using Values = std::vector<Value>;

struct Undefined : Object {
  Undefined(Runtime& owner, Raised error, std::string text);
  Raised raised;
  std::string message;
};

struct String : Object {
  String(Runtime& owner, std::string content, bool is_markup);
  bool ascii() const { return length == text.size(); }

  std::string text;  // UTF-8
  size_t length;     // code points
  bool markup;       // safe in HTML: what escape() returns
};

inline std::string_view Value::text() const { return as<String>().text; }

struct Sequence : Object {  // a list or a tuple
  Sequence(Runtime& owner, Kind list_or_tuple, Values values);
  Values items;
  bool group = false;  // of groupby: items[0] is also called grouper, items[1] list
};

// Keys in order of insertion. Keys are hashable and equal as in Python (1 == 1.0 == true).
struct Dict : Object {
  explicit Dict(Runtime& owner);
  const Value* find(const Value& key) const;  // raises kType where the key cannot be hashed
  const Value* find(std::string_view key) const;
  void set(const Value& key, Value value);

  struct Entry {
    Value key;
    Value value;
    size_t hash;
  };
  std::vector<Entry> entries;

 private:
  template <typename Same>
  size_t locate(size_t hash, Same same) const;
  void index(size_t entry);

  std::vector<uint32_t> table_;  // open addressing, entry + 1; empty while the dict is small
};

struct DictView : Object {
  enum class Part : uint8_t { kKeys, kValues, kItems };
  DictView(Runtime& owner, Value of, Part which);
  Value dict;
  Part part;
};

struct Range : Object {
  Range(Runtime& owner, int64_t first, int64_t end, int64_t stride);
  int64_t length() const;
  int64_t start, stop, step;
};

// Python's iterators and generators: each value is produced when it is asked for, once.
struct Iterator : Object {
  using Next = std::function<bool(Value&)>;  // false at the end
  Iterator(Runtime& owner, Next step, const char* name);
  bool next(Value& out);

  Next step;
  const char* type_name;
};

struct Namespace : Cyclic {
  explicit Namespace(Runtime& owner);
  void clear() override;
  Value attributes;  // a Dict
};

struct Cycler : Object {
  Cycler(Runtime& owner, Values values);
  Values items;
  size_t position = 0;
};

struct Joiner : Object {
  Joiner(Runtime& owner, Value between);
  Value separator;
  bool used = false;
};

struct Builtin;

struct Function : Object {
  Function(Runtime& owner, const Builtin& row);
  const Builtin& builtin;
};

struct Method : Object {  // a method bound to its object
  Method(Runtime& owner, Value object, const Builtin& row);
  Value self;
  const Builtin& builtin;
};

// Memory, steps and stack of one render, each bounded by limits.h; and the factory of objects.
class Runtime {
 public:
  Runtime();
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  template <typename T, typename... Args>
  Value make(Args&&... args) {
    return Value(new T(*this, std::forward<Args>(args)...));
  }
  Value string(std::string text, bool markup = false) { return make<String>(std::move(text), markup); }
  Value list(Values items) { return make<Sequence>(Kind::kList, std::move(items)); }
  Value tuple(Values items) { return make<Sequence>(Kind::kTuple, std::move(items)); }
  Value undefined(std::string message, Raised raised = Raised::kUndefined) {
    return make<Undefined>(raised, std::move(message));
  }
  Value iterator(Iterator::Next next, const char* name = "generator") {
    return make<Iterator>(std::move(next), name);
  }

  // Each raises kLimit at its bound.
  void charge(size_t bytes);
  void spend(size_t steps);
  void spend_bytes(size_t bytes);  // work on that many bytes
  void check_stack() const;
  static void check_size(size_t text_bytes);  // of one string, while it grows

  void discharge(size_t bytes) { bytes_ -= bytes; }
  void destroy(Object* object);
  void clear_cycles();

  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
  Cyclic* cyclic = nullptr;  // all that live

 private:
  size_t bytes_ = 0;
  uint64_t steps_ = 0;
  const char* stack_base_;
  Object* dead_ = nullptr;
  bool destroying_ = false;
};

}  // namespace rival::text::jinja
