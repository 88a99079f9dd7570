#include "text/grammar/tag_matcher.h"

#include <algorithm>
#include <queue>

#include "base/limits.h"
#include "text/control_mark.h"
#include "text/grammar/matcher.h"

namespace rival::text::grammar {
namespace {

bool is_mark(size_t byte) { return byte == static_cast<uint8_t>(kControlBegin) || byte == static_cast<uint8_t>(kControlEnd); }

}  // namespace

TagGrammar::TagGrammar(std::shared_ptr<const GrammarVocabulary> vocabulary_in, TagOptions options_in)
    : vocabulary(std::move(vocabulary_in)), options(std::move(options_in)) {
  build_nodes();
}

int32_t TagGrammar::add_node() {
  nodes.emplace_back().next.fill(-1);
  return static_cast<int32_t>(nodes.size() - 1);
}

int32_t TagGrammar::add_path(int32_t from, std::string_view text) {
  for (char c : text) {
    const uint8_t byte = static_cast<uint8_t>(c);
    if (nodes[from].next[byte] < 0) {
      const int32_t fresh = add_node();
      nodes[from].next[byte] = fresh;
      nodes[fresh].committed = nodes[from].committed || is_mark(byte);
    }
    from = nodes[from].next[byte];
  }
  return from;
}

void TagGrammar::build_nodes() {
  add_node();
  for (size_t t = 0; t < options.tags.size(); ++t) {
    Node& last = nodes[add_path(0, options.tags[t].begin)];
    if (last.tag < 0) last.tag = static_cast<int32_t>(t);
    if (!options.once) continue;
    const uint64_t bit = uint64_t{1} << t;
    if (options.tags[t].required) required |= bit;
    int32_t at = 0;
    for (char c : options.tags[t].begin) nodes[at = nodes[at].next[static_cast<uint8_t>(c)]].leads_to |= bit;
  }
  const bool closes_late = !options.close.empty() && options.tags_min > 0;
  if (!options.separator.empty() || closes_late) after = add_node();
  if (options.separator.empty()) {
    if (after > 0) nodes[after].next = nodes[0].next;
  } else {
    const std::string_view separator = options.separator;
    nodes[add_path(after, separator.substr(0, separator.size() - 1))].next[static_cast<uint8_t>(separator.back())] = 0;
  }
  if (!options.close.empty()) {
    closed = add_path(after, options.close);
    int32_t at = after;
    for (char c : options.close) nodes[at = nodes[at].next[static_cast<uint8_t>(c)]].closing = true;
  }
  if (!options.free_text || options.text != nullptr) return add_blanks();
  options.at_start ? add_plain_text() : add_fallbacks();
}

int32_t TagGrammar::next(int32_t node, uint8_t byte, Past past) const {
  const int32_t next = nodes[node].next[byte];
  if (next < 0) return -1;
  const Node& to = nodes[next];
  const bool begins = options.once ? (to.leads_to & ~past.taken) != 0 || (to.leads_to == 0 && !to.closing) : next != closed;
  return (begins && past.count < options.tags_max) || (to.closing && may_close(past)) ? next : -1;
}

// Places behind one, two, ... blanks, each like the beginning.
void TagGrammar::add_blanks() {
  const std::array<int32_t, 256> begin = nodes[0].next;
  blanks_begin = static_cast<int32_t>(nodes.size());
  int32_t at = 0;
  for (int i = 0; i < limits::kTagBlanksMax; ++i) {
    const int32_t fresh = add_node();
    nodes[fresh].next = begin;
    for (uint8_t blank : {' ', '\n', '\r', '\t'}) {
      if (begin[blank] < 0) nodes[at].next[blank] = fresh;
    }
    at = fresh;
  }
  blanks_end = static_cast<int32_t>(nodes.size());
}

// What begins no tag goes on as text, in which the end of every node's text may begin one. Behind a control token
// there is no way back.
void TagGrammar::add_fallbacks() {
  std::queue<std::pair<int32_t, int32_t>> open;  // node and the node of its longest proper suffix
  for (size_t b = 0; b < 256; ++b) {
    int32_t& next = nodes[0].next[b];
    if (next >= 0) open.emplace(next, 0);
    else if (!is_mark(b)) next = 0;
  }
  for (; !open.empty(); open.pop()) {
    const auto [node, fallback] = open.front();
    if (nodes[node].committed) {
      for (int32_t next : nodes[node].next) if (next >= 0) open.emplace(next, 0);
      continue;
    }
    if (nodes[node].tag < 0) nodes[node].tag = nodes[fallback].tag;
    for (size_t b = 0; b < 256; ++b) {
      const int32_t below = nodes[fallback].next[b];
      int32_t& next = nodes[node].next[b];
      if (next < 0) next = below;
      else open.emplace(next, below);
    }
  }
}

// What begins no tag goes on as text to the end.
void TagGrammar::add_plain_text() {
  add_blanks();
  const int32_t plain = add_node();
  for (Node& node : nodes) {
    for (size_t b = 0; b < 256; ++b) {
      if (node.next[b] < 0 && !is_mark(b) && !node.committed) node.next[b] = plain;
    }
  }
}

TagMatcher::TagMatcher(std::shared_ptr<TagGrammar> grammar) : grammar_(std::move(grammar)), steps_(1) {
  if (grammar_->options.text == nullptr) return;
  steps_[0].phase = Phase::kHead;
  steps_[0].body = std::make_shared<Matcher>(*grammar_->options.text);
}
TagMatcher::~TagMatcher() = default;

// The bodies of older steps are shared between steps but never between matchers.
TagMatcher::TagMatcher(const TagMatcher& other) : grammar_(other.grammar_), steps_(other.steps_) {
  std::shared_ptr<Matcher> from, to;
  for (Step& step : steps_) {
    if (step.body != from) {
      from = step.body;
      to = from == nullptr ? nullptr : std::make_shared<Matcher>(*from);
    }
    step.body = to;
  }
}

TagGrammar::Past TagMatcher::past_with(const Step& step) const {
  const uint64_t bit = grammar_->options.once ? uint64_t{1} << step.tag : 0;
  return {.count = step.past.count + (tag(step).counts ? 1 : 0), .taken = step.past.taken | bit};
}

void TagMatcher::begin_tag(int32_t tag, Step* step) const {
  step->phase = Phase::kBody;
  step->tag = static_cast<uint32_t>(tag);
  step->body = std::make_shared<Matcher>(*grammar_->options.tags[tag].body);
  step->body_steps = 0;
  step->in_rest = false;
}

// Behind the end string, or behind what follows it.
void TagMatcher::end_part(Step* step) const {
  if (step->in_rest || tag(*step).rest == nullptr) return finish_tag(step);
  step->phase = Phase::kBody;
  step->body = std::make_shared<Matcher>(*tag(*step).rest);
  step->body_steps = 0;
  step->in_rest = true;
}

void TagMatcher::finish_tag(Step* step) const {
  step->past = past_with(*step);
  step->phase = Phase::kFree;
  step->node = grammar_->after;
}

size_t TagMatcher::read(std::string_view bytes, Step* step) {
  size_t i = 0;
  while (i < bytes.size()) {
    const Phase phase = step->phase;
    const std::string_view rest = bytes.substr(i);
    size_t used = 0;
    if (phase == Phase::kFree) used = read_free(rest, step);
    else if (phase == Phase::kHead) used = read_head(rest, step);
    else used = read_body(rest, step);
    i += used;
    if (used == 0 && step->phase == phase) return i;
  }
  return i;
}

// One byte.
size_t TagMatcher::read_free(std::string_view bytes, Step* step) {
  const int32_t next = grammar_->next(step->node, static_cast<uint8_t>(bytes[0]), step->past);
  if (next < 0) return 0;
  step->node = next;
  if (grammar_->nodes[next].tag >= 0) begin_tag(grammar_->nodes[next].tag, step);
  return 1;
}

// Up to where a tag begins, or all as long as one may.
size_t TagMatcher::read_head(std::string_view bytes, Step* step) {
  int32_t node = step->node;
  for (size_t i = 0; i < bytes.size(); ++i) {
    node = grammar_->nodes[node].next[static_cast<uint8_t>(bytes[i])];
    if (node < 0) {
      step->phase = Phase::kText;
      return 0;
    }
    if (grammar_->nodes[node].tag >= 0) {
      begin_tag(grammar_->nodes[node].tag, step);
      return i + 1;
    }
  }
  if (step->body != nullptr) {
    ++step->body_steps;
    if (step->body->accept_some(bytes) < bytes.size()) {
      step->body->rollback(1);
      step->body = nullptr;
    }
  }
  if (step->body == nullptr && grammar_->at_rest(node)) return 0;
  step->node = node;
  return bytes.size();
}

// kText, kBody or kEnd.
size_t TagMatcher::read_body(std::string_view bytes, Step* step) {
  if (step->phase == Phase::kEnd) {
    if (tag(*step).end[step->end_at] != bytes[0]) return 0;
    if (++step->end_at == tag(*step).end.size()) end_part(step);
    return 1;
  }
  if (step->body == nullptr) return 0;
  const size_t used = step->body->accept_some(bytes);
  ++step->body_steps;
  if (used == bytes.size() || step->phase == Phase::kText || !step->body->complete()) return used;
  step->phase = Phase::kEnd;
  step->end_at = 0;
  if (end_of(*step).empty()) finish_tag(step);
  return used;
}

// Brings the body of a step back to what it was then.
void TagMatcher::restore(const Step& step) {
  if (step.body == nullptr || steps_.back().body != step.body) return;
  step.body->rollback(static_cast<size_t>(steps_.back().body_steps - step.body_steps));
}

size_t TagMatcher::accept_some(std::string_view bytes) {
  Step step = steps_.back();
  const size_t used = read(bytes, &step);
  steps_.push_back(std::move(step));
  if (steps_.size() > 2 * limits::kGrammarRollbackMax) {
    steps_.erase(steps_.begin(), steps_.end() - limits::kGrammarRollbackMax - 1);
  }
  return used;
}

bool TagMatcher::accept(std::string_view bytes) {
  if (accept_some(bytes) == bytes.size()) return true;
  rollback(1);
  return false;
}

void TagMatcher::rollback(size_t steps) {
  for (steps = std::min(steps, steps_.size() - 1); steps > 0; --steps) {
    restore(steps_[steps_.size() - 2]);
    steps_.pop_back();
  }
}

bool TagMatcher::complete() {
  const Step& step = steps_.back();
  const TagOptions& options = grammar_->options;
  switch (step.phase) {
    case Phase::kFree: {
      const bool free = options.free_text && options.text == nullptr;
      if (!grammar_->may_close(step.past)) return false;
      if (grammar_->closed >= 0) return step.node == grammar_->closed;
      // A control token that was begun must lead into its tag, as half of any tag must where text is not free.
      return free ? !grammar_->nodes[step.node].committed : step.node == grammar_->after || (options.separator.empty() && grammar_->at_rest(step.node));
    }
    case Phase::kHead:
    case Phase::kText: return options.tags_min == 0 && step.body != nullptr && step.body->complete();
    case Phase::kBody: return end_of(step).empty() && grammar_->closed < 0 && grammar_->may_close(past_with(step)) && step.body->complete();
    case Phase::kEnd: return false;
  }
  return false;
}

std::string TagMatcher::forced(size_t bytes_max) {
  const Step& step = steps_.back();
  if (step.phase == Phase::kBody && !step.body->complete()) return step.body->forced(bytes_max);
  if (step.phase == Phase::kEnd) return tag(step).end.substr(step.end_at, bytes_max);
  return {};
}

// ---- masks -------------------------------------------------------------------------------------------------

bool TagMatcher::fits_body(uint32_t tag, std::string_view bytes) const {
  Matcher body(*grammar_->options.tags[tag].body);
  return body.accept(bytes);
}

// Tokens of free text from a node on, and those that open a tag with a fitting start behind it.
void TagMatcher::add_free(const Step& step, std::span<uint64_t> bits) {
  const GrammarVocabulary& vocabulary = *grammar_->vocabulary;
  const std::vector<TokenTrie::Node>& nodes = vocabulary.trie().nodes();
  std::vector<int32_t> path(vocabulary.trie().depth_max() + 1, step.node);
  const auto set_token = [&](TokenId t) { bits[static_cast<size_t>(t) / 64] |= uint64_t{1} << (t % 64); };
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    const int32_t next = grammar_->next(path[n.depth], n.byte, step.past);
    path[n.depth + 1] = next;
    if (next >= 0 && grammar_->nodes[next].tag < 0) {
      if (n.value >= 0) set_token(n.value);
      ++i;
      continue;
    }
    for (uint32_t j = i; next >= 0 && j < n.end; ++j) {
      if (nodes[j].value < 0) continue;
      const std::string_view rest = vocabulary.token_bytes(nodes[j].value).substr(n.depth + 1);
      if (rest.empty() || fits_body(static_cast<uint32_t>(grammar_->nodes[next].tag), rest)) set_token(nodes[j].value);
    }
    i = n.end;
  }
  for (const auto& [first, other] : vocabulary.equal_tokens()) {
    if ((bits[first / 64] >> (first % 64) & 1) != 0) set_token(other);
  }
}

