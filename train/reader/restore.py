"""Weights out of files: of an exported reader, so that training can go on from it, and of a published encoder, to learn anew.

The exported matrices are int8 with a scale for each column (export.py), so a weight comes back within half a step of its
scale. On the dev documents a restored reader finds as much as the one that was exported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file

from train.reader.model import Reader, shaped

MODULE = "reader."
"""What the exporter puts before the name of each weight."""
QUANTISED = "_quantized"
PRODUCTS = ("MatMul", "MatMulInteger")


def restore(model: Path) -> Reader:
    """The directory of an exported reader in, the reader out. Raises ValueError where a weight is not in its file."""
    facts = json.loads((model / "reader.json").read_text("utf-8"))
    weights = _floats(model / "reader.onnx")
    for name in ("distance", "same_weight", "same_bias"):  # these are no part of the graph
        weights[name] = torch.tensor(facts[name], dtype=torch.float32).reshape(-1 if name != "distance" else (6, -1))
    return shaped(weights)


def published(encoder: Path) -> dict[str, torch.Tensor]:
    """The directory of a published BERT (`model.safetensors` or `model.onnx` in floats) in, its tensors by name out."""
    file = encoder / "model.safetensors"
    return load_file(file) if file.exists() else _floats(encoder / "model.onnx")


def _floats(file: Path) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in _weights(file)}


def _weights(file: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Each weight of the graph with its name in the module. A matrix has lost its name: it is that of the bias added to it."""
    graph = onnx.load(str(file)).graph
    stored = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for name, value in stored.items():
        base, real = name.removesuffix(QUANTISED), value
        if name.endswith(QUANTISED):
            real = (value.astype(np.float32) - stored[f"{base}_zero_point"]) * stored[f"{base}_scale"]
        if base.endswith((".weight", ".bias")):
            yield base.removeprefix(MODULE), real
        elif real.ndim == 2 and readers[name][0].op_type in PRODUCTS:
            bias = _bias(readers, readers[name][0].output[0], set(stored))
            yield f"{bias.removeprefix(MODULE).removesuffix('.bias')}.weight", real.T


def _bias(readers: dict[str, list[onnx.NodeProto]], product: str, stored: set[str]) -> str:
    """The bias that is added to a product, some scalings later."""
    open_ = [product]
    for name in open_:
        for node in readers.get(name, ()):
            added = [one for one in node.input if one in stored and one.endswith(".bias")]
            if node.op_type == "Add" and added:
                return added[0]
            if node.op_type in ("Cast", "Mul", "Add"):
                open_.append(node.output[0])
    raise ValueError(f"no bias is added to {product}")
