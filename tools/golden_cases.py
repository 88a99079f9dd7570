"""The cases of golden_models.py: one configuration a row, small and with odd sizes on purpose."""
import dataclasses
from typing import Any

import numpy as np
import transformers as hf


@dataclasses.dataclass
class Case:
    name: str
    config: Any                # a transformers configuration, or the dictionary of a reference in this folder
    model: str = "AutoModelForCausalLM"
    length: int = 24           # ids
    reference: str = "transformers"
    embedding: bool = False
    mxfp4: bool = False        # experts as MXFP4 blocks
    gemma: bool = False        # norms are stored less one

    def model_class(self):
        return getattr(hf, self.model)


SMALL = dict(vocab_size=97, hidden_size=64, intermediate_size=88, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-5, pad_token_id=0, bos_token_id=1,
             eos_token_id=2)


def small(**changes):
    return {**SMALL, **changes}


def rope(kind, theta=10000.0, **rest):
    return {"rope_type": kind, "rope_theta": theta, **rest}


LLAMA3 = rope("llama3", 5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
LONGROPE = rope("longrope", short_factor=[1.0, 1.02, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5], original_max_position_embeddings=16,
                long_factor=[1.1, 1.3, 1.9, 2.6, 3.2, 3.7, 4.0, 4.1])
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=16)


def llama_cases():
    yield Case("llama", hf.LlamaConfig(**small()), model="LlamaForCausalLM")
    yield Case("llama_tied_biases", model="LlamaForCausalLM",
               config=hf.LlamaConfig(**small(tie_word_embeddings=True, attention_bias=True, mlp_bias=True,
                                             hidden_size=60, num_attention_heads=5, num_key_value_heads=1)))
    yield Case("llama_head_dim", hf.LlamaConfig(**small(head_dim=24)), model="LlamaForCausalLM")
    yield Case("llama_linear", hf.LlamaConfig(**small(rope_parameters=rope("linear", factor=2.5))),
               model="LlamaForCausalLM")
    yield Case("llama_llama3", hf.LlamaConfig(**small(rope_parameters=LLAMA3)), model="LlamaForCausalLM")
    yield Case("llama_yarn", hf.LlamaConfig(**small(rope_parameters=YARN)), model="LlamaForCausalLM")
    yield Case("mistral_window", hf.MistralConfig(**small(sliding_window=7)), model="MistralForCausalLM", length=40)
    yield Case("mixtral", model="MixtralForCausalLM",
               config=hf.MixtralConfig(**small(num_local_experts=5, num_experts_per_tok=2, sliding_window=None)))
    yield Case("smollm3", model="SmolLM3ForCausalLM",
               config=hf.SmolLM3Config(**small(num_hidden_layers=5, tie_word_embeddings=True)))
    yield Case("granite", model="GraniteForCausalLM",
               config=hf.GraniteConfig(**small(embedding_multiplier=6.0, logits_scaling=2.5, residual_multiplier=0.4,
                                               attention_multiplier=0.11)))


def qwen_cases():
    yield Case("qwen2", hf.Qwen2Config(**small(tie_word_embeddings=True)), model="Qwen2ForCausalLM")
    yield Case("qwen2_window", model="Qwen2ForCausalLM", length=40,
               config=hf.Qwen2Config(**small(use_sliding_window=True, sliding_window=9, max_window_layers=1)))
    yield Case("qwen2moe", model="Qwen2MoeForCausalLM",
               config=hf.Qwen2MoeConfig(**small(num_experts=5, num_experts_per_tok=2, moe_intermediate_size=40,
                                                shared_expert_intermediate_size=56)))
    yield Case("qwen3", hf.Qwen3Config(**small(head_dim=24)), model="Qwen3ForCausalLM")
    yield Case("qwen3moe", model="Qwen3MoeForCausalLM",
               config=hf.Qwen3MoeConfig(**small(head_dim=16, num_experts=7, num_experts_per_tok=3,
                                                moe_intermediate_size=40, norm_topk_prob=True)))
    yield Case("qwen3moe_unnormalised", model="Qwen3MoeForCausalLM",
               config=hf.Qwen3MoeConfig(**small(head_dim=16, num_experts=4, num_experts_per_tok=2,
                                                moe_intermediate_size=40, norm_topk_prob=False, mlp_only_layers=[1])))


