"""A whole Hugging Face folder of a few kilobytes: a Llama of one layer with random weights, a byte-level vocabulary and
a chat template. What it says is nonsense, but it says something.
"""
import json
import random
import struct

WIDTH, HIDDEN, HEADS = 32, 64, 2


def byte_alphabet():
    """GPT-2's letters for the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(other)) for b in range(256)]


def tokenizer(more=()):
    specials = ["<|im_start|>", "<|im_end|>", *more]
    vocabulary = {letter: i for i, letter in enumerate(byte_alphabet())}
    added = [{"id": 256 + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, text in enumerate(specials)]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"version": "1.0", "added_tokens": added, "normalizer": None, "pre_tokenizer": level, "post_processor": None,
            "decoder": level, "model": {"type": "BPE", "vocab": vocabulary | {t: 256 + i for i, t in enumerate(specials)},
                                        "merges": []}}


def safetensors(shapes):
    rng = random.Random(7)
    header, data = {}, b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = [1.0] * count if "norm" in name else [rng.uniform(-0.3, 0.3) for _ in range(count)]
        packed = struct.pack("<%df" % count, *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def files(more=()):
    """Contents by file name. `more`: special tokens that the vocabulary has beside those of the template."""
    size = 258 + len(more)
    layer = "model.layers.0."
    shapes = {"model.embed_tokens.weight": [size, WIDTH], "model.norm.weight": [WIDTH],
              layer + "input_layernorm.weight": [WIDTH], layer + "post_attention_layernorm.weight": [WIDTH],
              layer + "mlp.gate_proj.weight": [HIDDEN, WIDTH], layer + "mlp.up_proj.weight": [HIDDEN, WIDTH],
              layer + "mlp.down_proj.weight": [WIDTH, HIDDEN]}
    shapes |= {layer + "self_attn.%s_proj.weight" % x: [WIDTH, WIDTH] for x in "qkvo"}
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": size, "hidden_size": WIDTH,
              "intermediate_size": HIDDEN, "num_hidden_layers": 1, "num_attention_heads": HEADS,
              "num_key_value_heads": HEADS, "max_position_embeddings": 256, "hidden_act": "silu", "rms_norm_eps": 1e-5,
              "rope_theta": 10000.0, "tie_word_embeddings": True}
    template = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
                "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
    described = {"config.json": config, "tokenizer.json": tokenizer(more),
                 "tokenizer_config.json": {"eos_token": "<|im_end|>", "chat_template": template},
                 "generation_config.json": {"eos_token_id": [257], "temperature": 0.7, "top_k": 5}}
    return {name: json.dumps(value).encode() for name, value in described.items()} | {"model.safetensors": safetensors(shapes)}
