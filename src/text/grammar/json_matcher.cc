#include "text/grammar/json_matcher.h"

#include <algorithm>
#include <unordered_map>

#include "base/limits.h"

namespace rival::text::grammar {

namespace {

constexpr size_t kCompactBytes = 256 << 10;

void set_token(std::span<uint64_t> bits, TokenId token) { bits[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64); }

// Copies the frames that some place still needs into another arena; shared ones stay shared.
class Mover {
 public:
  Mover(const Shapes& shapes, Arena* to) : shapes_(shapes), to_(to) {}

  const Pending* move(const Pending* from) {
    if (from == nullptr) return nullptr;
    const Pending*& moved = pendings_[from];
    if (moved != nullptr) return moved;
    Pending copy = *from;
    copy.frame = move(from->frame);
    copy.entries = to_->copy(std::span<const Pending::Entry>(from->entries, from->size));
    return pendings_[from] = to_->copy(std::span<const Pending>(&copy, 1));
  }

  const Frame* move(const Frame* from) {
    if (from == nullptr) return nullptr;
    const Frame*& moved = frames_[from];
    if (moved != nullptr) return moved;
    Frame copy = *from;
    copy.parent = move(from->parent);
    Thread* threads = to_->copy(std::span<const Thread>(from->threads.data, from->threads.size));
    for (uint32_t i = 0; from->object && i < from->threads.size; ++i) {
      threads[i].seen = to_->copy(std::span<const uint64_t>(threads[i].seen, shapes_.object_plans[threads[i].shape].words));
    }
    copy.threads.data = threads;
    return frames_[from] = to_->copy(std::span<const Frame>(&copy, 1));
  }

 private:
  const Shapes& shapes_;
  Arena* to_;
  std::unordered_map<const Pending*, const Pending*> pendings_;
  std::unordered_map<const Frame*, const Frame*> frames_;
};

std::vector<Place> move_places(const std::vector<Place>& places, const Shapes& shapes, Arena* to) {
  Mover mover(shapes, to);
  std::vector<Place> moved = places;
  for (Place& p : moved) {
    p.pending = mover.move(p.pending);
    p.frame = mover.move(p.frame);
  }
  return moved;
}

}  // namespace

JsonGrammar::JsonGrammar(std::shared_ptr<const GrammarVocabulary> vocabulary_in, std::unique_ptr<RegexPool> regexes,
                         std::unique_ptr<LiteralPool> literals, std::unique_ptr<Shapes> shapes, TypeId root)
    : vocabulary(std::move(vocabulary_in)), machine(std::move(regexes), std::move(literals), std::move(shapes), root, vocabulary->trie().depth_max()),
      path(vocabulary->trie().depth_max() + 1),
      remainder_fits(vocabulary->remainder_count()) {}

JsonMatcher::JsonMatcher(std::shared_ptr<JsonGrammar> grammar)
    : grammar_(std::move(grammar)), arena_(std::make_unique<Arena>()), compact_at_(kCompactBytes) {
  const std::lock_guard lock(grammar_->mutex);
  places_.push_back(grammar_->machine.start(arena_.get()));
}

JsonMatcher::JsonMatcher(const JsonMatcher& other)
    : grammar_(other.grammar_), arena_(std::make_unique<Arena>()), compact_at_(kCompactBytes) {
  const std::lock_guard lock(grammar_->mutex);
  places_ = move_places(other.places_, grammar_->machine.shapes(), arena_.get());
}

void JsonMatcher::compact() {
  auto arena = std::make_unique<Arena>();
  places_ = move_places(places_, grammar_->machine.shapes(), arena.get());
  arena_ = std::move(arena);
  compact_at_ = std::max(kCompactBytes, 2 * arena_->bytes());
}

void JsonMatcher::push(const Place& place) {
  places_.push_back(place);
  if (places_.size() > 2 * limits::kGrammarRollbackMax) {
    places_.erase(places_.begin(), places_.end() - limits::kGrammarRollbackMax - 1);
  }
  if (arena_->bytes() > compact_at_) compact();
}

bool JsonMatcher::accept(std::string_view bytes) {
  const std::lock_guard lock(grammar_->mutex);
  const Arena::Mark mark = arena_->mark();
  Place place = places_.back();
  for (char c : bytes) {
    Place next;
    if (!grammar_->machine.step(place, static_cast<uint8_t>(c), arena_.get(), &next)) return arena_->rewind(mark), false;
    place = next;
  }
  push(place);
  return true;
}

size_t JsonMatcher::accept_some(std::string_view bytes) {
  const std::lock_guard lock(grammar_->mutex);
  Place place = places_.back();
  size_t used = 0;
  for (; used < bytes.size(); ++used) {
    Place next;
    if (!grammar_->machine.step(place, static_cast<uint8_t>(bytes[used]), arena_.get(), &next)) break;
    place = next;
  }
  push(place);
  return used;
}

bool JsonMatcher::complete() {
  const std::lock_guard lock(grammar_->mutex);
  return grammar_->machine.complete(places_.back());
}

void JsonMatcher::rollback(size_t steps) { places_.resize(places_.size() - std::min(steps, places_.size() - 1)); }

std::string JsonMatcher::forced(size_t bytes_max) {
  const std::lock_guard lock(grammar_->mutex);
  const Arena::Mark mark = arena_->mark();
  std::string bytes;
  for (Place place = places_.back(); bytes.size() < bytes_max && !grammar_->machine.complete(place);) {
    int found = -1;
    Place only;
    for (int b = 0; b < 256; ++b) {
      Place next;
      if (b == '\\' && found >= 0) continue;  // that character spelled as an escape is no choice
      if (!grammar_->machine.step(place, static_cast<uint8_t>(b), arena_.get(), &next)) continue;
      if (found >= 0 && found != '\\') return arena_->rewind(mark), bytes;
      found = b;
      only = next;
    }
    if (found < 0) break;
    bytes.push_back(static_cast<char>(found));
    place = only;
  }
  arena_->rewind(mark);
  return bytes;
}

// ---- masks -------------------------------------------------------------------------------------------------

void JsonMatcher::mask(std::span<uint64_t> bits) {
  const std::lock_guard lock(grammar_->mutex);
  const uint64_t key = grammar_->machine.hash(places_.back());
  if (grammar_->masks.get(key, bits)) return;
  std::ranges::fill(bits, 0);
  std::shared_ptr<const Bits> inside = compute(bits);
  grammar_->masks.put(key, bits, std::move(inside));
}

// Returns the tokens that stay inside of the string, where the place is in one that has many.
std::shared_ptr<const Bits> JsonMatcher::compute(std::span<uint64_t> bits) {
  const Place place = places_.back();
  const Arena::Mark mark = arena_->mark();
  const bool in_string = place.mode == Mode::kString ||
                         (place.mode == Mode::kKey && grammar_->machine.any_open_key_fits(*place.frame));
  const bool between = in_string && place.string.partial == 0;
  std::shared_ptr<const Bits> inside;
  if (between) inside = add_partition(place, bits);
  else add_walk(place, bits);
  const GrammarVocabulary& vocabulary = *grammar_->vocabulary;
  for (const auto& [first, other] : vocabulary.equal_tokens()) {
    if ((bits[first / 64] >> (first % 64) & 1) != 0) set_token(bits, other);
  }
  if (grammar_->machine.complete(place)) {
    for (TokenId id : vocabulary.end_of_generation()) set_token(bits, id);
  }
  arena_->rewind(mark);
  return inside;
}

// Calls found(value) for every string of the trie that leads on from `from`.
template <typename Found>
void JsonMatcher::walk(const TokenTrie& trie, const Place& from, Found found) {
  std::vector<Place>& path = grammar_->path;
  path[0] = from;
  const std::vector<TokenTrie::Node>& nodes = trie.nodes();
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    if (!grammar_->machine.step(path[n.depth], n.byte, arena_.get(), &path[n.depth + 1])) {
      i = n.end;
      continue;
    }
    if (n.value >= 0) found(n.value);
    ++i;
  }
}

