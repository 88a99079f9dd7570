#include "text/jinja_loop.h"

#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

Value loop_cycle(Runtime&, const Bound& a) {
  if (a.rest.empty()) raise(Raised::kType, "no items for cycling given");
  const int64_t count = static_cast<int64_t>(a.rest.size());
  return a.rest[static_cast<size_t>((a[0].as<Loop>().index0 % count + count) % count)];
}

Value loop_changed(Runtime& runtime, const Bound& a) {
  Loop& loop = a[0].as<Loop>();
  const Value now = runtime.tuple(a.rest);
  if (!loop.last_changed.missing() && equal(loop.last_changed, now)) return Value::boolean(false);
  loop.last_changed = now;
  return Value::boolean(true);
}

constexpr Builtin kCycle = {"cycle", "/self *", loop_cycle};
constexpr Builtin kChanged = {"changed", "/self *", loop_changed};

}  // namespace

Activation::Activation(Runtime& owner, size_t slot_count, Value outer)
    : Cyclic(owner, Kind::kActivation, sizeof(*this) + slot_count * sizeof(Value)),
      parent(std::move(outer)),
      slots(slot_count) {}

void Activation::clear() {
  parent = Value();
  slots.clear();
}

Macro::Macro(Runtime& owner, const MacroBody& definition, Value scope)
    : Object(owner, Kind::kMacro, sizeof(*this)), body(definition), activation(std::move(scope)) {}

Loop::Loop(Runtime& owner, Value of, const Value& outer_scope, const Stmt* recursive_for, int64_t depth)
    : Cyclic(owner, Kind::kLoop, sizeof(*this)),
      iterable(std::move(of)),
      iterator(iterate(owner, iterable)),
      scope(outer_scope),
      recursive(recursive_for),
      depth0(depth) {}

void Loop::clear() {
  iterable = iterator = current = before = after = last_changed = scope = Value();
}

bool Loop::advance(Value& out) {
  Value item;
  if (!after.missing()) {
    item = std::move(after);
    after = Value();
  } else if (!iterator.as<Iterator>().next(item)) {
    return false;
  }
  ++index0;
  before = std::move(current);
  current = item;
  out = std::move(item);
  return true;
}

bool Loop::peek() {
  if (after.missing() && iterator.is(Kind::kIterator)) {
    Value item;
    if (iterator.as<Iterator>().next(item)) after = std::move(item);
  }
  return !after.missing();
}

int64_t Loop::length() {
  if (known_length >= 0) return known_length;
  if (has_length(iterable)) {
    known_length = jinja::length(iterable);
  } else {
    Value rest = runtime.list(to_values(runtime, iterator));
    known_length = static_cast<int64_t>(rest.as<Sequence>().items.size()) + index0 + 1 + (after.missing() ? 0 : 1);
    iterator = iterate(runtime, rest);
  }
  return known_length;
}

Value loop_attribute(Runtime& runtime, const Value& value, std::string_view name) {
  Loop& loop = value.as<Loop>();
  if (name == "index0") return Value::integer(loop.index0);
  if (name == "index") return Value::integer(loop.index0 + 1);
  if (name == "first") return Value::boolean(loop.index0 == 0);
  if (name == "last") return Value::boolean(!loop.peek());
  if (name == "length") return Value::integer(loop.length());
  if (name == "revindex") return Value::integer(loop.length() - loop.index0);
  if (name == "revindex0") return Value::integer(loop.length() - loop.index0 - 1);
  if (name == "depth") return Value::integer(loop.depth0 + 1);
  if (name == "depth0") return Value::integer(loop.depth0);
  if (name == "previtem")
    return loop.index0 == 0 ? runtime.undefined("there is no previous item") : loop.before;
  if (name == "nextitem") return loop.peek() ? loop.after : runtime.undefined("there is no next item");
  if (name == "cycle") return runtime.make<Method>(value, kCycle);
  if (name == "changed") return runtime.make<Method>(value, kChanged);
  return Value();
}

Value macro_attribute(Runtime& runtime, const Value& value, std::string_view name) {
  const MacroBody& body = value.as<Macro>().body;
  if (name == "name") return body.anonymous ? Value::none() : runtime.string(std::string(body.name));
  if (name == "catch_kwargs") return Value::boolean(body.kwargs_slot >= 0);
  if (name == "catch_varargs") return Value::boolean(body.varargs_slot >= 0);
  if (name == "caller") return Value::boolean(body.uses_caller);
  if (name != "arguments") return Value();
  Values names;
  for (const auto& parameter : body.parameters) names.push_back(runtime.string(std::string(parameter.name)));
  return runtime.tuple(std::move(names));
}

std::string describe_macro(const Value& macro) {
  const MacroBody& body = macro.as<Macro>().body;
  return fmt::format("<Macro {}>", body.anonymous ? "anonymous" : repr_text(body.name));
}

std::string describe_loop(const Value& value) {
  Loop& loop = value.as<Loop>();
  return fmt::format("<LoopContext {}/{}>", loop.index0 + 1, loop.length());
}

}  // namespace rival::text::jinja