def olmo_cases():
    yield Case("olmo2", hf.Olmo2Config(**small()), model="Olmo2ForCausalLM")
    yield Case("olmo3", model="Olmo3ForCausalLM", length=40,
               config=hf.Olmo3Config(**small(sliding_window=7, rope_parameters={
                   "full_attention": YARN, "sliding_attention": rope("default")}, layer_types=[
                   "sliding_attention", "full_attention", "sliding_attention"])))


def gemma_cases():
    yield Case("gemma", hf.GemmaConfig(**small(head_dim=20)), model="GemmaForCausalLM", gemma=True)
    yield Case("gemma2", model="Gemma2ForCausalLM", gemma=True, length=40,
               config=hf.Gemma2Config(**small(head_dim=16, sliding_window=7, query_pre_attn_scalar=20,
                                              attn_logit_softcapping=5.0, final_logit_softcapping=8.0)))
    yield Case("gemma2_uncapped", model="Gemma2ForCausalLM", gemma=True,
               config=hf.Gemma2Config(**small(head_dim=16, sliding_window=7, attn_logit_softcapping=None,
                                              final_logit_softcapping=None)))
    yield Case("gemma3", model="Gemma3ForCausalLM", gemma=True, length=40,
               config=hf.Gemma3TextConfig(**small(num_hidden_layers=7, head_dim=16, sliding_window=7,
                                                  query_pre_attn_scalar=20)))
    yield Case("gemma3_linear", model="Gemma3ForCausalLM", gemma=True, length=40,
               config=hf.Gemma3TextConfig(**small(
                   num_hidden_layers=3, head_dim=16, sliding_window=5,
                   layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                   rope_parameters={"sliding_attention": rope("default", 5000.0),
                                    "full_attention": rope("linear", 1e6, factor=8.0)})))


def other_cases():
    yield Case("gpt2", model="GPT2LMHeadModel",
               config=hf.GPT2Config(vocab_size=97, n_positions=64, n_embd=60, n_layer=3, n_head=5, n_inner=100))
    yield Case("starcoder2", hf.Starcoder2Config(**small(sliding_window=6)), model="Starcoder2ForCausalLM", length=40)
    yield Case("phi3", hf.Phi3Config(**small(sliding_window=9)), model="Phi3ForCausalLM", length=40)
    for name, length in (("phi3_longrope_short", 15), ("phi3_longrope_long", 40)):
        yield Case(name, hf.Phi3Config(**small(max_position_embeddings=64, original_max_position_embeddings=16,
                                               rope_parameters=LONGROPE)), model="Phi3ForCausalLM", length=length)
    yield Case("gpt_oss", gpt_oss(), model="GptOssForCausalLM", length=40)
    yield Case("gpt_oss_mxfp4", gpt_oss(hidden_size=64, intermediate_size=96), model="GptOssForCausalLM", mxfp4=True)
    yield Case("bert", model="BertModel", embedding=True,
               config=hf.BertConfig(vocab_size=97, hidden_size=60, num_hidden_layers=3, num_attention_heads=5,
                                    intermediate_size=90, max_position_embeddings=64))
    yield Case("grok1", grok(), reference="grok")
    yield Case("grok2", reference="grok", length=40,
               config=grok(moe_intermediate_size=40, residual_moe=True, rope_type="original", scaling_factor=4.0,
                           original_max_position_embeddings=16, beta_fast=8, beta_slow=1, attn_temperature_len=10,
                           final_logit_softcapping=9.0, tie_word_embeddings=False))


def gpt_oss(**changes):
    return hf.GptOssConfig(**small(head_dim=16, num_local_experts=6, num_experts_per_tok=3, sliding_window=5,
                                   **{"rope_parameters": rope("yarn", 150000.0, factor=32.0, beta_fast=32.0,
                                                              beta_slow=1.0, truncate=False,
                                                              original_max_position_embeddings=8), **changes}))


