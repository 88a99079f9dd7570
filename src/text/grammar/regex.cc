#include "text/grammar/regex.h"

#include <algorithm>

#include "base/check.h"

namespace rival::text::grammar {

namespace {

uint64_t mix(uint64_t h, uint64_t v) {
  h ^= v + 0x9E3779B97F4A7C15u + (h << 6) + (h >> 2);
  h *= 0xBF58476D1CE4E5B9u;
  return h ^ (h >> 29);
}

uint32_t add_lengths(uint32_t a, uint32_t b) {
  return a == kUnbounded || b == kUnbounded || a + uint64_t{b} >= kUnbounded ? kUnbounded : a + b;
}

uint32_t multiply_length(uint32_t a, uint32_t times) {
  if (a == 0 || times == 0) return 0;
  const uint64_t product = uint64_t{a} * times;
  return a == kUnbounded || times == kUnbounded || product >= kUnbounded ? kUnbounded : static_cast<uint32_t>(product);
}

}  // namespace

RegexPool::RegexPool() {
  nodes_.resize(4);
  nodes_[kNever].live = Live::kNo;
  nodes_[kNever].min_length = kUnbounded;
  nodes_[kEpsilon] = {.kind = Kind::kEpsilon, .nullable = true};
  sets_.push_back(CharSet::full());
  nodes_[kAnyChar] = {.kind = Kind::kChars, .min_length = 1, .max_length = 1};
  nodes_[kAnything] = {.kind = Kind::kRepeat, .a = kAnyChar, .min = 0, .max = kUnbounded};
  derive_attributes(&nodes_[kAnything], {});
  for (RegexId id = 0; id < 4; ++id) index_.emplace(hash(nodes_[id], {}), id);
  uint64_t h = 0;
  for (const CharRange& r : sets_[0].ranges()) h = mix(h, uint64_t{r.lo} << 32 | r.hi);
  set_index_.emplace(h, 0);
}

uint64_t RegexPool::hash(const Node& n, std::span<const RegexId> list) const {
  uint64_t h = static_cast<uint64_t>(n.kind);
  if (n.kind == Kind::kAnyOf || n.kind == Kind::kAllOf) {
    for (RegexId id : list) h = mix(h, id);
    return h;
  }
  h = mix(mix(h, uint64_t{n.a} << 32 | n.b), uint64_t{n.min} << 32 | n.max);
  return mix(mix(h, n.divisor), n.residue);
}

bool RegexPool::same(const Node& a, const Node& b, std::span<const RegexId> b_list) const {
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::kAnyOf || a.kind == Kind::kAllOf) return std::ranges::equal(list(a), b_list);
  return a.a == b.a && a.b == b.b && a.min == b.min && a.max == b.max && a.divisor == b.divisor && a.residue == b.residue;
}

void RegexPool::derive_attributes(Node* n, std::span<const RegexId> list) const {
  switch (n->kind) {
    case Kind::kNever: case Kind::kEpsilon: break;
    case Kind::kChars: n->min_length = n->max_length = 1; break;
    case Kind::kConcat: {
      const Node &a = nodes_[n->a], &b = nodes_[n->b];
      n->nullable = a.nullable && b.nullable;
      n->has_boolean = a.has_boolean || b.has_boolean;
      n->always_live = a.always_live && !b.has_boolean;
      n->min_length = add_lengths(a.min_length, b.min_length);
      n->max_length = add_lengths(a.max_length, b.max_length);
      break;
    }
    case Kind::kAnyOf:
      n->min_length = kUnbounded;
      for (RegexId id : list) {
        const Node& c = nodes_[id];
        n->nullable |= c.nullable;
        n->has_boolean |= c.has_boolean;
        n->always_live |= c.always_live;
        n->min_length = std::min(n->min_length, c.min_length);
        n->max_length = std::max(n->max_length, c.max_length);
      }
      break;
    case Kind::kAllOf:
      n->nullable = n->has_boolean = true;
      n->max_length = kUnbounded;
      for (RegexId id : list) {
        const Node& c = nodes_[id];
        n->nullable &= c.nullable;
        n->min_length = std::max(n->min_length, c.min_length);
        n->max_length = std::min(n->max_length, c.max_length);
      }
      break;
    case Kind::kNot:
      n->nullable = !nodes_[n->a].nullable;
      n->has_boolean = true;
      n->min_length = n->nullable ? 0 : 1;
      n->max_length = kUnbounded;
      break;
    case Kind::kRepeat: {
      const Node& a = nodes_[n->a];
      n->nullable = n->min == 0 || a.nullable;
      n->has_boolean = a.has_boolean;
      n->always_live = n->max == kUnbounded && (n->a == kAnyChar || a.always_live);
      n->min_length = multiply_length(a.min_length, n->min);
      n->max_length = multiply_length(a.max_length, n->max);
      break;
    }
    case Kind::kMultiple:
      n->min_length = n->nullable ? 0 : 1;
      n->max_length = kUnbounded;
      break;
  }
  if (!n->has_boolean && n->kind != Kind::kNever) n->live = Live::kYes;
}

