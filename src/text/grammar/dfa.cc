#include "text/grammar/dfa.h"

#include <algorithm>

#include "base/limits.h"
#include "text/grammar/token_partition.h"

namespace rival::text::grammar {

uint32_t LiteralPool::add(std::vector<std::u32string> sorted) {
  const uint32_t id = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({.list = static_cast<uint32_t>(lists_.size()), .lo = 0, .hi = static_cast<uint32_t>(sorted.size()),
                    .depth = 0});
  lists_.push_back(std::move(sorted));
  return id;
}

int32_t LiteralPool::terminal(uint32_t id) const {
  const Node& n = nodes_[id];
  return lists_[n.list][n.lo].size() == n.depth ? static_cast<int32_t>(n.lo) : -1;
}

std::span<const LiteralPool::Child> LiteralPool::children(uint32_t id) {
  if (!nodes_[id].expanded) {
    const Node n = nodes_[id];
    const std::vector<std::u32string>& strings = lists_[n.list];
    const uint32_t first = static_cast<uint32_t>(children_.size());
    for (uint32_t i = n.lo + (terminal(id) >= 0); i < n.hi;) {
      const char32_t c = strings[i][n.depth];
      uint32_t end = i + 1;
      while (end < n.hi && strings[end][n.depth] == c) ++end;
      children_.push_back({c, static_cast<uint32_t>(nodes_.size())});
      nodes_.push_back({.list = n.list, .lo = i, .hi = end, .depth = n.depth + 1});
      i = end;
    }
    nodes_[id].children = first;
    nodes_[id].child_count = static_cast<uint32_t>(children_.size()) - first;
    nodes_[id].expanded = true;
  }
  return {children_.data() + nodes_[id].children, nodes_[id].child_count};
}

Dfa::Dfa(RegexPool* regexes, LiteralPool* literals, Configurations* configurations)
    : regexes_(regexes), literals_(literals), configurations_(configurations) {
  states_.emplace_back();
  states_[kDead].acceptance = 0;
  for (const char* bits : {"", "1"}) {
    acceptance_bits_.push_back(&acceptances_.emplace(bits, acceptance_bits_.size()).first->first);
  }
}

Dfa::~Dfa() = default;

StateId Dfa::start(std::span<const Atom> atoms) {
  uint64_t h = 0x9E3779B97F4A7C15u;
  bool alive = false;
  for (Atom a : atoms) {
    alive |= a != 0 && (a & kClassifier) == 0;
    h = (h ^ a) * 0x9FB21C651E98DF25u;
    h ^= h >> 31;
  }
  if (!alive) return kDead;
  for (auto [it, end] = index_.equal_range(h); it != end; ++it) {
    if (std::ranges::equal(this->atoms(it->second), atoms)) return it->second;
  }
  if (states_.size() >= limits::kGrammarStatesMax || regexes_->size() >= limits::kGrammarRegexNodesMax) {
    states_full_ = true;  // fails closed: what lies beyond is refused
    return kDead;
  }
  const StateId id = static_cast<StateId>(states_.size());
  State& state = states_.emplace_back();
  atom_storage_.emplace_back(atoms.begin(), atoms.end());
  state.atoms = atom_storage_.back().data();
  state.atom_count = static_cast<uint32_t>(atoms.size());
  index_.emplace(h, id);
  return id;
}

Atom Dfa::derive(Atom atom, char32_t c) {
  if (atom == 0) return 0;
  if (is_configuration(atom)) {
    const ConfigurationId next = configurations_->next(atom_id(atom), c);
    return next == kStuck ? 0 : next | kConfigurationAtom;
  }
  if (!is_literal(atom)) {
    const RegexId next = regexes_->derivative(atom_id(atom), c);
    return next == kNever || !regexes_->live(next) ? 0 : next | (atom & kClassifier);
  }
  const auto children = literals_->children(atom_id(atom));
  auto it = std::ranges::lower_bound(children, c, {}, &LiteralPool::Child::c);
  return it != children.end() && it->c == c ? it->node | kLiteralAtom : 0;
}

void Dfa::build_row(StateId id) {
  std::vector<char32_t> starts{0};
  for (Atom a : atoms(id)) {
    if (a == 0) continue;
    if (is_configuration(a)) {
      configurations_->boundaries(atom_id(a), &starts);
      continue;
    }
    if (!is_literal(a)) {
      regexes_->boundaries(atom_id(a), &starts);
      continue;
    }
    for (const LiteralPool::Child& child : literals_->children(atom_id(a))) {
      starts.push_back(child.c);
      starts.push_back(child.c + 1);
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  auto row = std::make_unique<Row>();
  std::vector<Atom> next(states_[id].atom_count);
  for (size_t i = 0; i < starts.size() && starts[i] <= kCodePointMax; ++i) {
    const char32_t lo = starts[i], hi = i + 1 < starts.size() ? starts[i + 1] - 1 : kCodePointMax;
    for (size_t k = 0; k < next.size(); ++k) next[k] = derive(states_[id].atoms[k], lo);
    const StateId target = start(next);
    for (char32_t c = lo; c <= hi && c < 128; ++c) row->ascii[c] = target;
    if (target != kDead && hi >= 128) row->wide.push_back({std::max<char32_t>(lo, 128), hi, target});
  }
  states_[id].row = std::move(row);
}

const Dfa::Row& Dfa::row(StateId id) {
  if (!states_[id].row) build_row(id);
  return *states_[id].row;
}

StateId Dfa::next(StateId id, char32_t c) {
  const Row& r = row(id);
  if (c < 128) return r.ascii[c];
  auto it = std::ranges::upper_bound(r.wide, c, {}, &Edge::lo);
  return it != r.wide.begin() && c <= std::prev(it)->hi ? std::prev(it)->target : kDead;
}

bool Dfa::any_next(StateId id, char32_t lo, char32_t hi) {
  const Row& r = row(id);
  for (char32_t c = lo; c <= hi && c < 128; ++c) {
    if (r.ascii[c] != kDead) return true;
  }
  return std::ranges::any_of(r.wide, [&](const Edge& e) { return e.lo <= hi && lo <= e.hi; });
}

bool Dfa::accepts(Atom atom) const {
  if (atom == 0) return false;
  if (is_configuration(atom)) return configurations_->accepting(atom_id(atom));
  return is_literal(atom) ? literals_->terminal(atom_id(atom)) >= 0 : regexes_->nullable(atom_id(atom));
}

bool Dfa::accepting(StateId id) const {
  return std::ranges::any_of(atoms(id), [&](Atom a) { return (a & kClassifier) == 0 && accepts(a); });
}

uint32_t Dfa::acceptance(StateId id) {
  if (states_[id].acceptance < 0) {
    std::string bits;
    for (Atom a : atoms(id)) bits.push_back(accepts(a) ? '1' : '0');
    const bool none = bits.find('1') == std::string::npos;
    const auto [it, fresh] = acceptances_.emplace(none ? "" : bits, acceptance_bits_.size());
    if (fresh) acceptance_bits_.push_back(&it->first);
    states_[id].acceptance = static_cast<int32_t>(it->second);
  }
  return static_cast<uint32_t>(states_[id].acceptance);
}

bool Dfa::always_live(StateId id) const {
  return std::ranges::any_of(atoms(id), [&](Atom a) {
    return a != 0 && is_regex(a) && (a & kClassifier) == 0 && regexes_->always_live(atom_id(a));
  });
}

}  // namespace rival::text::grammar
