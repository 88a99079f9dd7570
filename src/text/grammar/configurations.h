// A context-free grammar run as a set of stacks, one configuration after each character. Stacks and configurations
// are hash-consed, so a configuration is a number and an automaton (dfa.h) can cache what follows it.
//
// Invariants: expressions that derive no finite text are kNothing; no rule reaches itself without reading a
// character, so the stacks that follow a configuration are finite in number.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "text/grammar/char_set.h"

namespace rival::text::grammar {

using ExpressionId = uint32_t;
using ConfigurationId = uint32_t;
constexpr ExpressionId kNothing = 0;  // matches no text
constexpr ExpressionId kEmptyText = 1;
constexpr ConfigurationId kStuck = 0;

class Configurations {
 public:
  Configurations();

  // ---- building: expressions refer to rules by number, rules get their body later ----
  ExpressionId chars(CharSet set);
  ExpressionId sequence(ExpressionId first, ExpressionId second);
  ExpressionId any_of(std::vector<ExpressionId> parts);
  ExpressionId repeat(ExpressionId inner, uint32_t min, uint32_t max);
  ExpressionId rule(uint32_t number);
  void set_rule(uint32_t number, ExpressionId body);
  // Checks the rules and cuts away what derives no finite text. Errors: kInvalidArgument naming (by name_of) a rule
  // that is left-recursive, or the root if it derives nothing.
  Status finish(uint32_t root, const std::vector<std::string>& names);

  // ---- running ----
  ConfigurationId start() { return start_; }
  ConfigurationId next(ConfigurationId from, char32_t c);
  void boundaries(ConfigurationId id, std::vector<char32_t>* out) const;
  bool accepting(ConfigurationId id) const { return configurations_[id].accepting; }
  size_t size() const { return stacks_.size() + expressions_.size(); }

 private:
  enum class Kind : uint8_t { kNothing, kEmptyText, kChars, kSequence, kAnyOf, kRepeat, kRule };
  struct Expression {
    Kind kind;
    uint32_t a = 0, b = 0;  // kSequence, kRepeat (a), kRule (a: number), kChars (a: set), kAnyOf: [a, a+b) of lists_
    uint32_t min = 0, max = 0;
  };
  struct Stack {  // 0 is the bottom
    ExpressionId top;
    uint32_t below;
  };
  struct Configuration {
    std::vector<uint32_t> stacks;  // sorted; each top is kChars
    bool accepting = false;
  };

  ExpressionId add(const Expression& e);
  uint32_t push(ExpressionId top, uint32_t below);
  void expand(ExpressionId e, uint32_t below, Configuration* out, std::vector<uint32_t>* seen);
  ConfigurationId intern(Configuration configuration);
  bool derive_flags(ExpressionId e, const std::vector<bool>& rules, bool nullable) const;
  bool left_recursive(ExpressionId e, const std::vector<bool>& nullable, std::vector<uint8_t>* marks, uint32_t* at) const;

  std::vector<Expression> expressions_;
  std::vector<ExpressionId> lists_;
  std::vector<CharSet> sets_;
  std::vector<ExpressionId> rules_;
  std::vector<bool> productive_;  // by rule
  std::unordered_map<std::string, ExpressionId> index_;
  std::vector<Stack> stacks_;
  std::unordered_map<uint64_t, uint32_t> stack_index_;
  std::vector<Configuration> configurations_;
  std::unordered_map<std::string, ConfigurationId> configuration_index_;
  ConfigurationId start_ = kStuck;
};

}  // namespace rival::text::grammar
