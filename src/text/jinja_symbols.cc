#include "text/jinja_symbols.h"

namespace rival::text::jinja {

const Identifier* Symbols::find(std::string_view name) const {
  for (const Symbols* scope = this; scope != nullptr; scope = scope->parent_) {
    const auto found = scope->identifiers_.find(name);
    if (found != scope->identifiers_.end()) return &found->second;
  }
  return nullptr;
}

void Symbols::define(std::string_view name, Source source) {
  const Identifier identifier{unit_, unit_->slot(level_, name)};
  identifiers_[name] = identifier;
  sources_[identifier.slot] = source;
}

void Symbols::load(std::string_view name) {
  if (find(name) == nullptr) define(name, {Load::From::kContext, {}, name});
}

void Symbols::store(std::string_view name) {
  if (stored_.insert(name).second) store_order_.push_back(name);
  if (identifiers_.contains(name)) return;
  const Identifier* outer = parent_ == nullptr ? nullptr : parent_->find(name);
  if (outer != nullptr)
    define(name, {Load::From::kAlias, *outer, name});
  else
    define(name, {Load::From::kNothing, {}, name});
}

void Symbols::declare_parameter(std::string_view name) {
  if (stored_.insert(name).second) store_order_.push_back(name);
  define(name, {Load::From::kParameter, {}, name});
}

void Symbols::join_branches(size_t stores_before) {
  for (size_t i = stores_before; i < store_order_.size(); ++i) {
    const std::string_view name = store_order_[i];
    const Identifier* outer = parent_ == nullptr ? nullptr : parent_->find(name);
    sources_[identifiers_.at(name).slot] = outer != nullptr ? Source{Load::From::kAlias, *outer, name}
                                                            : Source{Load::From::kContext, {}, name};
  }
}

VariableRef Symbols::reference(const Identifier& identifier) const {
  VariableRef ref{0, identifier.slot};
  for (const Unit* unit = unit_; unit != identifier.unit; unit = unit->parent) ++ref.hops;
  return ref;
}

Scope Symbols::scope() const {
  Scope scope;
  for (const auto& [slot, source] : sources_) {
    Load load{source.from, slot, {}, source.name};
    if (source.from == Load::From::kAlias) load.alias = reference(source.alias);
    scope.loads.push_back(load);
  }
  return scope;
}

}  // namespace rival::text::jinja
