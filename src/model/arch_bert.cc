// BERT as an embedding model (MiniLM, BGE, E5): attends both ways, norms after each sum, learned positions.
#include "model/architectures.h"
#include "model/hf_config_writer.h"

namespace rival::model {
namespace {

// Ids of "pooling_type": llama.cpp's llama_pooling_type.
Status use_pooling(const HyperParameters& p, ModelConfig& config) {
  RIVAL_ASSIGN_OR_RETURN(const uint32_t id, p.u32_or("pooling_type", 1, {0, 3}));
  constexpr Pooling kById[] = {Pooling::kNone, Pooling::kMean, Pooling::kCls, Pooling::kLast};
  config.pooling = kById[id];
  return {};
}

Status configure_bert(const HyperParameters& p, ModelConfig& config) {
  RIVAL_RETURN_IF_ERROR(use_norm(p, NormKind::kLayer, config));
  RIVAL_RETURN_IF_ERROR(use_activation(p, Activation::kGeluErf, config));
  RIVAL_RETURN_IF_ERROR(use_pooling(p, config));
  RIVAL_ASSIGN_OR_RETURN(config.normalize_embedding, p.flag_or("normalize_embeddings", true));
  RIVAL_ASSIGN_OR_RETURN(config.causal, p.flag_or("attention.causal", false));
  config.post_norm_only = true;
  for (LayerConfig& layer : config.layers) layer.rope = false;
  return {};
}

void write_bert(const ModelSource& model, json::object& out) {
  for (const char* key : {"num_key_value_heads", "head_dim", "rms_norm_eps", "rope_theta", "attention_bias", "mlp_bias"})
    out.erase(key);
  out["layer_norm_eps"] = shortest(model.config.norm_eps);
  out["type_vocab_size"] = model.type_embedding.rows;
  out["tie_word_embeddings"] = true;
}

constexpr std::string_view kClasses[] = {"BertModel"};
constexpr std::string_view kRoles[] = {"attn_norm.weight", "attn_norm.bias", "ffn_norm.weight",
                                       "ffn_norm.bias"};
constexpr TensorAlias kAliases[] = {{"attn_norm.weight", "attn_output_norm.weight"},
                                    {"attn_norm.bias", "attn_output_norm.bias"},
                                    {"ffn_norm.weight", "layer_output_norm.weight"},
                                    {"ffn_norm.bias", "layer_output_norm.bias"}};

constexpr HfName kNames[] = {
    {"token_embd.weight", "embeddings.word_embeddings.weight"},
    {"position_embd.weight", "embeddings.position_embeddings.weight"},
    {"token_types.weight", "embeddings.token_type_embeddings.weight"},
    {"token_embd_norm.weight", "embeddings.LayerNorm.weight"},
    {"token_embd_norm.bias", "embeddings.LayerNorm.bias"},
    {"attn_q.weight", "encoder.layer.{n}.attention.self.query.weight"},
    {"attn_q.bias", "encoder.layer.{n}.attention.self.query.bias"},
    {"attn_k.weight", "encoder.layer.{n}.attention.self.key.weight"},
    {"attn_k.bias", "encoder.layer.{n}.attention.self.key.bias"},
    {"attn_v.weight", "encoder.layer.{n}.attention.self.value.weight"},
    {"attn_v.bias", "encoder.layer.{n}.attention.self.value.bias"},
    {"attn_output.weight", "encoder.layer.{n}.attention.output.dense.weight"},
    {"attn_output.bias", "encoder.layer.{n}.attention.output.dense.bias"},
    {"attn_norm.weight", "encoder.layer.{n}.attention.output.LayerNorm.weight"},
    {"attn_norm.bias", "encoder.layer.{n}.attention.output.LayerNorm.bias"},
    {"ffn_up.weight", "encoder.layer.{n}.intermediate.dense.weight"},
    {"ffn_up.bias", "encoder.layer.{n}.intermediate.dense.bias"},
    {"ffn_down.weight", "encoder.layer.{n}.output.dense.weight"},
    {"ffn_down.bias", "encoder.layer.{n}.output.dense.bias"},
    {"ffn_norm.weight", "encoder.layer.{n}.output.LayerNorm.weight"},
    {"ffn_norm.bias", "encoder.layer.{n}.output.LayerNorm.bias"},
};

}  // namespace

constexpr Architecture kBert = {.name = "bert",
                                .hf_classes = kClasses,
                                .required = kRoles,
                                .aliases = kAliases,
                                .learned_positions = true,
                                .encoder = true,
                                .configure = configure_bert,
                                .hf_names = kNames,
                                .hf_type = "bert",
                                .hf_prefix = "",
                                .hf_write = write_bert};

}  // namespace rival::model
