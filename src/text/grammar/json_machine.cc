#include "text/grammar/json_machine.h"

#include <algorithm>
#include <bit>

#include "base/limits.h"

namespace rival::text::grammar {

namespace {

constexpr std::string_view kLiterals[] = {"null", "true", "false"};

uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9FB21C651E98DF25u;
  return h ^ (h >> 32);
}

bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }
bool in_number(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '+' || byte == 'e' || byte == 'E';
}

// White space of one run: room for a line break and an indent of eight a level.
uint32_t blanks_max(uint32_t depth) { return 20 + 8 * depth; }

uint32_t depth_of(const Place& p) {
  const Frame* frame = p.pending != nullptr ? p.pending->frame : p.frame;
  return frame == nullptr ? 0 : frame->depth;
}

Place at(Mode mode, const Frame* frame, const Pending* pending) {
  Place place;
  place.mode = mode;
  place.frame = frame;
  place.pending = pending;
  return place;
}

}  // namespace

size_t JsonMachine::VectorHash::operator()(const std::vector<uint32_t>& v) const {
  uint64_t h = v.size();
  for (uint32_t x : v) h = mix(h, x);
  return h;
}

JsonMachine::JsonMachine(std::unique_ptr<RegexPool> regexes, std::unique_ptr<LiteralPool> literals,
                         std::unique_ptr<Shapes> shapes, TypeId root, size_t token_bytes_max)
    : regexes_(std::move(regexes)), literals_(std::move(literals)), shapes_(std::move(shapes)),
      strings_(regexes_.get(), literals_.get()), keys_(regexes_.get(), literals_.get()), root_(root), token_bytes_max_(token_bytes_max) {}

Place JsonMachine::start(Arena* arena) {
  return at(Mode::kValue, nullptr, make_pending(nullptr, {{0, -1, 0}}, {root_}, arena));
}

// ---- pendings and frames -----------------------------------------------------------------------------------

const ValuePlan* JsonMachine::value_plan(const std::vector<TypeId>& types) {
  std::unique_ptr<ValuePlan>& slot = value_plans_[types];
  if (slot) return slot.get();
  slot = std::make_unique<ValuePlan>();
  std::vector<Atom> strings, numbers;
  auto add_atom = [](std::vector<Atom>* atoms, std::vector<PendingSet>* sets, Atom atom, PendingSet bit) {
    if (atom == 0) return;
    const size_t i = std::ranges::find(*atoms, atom) - atoms->begin();
    if (i == atoms->size()) atoms->push_back(atom), sets->push_back(0);
    (*sets)[i] |= bit;
  };
  auto add_shape = [](std::vector<std::pair<uint32_t, PendingSet>>* list, uint32_t shape, PendingSet bit) {
    for (auto& [s, set] : *list) {
      if (s == shape) return void(set |= bit);
    }
    if (list->size() < kThreadsMax) list->emplace_back(shape, bit);
  };
  for (size_t k = 0; k < types.size(); ++k) {
    const Type& type = shapes_->types[types[k]];
    const PendingSet bit = PendingSet{1} << k;
    if (type.null) slot->null |= bit;
    if (type.yes) slot->yes |= bit;
    if (type.no) slot->no |= bit;
    add_atom(&strings, &slot->string_pendings, type.string, bit);
    add_atom(&numbers, &slot->number_pendings, type.number, bit);
    for (uint32_t shape : type.objects) add_shape(&slot->objects, shape, bit);
    for (uint32_t shape : type.arrays) add_shape(&slot->arrays, shape, bit);
  }
  slot->string = strings_.start(strings);
  slot->number = strings_.start(numbers);
  return slot.get();
}

const Pending* JsonMachine::make_pending(const Frame* frame, const std::vector<Pending::Entry>& entries,
                                         const std::vector<TypeId>& types, Arena* arena) {
  Pending* p = arena->make<Pending>();
  p->frame = frame;
  p->plan = value_plan(types);
  p->entries = arena->copy(std::span<const Pending::Entry>(entries));
  p->size = static_cast<uint32_t>(entries.size());
  p->hash = mix(frame == nullptr ? 1 : frame->hash, reinterpret_cast<uintptr_t>(p->plan));
  for (const Pending::Entry& e : entries) p->hash = mix(p->hash, uint64_t{e.thread} << 40 ^ uint64_t{e.hits} << 32 ^ static_cast<uint32_t>(e.name));
  return p;
}

