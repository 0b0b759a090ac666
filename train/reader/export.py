"""A trained checkpoint -> the model's directory: `python -m train.reader.export CHECKPOINT --tokenizer FILE --out DIR`.

Writes reader.onnx (int8 weights, activations quantised at run time), tokenizer.json and reader.json, whose thresholds and
calibration are fitted on the dev documents by calibrate.py.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from torch import nn

from train.reader.model import Reader, shaped

NAMES = ("kind", "modality", "main", "query", "key", "bias", "same", "hidden", "loud")


class Flat(nn.Module):
    """The reader for one window without padding, its outputs as a tuple."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, ids: torch.Tensor, kinds: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out = self.reader(ids, kinds, None)  # to add a mask of zeros would take a twentieth of the time
        return tuple(out[name] for name in NAMES)


def export(checkpoint: Path, tokenizer: Path, out: Path) -> None:
    """A checkpoint and its tokenizer.json in, the model's directory written."""
    out.mkdir(parents=True, exist_ok=True)
    model = shaped(load_file(checkpoint)).eval()
    ids = torch.randint(1000, 5000, (1, 20))
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "reader.onnx"
        torch.onnx.export(
            Flat(model), (ids, torch.zeros_like(ids)), str(whole), input_names=["ids", "kinds"], output_names=list(NAMES),
            dynamic_axes={"ids": {1: "n"}, "kinds": {1: "n"}, **{name: {1: "n"} for name in NAMES if name != "loud"}},
            opset_version=17, dynamo=False,
        )  # fmt: skip
        quantize_dynamic(str(whole), str(out / "reader.onnx"), weight_type=QuantType.QInt8, per_channel=True)
    shutil.copy(tokenizer, out / "tokenizer.json")
    facts = {
        "event_least": 0.3, "role_least": [0.0] * 6, "calibration": {"type": 1.0}, "calibration_whole": {"type": 1.0},
        "distance": [[round(v, 4) for v in row] for row in model.distance.tolist()],
        "same_weight": [round(v, 4) for v in model.same_weight.tolist()], "same_bias": float(model.same_bias),
    }  # fmt: skip
    (out / "reader.json").write_text(json.dumps(facts) + "\n")
    print(" ".join(f"{f.name} {f.stat().st_size / 1e6:.1f} MB" for f in sorted(out.iterdir()) if f.is_file()))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    export(options.checkpoint, options.tokenizer, options.out)


if __name__ == "__main__":
    main()
