"""The labelled examples that are shown beside what the reader reads: a trigger's state in, the most alike triggers out.

They are sentences that were written for training (train/reader/examples.py makes the files), so a reader of `dateline explain`
sees what the model learned a kind from. Nothing of detection depends on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from pipeline.detect.encoder import Floats

TEXTS: Final = "examples.jsonl"
STATES: Final = "examples.npy"
SCALE: Final = 127.0
"""States are kept as int8: the unit vector times this."""


class LabelledExample(msgspec.Struct, frozen=True):
    """A sentence with one trigger in it and what it tells."""

    text: str
    trigger: str
    kind: str
    modality: str


class Examples:
    """The examples of one model; none where its directory has no files of them."""

    def __init__(self, directory: Path) -> None:
        """Load a model's directory."""
        self._examples: list[LabelledExample] = []
        self._states = np.zeros((0, 0), dtype=np.float32)
        if (directory / TEXTS).is_file() and (directory / STATES).is_file():
            decoder = msgspec.json.Decoder(LabelledExample)
            self._examples = decoder.decode_lines((directory / TEXTS).read_bytes())
            self._states = np.load(directory / STATES).astype(np.float32) / SCALE

    def nearest(self, state: Floats, count: int = 2) -> list[tuple[LabelledExample, float]]:
        """A trigger's state in, the most alike examples with the cosine of the angle between the two out, best first."""
        if not self._examples:
            return []
        likeness = self._states @ (state / np.linalg.norm(state))
        best = np.argsort(-likeness, kind="stable")[:count]
        return [(self._examples[int(i)], round(float(likeness[i]), 3)) for i in best]
