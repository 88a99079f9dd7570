// A model on disk, opened and checked but not yet packed: its configuration, its weights by role, its
// vocabulary and chat template. The decoder (decoder.h) packs the weights into the form that it computes
// with.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "model/config.h"
#include "model/sampling_defaults.h"
#include "tensor/tensor.h"
#include "text/tokenizer.h"

namespace rival::model {

// A bias, norm gain or other vector, already float.
using Vector = std::vector<float>;

// Weights of one layer by role; a role that the architecture lacks has rows == 0 or is empty. Shapes as
// [out, in]; D = d_model, Hq/Hkv = query and key/value heads, K/V = head dims, F = feed-forward width, E =
// experts.
struct LayerSource {
  Vector attn_norm, attn_norm_bias;  // [D], before attention (BERT: after it)
  MatrixView q, k, v;                // [Hq*K, D], [Hkv*K, D], [Hkv*V, D]; a fused qkv is split into views
  Vector q_bias, k_bias, v_bias;
  Vector q_norm, k_norm;  // [K], RMS per head before RoPE; or [Hq*K], [Hkv*K], over all heads
  Vector sinks;           // [Hq], gpt-oss
  MatrixView o;           // [D, Hq*V]
  Vector o_bias;
  Vector attn_post_norm, attn_post_norm_bias;  // [D], on the block's output before the residual is added

  Vector ffn_norm, ffn_norm_bias;  // [D]
  MatrixView gate, up, down;       // [F, D], [F, D], [D, F]; gate absent in an ungated block
  Vector gate_bias, up_bias, down_bias;
  Vector dense_gate;  // [D], Qwen 2 MoE: the block beside the experts counts sigmoid(dense_gate . input)
  Vector ffn_post_norm, ffn_post_norm_bias;  // [D], on the block's (with experts: the sum's) output

  MatrixView router;  // [E, D]
  Vector router_bias;
  std::vector<MatrixView> expert_gate, expert_up, expert_down;             // E of each; gate may be absent
  std::vector<Vector> expert_gate_bias, expert_up_bias, expert_down_bias;  // E of each, or none
};

struct ModelSource {
  ModelConfig config;
  MatrixView token_embedding;                  // [V, D]
  MatrixView position_embedding;               // [context, D], GPT-2 and BERT
  MatrixView type_embedding;                   // [types, D], BERT
  Vector embedding_norm, embedding_norm_bias;  // BERT
  std::vector<LayerSource> layers;
  Vector output_norm, output_norm_bias;
  MatrixView output;    // [V, D]; rows == 0: tied to token_embedding
  Vector rope_factors;  // [rope_dim/2] divisors of the frequencies (Llama 3 GGUF, Phi-3), or empty
  Vector rope_factors_long;  // those for contexts beyond config.context_length (Phi-3), or empty

  std::optional<text::Tokenizer> tokenizer;      // absent if the file has none (a test's random weights)
  std::string chat_template;                     // empty if the file has none
  std::string bos_text, eos_text;                // as the template's bos_token and eos_token
  std::vector<text::TokenId> end_of_generation;  // every id at which an answer ends, ascending

  SamplingDefaults sampling;                     // empty where the files do not say

  // The mapped files that the views point into. Packing releases their pages as it goes.
  std::vector<std::shared_ptr<const MappedFile>> files;
  // Weights that could not be used as they lie (MXFP4 of Hugging Face folders); the views point into them
  // too.
  std::vector<std::shared_ptr<const std::vector<std::byte>>> buffers;
  uint64_t bytes = 0;        // of all weights on disk
  std::string weights_type;  // "Q4_1", "Q4_K_M", ...: for people
};

// Opens a GGUF file (or any shard of a split one), or a Hugging Face folder with config.json and safetensors.
// Every shape is checked against the configuration: an error names the tensor, what was found and what was
// expected.
Result<ModelSource> open_model(const std::filesystem::path& path);

// Makes the model ready for `context` positions: beyond config.context_length it takes its second list of RoPE divisors,
// if it has one, for texts of every length, as other programs do; config.context_length then is context_length_long.
void choose_context(ModelSource& source, uint32_t context);

// Only what has to do with text: tokenizer, chat_template, bos_text, eos_text, end_of_generation, files. Also
// from a GGUF file that holds nothing but a vocabulary, from a folder without weights, and from a
// tokenizer.json.
Result<ModelSource> open_texts(const std::filesystem::path& path);

}  // namespace rival::model
