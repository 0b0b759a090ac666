"""Train the second opinion: labelled data in, model.npz and its figures out. The same data give the same file.

The figures are cross-validated: no sentence, and no day of news, is judged by a model that learnt from it.
"""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata

from pipeline.detect.models import Models
from pipeline.detect.opinion import PROPOSE_SHARE, fit, model, samples
from pipeline.detect.opinion.fit import Floats
from pipeline.detect.opinion.model import CLASSES, Opinion, Vectors
from pipeline.detect.opinion.samples import Sample, Test

FOLDS: Final = 5
SEEN_AT_LEAST: Final = 3
"""A feature met once or twice in training says little."""

PULL_NAMES: Final = 1.0
PULL_VECTORS: Final = 0.2
PULL_BIAS: Final = 0.01
PULL_JUDGE: Final = 1.0
"""Strength of the pull to zero; chosen by cross-validation, see docs/quality.md."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What cross-validation says."""

    samples: int
    features: int
    rules_right: float
    type_right: float
    auc_rules: float
    auc_opinion: float
    calibration_error: float
    calibration_error_rules: float
    reliability: tuple[tuple[float, float, int], ...]
    proposed: int
    proposed_right: float
    missed: int
    missed_found: float


@dataclass(frozen=True, slots=True)
class Table:
    """Samples as numbers."""

    names: list[str]
    flags: Any
    numbers: Floats
    y: NDArray[np.int64]
    weight: Floats
    fold: NDArray[np.int64]


def gather(
    models: Models,
    *,
    written: Path | None = None,
    shared: Path | None = None,
    readings: Path | None = None,
    marks: Sequence[Path] = (),
) -> list[Sample]:
    """Where the data are in, all samples out. What is not there is left out: figures say how many there were."""
    found: list[Sample] = []
    if written is not None:
        rows = [row for file in sorted(written.glob("*.jsonl")) for row in samples.lines(file)]
        found.extend(samples.written(rows, models))
    found.extend(samples.examples(models))
    if shared is not None:
        found.extend(_shared(shared, readings, models))
    for file in marks:
        found.extend(samples.marked(samples.lines(file), models))
    return found


def _shared(shared: Path, readings: Path | None, models: Models) -> Iterator[Sample]:
    tests: Mapping[str, Test] = KINDS
    for name in ("hand_wce", "challenge_wce"):
        yield from samples.typed(samples.lines(shared / name / "dev.jsonl"), models, tests)
    yield from samples.rooted(samples.lines(shared / "plover_gsr" / "dev.jsonl"), models)
    read: set[str] = set()
    for file in sorted(readings.glob("*.jsonl")) if readings is not None else ():
        rows = samples.lines(file)
        read.update(row["id"] for row in rows)
        texts = {row["id"]: row for row in samples.lines(shared / file.stem / "dev.jsonl")}
        yield from samples.readings(rows, texts, models)
    items = samples.lines(shared / "wce_category" / "dev.jsonl")
    yield from samples.sections([row for row in items if row["id"] not in read], models)


def _type(*types: str) -> Test:
    return lambda event: event["event_type"] in types


def _kind(*kinds: str) -> Test:
    return lambda event: event["kind"] in kinds


KINDS: Final[dict[str, Test]] = {
    "meeting": _type("CONSULT"), "aid_military": _type("AID"), "aid_humanitarian": _type("AID"), "aid_financial": _type("AID"),
    "sanctions": _kind("sanctions"), "arms_deal": _kind("arms_deal", "arms_procurement"),
    "warrant": _kind("legal_action", "arrest"), "court": _kind("legal_action", "arrest"),
    "arrest": _kind("legal_action", "arrest"), "strike": _type("ASSAULT"),
    "agreement": _type("AGREE", "CONCEDE", "RETREAT", "COOPERATE"),
    "statement": _type("REQUEST", "ACCUSE", "REJECT", "THREATEN", "SUPPORT"),
    "rupture": lambda event: event["event_type"] == "SANCTION" and event["kind"] != "sanctions",
    "deployment": _type("MOBILIZE"), "protest": _type("PROTEST"),
}  # fmt: skip
"""What a label of the hand-labelled sets asks of an event."""


