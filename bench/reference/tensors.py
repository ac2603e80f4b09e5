"""Safetensors files: read into numbers without torch, or into tensors with it; written from tensors."""

import array
import json
import mmap
import struct

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}


def header(path):
    """Names to (dtype, shape, first byte, byte after the last), counted from the file's beginning."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        entries = json.loads(file.read(length))
    entries.pop("__metadata__", None)
    return {
        name: (entry["dtype"], entry["shape"], 8 + length + entry["data_offsets"][0], 8 + length + entry["data_offsets"][1])
        for name, entry in entries.items()
    }


def numbers(path, name):
    """The values of a float32 or int64 tensor as an array, and its shape."""
    dtype, shape, begin, end = header(path)[name]
    values = array.array({"F32": "f", "I64": "q"}[dtype])
    with open(path, "rb") as file:
        file.seek(begin)
        values.frombytes(file.read(end - begin))
    return values, shape


def write_numbers(path, tensors):
    """Writes {name: (array, shape)} of float32 (typecode f) or int64 (q)."""
    entries, offset = {}, 0
    for name, (values, shape) in tensors.items():
        size = len(values) * values.itemsize
        entries[name] = {"dtype": {"f": "F32", "q": "I64"}[values.typecode], "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    _write(path, entries, (values.tobytes() for values, _ in tensors.values()))


def load(path):
    """All tensors of a safetensors file, or of a .pt or .bin file, on the processor."""
    import torch

    if not path.endswith(".safetensors"):
        return torch.load(path, map_location="cpu")
    types = {
        "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
        "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool,
    }
    with open(path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return {
        name: torch.frombuffer(mapped, dtype=types[dtype], count=(end - begin) // SIZES[dtype], offset=begin).reshape(shape)
        for name, (dtype, shape, begin, end) in header(path).items()
    }


def write(path, tensors):
    """Writes tensors, one at a time: they may lie on a device."""
    import ctypes

    import torch

    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    entries, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        entries[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size

    def data():
        for tensor in tensors.values():
            host = tensor.cpu().contiguous()
            yield ctypes.string_at(host.data_ptr(), host.numel() * host.element_size())

    _write(path, entries, data())


def _write(path, entries, data):
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for piece in data:
            file.write(piece)