void JsonMatcher::add_walk(const Place& place, std::span<uint64_t> bits) {
  walk(grammar_->vocabulary->trie(), place, [&](int32_t token) { set_token(bits, token); });
}

std::shared_ptr<const Bits> JsonMatcher::add_partition(const Place& place, std::span<uint64_t> bits) {
  JsonMachine& machine = grammar_->machine;
  const bool key = place.mode == Mode::kKey;
  Dfa* dfa = key ? &machine.keys() : &machine.strings();
  const TokenPartition& p = partition_at(*grammar_->vocabulary, dfa, place.string.state, key);
  if (p.many) std::ranges::copy(*p.many, bits.begin());
  for (TokenId token : p.few) set_token(bits, token);
  for (const auto& [token, state] : p.conditional) {
    if (machine.key_viable(*place.frame, state)) set_token(bits, token);
  }
  for (const ExitGroup& group : p.groups) {
    Place behind;
    const bool closes = key ? machine.close_key(place, group.closing, arena_.get(), &behind)
                            : machine.close_string(place, group.closing, arena_.get(), &behind);
    if (closes) add_exits(behind, *group.exits, bits);
  }
  return p.many;
}

void JsonMatcher::add_exits(const Place& behind, const std::vector<Exit>& exits, std::span<uint64_t> bits) {
  std::vector<uint8_t>& fits = grammar_->remainder_fits;
  std::ranges::fill(fits, 0);
  if (grammar_->vocabulary->empty_remainder() >= 0) fits[grammar_->vocabulary->empty_remainder()] = 1;
  walk(grammar_->vocabulary->remainders(), behind, [&](int32_t remainder) { fits[remainder] = 1; });
  for (const Exit& e : exits) {
    if (fits[e.remainder] != 0) set_token(bits, e.token);
  }
}

}  // namespace rival::text::grammar
