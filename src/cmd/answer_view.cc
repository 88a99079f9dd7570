#include "cmd/answer_view.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "base/json.h"
#include "cmd/terminal_text.h"

namespace rival::cmd {
namespace {

class PlainView : public AnswerView {
 public:
  explicit PlainView(Output out) : out_(std::move(out)) {}

  void text(bool thinking, std::string_view piece) override {
    if (thinking || piece.empty()) return;
    const std::string shown = stream_.push(piece);
    if (!shown.empty()) ends_line_ = shown.back() == '\n';
    out_(shown);
  }
  void end() override {
    out_(stream_.finish());
    if (!ends_line_) out_("\n");
  }

 private:
  Output out_;
  PrintableStream stream_;
  bool ends_line_ = true;
};

// JSON text whose characters are all harmless on a terminal: the two-byte C1 controls are written as escapes too.
std::string to_line(const json::value& value) {
  std::string line;
  const std::string text = to_json_text(value);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (text[i] == '\xC2' && next < 0xA0)
      line += fmt::format("\\u00{:02x}", static_cast<unsigned char>(text[++i]));
    else
      line += text[i];
  }
  return line + "\n";
}

class JsonView : public AnswerView {
 public:
  explicit JsonView(Output out) : out_(std::move(out)) {}
  void text(bool thinking, std::string_view piece) override {
    if (!piece.empty()) out_(to_line(json::object{{"type", thinking ? "thinking" : "text"}, {"text", piece}}));
  }
  void end() override {}

 private:
  Output out_;
};

const char* to_text(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::kStop: return "stop";
    case engine::FinishReason::kLength: return "length";
    case engine::FinishReason::kContext: return "context";
    case engine::FinishReason::kCancelled: return "cancelled";
    case engine::FinishReason::kError: return "error";
  }
  return "";
}

}  // namespace

void write_stdout(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::unique_ptr<AnswerView> make_plain_view(Output out) { return std::make_unique<PlainView>(std::move(out)); }
std::unique_ptr<AnswerView> make_json_view(Output out) { return std::make_unique<JsonView>(std::move(out)); }

void print_json_end(const Answer& answer, std::string_view model) {
  const engine::Usage& usage = answer.finish.usage;
  const engine::Timings& timings = answer.finish.timings;
  write_stdout(to_line(json::object{{"type", "end"},
                          {"model", model},
                          {"reason", to_text(answer.finish.reason)},
                          {"usage",
                           {{"prompt_tokens", usage.prompt_tokens},
                            {"cached_tokens", usage.cached_tokens},
                            {"completion_tokens", usage.completion_tokens},
                            {"drafted_tokens", usage.drafted_tokens},
                            {"accepted_tokens", usage.accepted_tokens}}},
                          {"seconds",
                           {{"queue", timings.queue_s},
                            {"prefill", timings.prefill_s},
                            {"first_token", timings.first_token_s},
                            {"decode", timings.decode_s},
                            {"total", timings.total_s}}}}));
}

void print_json_error(const Error& error) {
  write_stdout(to_line(json::object{{"type", "error"}, {"message", error.message}}));
}

}  // namespace rival::cmd
