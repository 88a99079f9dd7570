// A lazily built deterministic automaton over Unicode scalar values. A state is a tuple of atoms, each a regular
// expression (regex.h) or a place in a sorted list of literals; all atoms read the same characters in step. One
// state therefore follows any number of languages at once and says which of them accept.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/grammar/configurations.h"
#include "text/grammar/regex.h"

namespace rival::text::grammar {

struct TokenPartition;  // token_partition.h: how the vocabulary falls apart at one state

// Sorted, distinct strings, walked as a trie without building one.
class LiteralPool {
 public:
  // Returns the id of the node before the first character. REQUIRES: sorted, distinct, at least one.
  uint32_t add(std::vector<std::u32string> sorted);

  struct Node {
    uint32_t list, lo, hi, depth;  // the strings [lo, hi) of the list share their first `depth` characters
    uint32_t children = 0, child_count = 0;  // in children_, once expanded
    bool expanded = false;
  };
  struct Child {
    char32_t c;
    uint32_t node;
  };
  const Node& node(uint32_t id) const { return nodes_[id]; }
  std::span<const Child> children(uint32_t id);
  const std::vector<std::u32string>& list_of(uint32_t id) const { return lists_[nodes_[id].list]; }
  // Index of the string that ends here, or -1.
  int32_t terminal(uint32_t id) const;

 private:
  std::deque<std::vector<std::u32string>> lists_;
  std::vector<Node> nodes_;
  std::vector<Child> children_;
};

// An atom: a RegexId, a LiteralPool node with kLiteralAtom set, or a ConfigurationId with kConfigurationAtom set.
// kClassifier marks an expression that is only asked about at the end and does not keep a state alive. 0 is dead.
using Atom = uint32_t;
constexpr Atom kLiteralAtom = 0x80000000u;
constexpr Atom kClassifier = 0x40000000u;
constexpr Atom kConfigurationAtom = 0x20000000u;
constexpr bool is_literal(Atom a) { return (a & kLiteralAtom) != 0; }
constexpr bool is_configuration(Atom a) { return (a & kConfigurationAtom) != 0; }
constexpr bool is_regex(Atom a) { return (a & (kLiteralAtom | kConfigurationAtom)) == 0; }
constexpr uint32_t atom_id(Atom a) { return a & ~(kLiteralAtom | kClassifier | kConfigurationAtom); }

using StateId = uint32_t;
constexpr StateId kDead = 0;

class Dfa {
 public:
  // `configurations` may be absent where no atom is one.
  Dfa(RegexPool* regexes, LiteralPool* literals, Configurations* configurations = nullptr);
  Dfa(const Dfa&) = delete;
  ~Dfa();

  // kDead if no carrying atom is alive.
  StateId start(std::span<const Atom> atoms);
  StateId next(StateId id, char32_t c);
  // Whether some character of [lo, hi] leads on.
  bool any_next(StateId id, char32_t lo, char32_t hi);

  std::span<const Atom> atoms(StateId id) const { return {states_[id].atoms, states_[id].atom_count}; }
  bool accepts(Atom atom) const;
  // Whether any carrying atom accepts.
  bool accepting(StateId id) const;
  // Equal for states whose atoms accept alike; 0 where none accepts, 1 where the only atom of a one-tuple does.
  uint32_t acceptance(StateId id);
  const std::string& acceptance_bits(uint32_t acceptance) const { return *acceptance_bits_[acceptance]; }  // '1' a yes
  // Every string is a prefix of a member of one of the carrying expressions.
  bool always_live(StateId id) const;
  bool full() const { return states_full_; }

  std::unique_ptr<TokenPartition>& partition(StateId id) { return states_[id].partition; }
  RegexPool& regexes() { return *regexes_; }
  LiteralPool& literals() { return *literals_; }

  struct Edge {
    char32_t lo, hi;
    StateId target;
  };
  // The row of one state: 128 targets for ASCII, then sorted live edges above.
  struct Row {
    StateId ascii[128];
    std::vector<Edge> wide;
  };
  const Row& row(StateId id);

 private:
  struct State {
    const Atom* atoms = nullptr;
    uint32_t atom_count = 0;
    int32_t acceptance = -1;
    std::unique_ptr<Row> row;
    std::unique_ptr<TokenPartition> partition;
  };

  Atom derive(Atom atom, char32_t c);
  void build_row(StateId id);

  RegexPool* regexes_;
  LiteralPool* literals_;
  Configurations* configurations_;
  std::deque<State> states_;
  std::deque<std::vector<Atom>> atom_storage_;
  std::unordered_multimap<uint64_t, StateId> index_;
  std::unordered_map<std::string, uint32_t> acceptances_;
  std::vector<const std::string*> acceptance_bits_;
  bool states_full_ = false;
};

}  // namespace rival::text::grammar