// The count as far as it matters to the next token, which holds fewer items than bytes: how near it is to the numbers at
// which something changes. Otherwise each item of a long array would want masks of its own.
uint64_t JsonMachine::count_hash(const Thread& t, bool object) const {
  if (object || !shapes_->array_plans[t.shape].shape->contains.empty()) return t.count;
  const ArrayPlan& plan = shapes_->array_plans[t.shape];
  uint64_t h = 0;
  for (const uint64_t limit : {uint64_t{plan.shape->min}, uint64_t{plan.max}, uint64_t{plan.choices.size() - 1}})
    h = mix(h, std::min<uint64_t>(limit - std::min<uint64_t>(limit, t.count), token_bytes_max_ + 1));
  return h;
}

const Frame* JsonMachine::make_frame(const Pending* parent, bool object, std::vector<Thread>* threads, Arena* arena) const {
  Frame* f = arena->make<Frame>();
  f->parent = parent;
  f->object = object;
  f->depth = parent->frame == nullptr ? 1 : parent->frame->depth + 1;
  f->threads = {arena->copy(std::span<const Thread>(*threads)), static_cast<uint32_t>(threads->size())};
  f->key_plan = nullptr;
  uint64_t h = mix(parent->hash, object ? 3 : 5);
  for (const Thread& t : *threads) {
    h = mix(mix(mix(h, t.shape), count_hash(t, object)), t.hits);
    h = mix(h, t.parents);
    if (!object) continue;
    for (uint32_t w = 0; w < shapes_->object_plans[t.shape].words; ++w) h = mix(h, t.seen[w]);
  }
  f->hash = h;
  return f;
}

bool JsonMachine::begin_container(const Pending* pending, bool object, Arena* arena, Place* to) {
  const auto& shapes = object ? pending->plan->objects : pending->plan->arrays;
  if (shapes.empty() || (pending->frame != nullptr && pending->frame->depth >= limits::kGrammarDepthMax)) return false;
  threads_.clear();
  for (const auto& [shape, parents] : shapes) {
    const uint32_t words = object ? shapes_->object_plans[shape].words : 0;
    uint64_t* seen = arena->make<uint64_t>(words);
    std::fill(seen, seen + words, 0);
    threads_.push_back({shape, 0, 0, seen, parents});
  }
  *to = at(object ? Mode::kFirstKey : Mode::kFirstItem, make_frame(pending, object, &threads_, arena), nullptr);
  return true;
}

Thread JsonMachine::advance(const Frame& frame, const Pending::Entry& entry, Arena* arena) const {
  Thread t = frame.threads.data[entry.thread];
  if (!frame.object) {
    const ArrayPlan& plan = shapes_->array_plans[t.shape];
    if (!plan.shape->unique.empty()) t.hits |= entry.hits;
    for (size_t k = 0; k < plan.shape->contains.size(); ++k) {
      const uint64_t counter = t.hits >> (16 * k) & 0xFFFF;
      const ArrayShape::Contains& c = plan.shape->contains[k];
      const bool counts = (entry.hits >> k & 1) != 0 && (c.max != kUnbounded || counter < c.min);
      if (counts) t.hits += uint64_t{1} << (16 * k);
    }
    if (t.count < plan.count_clamp) ++t.count;
    return t;
  }
  const ObjectPlan& plan = shapes_->object_plans[t.shape];
  if (entry.name >= 0) {
    uint64_t* seen = arena->copy(std::span<const uint64_t>(t.seen, plan.words));
    seen[entry.name / 64] |= uint64_t{1} << (entry.name % 64);
    t.seen = seen;
  }
  t.hits |= entry.hits;
  if (t.count < plan.count_clamp) ++t.count;
  return t;
}

