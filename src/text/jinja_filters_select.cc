// map, select, reject and their kin: generators that do nothing until they are read.
#include <algorithm>

#include "text/jinja_attribute_getter.h"
#include "text/jinja_builtin.h"
#include "text/jinja_ops.h"

namespace rival::text::jinja {
namespace {

using Transform = std::function<Value(const Value&)>;

struct Request {  // the arguments of such a filter
  Values rest;
  std::vector<std::pair<Value, Value>> keywords;
};

const Builtin& named(const Value& name, const Builtin* (*find)(std::string_view), std::string_view kind) {
  const Builtin* row = name.is_string() ? find(name.text()) : nullptr;
  if (row == nullptr) raise(Raised::kRuntime, "No {} named {}.", kind, repr(name));
  return *row;
}

Transform calling(Runtime& runtime, const Builtin& row, Values rest, std::vector<std::pair<Value, Value>> keywords) {
  return [&runtime, &row, rest = std::move(rest), keywords = std::move(keywords)](const Value& item) {
    Arguments arguments;
    arguments.positional.push_back(item);
    arguments.positional.insert(arguments.positional.end(), rest.begin(), rest.end());
    arguments.keywords = keywords;
    return call_builtin(runtime, row, std::move(arguments));
  };
}

Value take(std::vector<std::pair<Value, Value>>& keywords, std::string_view name) {
  const auto found =
      std::find_if(keywords.begin(), keywords.end(), [&](const auto& k) { return k.first.text() == name; });
  if (found == keywords.end()) return Value();
  Value value = found->second;
  keywords.erase(found);
  return value;
}

Transform prepare_map(Runtime& runtime, Request request) {
  if (request.rest.empty()) {
    const Value attribute = take(request.keywords, "attribute");
    if (attribute.missing()) raise(Raised::kRuntime, "map requires a filter argument");
    const Value otherwise = take(request.keywords, "default");
    if (!request.keywords.empty())
      raise(Raised::kRuntime, "Unexpected keyword argument {}", repr(request.keywords.front().first));
    return AttributeGetter(runtime, attribute, false, otherwise);
  }
  const Value name = request.rest.front();
  request.rest.erase(request.rest.begin());
  return [=, &runtime, transform = Transform()](const Value& item) mutable {
    if (!transform) transform = calling(runtime, named(name, find_filter, "filter"), request.rest, request.keywords);
    return transform(item);
  };
}

Transform prepare_test(Runtime& runtime, Request request, bool by_attribute) {
  Transform subject = [](const Value& item) { return item; };
  if (by_attribute) {
    if (request.rest.empty()) raise(Raised::kRuntime, "Missing parameter for attribute name");
    subject = AttributeGetter(runtime, request.rest.front(), false);
    request.rest.erase(request.rest.begin());
  }
  if (request.rest.empty()) return subject;
  const Value name = request.rest.front();
  request.rest.erase(request.rest.begin());
  return [=, &runtime, test = Transform()](const Value& item) mutable {
    const Value value = subject(item);
    if (!test) test = calling(runtime, named(name, find_test, "test"), request.rest, request.keywords);
    return test(value);
  };
}

Value map(Runtime& runtime, const Bound& a) {
  return runtime.iterator([&runtime, source = a[0], request = Request{a.rest, a.keywords}, iterator = Value(),
                           transform = Transform()](Value& out) mutable {
    if (iterator.missing()) {
      if (!truth(source)) return false;
      transform = prepare_map(runtime, std::move(request));
      iterator = iterate(runtime, source);
    }
    Value item;
    if (!iterator.as<Iterator>().next(item)) return false;
    out = transform(item);
    return true;
  });
}

template <bool kWanted, bool kByAttribute>
Value select(Runtime& runtime, const Bound& a) {
  return runtime.iterator([&runtime, source = a[0], request = Request{a.rest, a.keywords}, iterator = Value(),
                           test = Transform()](Value& out) mutable {
    if (iterator.missing()) {
      if (!truth(source)) return false;
      test = prepare_test(runtime, std::move(request), kByAttribute);
      iterator = iterate(runtime, source);
    }
    Value item;
    while (iterator.as<Iterator>().next(item)) {
      if (truth(test(item)) != kWanted) continue;
      out = std::move(item);
      return true;
    }
    return false;
  });
}

constexpr Builtin kSelectFilters[] = {
    {"map", "/value * **", map},
    {"reject", "/value * **", select<false, false>},
    {"rejectattr", "/value * **", select<false, true>},
    {"select", "/value * **", select<true, false>},
    {"selectattr", "/value * **", select<true, true>},
};

}  // namespace

std::span<const Builtin> select_filters() { return kSelectFilters; }

}  // namespace rival::text::jinja
