// An answer while it streams, told apart into thoughts, text and tool calls.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer_syntax.h"

namespace rival::text {

struct AnswerPart {
  enum class Kind : uint8_t { kReasoning, kText, kCallBegin, kCallArguments, kCallEnd };
  Kind kind;
  std::string_view text;  // of kCallBegin the name of the tool; valid during the call of the sink
  size_t end;             // bytes of the raw answer up to the end of this part
};

struct SplitOptions {
  bool thinking_open = false;  // the prompt has begun the thought
  std::vector<std::string> tools = {};  // that may be called; the answer follows answer_grammar() then
  std::map<std::string, std::set<std::string>> texts = {};  // CallArguments::texts of each tool
  bool formatted = false;      // the text has a format: calls stand in its place only, not inside of it
  bool trim = false;           // white space before the answer is left out, as it always is behind a thought
};

class AnswerSplitter {
 public:
  using Sink = std::function<void(const AnswerPart&)>;

  // `syntax` outlives the splitter.
  AnswerSplitter(const AnswerSyntax& syntax, SplitOptions options, Sink sink);

  // The next piece of the raw answer, with control tokens spelled by control_mark().
  void push(std::string_view text);
  // The end: what was held back is told.
  void finish();

  bool thinking() const { return state_ == State::kThinking; }

 private:
  enum class State {
    kStart,      // of an answer that may begin with a thought
    kHeader,     // of a message in a channel
    kThinking,
    kText,
    kCall,       // behind OPEN, or between two calls of a list
    kArguments,
    kValue,      // of one argument in tags
    kAfter,      // behind the arguments, up to the end of the call
  };
  using Kind = AnswerPart::Kind;
  enum class Match { kNo, kMaybe, kYes };  // kMaybe: more text is needed

  bool advance();  // one step over held_; false when more text is needed
  bool at_start();
  bool at_header();
  bool at_thought();
  bool at_text();
  bool at_first_text();
  bool at_call();
  bool at_arguments();
  bool at_message_arguments();
  bool at_key();
  bool at_value();
  bool at_after();
  Match match(size_t at, std::string_view wanted) const;
  Match match_call(size_t at);
  size_t find_open(std::string_view* open) const;
  size_t find_value_end(bool* found);
  size_t blanks() const;
  size_t whole(size_t size) const;
  void begin_call(std::string_view name);
  void end_call();
  void tell(Kind kind, size_t size);
  void tell_argument(std::string_view json);
  void drop(size_t size);
  void begin(State state, bool trims);

  const AnswerSyntax& syntax_;
  const SplitOptions options_;
  const Sink sink_;
  State state_ = State::kText;
  std::string held_;
  size_t read_ = 0;        // bytes of the raw answer before held_
  bool told_ = false;      // something of the present part
  bool trims_ = false;     // white space before the present part is left out
  bool fresh_ = true;      // nothing was answered but calls
  bool finished_ = false;  // no more text will come
  bool in_call_ = false;   // its end is not told yet
  int depth_ = 0;          // of brackets in the arguments
  bool in_string_ = false, escaped_ = false;
  std::string called_;         // the tool of the call, where arguments stand in tags
  bool first_key_ = true;
  bool text_value_ = false;    // the value is a string as it is
};

}  // namespace rival::text
