#include "serve/served_model.h"

#include <ctime>

#include "text/tokenizer.h"

namespace rival::serve {
namespace {

class GrammarConstraint : public engine::TokenConstraint {
 public:
  explicit GrammarConstraint(text::GrammarState state) : state_(std::move(state)) {}

  void mask(std::span<uint32_t> allowed) override { state_.mask(allowed); }
  Status accept(text::TokenId token) override {
    if (state_.accept(token)) {
      finished_ = state_.is_exhausted();
      return {};
    }
    return make_error(ErrorCode::kInternal, "token {} was sampled against the grammar", token);
  }
  // Where nothing but the end can follow, no token is spent on it; nor could one be where the request bans the end.
  bool finished() const override { return finished_; }
  std::unique_ptr<engine::TokenConstraint> clone() const override { return std::make_unique<GrammarConstraint>(*this); }

 private:
  text::GrammarState state_;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<engine::TokenConstraint> constrain(text::GrammarState state) {
  return std::make_unique<GrammarConstraint>(std::move(state));
}

Result<std::shared_ptr<ServedModel>> ServedModel::load(std::string name, const std::filesystem::path& path,
                                                       const engine::LoadOptions& options) {
  std::shared_ptr<ServedModel> model(new ServedModel);
  model->name_ = std::move(name);
  model->created_ = std::time(nullptr);
  RIVAL_ASSIGN_OR_RETURN(model->handle_, engine::ModelHandle::load(path, options));
  if (!model->handle_->tokenizer())
    return make_error(ErrorCode::kUnsupported, "{} has no tokenizer; the server needs one", path.string());
  if (model->embeds()) return model;
  RIVAL_ASSIGN_OR_RETURN(model->vocabulary_, text::GrammarVocabulary::build(model->tokenizer()));
  model->syntax_ = text::answer_syntax(model->handle_->chat_template(), model->tokenizer());
  if (model->handle_->chat_template().empty()) return model;
  RIVAL_ASSIGN_OR_RETURN(model->template_, text::ChatTemplate::parse(model->handle_->chat_template()));
  return model;
}

}  // namespace rival::serve
