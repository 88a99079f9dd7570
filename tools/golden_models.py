#!/usr/bin/env python3
"""Goldens of the forward pass: small random-weight models of every architecture and their logits by transformers.

  golden_models.py write [NAME...]                     writes src/model/golden/NAME.json for the cases below
  golden_models.py folder NAME DIR                     writes the model of a case as a Hugging Face folder
  golden_models.py random RIVAL [--count N --seed S]   random configurations, compared through `RIVAL inspect logits`
  golden_models.py llama RIVAL LOGITS [NAME...]        converts cases to GGUF and compares with llama.cpp's logits

A golden holds no weights: they follow from the names of the tensors by a small generator that the C++ test repeats
(src/model/model_golden_test.cc). It holds config.json, the tensors with shape, offset and scale, the ids, and of
the logits at every position some columns and the sum of all.

Needs torch and transformers (pip install torch transformers). Grok, which transformers does not have, is checked
against the reference in tools/grok_reference.py.
"""
import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.numpy import save_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import golden_cases  # noqa: E402

GOLDEN_DIR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "model", "golden")
COLUMNS = 12  # logits kept of every position


def uniform(name, count):
    """`count` numbers in [-1, 1) that follow from a name: splitmix64 over FNV-1a of it."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1.0


def spread(name, shape, gemma):
    """Offset and scale of a tensor's numbers, so that activations stay of order one."""
    if name.endswith("_scales"):
        return 120.0, 2.0  # exponents of MXFP4
    if name.endswith("_blocks"):
        return 127.5, 127.5
    if "norm" in name.lower() or "ln_" in name:
        if name.endswith("bias"):
            return 0.0, 0.1
        return (0.0 if gemma else 1.0), 0.3
    if name.endswith("bias") or len(shape) == 1:
        return 0.0, 0.3
    if "embed" in name or "wte" in name or "wpe" in name:
        return 0.0, 1.0
    fan_in = shape[-1]
    return 0.0, round(math.sqrt(3.0 / fan_in) * 1.2, 6)


def make_tensors(shapes, gemma):
    """[(name, shape, type, offset, scale)] and the arrays, sorted by name."""
    rows, arrays = [], {}
    for name in sorted(shapes):
        shape, kind = shapes[name]
        offset, scale = spread(name, shape, gemma)
        values = offset + scale * uniform(name, int(np.prod(shape)))
        arrays[name] = values.reshape(shape).astype(np.uint8 if kind == "U8" else np.float32)
        rows.append([name, list(shape), kind, offset, scale])
    return rows, arrays


def write_folder(folder, config, arrays):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=1)
    save_file(arrays, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})


def saved_shapes(model):
    """Names and shapes of a transformers model as it is saved."""
    from safetensors import safe_open
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        config = json.load(open(os.path.join(folder, "config.json")))
        shapes = {}
        with safe_open(os.path.join(folder, "model.safetensors"), "np") as f:
            for name in f.keys():
                shapes[name] = (tuple(f.get_slice(name).get_shape()), "F32")
    for key in ("transformers_version", "dtype", "torch_dtype"):
        config.pop(key, None)
    return config, shapes


def prepare(case):
    """config.json, tensor rows and arrays of a case."""
    if case.reference == "grok":
        import grok_reference
        config, shapes = case.config, grok_reference.shapes(case.config)
    else:
        model = case.model_class()._from_config(case.config, attn_implementation="eager")
        config, shapes = saved_shapes(model)
        if case.mxfp4:
            shapes = golden_cases.mxfp4_shapes(shapes)
            config["quantization_config"] = {"quant_method": "mxfp4"}
    rows, arrays = make_tensors(shapes, gemma=case.gemma)
    return config, rows, arrays


def reference_logits(case, config, arrays, ids):
    if case.reference == "grok":
        import grok_reference
        return grok_reference.logits(config, arrays, ids)
    if case.mxfp4:
        arrays = golden_cases.mxfp4_to_float(arrays)
        config = {k: v for k, v in config.items() if k != "quantization_config"}
    with tempfile.TemporaryDirectory() as folder:
        write_folder(folder, config, arrays)
        model = case.model_class().from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                   experts_implementation="eager").eval()
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]))
        if case.embedding:
            pooled = out.last_hidden_state[0].mean(0)
            return torch.nn.functional.normalize(pooled, dim=0)[None].double().numpy()
        return out.logits[0].double().numpy()


def case_ids(case, vocabulary, length):
    return ((uniform(case.name + ".ids", length) + 1.0) * 0.5 * vocabulary).astype(int).tolist()


