"""Examples -> padded tensors, in batches of windows of like length."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from train.reader import data
from train.reader.model import ROLE_NAMES

SOURCE_WEIGHT = {"written": 0.7, "readings": 0.7}
MOST_PIECES = 2048
"""Pieces of a batch, padding included."""


def batches(items: list[data.Example], chance: random.Random) -> list[list[data.Example]]:
    """Examples in, batches of windows of like length out, in random order."""
    items = sorted(items, key=lambda e: len(e.window) + chance.random() * 8)
    made: list[list[data.Example]] = [[]]
    for item in items:
        if made[-1] and (len(made[-1]) + 1) * len(item.window) > MOST_PIECES:
            made.append([])
        made[-1].append(item)
    chance.shuffle(made)
    return made


def tensors(batch: Sequence[data.Example]) -> dict[str, torch.Tensor]:
    """Examples in, padded inputs and flat targets out."""
    length = max(len(e.window) for e in batch)
    pad = lambda rows, fill: torch.tensor([[*row, *[fill] * (length - len(row))] for row in rows])  # noqa: E731
    flat = [(row, n) for row, e in enumerate(batch) for n in range(len(e.triggers))]
    role = torch.zeros(len(flat), len(ROLE_NAMES), length)
    known = torch.zeros(len(flat), len(ROLE_NAMES))
    starts = [0]
    for e in batch:
        starts.append(starts[-1] + len(e.triggers))
    for index, (row, n) in enumerate(flat):
        for number, name in enumerate(ROLE_NAMES):
            if name in batch[row].known[n]:
                known[index, number] = 1
                role[index, number, batch[row].roles[n][name]] = 1
    return {
        "ids": pad([e.window.ids for e in batch], 0), "kinds": pad([e.window.types for e in batch], 0),
        "mask": pad([[1] * len(e.window) for e in batch], 0), "kind": pad([e.kind for e in batch], -100),
        "row": torch.tensor([row for row, _ in flat], dtype=torch.long),
        "at": torch.tensor([batch[row].triggers[n] for row, n in flat], dtype=torch.long),
        "modality": torch.tensor([batch[row].modality[n] for row, n in flat], dtype=torch.long),
        "main": torch.tensor([batch[row].main[n] for row, n in flat], dtype=torch.float),
        "role": role, "known": known,
        "loud": torch.tensor([e.loud for e in batch], dtype=torch.float),
        "weight": torch.tensor([SOURCE_WEIGHT.get(e.source, 1.0) for e in batch]),
        "same": torch.tensor(
            [(starts[row] + a, starts[row] + b, y) for row, e in enumerate(batch) for a, b, y in e.same], dtype=torch.long
        ).view(-1, 3),
    }  # fmt: skip
