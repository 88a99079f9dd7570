"""Grok-1 and Grok-2 in plain PyTorch, for the goldens: what llama.cpp computes from a GGUF file, plus the attention
temperature of Grok-2, whose place is that of sglang (after the cap, before the softmax)."""
import math

import torch


def shapes(config):
    """Names and shapes of a Hugging Face folder, in the naming of Grok-2's."""
    d, v = config["hidden_size"], config["vocab_size"]
    q, kv = config["num_attention_heads"] * config["head_dim"], config["num_key_value_heads"] * config["head_dim"]
    f, expert_f = config["intermediate_size"], config.get("moe_intermediate_size", config["intermediate_size"])
    result = {"model.embed_tokens.weight": (v, d), "model.norm.weight": (d,), "lm_head.weight": (v, d)}
    for n in range(config["num_hidden_layers"]):
        layer = f"model.layers.{n}."
        for norm in ("pre_attn_norm", "post_attn_norm", "pre_moe_norm", "post_moe_norm"):
            result[f"{layer}{norm}.weight"] = (d,)
        result[layer + "self_attn.q_proj.weight"] = (q, d)
        result[layer + "self_attn.k_proj.weight"] = (kv, d)
        result[layer + "self_attn.v_proj.weight"] = (kv, d)
        result[layer + "self_attn.o_proj.weight"] = (d, q)
        moe = layer + "block_sparse_moe."
        result[moe + "gate.weight"] = (config["num_local_experts"], d)
        for e in range(config["num_local_experts"]):
            result[f"{moe}experts.{e}.w1.weight"] = (expert_f, d)
            result[f"{moe}experts.{e}.w2.weight"] = (d, expert_f)
            result[f"{moe}experts.{e}.w3.weight"] = (expert_f, d)
        if config.get("residual_moe"):
            result[layer + "mlp.gate_proj.weight"] = (f, d)
            result[layer + "mlp.up_proj.weight"] = (f, d)
            result[layer + "mlp.down_proj.weight"] = (d, f)
    return {name: (shape, "F32") for name, shape in result.items()}


def rms_norm(x, gain, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * gain


def frequencies(config):
    """Inverse frequencies and the factor on cos and sin."""
    dim, base = config["head_dim"], config["rope_theta"]
    extrapolated = base ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    if "rope_type" not in config:
        return extrapolated, 1.0
    factor, context = config["scaling_factor"], config["original_max_position_embeddings"]

    def dimension(rotations):
        return dim * math.log(context / (rotations * 2 * math.pi)) / (2 * math.log(base))

    low = max(math.floor(dimension(config["beta_fast"])), 0)
    high = min(math.ceil(dimension(config["beta_slow"])), dim - 1)
    ramp = ((torch.arange(dim // 2, dtype=torch.float64) - low) / max(high - low, 0.001)).clamp(0, 1)
    return extrapolated * (1 - ramp) + extrapolated / factor * ramp, 0.1 * math.log(factor) + 1.0


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def attention(config, w, layer, x, cos, sin):
    length, heads, head = x.shape[0], config["num_attention_heads"], config["head_dim"]
    groups = heads // config["num_key_value_heads"]

    def project(name):
        return (x @ w[f"{layer}self_attn.{name}_proj.weight"].T).view(length, -1, head).transpose(0, 1)

    q, k, v = rotate(project("q"), cos, sin), rotate(project("k"), cos, sin), project("v")
    scores = q @ k.repeat_interleave(groups, 0).transpose(1, 2) * config["attn_output_multiplier"]
    cap = config["attn_logit_softcapping"]
    scores = cap * torch.tanh(scores / cap)
    if "attn_temperature_len" in config:
        positions = torch.arange(length, dtype=torch.float64)
        limit = config["attn_temperature_len"]
        heat = torch.where(positions > limit, positions.clamp(min=1).log2() / math.log2(limit), 1.0)
        scores = scores * heat[None, :, None]
    scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -math.inf)
    out = scores.softmax(-1) @ v.repeat_interleave(groups, 0)
    return out.transpose(0, 1).reshape(length, -1) @ w[f"{layer}self_attn.o_proj.weight"].T


def gated(x, gate, up, down):
    return (torch.nn.functional.gelu(x @ gate.T, approximate="tanh") * (x @ up.T)) @ down.T


def feed_forward(config, w, layer, x):
    moe = layer + "block_sparse_moe."
    chances = (x @ w[moe + "gate.weight"].T).softmax(-1)
    weights, chosen = chances.topk(config["num_experts_per_tok"], -1)
    weights = weights / weights.sum(-1, keepdim=True)
    out = torch.zeros_like(x)
    for token in range(x.shape[0]):
        for weight, e in zip(weights[token], chosen[token].tolist()):
            parts = (w[f"{moe}experts.{e}.{part}.weight"] for part in ("w1", "w3", "w2"))
            out[token] += weight * gated(x[token], *parts)
    if not config.get("residual_moe"):
        return out
    mlp = layer + "mlp."
    dense = gated(x, *(w[f"{mlp}{part}_proj.weight"] for part in ("gate", "up", "down")))
    return (out + dense) * math.sqrt(0.5)


def logits(config, arrays, ids):
    w = {name: torch.from_numpy(array).double() for name, array in arrays.items()}
    eps = config["rms_norm_eps"]
    inverse, scale = frequencies(config)
    angles = torch.arange(len(ids), dtype=torch.float64)[:, None] * inverse
    cos, sin = angles.cos() * scale, angles.sin() * scale
    x = w["model.embed_tokens.weight"][ids] * config["embedding_multiplier_scale"]
    for n in range(config["num_hidden_layers"]):
        layer = f"model.layers.{n}."

        def norm(name, value):
            return rms_norm(value, w[f"{layer}{name}.weight"], eps)

        x = x + norm("post_attn_norm", attention(config, w, layer, norm("pre_attn_norm", x), cos, sin))
        x = x + norm("post_moe_norm", feed_forward(config, w, layer, norm("pre_moe_norm", x)))
    out = rms_norm(x, w["model.norm.weight"], eps) @ w["lm_head.weight"].T * config["output_multiplier_scale"]
    if cap := config.get("final_logit_softcapping"):
        out = cap * torch.tanh(out / cap)
    return out.numpy()
