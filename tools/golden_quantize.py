#!/usr/bin/env python3
"""Writes src/tensor/golden/quantize.bin: weights, an importance matrix, and the errors of llama.cpp's quantisers.

    tools/golden_quantize.py LIBRARY

LIBRARY is a shared library with llama.cpp's quantize_* functions (libggml-base.so of any build). Needs numpy and gguf
from PyPI. The file holds, little-endian:

    u32 rows | u32 columns | weights as f16 | importance of each column as f32
    then for each type: u32 type id | f64 sum of squared errors | f64 the importance-weighted sum, quantised with it

Half of the rows are Gaussian, half have the heavy tails of real weights (Student t with 4 degrees of freedom).
"""
import ctypes
import pathlib
import struct
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

ROWS, COLUMNS = 16, 1024
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS"]


def quantize(library, name, weights, importance):
    block, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    out = np.zeros((ROWS, COLUMNS // block * size), dtype=np.uint8)
    suffix = name if name.endswith("_K") else name.lower()
    function = getattr(library, "quantize_" + suffix[0].lower() + suffix[1:])
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    pointer = None if importance is None else importance.ctypes.data
    function(weights.ctypes.data, out.ctypes.data, ROWS, COLUMNS, pointer)
    return quants.dequantize(out, GGMLQuantizationType[name]).reshape(ROWS, COLUMNS).astype(np.float64)


def main():
    library = ctypes.CDLL(sys.argv[1])
    random = np.random.default_rng(7)
    gaussian = random.normal(0, 1, (ROWS // 2, COLUMNS))
    heavy = random.standard_t(4, (ROWS // 2, COLUMNS))
    scales = np.exp(random.normal(-4, 0.5, (ROWS, 1)))
    weights = np.ascontiguousarray((np.concatenate([gaussian, heavy]) * scales).astype(np.float16).astype(np.float32))
    importance = np.exp(random.normal(0, 1.5, COLUMNS)).astype(np.float32)
    out = struct.pack("<II", ROWS, COLUMNS) + weights.astype(np.float16).tobytes() + importance.tobytes()
    for name in TYPES:
        plain = np.sum((quantize(library, name, weights, None) - weights) ** 2)
        weighted = np.sum((quantize(library, name, weights, importance) - weights) ** 2 * importance)
        out += struct.pack("<Idd", GGMLQuantizationType[name].value, plain, weighted)
    path = pathlib.Path(__file__).parent.parent / "src/tensor/golden/quantize.bin"
    path.write_bytes(out)
    print(path, len(out))


main()
