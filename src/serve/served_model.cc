#include "serve/served_model.h"

#include <ctime>

#include "text/tokenizer.h"

namespace rival::serve {
namespace {

class GrammarConstraint : public engine::TokenConstraint {
 public:
  explicit GrammarConstraint(std::shared_ptr<const text::Grammar> grammar) : state_(std::move(grammar)) {}

  void mask(std::span<uint32_t> allowed) override { state_.mask(allowed); }
  Status accept(text::TokenId token) override {
    if (state_.accept(token)) return {};
    return make_error(ErrorCode::kInternal, "token {} was sampled against the grammar", token);
  }
  bool finished() const override { return state_.is_ended(); }
  std::unique_ptr<engine::TokenConstraint> clone() const override { return std::make_unique<GrammarConstraint>(*this); }

 private:
  text::GrammarState state_;
};

}  // namespace

std::unique_ptr<engine::TokenConstraint> constrain(std::shared_ptr<const text::Grammar> grammar) {
  return std::make_unique<GrammarConstraint>(std::move(grammar));
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
  if (model->handle_->chat_template().empty()) return model;
  RIVAL_ASSIGN_OR_RETURN(model->template_, text::ChatTemplate::parse(model->handle_->chat_template()));
  return model;
}

Result<std::vector<text::TokenId>> ServedModel::chat_prompt(const json::array& messages) const {
  if (!template_)
    return make_error(ErrorCode::kInvalidArgument, "{} is a base model without a chat template; use /v1/completions", name_);
  RIVAL_ASSIGN_OR_RETURN(const std::string text, template_->render({{"messages", messages},
                                                                    {"tools", nullptr},
                                                                    {"add_generation_prompt", true},
                                                                    {"bos_token", handle_->bos_text()},
                                                                    {"eos_token", handle_->eos_text()}}));
  RIVAL_ASSIGN_OR_RETURN(std::vector<text::TokenId> ids, tokenizer().encode(text, {.add_special = false, .parse_special = true}));
  // Some templates leave the beginning-of-text token to the tokenizer, as others write it out themselves.
  const text::Vocabulary& vocabulary = tokenizer().vocabulary();
  if (vocabulary.add_bos && vocabulary.bos && (ids.empty() || ids.front() != *vocabulary.bos)) ids.insert(ids.begin(), *vocabulary.bos);
  return ids;
}

}  // namespace rival::serve
