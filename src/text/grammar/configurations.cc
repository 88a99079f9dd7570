#include "text/grammar/configurations.h"

#include <algorithm>

#include "base/limits.h"
#include "text/grammar/regex.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kStacksMax = 1'000'000;   // about 30 MB
constexpr size_t kParallelStacksMax = 2'000;  // of one configuration: how ambiguous a grammar may be
constexpr size_t kConfigurationsMax = 200'000;

template <typename T>
std::string bytes_of(const T* data, size_t count) {
  return std::string(reinterpret_cast<const char*>(data), count * sizeof(T));
}

}  // namespace

Configurations::Configurations() {
  expressions_.push_back({Kind::kNothing});
  expressions_.push_back({Kind::kEmptyText});
  stacks_.push_back({kNothing, 0});
  configurations_.emplace_back();
}

ExpressionId Configurations::add(const Expression& e) {
  const uint32_t key[] = {static_cast<uint32_t>(e.kind), e.a, e.b, e.min, e.max};
  const auto [it, fresh] = index_.emplace(bytes_of(key, 5), static_cast<ExpressionId>(expressions_.size()));
  if (fresh) expressions_.push_back(e);
  return it->second;
}

ExpressionId Configurations::chars(CharSet set) {
  if (set.empty()) return kNothing;
  const std::string key = "set" + bytes_of(set.ranges().data(), set.ranges().size());
  const auto [it, fresh] = index_.emplace(key, static_cast<uint32_t>(sets_.size()));
  if (fresh) sets_.push_back(std::move(set));
  return add({Kind::kChars, it->second});
}

ExpressionId Configurations::sequence(ExpressionId first, ExpressionId second) {
  if (first == kNothing || second == kNothing) return kNothing;
  if (first == kEmptyText) return second;
  if (second == kEmptyText) return first;
  return add({Kind::kSequence, first, second});
}

ExpressionId Configurations::any_of(std::vector<ExpressionId> parts) {
  std::erase(parts, kNothing);
  if (parts.empty()) return kNothing;
  if (parts.size() == 1) return parts[0];
  const uint32_t first = static_cast<uint32_t>(lists_.size());
  lists_.insert(lists_.end(), parts.begin(), parts.end());
  expressions_.push_back({Kind::kAnyOf, first, static_cast<uint32_t>(parts.size())});
  return static_cast<ExpressionId>(expressions_.size() - 1);
}

ExpressionId Configurations::repeat(ExpressionId inner, uint32_t min, uint32_t max) {
  if (max == 0 || inner == kEmptyText) return kEmptyText;
  if (inner == kNothing) return min == 0 ? kEmptyText : kNothing;
  if (min == 1 && max == 1) return inner;
  return add({Kind::kRepeat, inner, 0, min, max});
}

ExpressionId Configurations::rule(uint32_t number) { return add({Kind::kRule, number}); }

void Configurations::set_rule(uint32_t number, ExpressionId body) {
  if (rules_.size() <= number) rules_.resize(number + 1, kNothing);
  rules_[number] = body;
}

// ---- checks ------------------------------------------------------------------------------------------------

// Whether the expression derives a finite text (nullable: the empty one), if the rules marked so far do.
bool Configurations::derive_flags(ExpressionId id, const std::vector<bool>& rules, bool nullable) const {
  while (expressions_[id].kind == Kind::kSequence) {  // as long as a text: a loop, not a recursion
    if (!derive_flags(expressions_[id].a, rules, nullable)) return false;
    id = expressions_[id].b;
  }
  const Expression& e = expressions_[id];
  switch (e.kind) {
    case Kind::kNothing: return false;
    case Kind::kEmptyText: return true;
    case Kind::kChars: return !nullable;
    case Kind::kSequence: break;
    case Kind::kAnyOf:
      for (uint32_t i = 0; i < e.b; ++i) {
        if (derive_flags(lists_[e.a + i], rules, nullable)) return true;
      }
      return false;
    case Kind::kRepeat: return e.min == 0 || derive_flags(e.a, rules, nullable);
    case Kind::kRule: return rules[e.a];
  }
  return false;
}

// Follows what can stand first. marks: 1 a rule in work, 2 done. True: *at is a rule that reaches itself.
bool Configurations::left_recursive(ExpressionId id, const std::vector<bool>& nullable, std::vector<uint8_t>* marks, uint32_t* at) const {
  while (expressions_[id].kind == Kind::kSequence) {
    if (left_recursive(expressions_[id].a, nullable, marks, at)) return true;
    if (!derive_flags(expressions_[id].a, nullable, true)) return false;
    id = expressions_[id].b;
  }
  const Expression& e = expressions_[id];
  switch (e.kind) {
    case Kind::kAnyOf:
      for (uint32_t i = 0; i < e.b; ++i) {
        if (left_recursive(lists_[e.a + i], nullable, marks, at)) return true;
      }
      return false;
    case Kind::kRepeat: return left_recursive(e.a, nullable, marks, at);
    case Kind::kRule: {
      uint8_t& mark = (*marks)[e.a];
      if (mark == 1) return *at = e.a, true;
      if (mark == 2) return false;
      mark = 1;
      if (left_recursive(rules_[e.a], nullable, marks, at)) return true;
      mark = 2;
      return false;
    }
    default: return false;
  }
}

