"""The labelled examples that `dateline explain` shows: `python -m train.reader.examples DIR` writes them beside a model.

Only sentences that were written for this project are taken, because their texts may be shipped. Of each kind and modality
the first `MOST` are kept.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from pipeline.detect.encoder import Encoder
from pipeline.detect.examples import SCALE, STATES, TEXTS, LabelledExample
from train.reader import data

MOST = 25
"""Examples of one kind and modality."""


def write(model: Path) -> int:
    """A model's directory in, its files of examples written; the number of examples out."""
    encoder, split = Encoder(model), data.Splitter()
    taken: Counter[tuple[str, str]] = Counter()
    examples, states = [], []
    for doc in data.written():
        wanted = [
            label for label in doc.labels
            if label.kind is not None and taken[data.KIND_NAMES[label.kind], data.MODALITIES[label.modality]] < MOST
        ]  # fmt: skip
        if not wanted:
            continue
        for example in data.examples(doc, encoder.windows, split):
            hidden = encoder.scores(example.window).hidden
            for at, label in zip(example.triggers, example.labels, strict=True):
                key = data.KIND_NAMES[label.kind], data.MODALITIES[label.modality]
                taken[key] += 1
                if taken[key] <= MOST:
                    examples.append(LabelledExample(doc.text, doc.text[slice(*label.trigger)], *key))
                    states.append(hidden[at] / np.linalg.norm(hidden[at]))
    (model / TEXTS).write_bytes(msgspec.json.Encoder().encode_lines(examples))
    np.save(model / STATES, np.rint(np.stack(states) * SCALE).astype(np.int8))
    return len(examples)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    print(f"{write(parser.parse_args().model)} examples")


if __name__ == "__main__":
    main()