def fold_of(group: str) -> int:
    """A group in, its fold out: by a hash, so that it stays where it is when data are added."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % FOLDS


def tabulate(found: Sequence[Sample], vectors: Vectors) -> Table:
    """Samples in, a sparse table of them out: a column for each feature, each number of the vectors, and a bias."""
    seen = collections.Counter(name for one in found for name in one.site.names)
    names = sorted(name for name, count in seen.items() if count >= SEEN_AT_LEAST)
    column = {name: number for number, name in enumerate(names)}
    entries = [(row, column[n]) for row, one in enumerate(found) for n in one.site.names if n in column]
    rows, columns = zip(*entries, strict=True)
    flags = sparse.csr_matrix((np.ones(len(entries)), (rows, columns)), shape=(len(found), len(names)))
    numbers = np.stack([np.append(vectors.of(one.site), 1.0) for one in found]).astype(np.float64)
    return Table(
        names=names,
        flags=flags,
        numbers=numbers,
        y=np.array([one.label for one in found], dtype=np.int64),
        weight=np.array([one.weight for one in found]),
        fold=np.array([fold_of(one.group) for one in found], dtype=np.int64),
    )


def types(table: Table, rows: NDArray[np.bool_]) -> Floats:
    """The rows to learn from in, the weights of the first part out."""
    penalty = np.concatenate(
        [
            np.full(len(table.names), PULL_NAMES),
            np.full(table.numbers.shape[1] - 1, PULL_VECTORS),
            np.full(1, PULL_BIAS),
        ]
    )
    x, numbers = table.flags[rows], table.numbers[rows]
    return fit.softmax_regression(x, numbers, table.y[rows], table.weight[rows], classes=len(CLASSES), penalty=penalty)


def unseen(table: Table) -> tuple[Floats, list[Floats]]:
    """For each sample the shares that a model gives it which did not learn from its group; and those models' weights."""
    shares = np.zeros((len(table.y), len(CLASSES)))
    weights = [types(table, table.fold != fold) for fold in range(FOLDS)]
    for fold, w in enumerate(weights):
        held = table.fold == fold
        if held.any():
            width = len(table.names)
            shares[held] = fit.softmax(table.flags[held] @ w[:width] + table.numbers[held] @ w[width:])
    return shares, weights


@dataclass(frozen=True, slots=True)
class Judged:
    """Samples for the second part: what it weighs, and whether the event was right."""

    rows: NDArray[np.int64]
    parts: Floats
    right: NDArray[np.int64]
    weight: Floats


def judged(found: Sequence[Sample], shares: Floats) -> Judged:
    """Samples and what an unprejudiced first part says of them in, those that are events (or would be proposed) out."""
    rows, parts, right = [], [], []
    for row, one in enumerate(found):
        if not one.judged:
            continue
        own = number_of(one, shares[row])
        if own is None:
            continue
        d = one.drafted
        rows.append(row)
        right.append(int(own == one.label))
        parts.append(
            model.parts(
                shares[row], CLASSES[own],
                rule_confidence=d.confidence if d else None, unreal=bool(d and d.unreal), actor=d.actor if d else True,
                recipient=d.recipient if d else True, title=False,
            )
        )  # fmt: skip
    weight = np.array([found[row].weight for row in rows])
    return Judged(np.array(rows), np.array(parts), np.array(right, dtype=np.int64), weight)


def number_of(one: Sample, shares: Floats) -> int | None:
    """The class that an event at this sample would have: the rules' type, or what the model would propose; else none."""
    if one.drafted is not None:
        return CLASSES.index(one.drafted.type)
    best = int(np.argmax(shares[1:])) + 1
    return best if shares[best] >= PROPOSE_SHARE else None


def judge(of: Judged, rows: NDArray[np.bool_]) -> Floats:
    """The weights of the second part, learnt from some rows."""
    penalty = np.full(of.parts.shape[1], PULL_JUDGE)
    penalty[0] = PULL_BIAS
    none = sparse.csr_matrix((int(rows.sum()), 0))
    w = fit.softmax_regression(none, of.parts[rows], of.right[rows], of.weight[rows], classes=2, penalty=penalty)
    return np.asarray(w[:, 1] - w[:, 0])


@dataclass(frozen=True, slots=True)
class Trained:
    """The model as arrays, its figures, and for each fold a model that has not seen it."""

    names: list[str]
    weights: Floats
    judge: tuple[float, ...]
    made_of: Mapping[str, str]
    figures: Figures
    held_out: tuple[Opinion, ...]

    def write(self, file: Path) -> None:
        """The model goes to a file."""
        model.save(file, self.names, self.weights, self.judge, self.made_of)


def train(found: Sequence[Sample], vectors: Vectors, made_of: Mapping[str, str]) -> Trained:
    """Samples in, the model and its cross-validated figures out.

    Raises:
        OpinionError: there is too little to learn from.
    """
    if len({one.label for one in found}) < 3 or len({fold_of(one.group) for one in found}) < FOLDS:
        raise model.OpinionError(f"{len(found)} samples are too few to learn from: give --sentences or --sets as well")
    table = tabulate(found, vectors)
    shares, weights_of = unseen(table)
    of = judged(found, shares)
    folds = table.fold[of.rows]
    sure = np.zeros(len(of.rows))
    held: list[Opinion] = []
    for fold in range(FOLDS):
        here, weights = folds == fold, judge(of, folds != fold)
        sure[here] = 1.0 / (1.0 + np.exp(-(of.parts[here] @ weights)))
        held.append(_opinion(table, weights_of[fold], vectors, weights, made_of))
    return Trained(
        names=table.names,
        weights=types(table, np.ones(len(table.y), dtype=bool)),
        judge=tuple(np.round(judge(of, np.ones(len(of.rows), dtype=bool)), 4).tolist()),
        made_of=made_of,
        figures=_figures(found, table, shares, of, sure),
        held_out=tuple(held),
    )