RegexId RegexPool::intern(Node node, std::span<const RegexId> list) {
  const uint64_t h = hash(node, list);
  ++work_;
  for (auto [it, end] = index_.equal_range(h); it != end; ++it) {
    if (same(nodes_[it->second], node, list)) return it->second;
  }
  derive_attributes(&node, list);
  if (!list.empty()) {
    node.a = static_cast<uint32_t>(lists_.size());
    node.b = static_cast<uint32_t>(list.size());
    lists_.insert(lists_.end(), list.begin(), list.end());
  }
  const RegexId id = static_cast<RegexId>(nodes_.size());
  nodes_.push_back(node);
  index_.emplace(h, id);
  return id;
}

RegexId RegexPool::chars(const CharSet& set) {
  if (set.empty()) return kNever;
  uint64_t h = 0;
  for (const CharRange& r : set.ranges()) h = mix(h, uint64_t{r.lo} << 32 | r.hi);
  uint32_t index = UINT32_MAX;
  for (auto [it, end] = set_index_.equal_range(h); it != end; ++it) {
    if (sets_[it->second] == set) index = it->second;
  }
  if (index == UINT32_MAX) {
    index = static_cast<uint32_t>(sets_.size());
    sets_.push_back(set);
    set_index_.emplace(h, index);
  }
  return intern({.kind = Kind::kChars, .a = index}, {});
}

RegexId RegexPool::literal(std::u32string_view text) {
  RegexId result = kEpsilon;
  for (size_t i = text.size(); i-- > 0;) result = concat(chars({{text[i], text[i]}}), result);
  return result;
}

RegexId RegexPool::concat(RegexId a, RegexId b) {
  if (a == kNever || b == kNever) return kNever;
  if (a == kEpsilon) return b;
  if (b == kEpsilon) return a;
  if (nodes_[a].kind == Kind::kConcat) {  // to the right: a chain reads as a list
    std::vector<RegexId> parts;
    while (nodes_[a].kind == Kind::kConcat) {
      parts.push_back(nodes_[a].a);
      a = nodes_[a].b;
    }
    parts.push_back(a);
    RegexId result = b;
    for (size_t i = parts.size(); i-- > 0;) result = concat(parts[i], result);
    return result;
  }
  const RegexId head = nodes_[b].kind == Kind::kConcat ? nodes_[b].a : b;
  const bool star = nodes_[a].kind == Kind::kRepeat && nodes_[a].min == 0 && nodes_[a].max == kUnbounded;
  if (star && head == a) return b;  // x*x* is x*
  return intern({.kind = Kind::kConcat, .a = a, .b = b}, {});
}

RegexId RegexPool::concat(std::span<const RegexId> parts) {
  RegexId result = kEpsilon;
  for (size_t i = parts.size(); i-- > 0;) result = concat(parts[i], result);
  return result;
}

void RegexPool::append_flat(Kind kind, RegexId id, std::vector<RegexId>* out) const {
  if (nodes_[id].kind != kind) return out->push_back(id);
  for (RegexId child : list(nodes_[id])) out->push_back(child);
}

RegexId RegexPool::any_of(std::vector<RegexId> parts) {
  std::vector<RegexId> flat;
  std::vector<CharRange> ranges;
  bool nullable_part = false;
  for (RegexId id : parts) append_flat(Kind::kAnyOf, id, &flat);
  std::erase_if(flat, [&](RegexId id) {
    if (nodes_[id].kind == Kind::kChars) {
      const std::vector<CharRange>& r = sets_[nodes_[id].a].ranges();
      ranges.insert(ranges.end(), r.begin(), r.end());
      return true;
    }
    nullable_part |= id != kEpsilon && nodes_[id].nullable;
    return id == kNever;
  });
  if (!ranges.empty()) flat.push_back(chars(CharSet::of(std::move(ranges))));
  work_ += flat.size();
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  if (std::ranges::find(flat, kAnything) != flat.end()) return kAnything;
  if (nullable_part) std::erase(flat, kEpsilon);
  if (flat.empty()) return kNever;
  if (flat.size() == 1) return flat[0];
  return intern({.kind = Kind::kAnyOf}, flat);
}

