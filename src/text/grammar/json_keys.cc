// Object keys of JsonMachine: which keys each thread may still take.
#include <algorithm>
#include <bit>

#include "text/grammar/json_machine.h"

namespace rival::text::grammar {

// Names that must come in view of what was read: the required ones and what seen names depend on.
uint64_t JsonMachine::required_word(const Thread& t, size_t word) const {
  const ObjectShape& shape = *shapes_->object_plans[t.shape].shape;
  uint64_t bits = shape.required[word];
  for (const ObjectShape::Dependency& d : shape.dependencies) {
    if ((t.seen[d.name / 64] >> (d.name % 64) & 1) != 0) bits |= d.required[word];
  }
  return bits;
}

uint32_t JsonMachine::missing_count(const Thread& t) const {
  uint32_t count = 0;
  for (uint32_t w = 0; w < shapes_->object_plans[t.shape].words; ++w) count += std::popcount(required_word(t, w) & ~t.seen[w]);
  return count;
}

bool JsonMachine::only_required_left(const Thread& t) const {
  const uint32_t max = shapes_->object_plans[t.shape].shape->max;
  return max != kUnbounded && max - t.count <= missing_count(t);
}

// The names of one word that this thread may take next.
uint64_t JsonMachine::names_word(const Thread& t, size_t word) const {
  const uint64_t fresh = shapes_->object_plans[t.shape].allowed[word] & ~t.seen[word];
  return only_required_left(t) ? fresh & required_word(t, word) : fresh;
}

bool JsonMachine::takes_more_keys(const Thread& t) const {
  const ObjectPlan& plan = shapes_->object_plans[t.shape];
  if (t.count >= plan.shape->max) return false;
  if (plan.open != kNever && !only_required_left(t)) return true;
  for (uint32_t w = 0; w < plan.words; ++w) {
    if (names_word(t, w) != 0) return true;
  }
  return false;
}

bool JsonMachine::can_close(const Frame& frame, const Thread& t) const {
  if (!frame.object) {
    const ArrayShape& shape = *shapes_->array_plans[t.shape].shape;
    for (size_t k = 0; k < shape.contains.size(); ++k) {
      if ((t.hits >> (16 * k) & 0xFFFF) < shape.contains[k].min) return false;
    }
    return t.count >= shape.min;
  }
  const ObjectPlan& plan = shapes_->object_plans[t.shape];
  if (t.count < plan.shape->min || t.hits + 1 != uint64_t{1} << plan.shape->obligations.size()) return false;
  for (uint32_t w = 0; w < plan.words; ++w) {
    if ((required_word(t, w) & ~t.seen[w]) != 0) return false;
  }
  return true;
}

const KeyPlan& JsonMachine::key_plan(const Frame& frame) {
  if (frame.key_plan != nullptr) return *frame.key_plan;
  key_shapes_.clear();
  frame.eligible = 0;
  for (uint32_t i = 0; i < frame.threads.size; ++i) {
    if (!takes_more_keys(frame.threads.data[i])) continue;
    frame.eligible |= uint64_t{1} << i;
    key_shapes_.push_back(frame.threads.data[i].shape);
  }
  KeyPlan& plan = key_plans_[key_shapes_];
  if (plan.offsets.size() != key_shapes_.size()) {
    std::vector<Atom> atoms;
    for (uint32_t s : key_shapes_) {
      const ObjectPlan& object = shapes_->object_plans[s];
      plan.offsets.push_back(static_cast<uint32_t>(atoms.size()));
      atoms.push_back(object.names == kNoLiterals ? 0 : object.names | kLiteralAtom);
      atoms.push_back(object.open);
      for (const auto& p : object.shape->patterns) atoms.push_back(p.key | kClassifier);
      for (const auto& o : object.shape->obligations) atoms.push_back(o.key | kClassifier);
    }
    plan.start = keys_.start(atoms);
  }
  frame.key_plan = &plan;
  return plan;
}

bool JsonMachine::any_open_key_fits(const Frame& frame) {
  key_plan(frame);
  for (uint64_t left = frame.eligible; left != 0; left &= left - 1) {
    if (only_required_left(frame.threads.data[std::countr_zero(left)])) return false;
  }
  return true;
}

bool JsonMachine::begin_key(const Frame* frame, Place* to) {
  *to = {};
  to->mode = Mode::kKey;
  to->frame = frame;
  to->string.state = key_plan(*frame).start;
  return to->string.state != kDead;
}

bool JsonMachine::key_viable(const Frame& frame, StateId state) {
  const KeyPlan& plan = key_plan(frame);
  const std::span<const Atom> atoms = keys_.atoms(state);
  size_t j = 0;
  for (uint64_t left = frame.eligible; left != 0; left &= left - 1, ++j) {
    const Thread& t = frame.threads.data[std::countr_zero(left)];
    const Atom names = atoms[plan.offsets[j]], open = atoms[plan.offsets[j] + 1];
    if (open != 0 && !only_required_left(t)) return true;
    if (names == 0) continue;
    const LiteralPool::Node& n = literals_->node(atom_id(names));
    for (uint32_t w = n.lo / 64; w <= (n.hi - 1) / 64; ++w) {
      uint64_t bits = names_word(t, w);
      if (w == n.lo / 64) bits &= ~uint64_t{0} << (n.lo % 64);
      if (w == (n.hi - 1) / 64) bits &= ~uint64_t{0} >> (63 - (n.hi - 1) % 64);
      if (bits != 0) return true;
    }
  }
  return false;
}

bool JsonMachine::close_key(const Place& place, StateId closing, Arena* arena, Place* to) {
  const Frame& frame = *place.frame;
  const KeyPlan& plan = key_plan(frame);
  const std::span<const Atom> atoms = keys_.atoms(closing);
  entries_.clear();
  types_.clear();
  auto add = [&](uint32_t thread, int32_t name, const std::vector<ObjectPlan::Choice>& choices) {
    for (const ObjectPlan::Choice& c : choices) {
      if (entries_.size() == kThreadsMax) return;
      entries_.push_back({thread, name, c.hits});
      types_.push_back(c.child);
    }
  };
  size_t j = 0;
  for (uint64_t left = frame.eligible; left != 0; left &= left - 1, ++j) {
    const uint32_t i = static_cast<uint32_t>(std::countr_zero(left));
    const Thread& t = frame.threads.data[i];
    const ObjectPlan& object = shapes_->object_plans[t.shape];
    const Atom* atom = atoms.data() + plan.offsets[j];
    const int32_t name = atom[0] == 0 ? -1 : literals_->terminal(atom_id(atom[0]));
    if (name >= 0) {
      if ((names_word(t, name / 64) >> (name % 64) & 1) != 0) add(i, name, object.name_choices[name]);
      continue;
    }
    if (!keys_.accepts(atom[1]) || only_required_left(t)) continue;
    uint32_t matched = 0;
    const size_t classes = object.shape->patterns.size() + object.shape->obligations.size();
    for (size_t k = 0; k < classes; ++k) matched |= uint32_t{keys_.accepts(atom[2 + k])} << k;
    const auto choices = object.open_choices.find(matched);
    if (choices != object.open_choices.end()) add(i, -1, choices->second);
  }
  if (entries_.empty()) return false;
  const Pending* pending = make_pending(&frame, entries_, types_, arena);
  *to = {};
  to->mode = Mode::kColon;
  to->pending = pending;
  return true;
}

}  // namespace rival::text::grammar