bool JsonMachine::finish(const Pending* pending, PendingSet survivors, Arena* arena, Place* to) {
  if (survivors == 0) return false;
  if (pending->frame == nullptr) return *to = at(Mode::kDone, nullptr, nullptr), true;
  const Frame& frame = *pending->frame;
  threads_.clear();
  for (PendingSet left = survivors; left != 0; left &= left - 1) {
    const Thread t = advance(frame, pending->entries[std::countr_zero(left)], arena);
    const auto same = std::ranges::find_if(threads_, [&](const Thread& u) {
      const uint32_t words = frame.object ? shapes_->object_plans[t.shape].words : 0;
      return u.shape == t.shape && u.count == t.count && u.hits == t.hits && std::equal(t.seen, t.seen + words, u.seen);
    });
    if (same != threads_.end()) same->parents |= t.parents;
    else threads_.push_back(t);
  }
  *to = at(Mode::kAfterValue, make_frame(frame.parent, frame.object, &threads_, arena), nullptr);
  return true;
}

// ---- steps -------------------------------------------------------------------------------------------------

bool JsonMachine::blank(const Place& from, uint8_t byte, Place* to) const {
  if (!is_blank(byte) || from.blanks >= blanks_max(depth_of(from))) return false;
  *to = from;
  ++to->blanks;
  return true;
}

uint32_t JsonMachine::blanks_left(const Place& p) const { return blanks_max(depth_of(p)) - p.blanks; }

bool JsonMachine::step(const Place& from, uint8_t byte, Arena* arena, Place* to) {
  switch (from.mode) {
    case Mode::kValue: return blank(from, byte, to) || begin_value(from, byte, arena, to);
    case Mode::kFirstItem: {
      if (is_blank(byte)) return blank(from, byte, to);
      if (byte == ']') return close_frame(from.frame, arena, to);
      Place item;
      return next_item(from.frame, arena, &item) && begin_value(item, byte, arena, to);
    }
    case Mode::kAfterValue: return is_blank(byte) ? blank(from, byte, to) : after_value(from, byte, arena, to);
    case Mode::kFirstKey:
      if (byte == '}') return close_frame(from.frame, arena, to);
      [[fallthrough]];
    case Mode::kKeyStart: return byte == '"' ? begin_key(from.frame, to) : blank(from, byte, to);
    case Mode::kKey: {
      *to = from;
      const StringStep step = step_json_string(&keys_, &to->string, byte);
      if (step == StringStep::kClosed) return close_key(from, from.string.state, arena, to);
      return step == StringStep::kInside && key_viable(*from.frame, to->string.state);
    }
    case Mode::kColon:
      if (byte != ':') return blank(from, byte, to);
      *to = at(Mode::kValue, nullptr, from.pending);
      return true;
    case Mode::kString: {
      *to = from;
      const StringStep step = step_json_string(&strings_, &to->string, byte);
      if (step == StringStep::kClosed) return close_string(from, strings_.acceptance(from.string.state), arena, to);
      return step == StringStep::kInside;
    }
    case Mode::kNumber: return step_number(from, byte, arena, to);
    case Mode::kLiteral: return step_literal(from, byte, arena, to);
    case Mode::kDone: return false;
  }
  return false;
}

bool JsonMachine::begin_value(const Place& from, uint8_t byte, Arena* arena, Place* to) {
  const Pending* pending = from.pending;
  const ValuePlan& plan = *pending->plan;
  switch (byte) {
    case '{': return begin_container(pending, true, arena, to);
    case '[': return begin_container(pending, false, arena, to);
    case '"':
      *to = at(Mode::kString, nullptr, pending);
      to->string.state = plan.string;
      return plan.string != kDead;
    case 'n': case 't': case 'f':
      *to = at(Mode::kLiteral, nullptr, pending);
      to->literal = byte == 'n' ? 0 : byte == 't' ? 1 : 2;
      to->literal_at = 1;
      return (byte == 'n' ? plan.null : byte == 't' ? plan.yes : plan.no) != 0;
    default: break;
  }
  if (!in_number(byte) || plan.number == kDead) return false;
  *to = at(Mode::kNumber, nullptr, pending);
  to->string.state = strings_.next(plan.number, byte);
  return to->string.state != kDead;
}

bool JsonMachine::step_literal(const Place& from, uint8_t byte, Arena* arena, Place* to) {
  const std::string_view text = kLiterals[from.literal];
  if (static_cast<uint8_t>(text[from.literal_at]) != byte) return false;
  *to = from;
  if (++to->literal_at < text.size()) return true;
  const ValuePlan& plan = *from.pending->plan;
  return finish(from.pending, from.literal == 0 ? plan.null : from.literal == 1 ? plan.yes : plan.no, arena, to);
}

