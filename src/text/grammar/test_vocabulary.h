// A small vocabulary for tests: every byte, some longer tokens as real tokenizers have them, and an end token.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/grammar/vocabulary_index.h"

namespace rival::text::grammar {

constexpr TokenId kTestEnd = 0;

inline std::shared_ptr<const GrammarVocabulary> test_vocabulary() {
  static const std::vector<std::string> texts = [] {
    std::vector<std::string> t{"<end>"};
    for (int b = 0; b < 256; ++b) t.emplace_back(1, static_cast<char>(b));
    for (const char* s : {"\"}", "\",", "\":", "\": ", "\": \"", "{\"", "\"},", "[\"", "\"]", "  ", "    ", "\n  ", "true", "false", "null",
                          "name", "foo", "bar", "ab", "12", "00", "\\n", "\\u00", "\\\"", "\xC3\xA9", "\xE2\x82", "a\"", "b\":", "}}", "]}",
                          ",\"", ", \"", "<tool", "_call>", "</tool", "<tool_call>{", "x<tool_call>",
                          "\xFF[CALL]\xFE", "\xFF[ARGS]\xFE", "\xFF[OTHER]\xFE", "</thi", "nk>", "\n\n"}) {
      t.emplace_back(s);
    }
    return t;
  }();
  static const std::shared_ptr<const GrammarVocabulary> vocabulary = [] {
    const TokenId end = kTestEnd;
    return std::move(GrammarVocabulary::build(texts, {&end, 1})).value();
  }();
  return vocabulary;
}

}  // namespace rival::text::grammar