// Tokens inside of the end string, and beyond it as long as no other tag begins.
void TagMatcher::add_end(const Step& step, std::span<uint64_t> bits) {
  const std::string_view end = end_of(step).substr(step.phase == Phase::kEnd ? step.end_at : 0);
  const TagGrammar::Past past = past_with(step);
  const bool last = step.in_rest || tag(step).rest == nullptr;  // else what follows is no matter of this mask
  const GrammarVocabulary& vocabulary = *grammar_->vocabulary;
  const std::vector<TokenTrie::Node>& nodes = vocabulary.trie().nodes();
  std::vector<int32_t> path(vocabulary.trie().depth_max() + 1, 0);
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    bool fits = n.depth < end.size() && static_cast<uint8_t>(end[n.depth]) == n.byte;
    if (n.depth >= end.size() && last) {
      const int32_t next = grammar_->next(n.depth == end.size() ? grammar_->after : path[n.depth], n.byte, past);
      path[n.depth + 1] = next;
      fits = next >= 0 && grammar_->nodes[next].tag < 0;
    }
    if (!fits) {
      i = n.end;
      continue;
    }
    if (n.value >= 0) bits[static_cast<size_t>(n.value) / 64] |= uint64_t{1} << (n.value % 64);
    ++i;
  }
}

