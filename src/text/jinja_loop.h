// Objects that the evaluator makes: the variables of a running function, macros, and the `loop` of a for block.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/jinja_ast.h"
#include "text/jinja_value.h"

namespace rival::text::jinja {

// The variables of one running function (the template, a macro, a recursive loop), and of the one it is written in.
struct Activation : Cyclic {
  Activation(Runtime& owner, size_t slot_count, Value outer);
  void clear() override;

  Value parent;  // an Activation or kMissing
  Values slots;
};

struct Macro : Object {
  Macro(Runtime& owner, const MacroBody& definition, Value scope);
  const MacroBody& body;
  Value activation;  // in which it was defined
};

struct Loop : Cyclic {
  Loop(Runtime& owner, Value of, const Value& outer_scope, const Stmt* recursive_for, int64_t depth);
  void clear() override;
  bool advance(Value& out);
  int64_t length();
  bool peek();  // whether another item follows

  Value iterable, iterator;
  Value current, before, after;
  Value last_changed;
  Value scope;                // of a recursive loop: the activation it is written in
  const Stmt* recursive;      // null where it cannot be called
  int64_t index0 = -1;
  int64_t depth0;
  int64_t known_length = -1;
};

Value macro_attribute(Runtime& runtime, const Value& macro, std::string_view name);
Value loop_attribute(Runtime& runtime, const Value& loop, std::string_view name);
std::string describe_macro(const Value& macro);
std::string describe_loop(const Value& loop);

}  // namespace rival::text::jinja