bool RegexPool::is_length(RegexId id, uint32_t* min, uint32_t* max) const {
  const Node& n = nodes_[id];
  if (id == kAnyChar) return *min = *max = 1, true;
  if (n.kind == Kind::kRepeat && n.a == kAnyChar) return *min = n.min, *max = n.max, true;
  return false;
}

// Folds all .{m,n} parts into one and drops it where the other parts imply it; returns kNever if none can fit.
RegexId RegexPool::apply_length_bounds(std::vector<RegexId>* parts) {
  uint32_t low = 0, high = kUnbounded, others_low = 0, others_high = kUnbounded;
  std::erase_if(*parts, [&](RegexId id) {
    uint32_t m, n;
    if (is_length(id, &m, &n)) {
      low = std::max(low, m);
      high = std::min(high, n);
      return true;
    }
    others_low = std::max(others_low, nodes_[id].min_length);
    others_high = std::min(others_high, nodes_[id].max_length);
    return false;
  });
  if (low > high || others_low > high || others_high < low) return kNever;
  if (others_low >= low && others_high <= high) return kAnything;
  const RegexId bound = repeat(kAnyChar, low, high);
  if (bound != kAnything) parts->push_back(bound);
  return bound;
}

RegexId RegexPool::all_of(std::vector<RegexId> parts) {
  std::vector<RegexId> flat;
  for (RegexId id : parts) append_flat(Kind::kAllOf, id, &flat);
  if (apply_length_bounds(&flat) == kNever) return kNever;
  work_ += flat.size();
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  std::erase(flat, kAnything);
  if (flat.empty()) return kAnything;
  if (flat[0] == kNever) return kNever;
  if (flat.size() == 1) return flat[0];
  if (flat[0] == kEpsilon) {
    return std::ranges::all_of(flat, [&](RegexId id) { return nodes_[id].nullable; }) ? kEpsilon : kNever;
  }
  if (std::ranges::all_of(flat, [&](RegexId id) { return nodes_[id].kind == Kind::kChars; })) {
    CharSet set = sets_[nodes_[flat[0]].a];
    for (RegexId id : flat) set = set.intersect(sets_[nodes_[id].a]);
    return chars(set);
  }
  for (RegexId id : flat) {  // x and not x
    if (nodes_[id].kind == Kind::kNot && std::ranges::binary_search(flat, nodes_[id].a)) return kNever;
  }
  return intern({.kind = Kind::kAllOf}, flat);
}

RegexId RegexPool::negate(RegexId a) {
  if (a == kNever) return kAnything;
  if (a == kAnything) return kNever;
  if (nodes_[a].kind == Kind::kNot) return nodes_[a].a;
  return intern({.kind = Kind::kNot, .a = a}, {});
}

RegexId RegexPool::repeat(RegexId a, uint32_t min, uint32_t max) {
  if (max == 0 || a == kEpsilon) return kEpsilon;
  if (a == kNever) return min == 0 ? kEpsilon : kNever;
  if (nodes_[a].nullable) min = 0;
  if (min == 1 && max == 1) return a;
  const Node& n = nodes_[a];
  if (n.kind == Kind::kRepeat && n.min == 0 && n.max == kUnbounded) return a;  // (x*){m,n} is x*
  if (n.kind == Kind::kRepeat && n.min <= 1 && min == 0 && max == kUnbounded) return repeat(n.a, 0, kUnbounded);
  return intern({.kind = Kind::kRepeat, .a = a, .min = min, .max = max}, {});
}

RegexId RegexPool::decimal_multiple(uint64_t divisor, uint32_t scale) {
  return multiple({.kind = Kind::kMultiple, .min = scale, .divisor = divisor});
}

// A node for the digits still to come: kNever where no digits can reach a multiple any more.
RegexId RegexPool::multiple(Node n) {
  unsigned __int128 power = 1;
  for (uint32_t i = 0; i < n.min; ++i) power *= 10;
  const unsigned __int128 low = power * n.residue;
  n.nullable = low % n.divisor == 0;
  const bool fraction = n.a == 1;
  const unsigned __int128 first = (low + n.divisor - 1) / n.divisor * n.divisor;
  if (fraction && first >= low + power) return kNever;
  return intern(n, {});
}

