#include "text/grammar/tag_matcher.h"

#include <algorithm>
#include <queue>

#include "text/grammar/matcher.h"

namespace rival::text::grammar {

TagGrammar::TagGrammar(std::shared_ptr<const GrammarVocabulary> vocabulary_in, TagOptions options_in)
    : vocabulary(std::move(vocabulary_in)), options(std::move(options_in)), masks((vocabulary->size() + 63) / 64) {
  build_nodes();
}

void TagGrammar::build_nodes() {
  const auto add_node = [&] {
    nodes.emplace_back().next.fill(-1);
    return static_cast<int32_t>(nodes.size() - 1);
  };
  add_node();
  for (size_t t = 0; t < options.tags.size(); ++t) {
    int32_t at = 0;
    for (char c : options.tags[t].begin) {
      const uint8_t byte = static_cast<uint8_t>(c);
      if (nodes[at].next[byte] < 0) {
        const int32_t fresh = add_node();
        nodes[at].next[byte] = fresh;
      }
      at = nodes[at].next[byte];
    }
    if (nodes[at].tag < 0) nodes[at].tag = static_cast<int32_t>(t);
  }
  if (!options.free_text) {
    for (uint8_t blank : {' ', '\n', '\r', '\t'}) {
      if (nodes[0].next[blank] < 0) nodes[0].next[blank] = 0;
    }
    return;
  }
  std::queue<std::pair<int32_t, int32_t>> open;  // node and the node of its longest proper suffix
  for (int32_t& next : nodes[0].next) {
    if (next < 0) next = 0;
    else open.emplace(next, 0);
  }
  for (; !open.empty(); open.pop()) {
    const auto [node, fallback] = open.front();
    if (nodes[node].tag < 0) nodes[node].tag = nodes[fallback].tag;
    for (size_t b = 0; b < 256; ++b) {
      const int32_t below = nodes[fallback].next[b];
      int32_t& next = nodes[node].next[b];
      if (next < 0) next = below;
      else open.emplace(next, below);
    }
  }
}

TagMatcher::TagMatcher(std::shared_ptr<TagGrammar> grammar) : grammar_(std::move(grammar)), steps_(1) {}
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

void TagMatcher::finish_tag(Step* step) const {
  step->phase = Phase::kFree;
  step->node = 0;
  ++step->tags;
}

size_t TagMatcher::read(std::string_view bytes, Step* step) {
  size_t i = 0;
  while (i < bytes.size()) {
    if (step->phase == Phase::kFree) {
      const TagGrammar::Node& node = grammar_->nodes[step->node];
      const int32_t next = node.next[static_cast<uint8_t>(bytes[i])];
      if (next < 0 || step->tags >= grammar_->options.tags_max) return i;
      ++i;
      step->node = next;
      const int32_t tag = grammar_->nodes[next].tag;
      if (tag < 0) continue;
      step->phase = Phase::kBody;
      step->tag = static_cast<uint32_t>(tag);
      step->body = std::make_shared<Matcher>(*grammar_->options.tags[tag].body);
      step->body_steps = 0;
    } else if (step->phase == Phase::kBody) {
      const size_t used = step->body->accept_some(bytes.substr(i));
      i += used;
      ++step->body_steps;
      if (i == bytes.size()) return i;
      if (!step->body->complete()) return i;
      step->phase = Phase::kEnd;
      step->end_at = 0;
      if (tag(*step).end.empty()) finish_tag(step);
    } else {
      if (tag(*step).end[step->end_at] != bytes[i]) return i;
      ++i;
      if (++step->end_at == tag(*step).end.size()) finish_tag(step);
    }
  }
  return i;
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
  if (step.phase == Phase::kFree) return step.tags >= options.tags_min && (options.free_text || step.node == 0);
  return step.phase == Phase::kBody && tag(step).end.empty() && step.tags + 1 >= options.tags_min && step.body->complete();
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
void TagMatcher::add_free(int32_t from, std::vector<uint64_t>* bits) {
  const GrammarVocabulary& vocabulary = *grammar_->vocabulary;
  const std::vector<TokenTrie::Node>& nodes = vocabulary.trie().nodes();
  std::vector<int32_t> path(vocabulary.trie().depth_max() + 1, from);
  const auto set_token = [&](TokenId t) { (*bits)[static_cast<size_t>(t) / 64] |= uint64_t{1} << (t % 64); };
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    const int32_t next = grammar_->nodes[path[n.depth]].next[n.byte];
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
    if (((*bits)[first / 64] >> (first % 64) & 1) != 0) set_token(other);
  }
}

// Tokens inside of the end string, and beyond it as long as no other tag begins.
void TagMatcher::add_end(const Step& step, std::span<uint64_t> bits) {
  const std::string_view end = std::string_view(tag(step).end).substr(step.phase == Phase::kEnd ? step.end_at : 0);
  const bool beyond = grammar_->options.free_text && step.tags + 1 < grammar_->options.tags_max;
  const GrammarVocabulary& vocabulary = *grammar_->vocabulary;
  const std::vector<TokenTrie::Node>& nodes = vocabulary.trie().nodes();
  std::vector<int32_t> path(vocabulary.trie().depth_max() + 1, 0);
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& n = nodes[i];
    bool fits = n.depth < end.size() && static_cast<uint8_t>(end[n.depth]) == n.byte;
    if (n.depth >= end.size() && beyond) {
      const int32_t next = grammar_->nodes[n.depth == end.size() ? 0 : path[n.depth]].next[n.byte];
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

void TagMatcher::mask(std::span<uint64_t> bits) {
  const Step& step = steps_.back();
  std::ranges::fill(bits, 0);
  const auto end_of_generation = grammar_->vocabulary->end_of_generation();
  if (step.phase == Phase::kBody) {
    step.body->mask(bits);
    for (TokenId id : end_of_generation) bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
    if (step.body->complete()) add_end(step, bits);
  } else if (step.phase == Phase::kEnd) {
    add_end(step, bits);
  } else if (step.tags < grammar_->options.tags_max) {
    const std::lock_guard lock(grammar_->mutex);
    const uint64_t key = static_cast<uint64_t>(step.node);
    if (grammar_->masks.find(key) == nullptr) add_free(step.node, grammar_->masks.add(key, bits.size()));
    std::ranges::copy(*grammar_->masks.find(key), bits.begin());
  }
  if (complete()) {
    for (TokenId id : end_of_generation) bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
  }
}

}  // namespace rival::text::grammar
