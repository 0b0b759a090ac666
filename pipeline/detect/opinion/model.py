"""The model's file: a plain .npz (arrays only, never a pickle) in, an `Opinion` that weighs sites out.

`shares` of a site is a softmax over NONE and the sixteen types. `sure` turns it, with what the rules say, into the probability
that the event is right: a logistic function fitted on sentences that the first part had not seen.
"""

from __future__ import annotations

import math
import operator
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.opinion.features import Site
from pipeline.records import EventType

FORMAT: Final = 1
"""Raised when the features or the arrays change their meaning: an older file is refused, never misread."""

NONE: Final = "NONE"
CLASSES: Final = (NONE, *get_args(EventType))
PLACE_OF: Final = {name: place for place, name in enumerate(CLASSES)}
PARTS: Final = (
    "bias", "proposed", "rule_confidence", "type_logit", "none_logit", "rival_logit", "unreal", "actor_known",
    "recipient_known", "title", "proposed_logit",
)  # fmt: skip
"""What the second part weighs, in the order of its weights."""

BUILT_IN: Final = Path(__file__).with_name("model.npz")
VECTORS: Final = Path(__file__).with_name("vectors.npz")
EDGE: Final = 1e-4
"""Shares are kept this far from 0 and 1 before their logarithm is taken."""

Floats = NDArray[np.float32]


class OpinionError(ValueError):
    """A model file that cannot be used; the message names the file and why."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Words to short vectors of length one that say what they are about."""

    rows: Mapping[str, int]
    table: Floats

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return int(self.table.shape[1])

    def get(self, word: str) -> Floats:
        """A word in, its vector out: zeros for an unknown one."""
        row = self.rows.get(word)
        return self.table[row] if row is not None else np.zeros(self.size, dtype=np.float32)

    def of(self, site: Site) -> Floats:
        """The trigger's vector, its object's, and the mean of the words around them, one after the other."""
        found = np.zeros(3 * self.size, dtype=np.float32)
        for place, word in enumerate((site.trigger, site.object)):
            if (row := self.rows.get(word)) is not None:
                found[place * self.size : (place + 1) * self.size] = self.table[row]
        if around := [self.rows[word] for word in site.around if word in self.rows]:
            found[2 * self.size :] = self.table[around].sum(axis=0) / len(around)
        return found


