// One text being matched, whatever kind of language it is: a value type over the three matchers.
#pragma once

#include <variant>

#include "text/grammar.h"
#include "text/grammar/json_matcher.h"
#include "text/grammar/tag_matcher.h"
#include "text/grammar/text_matcher.h"

namespace rival::text::grammar {

class Matcher {
 public:
  explicit Matcher(const Grammar& grammar) : matcher_(start(grammar)) {}

  void mask(std::span<uint64_t> bits) { std::visit([&](auto& m) { m.mask(bits); }, matcher_); }
  bool accept(std::string_view bytes) { return std::visit([&](auto& m) { return m.accept(bytes); }, matcher_); }
  size_t accept_some(std::string_view bytes) { return std::visit([&](auto& m) { return m.accept_some(bytes); }, matcher_); }
  bool complete() { return std::visit([](auto& m) { return m.complete(); }, matcher_); }
  void rollback(size_t steps) { std::visit([&](auto& m) { m.rollback(steps); }, matcher_); }
  size_t history() const { return std::visit([](const auto& m) { return m.history(); }, matcher_); }
  std::string forced(size_t bytes_max) { return std::visit([&](auto& m) { return m.forced(bytes_max); }, matcher_); }

 private:
  using Any = std::variant<JsonMatcher, TextMatcher, TagMatcher>;
  static Any start(const Grammar& grammar) {
    return std::visit([](const auto& language) { return make(language); }, grammar.language_);
  }
  static Any make(const std::shared_ptr<JsonGrammar>& g) { return Any(std::in_place_type<JsonMatcher>, g); }
  static Any make(const std::shared_ptr<TextGrammar>& g) { return Any(std::in_place_type<TextMatcher>, g); }
  static Any make(const std::shared_ptr<TagGrammar>& g) { return Any(std::in_place_type<TagMatcher>, g); }

  Any matcher_;
};

}  // namespace rival::text::grammar