def grok(**changes):
    config = {k: v for k, v in SMALL.items() if not k.endswith("token_id")}
    return {**config, "architectures": ["Grok1ForCausalLM"], "head_dim": 16, "num_local_experts": 5,
            "num_experts_per_tok": 2, "attn_logit_softcapping": 3.0, "router_logit_softcapping": 30.0,
            "embedding_multiplier_scale": 2.5, "output_multiplier_scale": 0.6, "attn_output_multiplier": 0.3,
            "rope_theta": 10000.0, "hidden_act": "gelu", **changes}


def all_cases():
    yield from llama_cases()
    yield from qwen_cases()
    yield from olmo_cases()
    yield from gemma_cases()
    yield from other_cases()


# ---- MXFP4 ---------------------------------------------------------------------------------------------------

EXPERT_PARTS = ("mlp.experts.gate_up_proj", "mlp.experts.down_proj")
FP4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], dtype=np.float64)


def mxfp4_shapes(shapes):
    """Experts [E, in, out] become _blocks [E, out, in/32, 16] and _scales [E, out, in/32], as OpenAI ships them."""
    result = {}
    for name, (shape, kind) in shapes.items():
        if not name.endswith(EXPERT_PARTS):
            result[name] = (shape, kind)
            continue
        experts, inner, outer = shape
        result[name + "_blocks"] = ((experts, outer, inner // 32, 16), "U8")
        result[name + "_scales"] = ((experts, outer, inner // 32), "U8")
    return result


def mxfp4_to_float(arrays):
    result = {}
    for name, array in arrays.items():
        if name.endswith("_scales"):
            continue
        if not name.endswith("_blocks"):
            result[name] = array
            continue
        stem = name[:-len("_blocks")]
        pairs = np.stack([FP4[array & 15], FP4[array >> 4]], axis=-1).reshape(*array.shape[:3], 32)
        values = pairs * np.exp2(arrays[stem + "_scales"].astype(np.float64) - 127)[..., None]
        result[stem] = np.ascontiguousarray(values.reshape(*array.shape[:2], -1).transpose(0, 2, 1), dtype=np.float32)
    return result


# ---- random configurations -------------------------------------------------------------------------------------


def random_rope(rng):
    theta = rng.choice([1000.0, 10000.0, 5e5])
    return rng.choice([
        rope("default", theta),
        rope("linear", theta, factor=rng.uniform(1.1, 9)),
        rope("llama3", theta, factor=rng.uniform(1.5, 32), low_freq_factor=1.0, high_freq_factor=rng.choice([2.0, 4.0]),
             original_max_position_embeddings=rng.choice([8, 32, 64])),
        rope("yarn", theta, factor=rng.uniform(1.5, 32), original_max_position_embeddings=rng.choice([8, 32, 64])),
        rope("yarn", theta, factor=4.0, original_max_position_embeddings=16, attention_factor=rng.uniform(0.5, 1.5),
             beta_fast=16.0, beta_slow=2.0),
    ])


def random_sizes(rng):
    kv = rng.choice([1, 2, 3])
    heads = kv * rng.choice([1, 2, 3, 4])
    head = rng.choice([4, 6, 8, 10, 16, 32, 40, 64])
    return small(vocab_size=rng.randint(20, 300), hidden_size=heads * head, num_attention_heads=heads,
                 num_key_value_heads=kv, intermediate_size=rng.randint(8, 200),
                 num_hidden_layers=rng.randint(1, 5), tie_word_embeddings=rng.random() < 0.5,
                 rms_norm_eps=rng.choice([1e-6, 1e-5, 1e-3]))


def random_case(rng, name):
    sizes = random_sizes(rng)
    window = rng.choice([1, 3, 8, 33])
    experts = rng.randint(2, 9)
    moe = dict(num_experts_per_tok=rng.randint(1, experts), num_local_experts=experts)
    head_dim = rng.choice([8, 16, 20, 48])
    length = rng.choice([1, 5, 17, 50, 100])
    makers = [
        lambda: Case(name, model="LlamaForCausalLM", config=hf.LlamaConfig(
            **sizes, rope_parameters=random_rope(rng), attention_bias=rng.random() < 0.3,
            mlp_bias=rng.random() < 0.3, hidden_act=rng.choice(["silu", "gelu", "gelu_pytorch_tanh"]))),
        lambda: Case(name, model="MistralForCausalLM", config=hf.MistralConfig(
            **sizes, head_dim=head_dim, sliding_window=window)),
        lambda: Case(name, model="MixtralForCausalLM", config=hf.MixtralConfig(**sizes, **moe)),
        lambda: Case(name, model="Qwen2ForCausalLM", config=hf.Qwen2Config(**sizes, rope_parameters=random_rope(rng))),
        lambda: Case(name, model="Qwen3ForCausalLM", config=hf.Qwen3Config(
            **sizes, head_dim=head_dim, rope_parameters=random_rope(rng))),
        lambda: Case(name, model="Qwen3MoeForCausalLM", config=hf.Qwen3MoeConfig(
            **sizes, head_dim=head_dim, **moe, moe_intermediate_size=rng.randint(8, 70),
            norm_topk_prob=rng.random() < 0.5)),
        lambda: Case(name, model="GemmaForCausalLM", gemma=True, config=hf.GemmaConfig(
            **{**sizes, "tie_word_embeddings": True}, head_dim=head_dim)),
        lambda: Case(name, model="Gemma2ForCausalLM", gemma=True, config=hf.Gemma2Config(
            **{**sizes, "tie_word_embeddings": True}, head_dim=head_dim, sliding_window=window)),
        lambda: Case(name, model="Gemma3ForCausalLM", gemma=True, config=hf.Gemma3TextConfig(
            **{**sizes, "tie_word_embeddings": True}, head_dim=head_dim, sliding_window=window)),
        lambda: Case(name, model="Gemma2ForCausalLM", gemma=True, config=hf.Gemma2Config(
            **{**sizes, "tie_word_embeddings": True}, head_dim=head_dim, sliding_window=window,
            attn_logit_softcapping=rng.choice([None, 2.0, 50.0]), final_logit_softcapping=rng.choice([None, 3.0]),
            query_pre_attn_scalar=rng.choice([head_dim, 33]))),
        lambda: Case(name, model="Qwen2MoeForCausalLM", config=hf.Qwen2MoeConfig(
            **sizes, num_experts=experts, num_experts_per_tok=moe["num_experts_per_tok"],
            norm_topk_prob=rng.random() < 0.5, moe_intermediate_size=rng.randint(8, 70),
            shared_expert_intermediate_size=rng.randint(8, 70))),
        lambda: Case(name, model="Olmo2ForCausalLM", config=hf.Olmo2Config(**sizes)),
        lambda: Case(name, model="GraniteForCausalLM", config=hf.GraniteConfig(
            **sizes, embedding_multiplier=rng.uniform(0.5, 12), logits_scaling=rng.uniform(0.5, 8),
            residual_multiplier=rng.uniform(0.1, 1), attention_multiplier=rng.uniform(0.05, 0.5))),
        lambda: Case(name, model="Phi3ForCausalLM", config=hf.Phi3Config(**sizes, sliding_window=rng.choice([None, window]))),
        lambda: Case(name, model="Starcoder2ForCausalLM", config=hf.Starcoder2Config(
            **sizes, use_bias=True, sliding_window=rng.choice([None, window]))),
        lambda: Case(name, model="SmolLM3ForCausalLM", config=hf.SmolLM3Config(**sizes)),
        lambda: Case(name, model="GptOssForCausalLM", config=hf.GptOssConfig(
            **{**sizes, "tie_word_embeddings": False}, head_dim=head_dim, sliding_window=window, **moe,
            rope_parameters=random_rope(rng))),
        lambda: Case(name, model="GPT2LMHeadModel", config=hf.GPT2Config(
            vocab_size=sizes["vocab_size"], n_positions=128, n_embd=sizes["hidden_size"],
            n_layer=sizes["num_hidden_layers"], n_head=sizes["num_attention_heads"])),
        lambda: Case(name, model="BertModel", embedding=True, config=hf.BertConfig(
            vocab_size=sizes["vocab_size"], hidden_size=sizes["hidden_size"],
            num_hidden_layers=sizes["num_hidden_layers"], num_attention_heads=sizes["num_attention_heads"],
            intermediate_size=sizes["intermediate_size"], max_position_embeddings=128)),
    ]
    case = rng.choice(makers)()
    case.length = length
    return case