// A text of the grammar's own, but for tokens that go into a tag: those fit or do not.
void TagMatcher::mask_head(const Step& step, std::span<uint64_t> bits) {
  if (step.body != nullptr) step.body->mask(bits);
  const GrammarVocabulary& vocabulary = *grammar_->vocabulary;
  const std::vector<TokenTrie::Node>& nodes = vocabulary.trie().nodes();
  std::vector<int32_t> path(vocabulary.trie().depth_max() + 1, step.node);
  const auto set_token = [&](TokenId t, bool allowed) {
    const uint64_t bit = uint64_t{1} << (t % 64);
    uint64_t& word = bits[static_cast<size_t>(t) / 64];
    word = allowed ? word | bit : word & ~bit;
  };
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    const int32_t next = grammar_->nodes[path[n.depth]].next[n.byte];
    path[n.depth + 1] = next;
    if (next >= 0 && grammar_->nodes[next].tag < 0) {
      if (n.value >= 0 && !grammar_->at_rest(next)) set_token(n.value, true);
      ++i;
      continue;
    }
    for (uint32_t j = i; next >= 0 && j < n.end; ++j) {
      if (nodes[j].value < 0) continue;
      const std::string_view rest = vocabulary.token_bytes(nodes[j].value).substr(n.depth + 1);
      set_token(nodes[j].value, rest.empty() || fits_body(static_cast<uint32_t>(grammar_->nodes[next].tag), rest));
    }
    i = n.end;
  }
  for (const auto& [first, other] : vocabulary.equal_tokens()) set_token(other, (bits[first / 64] >> (first % 64) & 1) != 0);
}

