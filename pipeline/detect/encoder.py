"""The trained reader as onnxruntime runs it: a window in, the scores of every head out. The only importer of both libraries.

Each window is a run of its own: int8 activations are scaled by what shares a batch, so a batch would make what an article
says depend on its neighbours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.windows import Window, Windows

BUILT_IN: Final = Path(__file__).parent / "model"
FACTS: Final = (
    "event_least", "role_least", "calibration", "calibration_whole", "distance", "same_weight", "same_bias",
)  # fmt: skip
"""What reader.json holds."""
Floats = NDArray[np.float32]


class ReaderError(ValueError):
    """The model's files cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What the heads say of a window of n pieces.

    Log-odds: `kind` (n, 1 + kinds), nothing first; `modality` (n, 5); `main` (n); `loud`, that the document is news of this
    sort. Vectors: `query` and `key` (n, roles, size) with `bias` (n, roles) give the roles, `same` (n, 64) tells happenings
    apart, `hidden` (n, size) is the encoder's last layer.
    """

    kind: Floats
    modality: Floats
    main: Floats
    query: Floats
    key: Floats
    bias: Floats
    same: Floats
    hidden: Floats
    loud: float


def probability(log_odds: float) -> float:
    """Log-odds in, the probability out."""
    return float(1 / (1 + np.exp(-log_odds)))


class Encoder:
    """The model of one process. Not for pickling: each process loads its own."""

    def __init__(self, directory: Path = BUILT_IN) -> None:
        """Load a model's directory: reader.onnx, tokenizer.json and reader.json.

        Raises:
            ReaderError: a file is absent or cannot be read.
        """
        self.directory: Final = directory
        import onnxruntime  # noqa: PLC0415 - a process that only reads rules does not need it
        from tokenizers import Tokenizer  # noqa: PLC0415

        for name in ("reader.onnx", "tokenizer.json", "reader.json"):
            if not (directory / name).is_file():
                raise ReaderError(f"{directory / name}: no such file (a model is a directory with it)")
        try:
            self.facts: dict[str, Any] = json.loads((directory / "reader.json").read_text("utf-8"))
            tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(
                str(directory / "reader.onnx"), options, providers=["CPUExecutionProvider"],
                disabled_optimizers=["SkipLayerNormFusion"],  # its operator is slower than the two that it takes the place of
            )  # fmt: skip
        except Exception as error:
            raise ReaderError(f"{directory}: {error}") from error
        if lacking := [name for name in FACTS if name not in self.facts]:
            raise ReaderError(
                f"{directory / 'reader.json'}: {', '.join(lacking)} is missing (python -m train.reader.calibrate {directory})"
            )
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.windows = Windows(tokenizer)
        self.distance: Floats = np.asarray(self.facts["distance"], dtype=np.float32)
        self.same_weight: Floats = np.asarray(self.facts["same_weight"], dtype=np.float32)
        self.same_bias = float(self.facts["same_bias"])

    def scores(self, window: Window) -> Scores:
        """A window in, what the heads say of it out."""
        ids = np.asarray([window.ids], dtype=np.int64)
        kinds = np.asarray([window.types], dtype=np.int64)
        names = ("kind", "modality", "main", "query", "key", "bias", "same", "hidden", "loud")
        out = dict(zip(names, self._session.run(list(names), {"ids": ids, "kinds": kinds}), strict=True))
        length, roles = len(window), out["bias"].shape[-1]
        return Scores(
            kind=out["kind"][0], modality=out["modality"][0], main=out["main"][0],
            query=out["query"][0].reshape(length, roles, -1), key=out["key"][0].reshape(length, roles, -1),
            bias=out["bias"][0], same=out["same"][0], hidden=out["hidden"][0], loud=float(out["loud"][0]),
        )  # fmt: skip

    def roles(self, scores: Scores, at: int) -> Floats:
        """The log-odds that each piece fills each role of the trigger at piece `at`: (roles, n)."""
        length, count, size = scores.key.shape
        found = np.einsum("rd,lrd->rl", scores.query[at], scores.key) / np.sqrt(size) + scores.bias.T
        farthest = (self.distance.shape[1] - 1) // 2
        far = np.clip(np.arange(length) - at, -farthest, farthest) + farthest
        return np.asarray(found + self.distance[:count, far], dtype=np.float32)

    def same(self, one: Floats, other: Floats) -> float:
        """Two triggers' vectors in, the probability that both tell one happening out."""
        return probability(float((one * other * self.same_weight).sum()) + self.same_bias)
