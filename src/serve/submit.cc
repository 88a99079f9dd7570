#include "serve/submit.h"

#include <chrono>
#include <optional>
#include <vector>

namespace rival::serve {
namespace {

using Clock = std::chrono::steady_clock;

// Sees the outputs of one request pass.
class AnswerWatch {
 public:
  AnswerWatch(std::shared_ptr<ServedModel> model, std::shared_ptr<CallRecord> record, uint32_t answers)
      : model_(std::move(model)), record_(std::move(record)), last_(answers) {}

  void take(const engine::Output& output) {
    if (!output.tokens.empty()) take_tokens(output);
    if (!output.finish) return;
    model_->metrics().finished(*output.finish, output.index == 0);
    if (record_) record_->add(output.finish->usage, output.index == 0);
  }

 private:
  void take_tokens(const engine::Output& output) {
    const Clock::time_point now = Clock::now();
    std::optional<Clock::time_point>& last = last_[output.index];
    if (last) {
      model_->metrics().tokens(output.tokens.size(), seconds(now - *last));
    } else {
      model_->metrics().first_token(record_ ? record_->elapsed_s() : seconds(now - begin_));
      if (record_) record_->first_token();
    }
    last = now;
  }
  static double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

  const std::shared_ptr<ServedModel> model_;
  const std::shared_ptr<CallRecord> record_;
  const Clock::time_point begin_ = Clock::now();
  std::vector<std::optional<Clock::time_point>> last_;  // tokens of each answer
};

}  // namespace

Result<engine::RequestId> submit(const std::shared_ptr<ServedModel>& model, engine::Request request, const std::shared_ptr<CallRecord>& record) {
  model->metrics().request();
  const auto watch = std::make_shared<AnswerWatch>(model, record, std::max(1u, request.n));
  request.on_output = [watch, next = std::move(request.on_output)](engine::Output output) {
    watch->take(output);
    next(std::move(output));
  };
  return model->engine().submit(std::move(request));
}

}  // namespace rival::serve
