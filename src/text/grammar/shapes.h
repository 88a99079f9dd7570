// The normal form of a JSON Schema: a type says for each kind of JSON value what is allowed, as languages for
// scalars and as lists of alternative shapes for objects and arrays. json_machine.h runs it, schema*.h build it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "text/grammar/dfa.h"

namespace rival::text::grammar {

using TypeId = uint32_t;
constexpr TypeId kNeverType = 0;  // no value
constexpr TypeId kAnyType = 1;    // every value
constexpr uint32_t kNoLiterals = UINT32_MAX;

using NameBits = std::vector<uint64_t>;  // one bit a tracked name
inline bool test_bit(const NameBits& bits, size_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
inline void set_bit(NameBits* bits, size_t i) { (*bits)[i / 64] |= uint64_t{1} << (i % 64); }

struct ObjectShape {
  // Tracked names: declared or required ones, sorted; each may come once.
  std::vector<std::u32string> names;
  std::vector<TypeId> children;  // one a name; kNeverType forbids it
  NameBits required;
  // Every other key: it must match `open`; its value must satisfy all patterns that the key matches, or `additional`
  // if it matches none.
  RegexId open = kAnything;
  TypeId additional = kAnyType;
  struct Pattern {
    RegexId key;
    TypeId child;
    bool operator==(const Pattern&) const = default;
  };
  std::vector<Pattern> patterns;
  uint32_t min = 0, max = kUnbounded;  // number of members
  struct Dependency {
    uint32_t name;      // if it is there,
    NameBits required;  // so must these be
    bool operator==(const Dependency&) const = default;
  };
  std::vector<Dependency> dependencies;
  // At least one member must have a key in `key` (tracked names included) and a value of `child`.
  struct Obligation {
    RegexId key;
    TypeId child;
    bool operator==(const Obligation&) const = default;
  };
  std::vector<Obligation> obligations;
  // What the branches of the schema have evaluated, for unevaluatedProperties: names, patterns, everything.
  std::vector<std::u32string> evaluated_names;
  std::vector<RegexId> evaluated_patterns;
  bool evaluated_all = false;
  bool operator==(const ObjectShape&) const = default;
};

struct ArrayShape {
  std::vector<TypeId> prefix;
  TypeId items = kAnyType;  // behind the prefix
  uint32_t min = 0, max = kUnbounded;
  struct Contains {
    TypeId child;
    uint32_t from;      // counts items from this index on
    uint32_t min, max;  // how many items must be of `child`
    bool operator==(const Contains&) const = default;
  };
  std::vector<Contains> contains;
  // All items differ. The values that they can have, each a type of its own; empty: they need not differ.
  std::vector<TypeId> unique;
  uint32_t evaluated = 0;  // items evaluated so far, for unevaluatedItems; kUnbounded is all
  std::vector<TypeId> evaluated_contains;
  bool operator==(const ArrayShape&) const = default;
};

struct Type {
  bool null = false, yes = false, no = false;
  RegexId number = kNever;  // on the number's text
  Atom string = 0;          // on the string's characters; 0: none
  std::vector<uint32_t> objects, arrays;  // alternatives, indices into Shapes
  bool operator==(const Type&) const = default;
};

// What the machine runs for one shape, made once all types are known. A choice is one way to read a value: its type,
// and which obligations (objects) or counters (arrays) it serves.
struct Choice {
  uint32_t hits;
  TypeId child;
};

struct ObjectPlan {
  using Choice = grammar::Choice;
  const ObjectShape* shape = nullptr;
  uint32_t names = kNoLiterals;  // LiteralPool node
  uint32_t words = 0;            // of a NameBits
  NameBits allowed;              // names whose child has a value
  RegexId open = kNever;         // other keys that are allowed
  uint32_t count_clamp = 0;      // counts above are alike; kUnbounded: all differ
  std::vector<std::vector<Choice>> name_choices;  // one a name
  // By the set of patterns (low bits), then obligations, that a key matches: the keys and the choices.
  std::map<uint32_t, RegexId> open_languages;
  std::map<uint32_t, std::vector<Choice>> open_choices;
};

struct ArrayPlan {
  using Choice = grammar::Choice;
  const ArrayShape* shape = nullptr;
  uint32_t max = kUnbounded;  // no item fits behind
  uint32_t count_clamp = 0;
  std::vector<std::vector<Choice>> choices;  // by index, the last for all behind
};

struct Shapes {
  std::vector<Type> types;       // by TypeId
  std::vector<uint8_t> inhabited;
  std::deque<ObjectShape> objects;
  std::deque<ArrayShape> arrays;
  std::vector<ObjectPlan> object_plans;
  std::vector<ArrayPlan> array_plans;
};

}  // namespace rival::text::grammar
