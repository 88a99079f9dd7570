#include "raw_gguf.h"

#include <fmt/format.h>

#include <algorithm>

namespace rival::tests {

void RawGguf::set(std::string_view key, std::string value) {
  const auto place = std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == key; });
  if (place != keys.end())
    place->value = std::move(value);
  else
    keys.push_back({std::string(key), std::move(value)});
}

void RawGguf::erase(std::string_view key) {
  std::erase_if(keys, [&](const Key& k) { return k.name == key; });
}

RawGguf::Tensor& RawGguf::tensor(std::string_view name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
}

void RawGguf::add_tensor(std::string_view name, std::vector<uint64_t> dims) {
  uint64_t count = 1;
  for (const uint64_t dim : dims) count *= dim;
  tensors.push_back({std::string(name), std::move(dims), 0, data.size()});
  for (uint64_t i = 0; i < count; ++i)
    data += raw(static_cast<float>(static_cast<int>((i * 37 + tensors.size() * 11) % 101) - 50) / 200.0f);
  data.resize((data.size() + 31) / 32 * 32);
}

void RawGguf::set_vocabulary(const std::vector<std::string>& tokens, int type) {
  std::string texts = raw_text("<unk>") + raw_text("<s>") + raw_text("</s>");
  std::string types = raw(2) + raw(3) + raw(3);
  for (int byte = 0; byte < 256; ++byte) {
    texts += raw_text(fmt::format("<0x{:02X}>", byte));
    types += raw(6);
  }
  for (const std::string& token : tokens) {
    texts += raw_text(token);
    types += raw(type);
  }
  const uint64_t count = 259 + tokens.size();
  std::string scores;
  for (uint64_t i = 0; i < count; ++i) scores += raw(-static_cast<float>(i));
  set("tokenizer.ggml.tokens", array_value(8, count, texts));
  set("tokenizer.ggml.scores", array_value(6, count, scores));
  set("tokenizer.ggml.token_type", array_value(5, count, types));
}

std::string RawGguf::encode() const {
  std::string out = "GGUF" + raw(version) + raw<uint64_t>(tensor_count.value_or(tensors.size())) +
                    raw<uint64_t>(key_count.value_or(keys.size()));
  for (const Key& key : keys)
    out += raw<uint64_t>(key.name_length.value_or(key.name.size())) + key.name + key.value;
  for (const Tensor& tensor : tensors) {
    out += raw_text(tensor.name) + raw(tensor.dims_count.value_or(static_cast<uint32_t>(tensor.dims.size())));
    for (const uint64_t dim : tensor.dims) out += raw(dim);
    out += raw(tensor.type) + raw(tensor.offset);
  }
  out.resize((out.size() + 31) / 32 * 32);
  return out + data;
}

RawGguf tiny_model() {
  RawGguf model;
  model.set("general.architecture", text_value("llama"));
  model.set("general.name", text_value("tiny"));
  model.set("llama.context_length", u32_value(64));
  model.set("llama.embedding_length", u32_value(32));
  model.set("llama.block_count", u32_value(1));
  model.set("llama.feed_forward_length", u32_value(64));
  model.set("llama.attention.head_count", u32_value(2));
  model.set("llama.attention.head_count_kv", u32_value(1));
  model.set("llama.attention.layer_norm_rms_epsilon", f32_value(1e-5f));
  model.set("llama.rope.dimension_count", u32_value(16));
  model.set("tokenizer.ggml.model", text_value("llama"));
  model.set_vocabulary({"\xe2\x96\x81", "\xe2\x96\x81the", "a"});
  model.set("tokenizer.ggml.bos_token_id", u32_value(1));
  model.set("tokenizer.ggml.eos_token_id", u32_value(2));
  model.set("tokenizer.ggml.add_bos_token", bool_value(1));
  model.set("tokenizer.chat_template", text_value("{% for m in messages %}{{ m.content }}{% endfor %}"));
  model.add_tensor("token_embd.weight", {32, 262});
  model.add_tensor("output_norm.weight", {32});
  model.add_tensor("blk.0.attn_norm.weight", {32});
  model.add_tensor("blk.0.attn_q.weight", {32, 32});
  model.add_tensor("blk.0.attn_k.weight", {32, 16});
  model.add_tensor("blk.0.attn_v.weight", {32, 16});
  model.add_tensor("blk.0.attn_output.weight", {32, 32});
  model.add_tensor("blk.0.ffn_norm.weight", {32});
  model.add_tensor("blk.0.ffn_gate.weight", {32, 64});
  model.add_tensor("blk.0.ffn_up.weight", {32, 64});
  model.add_tensor("blk.0.ffn_down.weight", {64, 32});
  return model;
}

std::string tiny_hf_config() {
  return R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 64,
             "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
             "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "vocab_size": 262})";
}

}  // namespace rival::tests
