// The `attribute` argument of filters: "a.b.0" looks up a, then b, then item 0.
#pragma once

#include "text/jinja_value.h"

namespace rival::text::jinja {

class AttributeGetter {
 public:
  // `attribute` may be none or kMissing: the item itself. `otherwise` replaces undefined values, where it is given.
  AttributeGetter(Runtime& runtime, const Value& attribute, bool ignore_case, Value otherwise = Value());

  Value operator()(const Value& item) const;

  // "a,b": the values of several attributes, as a list.
  static Value several(const std::vector<AttributeGetter>& getters, const Value& item);
  static std::vector<AttributeGetter> split(Runtime& runtime, const Value& attributes, bool ignore_case);

 private:
  Runtime* runtime_;
  Values parts_;
  bool ignore_case_;
  Value otherwise_;
};

}  // namespace rival::text::jinja
