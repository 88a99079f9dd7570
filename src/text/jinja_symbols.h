// The symbol tables of jinja_scope.cc.
#pragma once

#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/jinja_ast.h"

namespace rival::text::jinja {

// A function of the running template: the template itself, a macro, the body of a recursive loop, the filter of a
// loop's items. Its variables are slots, one for a name and a level of nesting.
struct Unit {
  Unit* parent = nullptr;
  std::map<std::pair<int, std::string_view>, int> slots;

  int slot(int level, std::string_view name) {
    return slots.try_emplace({level, name}, static_cast<int>(slots.size())).first->second;
  }
};

struct Identifier {
  Unit* unit;
  int slot;
};

class Symbols {
 public:
  Symbols(Symbols* parent, Unit* unit)
      : unit_(unit), parent_(parent), level_(parent == nullptr ? 0 : parent->level_ + 1) {}

  const Identifier* find(std::string_view name) const;
  void load(std::string_view name);
  void store(std::string_view name);
  void declare_parameter(std::string_view name);

  // For an if: names that its branches are the first to store may or may not be set behind it.
  size_t stores_so_far() const { return store_order_.size(); }
  void join_branches(size_t stores_before);

  // What entering the scope does, with references as seen from its own unit.
  Scope scope() const;
  VariableRef reference(const Identifier& identifier) const;  // as seen from this scope's unit
  Unit* unit() const { return unit_; }

 private:
  struct Source {
    Load::From from;
    Identifier alias{};
    std::string_view name;
  };
  void define(std::string_view name, Source source);

  Unit* unit_;
  Symbols* parent_;
  int level_;
  std::unordered_map<std::string_view, Identifier> identifiers_;
  std::map<int, Source> sources_;  // by slot
  std::unordered_set<std::string_view> stored_;
  std::vector<std::string_view> store_order_;
};

}  // namespace rival::text::jinja