Status Configurations::finish(uint32_t root, const std::vector<std::string>& names) {
  std::vector<bool> nullable(rules_.size());
  productive_.assign(rules_.size(), false);
  bool backwards = false;  // chains of rules settle in two passes, whichever way they are written
  for (bool changed = true; changed; backwards = !backwards) {
    changed = false;
    for (size_t i = 0; i < rules_.size(); ++i) {
      const size_t r = backwards ? rules_.size() - 1 - i : i;
      const bool finite = !productive_[r] && derive_flags(rules_[r], productive_, false);
      const bool empty = !nullable[r] && derive_flags(rules_[r], nullable, true);
      if (finite) productive_[r] = true;
      if (empty) nullable[r] = true;
      changed |= finite || empty;
    }
  }
  if (!productive_[root]) return make_error(ErrorCode::kInvalidArgument, "grammar rule \"{}\" derives no finite text", names[root]);
  std::vector<uint8_t> marks(rules_.size());
  uint32_t at = 0;
  for (uint32_t r = 0; r < rules_.size(); ++r) {
    if (left_recursive(rule(r), nullable, &marks, &at)) {
      return make_error(ErrorCode::kInvalidArgument, "grammar rule \"{}\" is left-recursive, which is not supported", names[at]);
    }
  }
  Configuration first;
  std::vector<uint32_t> seen;
  expand(rule(root), 0, &first, &seen);
  start_ = intern(std::move(first));
  return {};
}

// ---- running -----------------------------------------------------------------------------------------------

uint32_t Configurations::push(ExpressionId top, uint32_t below) {
  const auto [it, fresh] = stack_index_.emplace(uint64_t{top} << 32 | below, static_cast<uint32_t>(stacks_.size()));
  if (fresh) stacks_.push_back({top, below});
  return it->second;
}

// Adds the stacks that start to match `id` above `below`. `seen` stops repetitions of what can be empty.
void Configurations::expand(ExpressionId id, uint32_t below, Configuration* out, std::vector<uint32_t>* seen) {
  if (stacks_.size() > kStacksMax || out->stacks.size() > kParallelStacksMax) return;
  std::vector<std::pair<ExpressionId, uint32_t>> open{{id, below}};
  while (!open.empty()) {
    const auto [expression, under] = open.back();
    open.pop_back();
    if (expression == kEmptyText) {
      if (under == 0) out->accepting = true;
      else open.emplace_back(stacks_[under].top, stacks_[under].below);
      continue;
    }
    const uint32_t stack = push(expression, under);
    if (std::ranges::find(*seen, stack) != seen->end()) continue;
    seen->push_back(stack);
    if (seen->size() > kParallelStacksMax || stacks_.size() > kStacksMax) return;
    const Expression e = expressions_[expression];
    switch (e.kind) {
      case Kind::kChars: out->stacks.push_back(stack); break;
      case Kind::kSequence:
        if (derive_flags(e.b, productive_, false)) open.emplace_back(e.a, push(e.b, under));
        break;
      case Kind::kAnyOf:
        for (uint32_t i = e.b; i-- > 0;) open.emplace_back(lists_[e.a + i], under);
        break;
      case Kind::kRepeat: {
        if (e.min == 0) open.emplace_back(kEmptyText, under);
        const ExpressionId rest = repeat(e.a, e.min > 0 ? e.min - 1 : 0, e.max == kUnbounded ? kUnbounded : e.max - 1);
        open.emplace_back(e.a, rest == kEmptyText ? under : push(rest, under));
        break;
      }
      case Kind::kRule:
        if (productive_[e.a]) open.emplace_back(rules_[e.a], under);
        break;
      default: break;
    }
  }
}

ConfigurationId Configurations::intern(Configuration c) {
  std::sort(c.stacks.begin(), c.stacks.end());
  if ((c.stacks.empty() && !c.accepting) || configurations_.size() > kConfigurationsMax) return kStuck;
  const std::string key = bytes_of(c.stacks.data(), c.stacks.size()) + (c.accepting ? "!" : "");
  const auto [it, fresh] = configuration_index_.emplace(key, static_cast<ConfigurationId>(configurations_.size()));
  if (fresh) configurations_.push_back(std::move(c));
  return it->second;
}

ConfigurationId Configurations::next(ConfigurationId from, char32_t c) {
  Configuration out;
  std::vector<uint32_t> seen;
  const std::vector<uint32_t> stacks = configurations_[from].stacks;
  for (uint32_t stack : stacks) {
    if (!sets_[expressions_[stacks_[stack].top].a].contains(c)) continue;
    expand(kEmptyText, stacks_[stack].below, &out, &seen);
  }
  return intern(std::move(out));
}

void Configurations::boundaries(ConfigurationId id, std::vector<char32_t>* out) const {
  for (uint32_t stack : configurations_[id].stacks) {
    for (const CharRange& r : sets_[expressions_[stacks_[stack].top].a].ranges()) {
      out->push_back(r.lo);
      out->push_back(r.hi == 0xD7FF ? 0xE000 : r.hi + 1);
    }
  }
}

}  // namespace rival::text::grammar
