// A model as the APIs see it: a running engine, its chat template, and the grammars of its vocabulary.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/model_handle.h"
#include "serve/api_error.h"
#include "serve/grammar_cache.h"
#include "serve/metrics.h"
#include "text/answer_syntax.h"
#include "text/chat_template.h"
#include "text/grammar.h"

namespace rival::serve {

class ServedModel : public std::enable_shared_from_this<ServedModel> {
 public:
  static Result<std::shared_ptr<ServedModel>> load(std::string name, const std::filesystem::path& path,
                                                   const engine::LoadOptions& options);

  const std::string& name() const { return name_; }
  int64_t created() const { return created_; }  // seconds since 1970
  engine::Engine& engine() { return handle_->engine(); }
  const model::ModelConfig& config() const { return handle_->config(); }
  engine::SamplerParams default_sampling() const { return handle_->default_sampling(); }  // as the model's files advise
  const text::Tokenizer& tokenizer() const { return *handle_->tokenizer(); }
  uint64_t memory_bytes() const { return handle_->loaded().file_bytes() + handle_->kv_bytes(); }  // weights and KV pages
  // What the weights' file says, beside the configuration.
  engine::LoadedModel& loaded() const { return handle_->loaded(); }
  // Whether the chat template looks at a variable of this name, such as tools or enable_thinking.
  bool template_uses(std::string_view name) const { return template_ && template_->uses(name); }
  bool embeds() const { return !config().causal || config().pooling != model::Pooling::kNone; }

  const text::ChatTemplate* chat_template() const { return template_ ? &*template_ : nullptr; }  // null: a base model
  const text::AnswerSyntax& syntax() const { return syntax_; }

  // Counts what is asked of the model; the numbers outlive it where they are shared.
  ModelMetrics& metrics() const { return *metrics_; }
  void count_in(std::shared_ptr<ModelMetrics> metrics) { metrics_ = std::move(metrics); }

  // A constraint that follows a grammar of this vocabulary.
  text::Grammar::Vocabulary grammar_vocabulary() const { return vocabulary_; }
  GrammarCache& grammars() const { return grammars_; }

 private:
  ServedModel() = default;
  std::string name_;
  std::shared_ptr<ModelMetrics> metrics_ = std::make_shared<ModelMetrics>();
  int64_t created_ = 0;
  std::unique_ptr<engine::ModelHandle> handle_;
  std::optional<text::ChatTemplate> template_;
  text::AnswerSyntax syntax_;
  text::Grammar::Vocabulary vocabulary_;
  mutable GrammarCache grammars_;
};

// The engine's seam, filled with a grammar, from the state on that its text is in.
std::unique_ptr<engine::TokenConstraint> constrain(text::GrammarState state);

}  // namespace rival::serve