@dataclass(frozen=True, slots=True)
class Opinion:
    """A trained model. `weights` has a row for each named feature, then for each number of the vectors, then one bias."""

    names: Mapping[str, int]
    weights: Floats
    vectors: Vectors
    judge: tuple[float, ...]
    made_of: Mapping[str, str]
    _spoken: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Multiply every word's vector with the weights once: then a site is only a sum of rows.

        They stand behind one another: the named features, the bias, then all words as trigger, as object, and as neighbours.
        """
        ends, size = len(self.names), self.vectors.size
        words = [
            self.vectors.table @ self.weights[ends + place * size : ends + (place + 1) * size] for place in range(3)
        ]
        object.__setattr__(self, "_spoken", np.concatenate((self.weights[:ends], self.weights[-1:], *words)))

    def shares(self, site: Site) -> tuple[float, ...]:
        """A site in, the share of each of `CLASSES` out."""
        names, words, bias = self.names, self.vectors.rows, len(self.names)
        as_trigger = bias + 1
        as_object, as_neighbour = as_trigger + len(words), as_trigger + 2 * len(words)
        rows = [bias]
        rows += [row for row in map(names.get, site.names) if row is not None]
        if (row := words.get(site.trigger)) is not None:
            rows.append(as_trigger + row)
        if (row := words.get(site.object)) is not None:
            rows.append(as_object + row)
        around = [as_neighbour + row for row in map(words.get, site.around) if row is not None]
        if not around:
            return softmax(np.add.reduce(self._spoken.take(rows, axis=0), axis=0).tolist())
        both = self._spoken.take(rows + around, axis=0)
        own, near = np.add.reduceat(both, (0, len(rows)), axis=0).tolist()
        return softmax([a + b / len(around) for a, b in zip(own, near, strict=True)])

    def sure(self, parts: Sequence[float]) -> float:
        """What the second part weighs in, the probability that the event is right out."""
        return 1.0 / (1.0 + math.exp(-sum(map(operator.mul, self.judge, parts))))


def softmax(scores: Sequence[float]) -> tuple[float, ...]:
    """Scores in, their shares out. So few numbers are quicker without NumPy."""
    highest = max(scores)
    spread = [math.exp(score - highest) for score in scores]
    whole = sum(spread)
    return tuple([one / whole for one in spread])


def logit(share: float) -> float:
    """A share in, its logarithm of odds out."""
    share = min(1.0 - EDGE, max(EDGE, share))
    return math.log(share / (1.0 - share))


def parts(
    shares: Sequence[float] | Floats, event_type: str, *, rule_confidence: float | None, unreal: bool, actor: bool,
    recipient: bool, title: bool,
) -> tuple[float, ...]:  # fmt: skip
    """What is known of an event in, the numbers that the second part weighs out, in the order of `PARTS`."""
    own = PLACE_OF[event_type]
    rival = float(max((*shares[1:own], *shares[own + 1 :])))
    own_logit = logit(float(shares[own]))
    return (
        1.0,
        float(rule_confidence is None),
        rule_confidence if rule_confidence is not None else 0.0,
        own_logit,
        logit(float(shares[0])),
        logit(rival),
        float(unreal),
        float(actor),
        float(recipient),
        float(title),
        own_logit if rule_confidence is None else 0.0,
    )


def load(file: Path = BUILT_IN, vectors: Path = VECTORS) -> Opinion | None:
    """Files in, the opinion out; none where the built-in files are not there: then the rules decide alone.

    Raises:
        OpinionError: the file is no model, or of another format.
    """
    if not file.exists() and file == BUILT_IN:
        return None
    arrays = _arrays(file)
    made_of = dict(line.split("=", 1) for line in _text(arrays["made_of"]))
    if made_of.get("format") != str(FORMAT):
        raise OpinionError(f"{file}: format {made_of.get('format')}, this version reads {FORMAT}; train it anew")
    if _text(arrays["classes"]) != list(CLASSES) or _text(arrays["parts"]) != list(PARTS):
        raise OpinionError(f"{file}: made for other types; train it anew")
    names = {name: row for row, name in enumerate(_text(arrays["names"]))}
    table = load_vectors(vectors)
    weights = arrays["weights"].astype(np.float32)
    if weights.shape != (len(names) + 3 * table.size + 1, len(CLASSES)):
        raise OpinionError(f"{file}: made for other vectors than {vectors.name}")
    return Opinion(names, weights, table, tuple(float(value) for value in arrays["judge"]), made_of)


def load_vectors(file: Path = VECTORS) -> Vectors:
    """A file of vectors in, the vectors out; none at all where it is absent."""
    if not file.exists():
        return Vectors({}, np.zeros((0, 0), dtype=np.float32))
    arrays = _arrays(file)
    table = arrays["table"].astype(np.float32)
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-6)
    return Vectors({word: row for row, word in enumerate(_text(arrays["words"]))}, table)


def save(
    file: Path, names: Sequence[str], weights: NDArray[Any], judge: Sequence[float], made_of: Mapping[str, str]
) -> None:
    """A trained model in, its file out: the same bytes for the same numbers."""
    np.savez_compressed(
        file,
        names=_bytes(names),
        classes=_bytes(CLASSES),
        parts=_bytes(PARTS),
        weights=weights.astype(np.float16),
        judge=np.asarray(judge, dtype=np.float64),
        made_of=_bytes([f"format={FORMAT}", *(f"{key}={value}" for key, value in sorted(made_of.items()))]),
    )


def _arrays(file: Path) -> Mapping[str, NDArray[Any]]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise OpinionError(f"{file}: {error}") from error


def _bytes(lines: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def _text(array: NDArray[Any]) -> list[str]:
    return array.tobytes().decode().split("\n")