void TagMatcher::mask(std::span<uint64_t> bits) {
  const Step& step = steps_.back();
  std::ranges::fill(bits, 0);
  const auto end_of_generation = grammar_->vocabulary->end_of_generation();
  if (step.phase == Phase::kHead) {
    mask_head(step, bits);
  } else if (step.phase == Phase::kText) {
    if (step.body != nullptr) step.body->mask(bits);
  } else if (step.phase == Phase::kBody) {
    step.body->mask(bits);
    if (step.body->complete()) add_end(step, bits);
  } else if (step.phase == Phase::kEnd) {
    add_end(step, bits);
  } else {
    const std::lock_guard lock(grammar_->mutex);
    const TagOptions& options = grammar_->options;
    const uint64_t tags = (step.past.count < options.tags_max ? 0u : 1u) + (step.past.count < options.tags_min ? 0u : 2u);
    const uint64_t key = (static_cast<uint64_t>(step.node) | tags << 32) ^ step.past.taken * 0x9FB21C651E98DF25u;
    if (!grammar_->masks.get(key, bits)) {
      add_free(step, bits);
      grammar_->masks.put(key, bits, nullptr);
    }
  }
  const bool ends = complete();
  for (TokenId id : end_of_generation) {
    const uint64_t bit = uint64_t{1} << (id % 64);
    uint64_t& word = bits[static_cast<size_t>(id) / 64];
    word = ends ? word | bit : word & ~bit;
  }
}

}  // namespace rival::text::grammar