PendingSet JsonMachine::survivors(Dfa* dfa, StateId state, const std::vector<PendingSet>& pendings) {
  PendingSet set = 0;
  const std::span<const Atom> atoms = dfa->atoms(state);
  for (size_t i = 0; i < atoms.size(); ++i) {
    if (dfa->accepts(atoms[i])) set |= pendings[i];
  }
  return set;
}

bool JsonMachine::step_number(const Place& from, uint8_t byte, Arena* arena, Place* to) {
  if (in_number(byte)) {
    *to = from;
    to->string.state = strings_.next(from.string.state, byte);
    return to->string.state != kDead;
  }
  Place behind;
  return finish(from.pending, survivors(&strings_, from.string.state, from.pending->plan->number_pendings), arena, &behind) &&
         step(behind, byte, arena, to);
}

bool JsonMachine::close_string(const Place& place, uint32_t acceptance, Arena* arena, Place* to) {
  const std::string& bits = strings_.acceptance_bits(acceptance);
  PendingSet set = 0;
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] == '1') set |= place.pending->plan->string_pendings[i];
  }
  return finish(place.pending, set, arena, to);
}

bool JsonMachine::after_value(const Place& from, uint8_t byte, Arena* arena, Place* to) {
  const Frame* frame = from.frame;
  if (byte == (frame->object ? '}' : ']')) return close_frame(frame, arena, to);
  if (byte != ',') return false;
  if (!frame->object) return next_item(frame, arena, to);
  if (key_plan(*frame).start == kDead) return false;
  *to = at(Mode::kKeyStart, frame, nullptr);
  return true;
}

bool JsonMachine::close_frame(const Frame* frame, Arena* arena, Place* to) {
  PendingSet set = 0;
  for (uint32_t i = 0; i < frame->threads.size; ++i) {
    if (can_close(*frame, frame->threads.data[i])) set |= frame->threads.data[i].parents;
  }
  return finish(frame->parent, set, arena, to);
}

bool JsonMachine::next_item(const Frame* frame, Arena* arena, Place* to) {
  entries_.clear();
  types_.clear();
  for (uint32_t i = 0; i < frame->threads.size; ++i) {
    const Thread& t = frame->threads.data[i];
    const ArrayPlan& plan = shapes_->array_plans[t.shape];
    const ArrayShape& shape = *plan.shape;
    if (t.count >= plan.max) continue;
    const uint32_t left = plan.max == kUnbounded ? kUnbounded : plan.max - t.count - 1;
    for (const ArrayPlan::Choice& choice : plan.choices[std::min<size_t>(t.count, plan.choices.size() - 1)]) {
      bool fits = entries_.size() < kThreadsMax && (shape.unique.empty() || (t.hits & choice.hits) == 0);
      for (size_t k = 0; k < shape.contains.size(); ++k) {
        const uint32_t counter = (t.hits >> (16 * k) & 0xFFFF) + (choice.hits >> k & 1);
        fits &= counter <= shape.contains[k].max && shape.contains[k].min <= uint64_t{counter} + left;
      }
      if (!fits) continue;
      entries_.push_back({i, -1, choice.hits});
      types_.push_back(choice.child);
    }
  }
  if (entries_.empty()) return false;
  *to = at(Mode::kValue, nullptr, make_pending(frame, entries_, types_, arena));
  return true;
}

bool JsonMachine::complete(const Place& place) {
  if (place.mode == Mode::kNumber && place.pending->frame == nullptr) return strings_.accepting(place.string.state);
  return place.mode == Mode::kDone;
}

uint64_t JsonMachine::hash(const Place& p) const {
  const uint32_t left = blanks_left(p);
  uint64_t h = static_cast<uint64_t>(p.mode) | uint64_t{p.literal} << 8 | uint64_t{p.literal_at} << 16 |
               uint64_t{left < token_bytes_max_ ? left + 1 : 0} << 24;
  h = mix(h, uint64_t{p.string.state} << 32 | p.string.partial);
  h = mix(h, p.frame == nullptr ? 0 : p.frame->hash);
  return mix(h, p.pending == nullptr ? 0 : p.pending->hash);
}

}  // namespace rival::text::grammar
