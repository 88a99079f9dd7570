"""A copy of a GGUF file with another chat template."""
import struct

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9


def read_u64(data, at):
    return struct.unpack_from("<Q", data, at)[0]


def skip_value(data, at, kind):
    """Where the value of this kind ends."""
    if kind == STRING:
        return at + 8 + read_u64(data, at)
    if kind != ARRAY:
        return at + SIZES[kind]
    inner, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if inner not in (STRING, ARRAY):
        return at + count * SIZES[inner]
    for _ in range(count):
        at = skip_value(data, at, inner)
    return at


def string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def with_template(source, target, template, alignment=32):
    data = source.read_bytes()
    tensors, count = struct.unpack_from("<QQ", data, 8)
    at, head = 24, b""
    for _ in range(count):
        begin = at
        key = data[at + 8:at + 8 + read_u64(data, at)].decode()
        at += 8 + len(key)
        kind = struct.unpack_from("<I", data, at)[0]
        at = skip_value(data, at + 4, kind)
        is_template = key == "tokenizer.chat_template"
        head += string(key) + struct.pack("<I", STRING) + string(template) if is_template else data[begin:at]
    begin = at
    for _ in range(tensors):
        at += 8 + read_u64(data, at)
        at += 4 + 8 * struct.unpack_from("<I", data, at)[0] + 12
    head = data[:24] + head + data[begin:at]
    weights = (at + alignment - 1) // alignment * alignment
    target.write_bytes(head + b"\0" * (-len(head) % alignment) + data[weights:])
