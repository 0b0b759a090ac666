"""A trained reader labels windows that nobody labelled, with its shares instead of labels, for the next round of training.

A reader that learns from these beside the labels, with dropout, becomes steadier on news that is like neither (self-training:
Xie et al., "Self-training with Noisy Student improves ImageNet classification", CVPR 2020).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence

import torch

from pipeline.detect.windows import Windows
from train.reader import data
from train.reader.batching import batches, tensors
from train.reader.model import Reader

TOLD = 0.4
"""The least event share of a piece at which the teacher's other heads are learnt from as well."""


def unlabelled(count: int, seed: int) -> Iterator[data.Doc]:
    """`count` documents of the corpus that have no labels, drawn by chance; a release counts as ten."""
    texts = data.corpus()
    measured = {_letters(text) for text in _measured()}
    known = {d.id for d in data.first(texts)}
    free = sorted(set(texts) - known)
    random.Random(seed).shuffle(free)
    for identifier in free:
        one = texts[identifier]
        if _letters(one["text"]) in measured:
            continue
        count -= 10 if len(one["text"]) > 1000 else 1
        if count < 0:
            return
        yield data.Doc(identifier, "taught", one.get("title") or "", one["text"], "", None, [])


def _measured() -> Iterator[str]:
    """The texts of ../shared/eval: nothing is trained on them, not even without their labels."""
    for path in sorted((data.SHARED / "eval").glob("*/dev.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            one = json.loads(line)
            yield one.get("text") or one.get("sentence") or ""


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())[:100]


@torch.no_grad()
def taught(model: Reader, docs: Sequence[data.Doc], windows: Windows, split: data.Splitter) -> list[data.Example]:
    """A teacher and documents in, examples with its shares out."""
    model.eval()
    made = [e for doc in docs for e in data.examples(doc, windows, split)]
    for batch in batches(made, random.Random(0)):
        inputs = tensors(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(inputs["ids"], inputs["kinds"], inputs["mask"])
        out = {name: value.float() for name, value in out.items()}
        shares = out["kind"].softmax(-1)
        for row, e in enumerate(batch):
            size = len(e.window)
            share = shares[row, :size]
            e.triggers = [i for i in range(size) if e.kind[i] == 0 and 1 - float(share[i, 0]) >= TOLD]
            at = torch.tensor(e.triggers, dtype=torch.long)
            e.known = [data.ROLES] * len(at)
            e.modality = e.main = [-1] * len(at)
            roles = model.roles(out, torch.full_like(at, row), at)[:, :, :size].sigmoid()
            e.taught = data.Taught(
                share.half(),
                out["modality"][row, at].softmax(-1).half(),
                out["main"][row, at].sigmoid().half(),
                roles.half(),
            )
    return made