def made_of(found: Sequence[Sample], vectors: Path) -> dict[str, str]:
    """What a model says of its making: how many samples of each source, and which vectors."""
    counted = collections.Counter(one.source for one in found)
    digest = hashlib.sha256(vectors.read_bytes()).hexdigest()[:16] if vectors.exists() else "none"
    return {**{f"samples.{source}": str(count) for source, count in sorted(counted.items())}, "vectors": digest}


def page(figures: Figures, out: Path) -> str:
    """The figures for people."""
    lines = [
        f"{out}: {figures.samples:,} samples, {figures.features:,} features",
        f"events of the rules that are right: {figures.rules_right:.1%} (of labelled sentences)",
        f"right from wrong (area under the curve): rules {figures.auc_rules:.3f}, with opinion {figures.auc_opinion:.3f}",
        f"calibration error: rules {figures.calibration_error_rules:.3f}, with opinion {figures.calibration_error:.3f}",
        f"missed by the rules: {figures.missed}; proposed {figures.proposed}, right {figures.proposed_right:.1%}",
        "said  was    events",
        *(f"{said:.2f}  {was:.2f}  {count:6}" for said, was, count in figures.reliability),
    ]
    return "\n".join(lines)


def _opinion(table: Table, weights: Floats, vectors: Vectors, judge_: Floats, made_of: Mapping[str, str]) -> Opinion:
    rounded = weights.astype(np.float16).astype(np.float32)
    return Opinion({n: i for i, n in enumerate(table.names)}, rounded, vectors, tuple(judge_.tolist()), dict(made_of))


def _figures(found: Sequence[Sample], table: Table, shares: Floats, of: Judged, sure: Floats) -> Figures:
    by_rules = np.array([found[row].drafted is not None for row in of.rows])
    # what sections say is weak: it teaches, and is no measure
    hard = np.array([found[row].source != "sections" for row in of.rows])
    right = of.right.astype(bool)
    rules = np.array([d.confidence if (d := found[row].drafted) else 0.0 for row in of.rows])
    best = shares[:, 1:].argmax(axis=1) + 1
    drafts, made = hard & by_rules, hard & ~by_rules
    missed = np.array([one.drafted is None and one.label > 0 for one in found])
    spoken = shares[:, 1:].max(axis=1) >= PROPOSE_SHARE
    return Figures(
        samples=len(found),
        features=len(table.names),
        rules_right=_share(right[drafts]),
        type_right=_share(best[of.rows[drafts]] == table.y[of.rows[drafts]]),
        auc_rules=_auc(rules[drafts], right[drafts]),
        auc_opinion=_auc(sure[drafts], right[drafts]),
        calibration_error=_error(sure[hard], right[hard]),
        calibration_error_rules=_error(rules[drafts], right[drafts]),
        reliability=tuple(_reliability(sure[hard], right[hard])),
        proposed=int(made.sum()),
        proposed_right=_share(right[made]),
        missed=int(missed.sum()),
        missed_found=_share((spoken & (best == table.y))[missed]),
    )


def _share(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), 3) if len(flags) else 0.0


def _auc(scores: Floats, right: NDArray[np.bool_]) -> float:
    """How often a right event is surer than a wrong one."""
    good, bad = int(right.sum()), int((~right).sum())
    if not good or not bad:
        return 0.5
    return round(float((rankdata(scores)[right].sum() - good * (good + 1) / 2) / (good * bad)), 3)


EDGES: Final = np.linspace(0.0, 1.0, 11)


def _reliability(sure: Floats, right: NDArray[np.bool_]) -> Iterator[tuple[float, float, int]]:
    """For each tenth: how sure on average, how many were right, of how many."""
    place = np.clip(np.digitize(sure, EDGES) - 1, 0, 9)
    for tenth in range(10):
        here = place == tenth
        if here.any():
            yield round(float(sure[here].mean()), 3), _share(right[here]), int(here.sum())


def _error(sure: Floats, right: NDArray[np.bool_]) -> float:
    """The expected calibration error: how far off, on average, the tenths are."""
    rows = list(_reliability(sure, right))
    total = sum(count for *_, count in rows)
    return round(sum(abs(said - was) * count for said, was, count in rows) / max(1, total), 4)
