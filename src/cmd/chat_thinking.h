// Where a model thinks and where it answers, told apart while the text streams.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace rival::cmd {

enum class ThinkingStyle {
  kTags,     // an answer that begins with <think> thinks until </think> (Qwen 3, DeepSeek R1, SmolLM 3)
  kHarmony,  // <|channel|>analysis<|message|>...<|end|><|start|>assistant<|channel|>final<|message|>... (gpt-oss)
};

class ThinkingSplitter {
 public:
  using Sink = std::function<void(bool thinking, std::string_view text)>;

  // `inside`: the prompt has opened the thinking already.
  ThinkingSplitter(ThinkingStyle style, bool inside, Sink sink);

  void push(std::string_view text);
  void finish();

 private:
  enum class State { kStart, kHeader, kThinking, kAnswer };
  bool advance();  // one step over held_; false when more text is needed
  bool at_start();
  bool at_header();
  bool until(std::string_view marker, State next);
  void tell(std::string_view text);

  ThinkingStyle style_;
  State state_;
  bool told_ = false;  // of the present part; the white space before it is left out
  Sink sink_;
  std::string held_;
};

}  // namespace rival::cmd
