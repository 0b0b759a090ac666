"""Train the reader: `python -m train.reader.fit --start DIR --out DIR`.

Writes a checkpoint after each epoch and prints the figures on the dev documents.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.nn import functional

from pipeline.detect.windows import Windows
from train.reader import data
from train.reader.batching import batches, tensors
from train.reader.model import ROLE_NAMES, Encoder, Reader, from_bert
from train.reader.restore import published, restore

LOSS = {"kind": 1.0, "modality": 0.3, "main": 0.2, "role": 1.0, "same": 0.1, "loud": 0.2}


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


class Below:
    """What the frozen layers make of each window, computed once: they never change, and are run without dropout."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[int, torch.Tensor] = {}

    @torch.no_grad()
    def __call__(self, examples: Sequence[data.Example], batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Examples and their padded tensors in, the vectors below the first layer that learns out."""
        if any(id(e) not in self._known for e in examples):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                made = self._encoder.below(batch["ids"], batch["kinds"], batch["mask"])
            for row, e in enumerate(examples):
                self._known[id(e)] = made[row, : len(e.window)].to(torch.bfloat16, copy=True)
        known = [self._known[id(e)] for e in examples]
        return torch.nn.utils.rnn.pad_sequence(known, batch_first=True).float()


def losses(model: Reader, examples: Sequence[data.Example], drop: float, below: Below) -> dict[str, torch.Tensor]:
    """The loss of each head."""
    batch = tensors(examples)
    start = below(examples, batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(batch["ids"], batch["kinds"], batch["mask"], drop, start)
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


def gather(
    tokenizer: Tokenizer, *, marks: Sequence[Path], share: float, sentences: float, seed: int
) -> dict[str, list[data.Example]]:
    """Every labelled document as examples, by part.

    `share` keeps so much of the training documents, `sentences` so much of those without a title. What was made for training
    is for training, whatever its hash says.
    """
    windows, split, chance = Windows(tokenizer), data.Splitter(), random.Random(seed)
    parts: dict[str, list[data.Example]] = {"train": [], "dev": [], "test": []}
    for doc in (*data.everything(), *data.marked(marks)):
        where = "train" if doc.source in MADE else data.part(doc.id)
        if where != "train" or chance.random() <= share * (1.0 if doc.title or doc.source == "marks" else sentences):
            parts[where] += list(data.examples(doc, windows, split))
    return parts


@dataclass(frozen=True)
class Round:
    """How training goes. Rates are the highest ones; both follow a cosine after a warm-up.

    The vectors of words and the lowest `frozen` layers do not learn. From epoch `twice_from` on whole articles are seen twice:
    they are few, and are what the service reads. (Real ones are there twice already, read by two labellers.)
    """

    epochs: int
    rate: float
    head_rate: float
    frozen: int
    twice_from: int
    warm_up: float = 0.03


FIRST = Round(epochs=3, rate=2e-4, head_rate=1e-3, frozen=3, twice_from=3)
SECOND = Round(epochs=1, rate=1.1e-4, head_rate=3e-4, frozen=3, twice_from=1)
AGAIN = Round(epochs=1, rate=4e-5, head_rate=1.2e-4, frozen=0, twice_from=1)
AGAIN_SENTENCES = 0.25
LAYERS = 9
"""Of a published encoder: three quarters of what twelve layers cost, and a file below 30 MB."""
MADE = ("articles", "written", "marks")
"""Sources that are for training whole; of the others a hash says which documents are."""
AVERAGED = 0.995
"""The kept weights are a running average over about 1 / (1 - AVERAGED) steps: +.015 precision at equal recall."""


class Average:
    """A running average of a model's weights."""

    def __init__(self, model: Reader) -> None:
        self._weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self._steps = 0

    def add(self, model: Reader) -> None:
        """Take in the weights after a step; the first steps count as much as they are many."""
        self._steps += 1
        keep = min(AVERAGED, self._steps / (self._steps + 10))
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self._weights[name].lerp_(value.detach(), 1 - keep)

    def weights(self) -> dict[str, torch.Tensor]:
        """The averaged weights."""
        return self._weights


def train_round(
    model: Reader, parts: dict[str, list[data.Example]], how: Round, out: Path, *, seed: int, drop: float = 0.1
) -> None:
    """One round; after each epoch the averaged weights are written to `out` and measured. The model ends with them."""
    chance = random.Random(seed)
    model.encoder.freeze(how.frozen)
    groups = {"body": [], "heads": []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups["body" if name.startswith("encoder.") else "heads"].append(parameter)
    rates = (how.rate, how.head_rate)
    optimiser = torch.optim.AdamW(
        [{"params": p, "lr": r} for p, r in zip(groups.values(), rates, strict=True)], weight_decay=0.01
    )
    of_epoch = [repeated(parts["train"], 2 if epoch >= how.twice_from else 1) for epoch in range(1, how.epochs + 1)]
    steps, step = sum(len(batches(items, random.Random(0))) for items in of_epoch), 0
    average, below = Average(model), Below(model.encoder)
    for epoch, items in enumerate(of_epoch, 1):
        model.train()
        began, sums = time.monotonic(), {}
        for group in batches(items, chance):
            found = losses(model, group, drop, below)
            step += 1
            pace = min(1.0, step / (how.warm_up * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
            for settings, base in zip(optimiser.param_groups, rates, strict=True):
                settings["lr"] = base * pace
            optimiser.zero_grad()
            sum(LOSS[name] * value for name, value in found.items()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            average.add(model)
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            if step % 100 == 0:
                print(f"  step {step} of {steps}, {time.monotonic() - began:.0f} s", flush=True)
        raw = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(average.weights())
        save_file(model.state_dict(), out)
        print(
            f"epoch {epoch}: {time.monotonic() - began:.0f} s, losses "
            + " ".join(f"{k} {v:.0f}" for k, v in sums.items())
        )
        print(f"  dev: {line(evaluate(model, [e for e in parts['dev'] if e.source in data.REAL]))}", flush=True)
        if epoch < how.epochs:
            model.load_state_dict(raw)


def repeated(items: Sequence[data.Example], times: int) -> list[data.Example]:
    """Examples in, those of whole written articles `times` times out."""
    return [e for e in items for _ in range(times if e.source == "articles" else 1)]


def train(
    start: Path, out: Path, *, marks: Sequence[Path] = (), threads: int = 2, share: float = 1.0, seed: int = 1
) -> Path:  # fmt: skip
    """Train from a published encoder in two rounds, or go on from an exported reader for one; the last checkpoint's path out.

    `start` is the encoder's or the reader's directory; of an encoder the first `LAYERS` layers are taken. A reader goes on with
    whole articles twice and every fourth single sentence that it has seen before. Each epoch writes a checkpoint and prints
    the figures on the dev documents.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(start / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    going_on = (start / "reader.onnx").exists()
    model = restore(start) if going_on else Reader(from_bert(published(start), LAYERS))
    parts = gather(tokenizer, marks=marks, share=share, sentences=AGAIN_SENTENCES if going_on else 1.0, seed=seed)
    for name, items in parts.items():
        pieces, events = sum(len(e.window) for e in items), sum(len(e.labels) for e in items)
        print(f"{name}: {len(items)} windows, {pieces} pieces, {events} events", flush=True)
    last = out / "reader.safetensors"
    if going_on:
        items = [e for e in parts["dev"] if e.source in data.REAL]
        print(f"start\n  dev: {line(evaluate(model, items))}", flush=True)
    for how in (AGAIN,) if going_on else (FIRST, SECOND):
        train_round(model, parts, how, last, seed=seed)
    return last


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--start", type=Path, required=True, help="the directory of an encoder or of an exported reader"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the training documents, for the learning curve")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    train(options.start, options.out, share=options.share, threads=options.threads)


if __name__ == "__main__":
    main()
