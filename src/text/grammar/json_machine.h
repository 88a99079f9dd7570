// A JSON text read byte by byte against the types of a schema: a deterministic pushdown automaton. JSON's brackets
// say by themselves where a value starts and ends, so every alternative (anyOf, oneOf, if, overlapping patterns)
// runs as a thread inside the same frame and nothing is ever tried twice (a visibly pushdown automaton determinised
// on the fly: Alur and Madhusudan, STOC 2004).
//
// Invariants:
//  1. Frames and pendings are immutable once made, so a Place is copied freely and taking back is keeping the old one.
//  2. A Place is only entered if some continuation completes the text.
//  3. Equal hash means equal continuations as far as one token reaches: masks are cached by it.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/grammar/arena.h"
#include "text/grammar/json_string.h"
#include "text/grammar/shapes.h"

namespace rival::text::grammar {

constexpr size_t kThreadsMax = 64;  // bits of a PendingSet
using PendingSet = uint64_t;

struct Pending;

// One alternative that is still open inside an object or array.
struct Thread {
  uint32_t shape;          // plan index
  uint32_t count;          // members or items so far, clamped
  uint64_t hits;           // satisfied obligations, or unique values taken (bits), or 16-bit counters of `contains`
  const uint64_t* seen;    // names that were read (objects)
  PendingSet parents;      // pendings of the frame below that this alternative would complete
};

struct ThreadList {
  const Thread* data;
  uint32_t size;
};

// The automaton of the keys that some threads of an object may take next.
struct KeyPlan {
  StateId start = kDead;
  std::vector<uint32_t> offsets;  // of each shape's first atom: names, other keys, then its classifiers
};

// An open object or array.
struct Frame {
  const Pending* parent;  // the value that it is
  ThreadList threads;
  uint64_t hash;
  uint32_t depth;
  bool object;
  mutable const KeyPlan* key_plan;  // made at first use, with the threads that it stands for
  mutable uint64_t eligible;
};

// How the value types of all pendings start; interned by the list of types.
struct ValuePlan {
  StateId string = kDead, number = kDead;
  std::vector<PendingSet> string_pendings, number_pendings;  // one an atom of the start state
  PendingSet null = 0, yes = 0, no = 0;
  std::vector<std::pair<uint32_t, PendingSet>> objects, arrays;  // shapes and whose they are
};

// A value to come, with what each thread below becomes when it is there.
struct Pending {
  struct Entry {
    uint32_t thread;
    int32_t name;   // objects: index of the tracked name, or -1
    uint32_t hits;
  };
  const Frame* frame;  // nullptr: the whole text
  const ValuePlan* plan;
  const Entry* entries;
  uint32_t size;
  uint64_t hash;
};

enum class Mode : uint8_t {
  kValue,         // blanks, then a value of `pending`
  kFirstItem,     // after [: an item or ]
  kAfterValue,    // a comma or the frame's end
  kFirstKey,      // after {: a key or }
  kKeyStart,      // after a comma: a key
  kKey,           // inside a key's quotes
  kColon,         // blanks, then a colon
  kString, kNumber,
  kLiteral,       // inside true, false or null
  kDone,
};

struct Place {
  Mode mode = Mode::kValue;
  uint8_t literal = 0;      // 0-2: null, true, false
  uint8_t literal_at = 0;
  uint16_t blanks = 0;      // white space read in this run
  StringPlace string;       // kKey, kString, kNumber
  const Frame* frame = nullptr;
  const Pending* pending = nullptr;
};

// What is shared by all matchers of one grammar. Not thread-safe: its owner locks.
class JsonMachine {
 public:
  JsonMachine(std::unique_ptr<RegexPool> regexes, std::unique_ptr<LiteralPool> literals, std::unique_ptr<Shapes> shapes,
              TypeId root, size_t token_bytes_max);

  Place start(Arena* arena);
  // False: no text goes on this way.
  bool step(const Place& from, uint8_t byte, Arena* arena, Place* to);
  bool complete(const Place& place);
  uint64_t hash(const Place& place) const;
  uint32_t blanks_left(const Place& place) const;

  // Closing the string or key that `place` is inside of; `to` stands behind the quote. `closing`: an ExitGroup's.
  bool close_string(const Place& place, uint32_t acceptance, Arena* arena, Place* to);
  bool close_key(const Place& place, StateId closing, Arena* arena, Place* to);
  // Whether a key in `state` can become one that some thread of the frame allows.
  bool key_viable(const Frame& frame, StateId state);
  // Whether an untracked key whose language allows it is allowed by every thread (maxProperties may forbid it).
  bool any_open_key_fits(const Frame& frame);

  Dfa& strings() { return strings_; }
  Dfa& keys() { return keys_; }
  const Shapes& shapes() const { return *shapes_; }

 private:
  bool begin_value(const Place& from, uint8_t byte, Arena* arena, Place* to);
  bool begin_container(const Pending* pending, bool object, Arena* arena, Place* to);
  bool after_value(const Place& from, uint8_t byte, Arena* arena, Place* to);
  bool close_frame(const Frame* frame, Arena* arena, Place* to);
  bool begin_key(const Frame* frame, Place* to);
  bool next_item(const Frame* frame, Arena* arena, Place* to);
  bool step_literal(const Place& from, uint8_t byte, Arena* arena, Place* to);
  bool step_number(const Place& from, uint8_t byte, Arena* arena, Place* to);
  bool finish(const Pending* pending, PendingSet survivors, Arena* arena, Place* to);
  PendingSet survivors(Dfa* dfa, StateId state, const std::vector<PendingSet>& pendings);
  bool blank(const Place& from, uint8_t byte, Place* to) const;

  bool can_close(const Frame& frame, const Thread& thread) const;
  bool takes_more_keys(const Thread& thread) const;
  bool only_required_left(const Thread& thread) const;
  uint32_t missing_count(const Thread& thread) const;
  uint64_t required_word(const Thread& thread, size_t word) const;
  uint64_t names_word(const Thread& thread, size_t word) const;
  const KeyPlan& key_plan(const Frame& frame);

  const ValuePlan* value_plan(const std::vector<TypeId>& types);
  const Pending* make_pending(const Frame* frame, const std::vector<Pending::Entry>& entries,
                              const std::vector<TypeId>& types, Arena* arena);
  const Frame* make_frame(const Pending* parent, bool object, std::vector<Thread>* threads, Arena* arena) const;
  uint64_t count_hash(const Thread& thread, bool object) const;
  Thread advance(const Frame& frame, const Pending::Entry& entry, Arena* arena) const;

  std::unique_ptr<RegexPool> regexes_;
  std::unique_ptr<LiteralPool> literals_;
  std::unique_ptr<Shapes> shapes_;
  Dfa strings_, keys_;
  TypeId root_;
  const size_t token_bytes_max_;
  struct VectorHash {
    size_t operator()(const std::vector<uint32_t>& v) const;
  };
  std::unordered_map<std::vector<TypeId>, std::unique_ptr<ValuePlan>, VectorHash> value_plans_;
  std::unordered_map<std::vector<uint32_t>, KeyPlan, VectorHash> key_plans_;
  // Scratch, empty between calls.
  std::vector<Pending::Entry> entries_;
  std::vector<TypeId> types_;
  std::vector<Thread> threads_;
  std::vector<uint32_t> key_shapes_;
};

}  // namespace rival::text::grammar