def write_golden(case):
    config, rows, arrays = prepare(case)
    ids = case_ids(case, config["vocab_size"], case.length)
    logits = reference_logits(case, config, arrays, ids)
    step = max(1, logits.shape[1] // COLUMNS)
    golden = {
        "config": config,
        "tensors": rows,
        "ids": ids,
        "embedding": case.embedding,
        "column_step": step,
        "columns": [[float(f"{x:.8g}") for x in row[::step]] for row in logits],
        "sums": [float(f"{x:.9g}") for x in logits.sum(1)],
        "max": float(f"{np.abs(logits).max():.6g}"),
    }
    os.makedirs(GOLDEN_DIR, exist_ok=True)
    path = os.path.join(GOLDEN_DIR, case.name + ".json")
    with open(path, "w") as f:
        f.write(json.dumps(golden).replace('], ["', '],\n["') + "\n")
    print(f"{case.name}: {len(rows)} tensors, largest logit {golden['max']:.3g}, {os.path.getsize(path)} bytes")


def compare(rival, case, folder, config, arrays):
    """Largest error over 1e-4 * max(1, largest logit)."""
    ids = case_ids(case, config["vocab_size"], case.length)
    expected = reference_logits(case, config, arrays, ids)
    what = "embedding" if case.embedding else "logits"
    out = subprocess.run([rival, "inspect", what, folder, "--ids", ",".join(map(str, ids)), "--json"],
                         capture_output=True, text=True)
    if out.returncode != 0:
        return None, (out.stderr or out.stdout).strip()
    found = np.array(json.loads(out.stdout)[what]).reshape(expected.shape)
    bound = 1e-4 * max(1.0, np.abs(expected).max())
    return float(np.abs(found - expected).max() / bound), ""


def run_random(rival, count, seed):
    rng = random.Random(seed)
    bad = 0
    for index in range(count):
        case = golden_cases.random_case(rng, f"random{seed}_{index}")
        config, _, arrays = prepare(case)
        with tempfile.TemporaryDirectory() as folder:
            write_folder(folder, config, arrays)
            share, message = compare(rival, case, folder, config, arrays)
        ok = share is not None and share <= 1.0
        bad += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {case.name} {config.get('architectures')} "
              f"{message if share is None else f'{share:.3f} of the tolerance'}", flush=True)
        if not ok:
            print("    " + json.dumps(config))
    return bad


def with_no_vocabulary(path, out):
    """A copy of a GGUF file that says that it has no vocabulary, which llama.cpp wants to be told."""
    import gguf
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(out, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        items = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], items)
    writer.add_tokenizer_model("no_vocab")
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def compare_llama(rival, program, case):
    """`program` is bench/llama_logits.cc, built. Where a case has what llama.cpp leaves out (windows of Phi-3 and
    StarCoder 2, Gemma's scale of queries, Grok-2's temperature) or a GELU (there a table of halves), they differ."""
    config, _, arrays = prepare(case)
    ids = ",".join(map(str, case_ids(case, config["vocab_size"], case.length)))
    with tempfile.TemporaryDirectory() as folder:
        model, copy = os.path.join(folder, "model.gguf"), os.path.join(folder, "copy.gguf")
        write_folder(os.path.join(folder, "hf"), config, arrays)
        subprocess.run([rival, "convert", os.path.join(folder, "hf"), model], check=True, capture_output=True)
        with_no_vocabulary(model, copy)
        theirs = subprocess.run([program, copy, ids], capture_output=True, text=True, check=True).stdout
        ours = subprocess.run([rival, "inspect", "logits", model, "--ids", ids, "--json"], capture_output=True,
                              text=True, check=True).stdout
    expected = np.array([[float(x) for x in line.split()] for line in theirs.splitlines()])
    found = np.array(json.loads(ours)["logits"])
    return float(np.abs(found - expected).max() / (1e-4 * max(1.0, np.abs(expected).max())))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write")
    write.add_argument("names", nargs="*")
    folder = commands.add_parser("folder")
    folder.add_argument("name")
    folder.add_argument("dir")
    check = commands.add_parser("check")
    check.add_argument("rival")
    check.add_argument("names", nargs="*")
    rand = commands.add_parser("random")
    rand.add_argument("rival")
    rand.add_argument("--count", type=int, default=20)
    rand.add_argument("--seed", type=int, default=1)
    llama = commands.add_parser("llama")
    llama.add_argument("rival")
    llama.add_argument("logits")
    llama.add_argument("names", nargs="*")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cases = {case.name: case for case in golden_cases.all_cases()}
    if args.command == "write":
        for name in args.names or cases:
            write_golden(cases[name])
    elif args.command == "folder":
        config, _, arrays = prepare(cases[args.name])
        write_folder(args.dir, config, arrays)
    elif args.command == "check":
        for name in args.names or cases:
            config, _, arrays = prepare(cases[name])
            with tempfile.TemporaryDirectory() as directory:
                write_folder(directory, config, arrays)
                print(name, *compare(args.rival, cases[name], directory, config, arrays), flush=True)
    elif args.command == "llama":
        for name in args.names or [name for name, case in cases.items() if not case.embedding]:
            print(f"{name}: {compare_llama(args.rival, args.logits, cases[name]):.3f} of the tolerance", flush=True)
    else:
        sys.exit(1 if run_random(args.rival, args.count, args.seed) else 0)


if __name__ == "__main__":
    main()
