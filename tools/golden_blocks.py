#!/usr/bin/env python3
"""Writes src/tensor/golden/blocks.bin: random blocks of every quantised type and the weights they stand for.

The decoder is gguf-py (PyPI `gguf`), llama.cpp's own reference in numpy. Run: pip install numpy gguf, then
tools/golden_blocks.py. For each type the file holds

    u32 type id | u32 blocks | u32 weights | the blocks' bytes | weights as f32

Block bytes are random; scale fields are set to ordinary half-precision values so that weights are finite.
"""
import pathlib
import struct

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

BLOCKS = 6
# Type -> byte offsets of its f16 fields.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "IQ4_NL": [0], "MXFP4": [],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_XS": [0],
}


def main():
    random = np.random.default_rng(5)
    out = bytearray()
    for name, halves in HALVES.items():
        kind = GGMLQuantizationType[name]
        _, size = GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
        for at in halves:
            scale = random.normal(0, 0.02, BLOCKS).astype(np.float16)
            blocks[:, at:at + 2] = scale[:, None].view(np.uint8)
        if name == "MXFP4":
            blocks[:, 0] = [127, 120, 0, 1, 2, 200]
        weights = quants.dequantize(blocks, kind).astype(np.float32).reshape(-1)
        out += struct.pack("<III", kind.value, BLOCKS, weights.size) + blocks.tobytes() + weights.tobytes()
    path = pathlib.Path(__file__).parent.parent / "src/tensor/golden/blocks.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(out)
    print(path, len(out))


main()
