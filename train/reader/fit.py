"""Train the reader: `python -m train.reader.fit --out DIR`. Writes a checkpoint after each epoch and prints the dev figures."""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional

from pipeline.detect.windows import Windows
from train.reader import data
from train.reader.model import ROLE_NAMES, Reader, from_bert

LOSS = {"kind": 1.0, "modality": 0.3, "main": 0.2, "role": 1.0, "same": 0.1, "loud": 0.2}
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


def tensors(batch: list[data.Example]) -> dict[str, torch.Tensor]:
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


def kind_loss(
    logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, type_of_kind: torch.Tensor
) -> torch.Tensor:
    """Cross entropy over kinds; where only the type is known, of the type's kinds together."""
    log = logits.float().log_softmax(-1)
    total = log.new_zeros(())
    scale = weight[:, None].expand_as(target)
    exact = target >= 0
    total = total - (log[exact].gather(1, target[exact][:, None])[:, 0] * scale[exact]).sum()
    part = (target < 0) & (target > -100)
    if part.any():
        types = -1 - target[part]
        inside = type_of_kind[None, :] == types[:, None]
        total = total - (log[part][:, 1:].masked_fill(~inside, -1e4).logsumexp(-1) * scale[part]).sum()
    return total


def losses(model: Reader, batch: dict[str, torch.Tensor], drop: float) -> dict[str, torch.Tensor]:
    """The loss of each head."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(batch["ids"], batch["kinds"], batch["mask"], drop)
    out = {name: value.float() for name, value in out.items()}
    row, at = batch["row"], batch["at"]
    windows = len(batch["ids"])
    found = {"kind": kind_loss(out["kind"], batch["kind"], batch["weight"], model.type_of_kind) / windows}
    if len(row):
        scale = batch["weight"][row]
        found["modality"] = (
            functional.cross_entropy(out["modality"][row, at], batch["modality"], reduction="none") * scale
        ).sum() / windows
        have = batch["main"] >= 0
        if have.any():
            found["main"] = (
                functional.binary_cross_entropy_with_logits(
                    out["main"][row, at][have], batch["main"][have], reduction="sum"
                )
                / windows
            )
        scores = model.roles(out, row, at)
        valid = batch["mask"][row][:, None, :] * batch["known"][:, :, None] * scale[:, None, None]
        each = functional.binary_cross_entropy_with_logits(scores, batch["role"], reduction="none")
        found["role"] = (each * valid).sum() / windows / 4
        if len(batch["same"]):
            s = out["same"][row, at]
            logit = (s[batch["same"][:, 0]] * s[batch["same"][:, 1]] * model.same_weight).sum(-1) + model.same_bias
            found["same"] = (
                functional.binary_cross_entropy_with_logits(logit, batch["same"][:, 2].float(), reduction="sum")
                / windows
            )
    told = batch["loud"] >= 0
    if told.any():
        found["loud"] = (
            functional.binary_cross_entropy_with_logits(out["loud"][told], batch["loud"][told], reduction="sum")
            / windows
        )
    return found


@torch.no_grad()
def evaluate(model: Reader, items: list[data.Example], threshold: float = 0.5) -> dict[str, Any]:
    """Figures over examples: triggers by sentence and type or kind, modality and roles of the right ones, silence."""
    model.eval()
    tp = kind_right = fp = fn = modal = 0
    role = {name: [0, 0, 0] for name in ROLE_NAMES}
    quiet = quiet_false = 0
    said: list[tuple[float, bool]] = []
    for batch in batches(items, random.Random(0)):
        t = tensors(batch)
        out = {k: v.float() for k, v in model(t["ids"], t["kinds"], t["mask"]).items()}
        share = out["kind"].softmax(-1)
        of_type = torch.zeros(*share.shape[:2], 17)
        of_type.index_add_(2, model.type_of_kind + 1, share[..., 1:])
        for row, e in enumerate(batch):
            gold = {}
            for n, label in enumerate(e.labels):
                gold.setdefault((e.window.sentence[e.triggers[n]], label.type), []).append(n)
            hit = set()
            event = 1 - share[row, :, 0]
            spots = [
                i
                for i in range(len(e.window))
                if e.window.section[i] and e.window.begins[i] and event[i] > threshold and e.kind[i] != -100
            ]
            false_here = 0
            for i in spots:
                key = (e.window.sentence[i], int(of_type[row, i, 1:].argmax()))
                right = key in gold
                said.append((float(event[i]), right))
                if not right:
                    false_here += 1
                    continue
                n = min(gold[key], key=lambda n: abs(e.triggers[n] - i))
                if n in hit:
                    continue
                hit.add(n)
                label = e.labels[n]
                kind_right += label.kind is None or int(share[row, i, 1:].argmax()) == label.kind
                modal += int(out["modality"][row, i].argmax()) == label.modality
                scores = model.roles(out, torch.tensor([row]), torch.tensor([i]))[0] > 0
                for number, name in enumerate(ROLE_NAMES):
                    if name not in e.known[n]:
                        continue
                    want, got = set(e.roles[n][name]), set(scores[number, : len(e.window)].nonzero()[:, 0].tolist())
                    role[name][0] += bool(want & got)
                    role[name][1] += bool(got) and not want & got
                    role[name][2] += bool(want) and not want & got
            fp += false_here
            tp, fn = tp + len(hit), fn + len(e.labels) - len(hit)
            if not e.labels and e.loud == 0:
                quiet += 1
                quiet_false += false_here > 0
    p, r = tp / max(tp + fp, 1), tp / max(tp + fn, 1)
    f = lambda a, b, c: 2 * a / max(2 * a + b + c, 1)  # noqa: E731
    return {
        "precision": p, "recall": r, "f1": f(tp, fp, fn), "kind": kind_right / max(tp, 1), "modality": modal / max(tp, 1),
        **{name: f(*role[name]) for name in ROLE_NAMES}, "quiet_windows": quiet, "quiet_false": quiet_false / max(quiet, 1),
        "sure_right": sum(ok for c, ok in said if c > 0.9) / max(sum(c > 0.9 for c, _ in said), 1), "tp": tp,
    }  # fmt: skip


def line(figures: dict[str, Any]) -> str:
    """Figures on one line."""
    return " ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in figures.items())


def gather(tokenizer: Tokenizer, *, marks: Sequence[Path], share: float, seed: int) -> dict[str, list[data.Example]]:
    """Every labelled document as examples, by part; `share` keeps so much of the training documents."""
    windows, split, chance = Windows(tokenizer), data.Splitter(), random.Random(seed)
    parts: dict[str, list[data.Example]] = {"train": [], "dev": [], "test": []}
    for doc in (*data.everything(), *data.marked(marks)):
        where = "train" if doc.source == "marks" else data.part(doc.id)
        if where != "train" or chance.random() <= share:
            parts[where] += list(data.examples(doc, windows, split))
    return parts


def train(
    encoder: Path, out: Path, *, marks: Sequence[Path] = (), epochs: int = 5, threads: int = 2, rate: float = 2.5e-4,
    head_rate: float = 1e-3, drop: float = 0.1, share: float = 1.0, seed: int = 1,
) -> Path:  # fmt: skip
    """Train; a checkpoint is written after each epoch, and the last one's path returned.

    `rate` and `head_rate` are the highest learning rates of the encoder and the heads; both follow a cosine after a warm-up.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    parts = gather(tokenizer, marks=marks, share=share, seed=seed)
    for name, items in parts.items():
        pieces, events = sum(len(e.window) for e in items), sum(len(e.labels) for e in items)
        print(f"{name}: {len(items)} windows, {pieces} pieces, {events} events", flush=True)
    model = Reader(from_bert(load_file(encoder / "model.safetensors"), heads=12))
    model.encoder.words.weight.requires_grad_(requires_grad=False)
    body = [p for n, p in model.named_parameters() if n.startswith("encoder.") and p.requires_grad]
    heads = [p for n, p in model.named_parameters() if not n.startswith("encoder.")]
    rates = {"body": rate, "heads": head_rate}
    optimiser = torch.optim.AdamW([{"params": body, "lr": rate}, {"params": heads, "lr": head_rate}], weight_decay=0.01)
    chance = random.Random(seed)
    steps, step = epochs * len(batches(parts["train"], random.Random(0))), 0
    checkpoint = out / "reader.safetensors"
    for epoch in range(1, epochs + 1):
        model.train()
        began, sums = time.monotonic(), {}
        for group in batches(parts["train"], chance):
            found = losses(model, tensors(group), drop)
            step += 1
            pace = min(1.0, step / (0.06 * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
            for settings, base in zip(optimiser.param_groups, rates.values(), strict=True):
                settings["lr"] = base * pace
            optimiser.zero_grad()
            sum(LOSS[name] * value for name, value in found.items()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
        save_file(model.state_dict(), checkpoint)
        print(
            f"epoch {epoch}: {time.monotonic() - began:.0f} s, losses "
            + " ".join(f"{k} {v:.0f}" for k, v in sums.items())
        )
        for name, sources in (("real", data.REAL), ("written", ("written",))):
            items = [e for e in parts["dev"] if e.source in sources]
            print(f"  dev {name}: {line(evaluate(model, items))}", flush=True)
    return checkpoint


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--encoder", type=Path, required=True, help="a directory with model.safetensors and tokenizer.json"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--share", type=float, default=1.0, help="of the training documents, for the learning curve")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    train(options.encoder, options.out, epochs=options.epochs, share=options.share, threads=options.threads)


if __name__ == "__main__":
    main()
