#include "hostile_files.h"

#include <fmt/format.h>

#include <limits>

#include "raw_gguf.h"

namespace rival::tests {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

// The tiny model after `edit`.
template <typename Edit>
std::string edited(const Edit& edit) {
  RawGguf model = tiny_model();
  edit(model);
  return model.encode();
}

// A value in front of all others, so that a file that ends inside it ends there.
std::string with_first_value(std::string value) {
  return edited([&](RawGguf& m) { m.keys.insert(m.keys.begin(), {"hostile.key", std::move(value)}); });
}

std::string with_last_value(std::string value) {
  return edited([&](RawGguf& m) { m.set("hostile.key", std::move(value)); });
}

template <typename Edit>
std::string with_tensor(const Edit& edit) {
  return edited([&](RawGguf& m) { edit(m.tensor("blk.0.ffn_up.weight")); });
}

std::string without_last_byte(std::string bytes) {
  bytes.pop_back();
  return bytes;
}

std::string types_value(uint64_t count, int type) {
  std::string items;
  for (uint64_t i = 0; i < count; ++i) items += raw(type);
  return array_value(5, count, items);
}

std::string scores_value(uint64_t count, float score) {
  std::string items;
  for (uint64_t i = 0; i < count; ++i) items += raw(score);
  return array_value(6, count, items);
}

std::string safetensors(std::string_view header, size_t data_bytes = 8) {
  return raw<uint64_t>(header.size()) + std::string(header) + std::string(data_bytes, '\0');
}

#define MAKE(...) +[] { return std::string(__VA_ARGS__); }
#define EDIT(...) +[] { return edited([](RawGguf& m) { __VA_ARGS__; }); }
#define TENSOR(...) +[] { return with_tensor([](RawGguf::Tensor& t) { __VA_ARGS__; }); }

constexpr auto kGguf = HostileKind::kGguf;
constexpr auto kModel = HostileKind::kModel;
constexpr auto kSafe = HostileKind::kSafetensors;

const HostileFile kFiles[] = {
    // ---- header
    {"empty file", kGguf, MAKE(""), "the file ends inside the header"},
    {"another format", kGguf, MAKE("PK\x03\x04 and so on, for long enough"),
     "it begins with 'PK\\x03\\x04', expected 'GGUF'"},
    {"version 0", kGguf, EDIT(m.version = 0), "GGUF version 0; versions 2 and 3 are read"},
    {"version 1", kGguf, EDIT(m.version = 1), "GGUF version 1; versions 2 and 3 are read"},
    {"version of the future", kGguf, EDIT(m.version = 4), "GGUF version 4; versions 2 and 3 are read"},
    {"big-endian", kGguf, EDIT(m.version = 0x03000000), "a big-endian GGUF file"},
    {"tensor count 2^31", kGguf, EDIT(m.tensor_count = 1ull << 31),
     "announces 2147483648 tensors; at most 131072"},
    {"tensor count 2^32", kGguf, EDIT(m.tensor_count = 1ull << 32), "announces 4294967296 tensors"},
    {"tensor count 2^63", kGguf, EDIT(m.tensor_count = 1ull << 63), "announces 9223372036854775808 tensors"},
    {"tensor count -1", kGguf, EDIT(m.tensor_count = kMax), "announces 18446744073709551615 tensors"},
    {"tensor count beyond the file", kGguf, EDIT(m.tensor_count = 100'000), "tensor 11"},
    {"key count 2^31", kGguf, EDIT(m.key_count = 1ull << 31),
     "announces 2147483648 metadata keys; at most 65536"},
    {"key count 2^63", kGguf, EDIT(m.key_count = 1ull << 63), "announces 9223372036854775808 metadata keys"},
    {"key count -1", kGguf, EDIT(m.key_count = kMax), "announces 18446744073709551615 metadata keys"},
    {"key count one too high", kGguf, EDIT(m.key_count = m.keys.size() + 1),
     "the name of tensor 0 has a length of"},

    // ---- metadata
    {"key of 65,536 bytes", kGguf, EDIT(m.keys[0].name = std::string(65'536, 'k')),
     "length of 65536 bytes; at most 65535"},
    {"key length 2^63", kGguf, EDIT(m.keys[0].name_length = 1ull << 63),
     "length of 9223372036854775808 bytes"},
    {"key beyond the file", kGguf, EDIT(m.data = ""; m.keys[0].name_length = 65'000),
     "the file ends inside the name of metadata key 0"},
    {"empty key", kGguf, EDIT(m.keys[0].name = ""), "metadata key 0 has an empty name"},
    {"key twice", kGguf, EDIT(m.keys.push_back(m.keys[0])),
     "metadata key 'general.architecture' occurs twice"},
    {"value type 13", kGguf, MAKE(with_last_value(raw(13u) + raw(0u))),
     "'hostile.key': type 13 is not known"},
    {"value type -1", kGguf, MAKE(with_last_value(raw(-1) + raw(0u))),
     "'hostile.key': type 4294967295 is not known"},
    {"bool 2", kGguf, MAKE(with_last_value(bool_value(2))), "'hostile.key': a bool is 2; expected 0 or 1"},
    {"bool 255 in an array", kGguf, MAKE(with_last_value(array_value(7, 2, "\x01\xff"))), "a bool is 255"},
    {"string length 2^31", kGguf, MAKE(with_last_value(raw(8u) + raw(uint64_t{1} << 31))),
     "length of 2147483648 bytes; at most 67108864"},
    {"string length 2^63", kGguf, MAKE(with_last_value(raw(8u) + raw(uint64_t{1} << 63))),
     "length of 9223372036854775808 bytes"},
    {"string length -1", kGguf, MAKE(with_last_value(raw(8u) + raw(kMax))),
     "length of 18446744073709551615 bytes"},
    {"string beyond the file", kGguf, MAKE(with_first_value(raw(8u) + raw(uint64_t{60} << 20))),
     "the file ends inside metadata 'hostile.key'"},
    {"array count 2^32", kGguf, MAKE(with_last_value(array_value(4, 1ull << 32, ""))),
     "'hostile.key' has 4294967296 items; at most 67108864"},
    {"array size wraps", kGguf, MAKE(with_last_value(array_value(10, (1ull << 61) + 1, "12345678"))),
     "has 2305843009213693953 items"},
    {"array count -1", kGguf, MAKE(with_last_value(array_value(0, kMax, ""))),
     "has 18446744073709551615 items"},
    {"array beyond the file", kGguf, MAKE(with_first_value(array_value(12, 60'000'000, ""))),
     "480000000 bytes needed"},
    {"strings beyond the file", kGguf,
     EDIT(m.tensors.clear(); m.data = ""; m.set("hostile.key", array_value(8, 60'000'000, raw_text("a")))),
     "the file ends inside metadata 'hostile.key', item"},
    {"string of an array 2^63", kGguf,
     MAKE(with_last_value(array_value(8, 2, raw_text("a") + raw(uint64_t{1} << 63)))),
     "item 1 has a length of 9223372036854775808"},
    {"array item type 13", kGguf, MAKE(with_last_value(array_value(13, 1, "a"))),
     "item type 13 is not known"},
    {"nested array", kGguf, MAKE(with_last_value(array_value(9, 1, raw(4u) + raw(uint64_t{0})))),
     "'hostile.key' is an array of arrays"},

    // ---- alignment
    {"alignment 0", kGguf, EDIT(m.set("general.alignment", u32_value(0))),
     "'general.alignment' is 0; expected a power of two from 8"},
    {"alignment 1", kGguf, EDIT(m.set("general.alignment", u32_value(1))),
     "'general.alignment' is 1; expected"},
    {"alignment 3", kGguf, EDIT(m.set("general.alignment", u32_value(3))),
     "'general.alignment' is 3; expected"},
    {"alignment 2^31", kGguf, EDIT(m.set("general.alignment", u32_value(1u << 31))),
     "'general.alignment' is 2147483648; expected"},
    {"alignment -32", kGguf, EDIT(m.set("general.alignment", i32_value(-32))),
     "'general.alignment' is -32; expected"},
    {"alignment as text", kGguf, EDIT(m.set("general.alignment", text_value("32"))),
     "'general.alignment' is of type string; expected an integer"},

    // ---- tensors
    {"tensor without a name", kGguf, EDIT(m.tensors[0].name = ""), "tensor 0 has an empty name"},
    {"tensor name of 513 bytes", kGguf, EDIT(m.tensors[0].name = std::string(513, 'n')),
     "the name of tensor 0 has a length of 513 bytes"},
    {"tensor name twice", kGguf, EDIT(m.tensors[1] = m.tensors[0]),
     "tensor 'token_embd.weight' occurs twice"},
    {"control bytes in a name", kGguf, EDIT(m.tensors[1].name = "a\x1b[2J\n"; m.tensors[1].type = 99),
     "tensor 'a\\x1b[2J\\x0a' has type 99"},
    {"no such tensor type", kGguf, TENSOR(t.type = 99), "'blk.0.ffn_up.weight' has type 99 (unknown)"},
    {"tensor type that is not read", kGguf, TENSOR(t.type = 16),
     "has type 16 (IQ2_XXS), which Rival does not read"},
    {"tensor type 2^31", kGguf, TENSOR(t.type = 1u << 31), "has type 2147483648"},
    {"five dimensions", kGguf, TENSOR(t.dims_count = 5), "has 5 dimensions; at most 4"},
    {"2^32 - 1 dimensions", kGguf, TENSOR(t.dims_count = ~0u), "has 4294967295 dimensions"},
    {"zero dimension", kGguf, TENSOR(t.dims = {32, 0}), "dimension 1 is 0"},
    {"zero row", kGguf, TENSOR(t.dims = {0, 64}), "dimension 0 is 0"},
    {"negative dimension", kGguf, TENSOR(t.dims = {32, kMax}), "dimension 1 is 18446744073709551615"},
    {"dimensions wrap to 0", kGguf, TENSOR(t.dims = {1ull << 32, 1ull << 32}), "dimension 1 is 4294967296"},
    {"dimensions wrap to 2048", kGguf, TENSOR(t.dims = {1ull << 33, 1ull << 31, 32, 64}),
     "more than 1099511627776 elements"},
    {"exabyte", kGguf, TENSOR(t.dims = {1ull << 58}), "dimension 0 is 288230376151711744"},
    {"row not whole blocks", kGguf, TENSOR(t.dims = {48, 32}; t.type = 2),
     "dimension 0 is 48; Q4_0 needs a multiple of 32"},
    {"row not whole super-blocks", kGguf, TENSOR(t.type = 12),
     "dimension 0 is 32; Q4_K needs a multiple of 256"},
    {"offset not aligned", kGguf, TENSOR(t.offset += 4), "expected a multiple of 32"},
    {"offset beyond the file", kGguf, TENSOR(t.offset = 1ull << 40),
     "at offset 1099511627776 of the data, but the file has only"},
    {"offset plus size wraps", kGguf, TENSOR(t.offset = kMax - 31),
     "at offset 18446744073709551584 of the data"},
    {"size beyond the file", kGguf, TENSOR(t.dims = {32, 1u << 20}), "takes 134217728 bytes"},
    {"data missing", kGguf, EDIT(m.data = ""), "but the file has only 0 there"},
    {"last byte missing", kGguf, MAKE(without_last_byte(tiny_model().encode())),
     "tensor 'blk.0.ffn_down.weight' takes 8192 bytes"},
    {"tensors overlap", kGguf, TENSOR(t.offset -= 32),
     "tensors 'blk.0.ffn_gate.weight' and 'blk.0.ffn_up.weight' overlap"},
    {"tensors in one place", kGguf, EDIT(m.tensors[1].offset = 0), "overlap at offset 0"},

    // ---- shards
    {"shard count over the limit", kGguf, EDIT(m.set("split.count", u32_value(65'535))),
     "'split.count' is 65535; at most 4096"},
    {"shard number over the count", kGguf,
     EDIT(m.set("split.count", u32_value(2)); m.set("split.no", u32_value(2))),
     "'split.no' is 2; expected less than split.count = 2"},
    {"shard of a set that is not there", kGguf, EDIT(m.set("split.count", u32_value(2))),
     "does not end in -00001-of-00002.gguf"},
    {"shard count as text", kGguf, EDIT(m.set("split.count", text_value("2"))),
     "'split.count' is of type string"},

    // ---- hyper-parameters
    {"no architecture", kModel, EDIT(m.erase("general.architecture")),
     "metadata 'general.architecture' is missing"},
    {"architecture as a number", kModel, EDIT(m.set("general.architecture", u32_value(1))),
     "metadata 'general.architecture' is of type u32; expected string"},
    {"unknown architecture", kModel, EDIT(m.set("general.architecture", text_value("\x1b[31mevil"))),
     "general.architecture is '\\x1b[31mevil'; known are"},
    {"no layers", kModel, EDIT(m.set("llama.block_count", u32_value(0))),
     "llama.block_count is 0, expected a number from 1 to 1024"},
    {"layers 2^31", kModel, EDIT(m.set("llama.block_count", u32_value(1u << 31))),
     "llama.block_count is 2147483648, expected a number from 1 to 1024"},
    {"layers as text", kModel, EDIT(m.set("llama.block_count", text_value("1"))),
     "llama.block_count is '1', expected a number from 1 to 1024"},
    {"more layers than tensors", kModel, EDIT(m.set("llama.block_count", u32_value(2))),
     "tensor 'blk.1.attn_norm.weight' is missing; a model of architecture 'llama' has it"},
    {"fewer layers than tensors", kModel,
     EDIT(m.set("llama.block_count", u32_value(1)); m.add_tensor("blk.1.attn_norm.weight", {32})),
     "tensor 'blk.1.attn_norm.weight' is not one that architecture 'llama' has"},
    {"width 0", kModel, EDIT(m.set("llama.embedding_length", u32_value(0))),
     "llama.embedding_length is 0, expected a number from 1 to 131072"},
    {"width 2^31", kModel, EDIT(m.set("llama.embedding_length", u32_value(1u << 31))),
     "llama.embedding_length is 2147483648, expected a number from 1 to 131072"},
    {"width negative", kModel, EDIT(m.set("llama.embedding_length", i32_value(-32))),
     "llama.embedding_length is -32, expected a number from 1 to 131072"},
    {"context 0", kModel, EDIT(m.set("llama.context_length", u32_value(0))),
     "llama.context_length is 0, expected a number from 1 to 16777216"},
    {"context 2^32 - 1", kModel, EDIT(m.set("llama.context_length", u32_value(~0u))),
     "llama.context_length is 4294967295, expected a number from 1 to 16777216"},
    {"heads 0", kModel, EDIT(m.set("llama.attention.head_count", u32_value(0))),
     "llama.attention.head_count is 0, expected a number from 1 to 4096"},
    {"heads that do not divide", kModel, EDIT(m.set("llama.attention.head_count", u32_value(3))),
     "llama.attention.head_count is 3, which does not divide llama.embedding_length = 32"},
    {"key heads 0", kModel, EDIT(m.set("llama.attention.head_count_kv", u32_value(0))),
     "llama.attention.head_count_kv is 0, expected a number from 1 to 4096"},
    {"key heads that do not divide", kModel,
     EDIT(m.set("llama.attention.head_count", u32_value(4));
          m.set("llama.attention.head_count_kv", u32_value(3))),
     "llama.attention.head_count_kv is 3, which does not divide llama.attention.head_count = 4"},
    {"heads of another number of layers", kModel,
     EDIT(m.set("llama.attention.head_count", array_value(4, 2, raw(2u) + raw(2u)))),
     "llama.attention.head_count has 2 items, expected one for each of the 1 layers"},
    {"heads of 4,096 dimensions", kModel, EDIT(m.set("llama.attention.key_length", u32_value(4096))),
     "llama.attention.key_length is 4096, expected a number from 1 to 1024"},
    {"RoPE over an odd number", kModel, EDIT(m.set("llama.rope.dimension_count", u32_value(15))),
     "llama.rope.dimension_count is 15, expected an even number"},
    {"RoPE over more than the head", kModel, EDIT(m.set("llama.rope.dimension_count", u32_value(32))),
     "llama.rope.dimension_count is 32, expected a number from 0 to 16"},
    {"RoPE base NaN", kModel,
     EDIT(m.set("llama.rope.freq_base", f32_value(std::numeric_limits<float>::quiet_NaN()))),
     "llama.rope.freq_base is f32, expected a finite number"},
    {"RoPE base 0", kModel, EDIT(m.set("llama.rope.freq_base", f32_value(0.0f))),
     "llama.rope.freq_base is 0, expected a positive number"},
    {"unknown RoPE scaling", kModel, EDIT(m.set("llama.rope.scaling.type", text_value("spiral"))),
     "llama.rope.scaling.type is 'spiral'; known are none, linear, llama3, yarn and longrope"},
    {"epsilon infinite", kModel,
     EDIT(m.set("llama.attention.layer_norm_rms_epsilon", f32_value(std::numeric_limits<float>::infinity()))),
     "llama.attention.layer_norm_rms_epsilon is f32, expected a finite number"},
    {"epsilon negative", kModel, EDIT(m.set("llama.attention.layer_norm_rms_epsilon", f32_value(-1.0f))),
     "llama.attention.layer_norm_rms_epsilon is -1, expected a number from 0 to 1"},
    {"epsilon missing", kModel, EDIT(m.erase("llama.attention.layer_norm_rms_epsilon")),
     "llama.attention.layer_norm_rms_epsilon is missing"},
    {"block of width 0", kModel, EDIT(m.set("llama.feed_forward_length", u32_value(0))),
     "feed_forward_length is missing or 0, expected the width of the block"},
    {"experts 2^31", kModel, EDIT(m.set("llama.expert_count", u32_value(1u << 31))),
     "llama.expert_count is 2147483648, expected a number from 1 to 4096"},
    {"more experts used than there are", kModel,
     EDIT(m.set("llama.expert_count", u32_value(4)); m.set("llama.expert_used_count", u32_value(5))),
     "llama.expert_used_count is 5, expected a number from 1 to 4"},
    {"tensor missing", kModel, EDIT(m.tensor("blk.0.attn_k.weight").name = "blk.0.attn_kk.weight"),
     "tensor 'blk.0.attn_k.weight' is missing; a model of architecture 'llama' has it"},
    {"tensor of another shape", kModel, EDIT(m.tensor("blk.0.ffn_up.weight").dims = {64, 32}),
     "tensor 'blk.0.ffn_up.weight' is 32 x 64, expected 64 x 32 by the model's hyper-parameters"},
    {"tensor that no model has", kModel, EDIT(m.add_tensor("blk.0.backdoor.weight", {32})),
     "tensor 'blk.0.backdoor.weight' is not one that architecture 'llama' has"},
    {"tensor of whole numbers", kModel, EDIT(m.tensor("blk.0.attn_norm.weight").type = 26),
     "tensor 'blk.0.attn_norm.weight' has type I32, which holds no weights"},

    // ---- tokenizer and template
    {"unknown tokenizer", kModel, EDIT(m.set("tokenizer.ggml.model", text_value("abacus"))),
     "tokenizer.ggml.model is 'abacus'; known are llama, gpt2, bert, t5 and gemma4"},
    {"no tokens", kModel, EDIT(m.set("tokenizer.ggml.tokens", array_value(8, 0, ""))),
     "tokenizer.ggml.tokens has 0 items, expected 1 to 4194304"},
    {"tokens as numbers", kModel, EDIT(m.set("tokenizer.ggml.tokens", array_value(4, 1, raw(1u)))),
     "metadata 'tokenizer.ggml.tokens' is of type array of u32; expected array of string"},
    {"more tokens than rows", kModel, EDIT(m.set_vocabulary({"a", "b", "c", "d"})),
     "tokenizer.ggml.tokens has 263 items, but token_embd.weight 262 rows"},
    {"fewer scores than tokens", kModel, EDIT(m.set("tokenizer.ggml.scores", array_value(6, 1, raw(0.0f)))),
     "tokenizer.ggml.scores has 1 items, expected 262 as tokenizer.ggml.tokens has"},
    {"fewer types than tokens", kModel, EDIT(m.set("tokenizer.ggml.token_type", array_value(5, 1, raw(1)))),
     "tokenizer.ggml.token_type has 1 items, expected 262 as tokenizer.ggml.tokens has"},
    {"token of 1 MB", kModel, EDIT(m.set_vocabulary({std::string(1 << 20, 'a')})),
     "token 259 has 1048576 bytes, expected at most 65536"},
    {"token type 7", kModel,
     EDIT(m.set_vocabulary({}); m.set("tokenizer.ggml.token_type", types_value(259, 7))),
     "tokenizer.ggml.token_type is 7 for token 0, expected 1 to 6"},
    {"first token out of range", kModel, EDIT(m.set("tokenizer.ggml.bos_token_id", u32_value(262))),
     "tokenizer.ggml.bos_token_id is 262, expected an id from 0 to 261"},
    {"last token negative", kModel, EDIT(m.set("tokenizer.ggml.eos_token_id", i32_value(-2))),
     "tokenizer.ggml.eos_token_id is -2, expected an id from 0 to 261"},
    {"last token 2^31", kModel, EDIT(m.set("tokenizer.ggml.eos_token_id", u32_value(1u << 31))),
     "tokenizer.ggml.eos_token_id is 2147483648, expected an id from 0 to 261"},
    {"byte token of -1", kModel, EDIT(m.set_vocabulary({"<0x-1>"}, 6)),
     "byte token 259 is spelled '<0x-1>', expected <0x00> to <0xFF>"},
    {"scores NaN", kModel,
     EDIT(m.set_vocabulary({});
          m.set("tokenizer.ggml.scores", scores_value(259, std::numeric_limits<float>::quiet_NaN()))),
     "score of token 0 is not a number"},
    {"template of 5 MB", kModel,
     EDIT(m.set("tokenizer.chat_template", text_value(std::string(5 << 20, 'a')))),
     "tokenizer.chat_template has 5242880 bytes; at most 4194304 are read"},
    {"template as a number", kModel, EDIT(m.set("tokenizer.chat_template", u32_value(1))),
     "metadata 'tokenizer.chat_template' is of type u32; expected string"},

    // ---- safetensors
    {"empty file", kSafe, MAKE(""), "the file ends inside the header's length"},
    {"header length 2^63", kSafe, MAKE(raw(uint64_t{1} << 63) + "{}"),
     "length of 9223372036854775808 bytes; at most 104857600"},
    {"header beyond the file", kSafe, MAKE(raw(uint64_t{3}) + "{}"),
     "the file ends inside the header: 3 bytes needed"},
    {"header is no JSON", kSafe, MAKE(safetensors("nothing")), "the header: JSON is broken at byte"},
    {"header is no object", kSafe, MAKE(safetensors("[1]")), "the header is not a JSON object"},
    {"header nested deeply", kSafe, MAKE(safetensors("{\"a\":" + std::string(100'000, '['))),
     "JSON is broken"},
    {"name twice", kSafe,
     MAKE(safetensors(
         R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})")),
     "a tensor name occurs twice"},
    {"empty name", kSafe, MAKE(safetensors(R"({"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})")),
     "a name of 0 bytes"},
    {"entry is no object", kSafe, MAKE(safetensors(R"({"a":[1]})")),
     "tensor 'a': the entry is missing or wrong; expected an object"},
    {"metadata not text", kSafe, MAKE(safetensors(R"({"__metadata__":{"a":1}})")),
     "'__metadata__': 'a' is not a string"},
    {"dtype missing", kSafe, MAKE(safetensors(R"({"a":{"shape":[2],"data_offsets":[0,8]}})")),
     "tensor 'a': dtype is missing"},
    {"no such dtype", kSafe, MAKE(safetensors(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})")),
     "dtype 'F31' is not known"},
    {"dtype that is not read", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})")),
     "'a' has type F8_E4M3, which Rival does not read"},
    {"negative dimension", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})")),
     "shape is missing or wrong"},
    {"fraction as dimension", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})")),
     "shape is missing or wrong"},
    {"dimensions wrap", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})")),
     "more than 1099511627776 elements"},
    {"five dimensions", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[1,1,1,1,2],"data_offsets":[0,8]}})")),
     "has 5 dimensions; at most 4"},
    {"offsets end before they begin", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})")),
     "data_offsets are 8 to 0"},
    {"offsets beyond the file", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})")),
     "data_offsets are 0 to 16; the file has 8 bytes of data"},
    {"offset 2^64 - 1", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}})")),
     "data_offsets are 0 to 18446744073709551615"},
    {"one offset", kSafe, MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})")),
     "expected two whole numbers"},
    {"size is not the shape's", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})")),
     "span 8 bytes; its shape and dtype need 12"},
    {"tensors overlap", kSafe,
     MAKE(safetensors(
         R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})")),
     "expected 8, without an overlap"},
    {"gap before a tensor", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})")),
     "expected 0, without a gap"},
    {"data that no tensor owns", kSafe,
     MAKE(safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})")),
     "the tensors cover 4 bytes of data; the file has 8"},
};

}  // namespace

std::span<const HostileFile> hostile_files() { return kFiles; }

}  // namespace rival::tests