RegexId RegexPool::multiple_derivative(const Node& from, char32_t c) {
  Node n = {.kind = Kind::kMultiple, .a = from.a, .min = from.min, .divisor = from.divisor, .residue = from.residue};
  const bool fraction = n.a == 1;
  if (c == '.' && !fraction) return n.a = 1, multiple(n);
  if (c < '0' || c > '9') return kNever;
  if (fraction && n.min == 0) return c == '0' && n.residue == 0 ? multiple(n) : kNever;
  n.residue = static_cast<uint64_t>((static_cast<unsigned __int128>(n.residue) * 10 + (c - '0')) % n.divisor);
  if (fraction) --n.min;
  return multiple(n);
}

RegexId RegexPool::derivative(RegexId id, char32_t c) {
  const Node n = nodes_[id];
  ++work_;
  switch (n.kind) {
    case Kind::kNever: case Kind::kEpsilon: return kNever;
    case Kind::kChars: return sets_[n.a].contains(c) ? kEpsilon : kNever;
    case Kind::kConcat: {
      const RegexId first = concat(derivative(n.a, c), n.b);
      return nodes_[n.a].nullable ? any_of({first, derivative(n.b, c)}) : first;
    }
    case Kind::kAnyOf: case Kind::kAllOf: {
      std::vector<RegexId> parts;
      for (uint32_t i = 0; i < n.b; ++i) {
        const RegexId part = derivative(lists_[n.a + i], c);
        if (part == kNever && n.kind == Kind::kAllOf) return kNever;
        if (part != kNever) parts.push_back(part);
      }
      return n.kind == Kind::kAnyOf ? any_of(std::move(parts)) : all_of(std::move(parts));
    }
    case Kind::kNot: return negate(derivative(n.a, c));
    case Kind::kRepeat: {
      if (id == kAnything) return id;
      const uint32_t max = n.max == kUnbounded ? kUnbounded : n.max - 1;
      return concat(derivative(n.a, c), repeat(n.a, n.min > 0 ? n.min - 1 : 0, max));
    }
    case Kind::kMultiple: return multiple_derivative(n, c);
  }
  return kNever;
}

void RegexPool::boundaries(RegexId id, std::vector<char32_t>* out) const {
  const Node& n = nodes_[id];
  switch (n.kind) {
    case Kind::kNever: case Kind::kEpsilon: break;
    case Kind::kChars:
      for (const CharRange& r : sets_[n.a].ranges()) {
        out->push_back(r.lo);
        out->push_back(r.hi == 0xD7FF ? 0xE000 : r.hi + 1);  // past the surrogates
      }
      break;
    case Kind::kConcat:
      boundaries(n.a, out);
      if (nodes_[n.a].nullable) boundaries(n.b, out);
      break;
    case Kind::kAnyOf: case Kind::kAllOf:
      for (RegexId child : list(n)) boundaries(child, out);
      break;
    case Kind::kNot: case Kind::kRepeat: boundaries(n.a, out); break;
    case Kind::kMultiple:
      for (char32_t c = '.'; c <= ':'; ++c) out->push_back(c);
      break;
  }
}

bool RegexPool::matches(RegexId id, std::u32string_view text) {
  for (char32_t c : text) {
    id = derivative(id, c);
    if (id == kNever) return false;
  }
  return nullable(id);
}

void RegexPool::canonical(RegexId id, std::string* out, size_t bytes_max) const {
  if (out->size() > bytes_max) return;
  const Node& n = nodes_[id];
  out->push_back(static_cast<char>('a' + static_cast<int>(n.kind)));
  auto number = [&](uint64_t v) {
    out->append(std::to_string(v));
    out->push_back(',');
  };
  switch (n.kind) {
    case Kind::kNever: case Kind::kEpsilon: break;
    case Kind::kChars:
      for (const CharRange& r : sets_[n.a].ranges()) number(r.lo), number(r.hi);
      break;
    case Kind::kConcat:
      canonical(n.a, out, bytes_max);
      canonical(n.b, out, bytes_max);
      break;
    case Kind::kAnyOf: case Kind::kAllOf:
      number(n.b);
      for (RegexId child : list(n)) canonical(child, out, bytes_max);
      break;
    case Kind::kRepeat: number(n.min), number(n.max); [[fallthrough]];
    case Kind::kNot: canonical(n.a, out, bytes_max); break;
    case Kind::kMultiple: number(n.a), number(n.min), number(n.divisor), number(n.residue); break;
  }
  out->push_back(';');
}

}  // namespace rival::text::grammar
