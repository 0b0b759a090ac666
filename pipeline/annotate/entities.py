"""A spaCy text in, its entities out: those of the pipeline's own recogniser, computed for all words at once.

spaCy's recogniser moves through a text word by word, and before each move checks of every move whether it is allowed. But its
scores for a word outside of an entity depend on that word alone, and those within an entity on that word, the word before and
the entity's first word. So the words outside are scored in one product of matrices, and all entities that may begin are
followed side by side. The entities are the same (tests compare them) in a third of the time.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FEATURES: Final = 3
"""spaCy's recogniser adds up the vectors of three words: the next one, the first and the last so far of the open entity."""

COLUMNS: Final = ("SENT_START", "IS_SPACE")


def suits(ner: Any) -> bool:
    """Return whether a pipeline's recogniser is of the form that `Recogniser` computes; any other stays as it is."""
    model = getattr(ner, "model", None)
    if model is None or model.name != "parser_model" or not model.attrs["has_upper"] or model.attrs["unseen_classes"]:
        return False
    lower = model.get_ref("lower")
    return bool(ner.cfg["beam_width"] == 1 and lower.get_dim("nF") == FEATURES and lower.get_dim("nP") > 1)


@dataclass(frozen=True, slots=True)
class _Move:
    """A move of spaCy's recogniser: `kind` is B(egin), I(n), L(ast), U(nit) or O(ut)."""

    kind: str
    label: str


class Recogniser:
    """The weights of a pipeline's recogniser; called with a doc, it returns its entities."""

    def __init__(self, ner: Any) -> None:
        lower, upper = ner.model.get_ref("lower"), ner.model.get_ref("upper")
        self._tok2vec = ner.model.get_ref("tok2vec")
        for layer in self._tok2vec.walk():
            if layer.ops.name == "numpy":  # the product of matrices of numpy is twice as fast as that of BLIS
                layer.ops = type(layer.ops)(use_blis=False)
        weights, self._pad = lower.get_param("W"), lower.get_param("pad")[0].reshape(FEATURES, -1)
        self._lower = [np.ascontiguousarray(weights[n].reshape(-1, weights.shape[-1]).T) for n in range(FEATURES)]
        self._bias = lower.get_param("b").reshape(-1)
        self._pieces = lower.get_dim("nP")
        self._upper, self._upper_bias = np.ascontiguousarray(upper.get_param("W")), upper.get_param("b")
        names = (ner.moves.get_class_name(number).partition("-") for number in range(upper.get_dim("nO")))
        self._moves = [_Move(kind, label) for kind, _, label in names]
        self._outside = [n for n, m in enumerate(self._moves) if m.kind == "O" or (m.kind in "BU" and m.label)]
        self._inside = {m.label: n for n, m in enumerate(self._moves) if m.kind == "I"}
        self._last = {m.label: n for n, m in enumerate(self._moves) if m.kind == "L"}
        self._begins = np.array([self._moves[n].kind == "B" for n in self._outside])
        self._names = np.array([self._moves[n].kind in "BU" for n in self._outside])

    def __call__(self, doc: Any) -> list[tuple[int, int, str]]:
        """A spaCy doc with sentences and without entities in, its entities as (first, one past the last, label) out."""
        if not len(doc):
            return []
        columns = doc.to_array(COLUMNS)
        return self._entities(self._tok2vec.predict([doc]), columns[:, 0] == 1, columns[:, 1] == 1)

    def _entities(
        self, vectors: Floats, starts: NDArray[np.bool_], spaces: NDArray[np.bool_]
    ) -> list[tuple[int, int, str]]:
        """Word vectors in, and whether each word starts a sentence and whether it is white space; the entities out."""
        parts = [vectors @ weights for weights in self._lower]
        ends = np.ones(len(vectors), dtype=np.bool_)  # no entity goes on after a sentence
        ends[:-1] = starts[1:]
        scores = self._hidden(parts[0] + self._pad[1] + self._pad[2]) @ self._upper[self._outside].T
        scores += self._upper_bias[self._outside]
        scores[np.ix_(spaces, self._names)] = -np.inf
        scores[np.ix_(ends, self._begins)] = -np.inf
        best = scores.argmax(1)
        moves = [self._moves[self._outside[number]] for number in best.tolist()]
        last = self._followed(parts, [n for n, move in enumerate(moves) if move.kind == "B"], moves, ends)
        found: list[tuple[int, int, str]] = []
        end = 0
        for number, move in enumerate(moves):
            if number >= end and move.kind != "O":
                end = last.get(number, number) + 1
                found.append((number, end, move.label))
        return found

    def _followed(
        self, parts: list[Floats], first: list[int], moves: list[_Move], ends: NDArray[np.bool_]
    ) -> dict[int, int]:
        """The words at which entities may begin in, the last word of each out."""
        found: dict[int, int] = {}
        begun = np.array(first, dtype=np.intp)
        inside = np.array([self._inside[moves[n].label] for n in first], dtype=np.intp)
        last = np.array([self._last[moves[n].label] for n in first], dtype=np.intp)
        for length in itertools.count(1):
            if not len(begun):
                return found
            at = begun + length
            hidden = self._hidden(parts[0][at] + parts[1][begun] + parts[2][at - 1])
            goes_on, stops = self._score(hidden, inside), self._score(hidden, last)
            further = ((goes_on > stops) | ((goes_on == stops) & (inside < last))) & ~ends[at]
            found.update(zip(begun[~further].tolist(), at[~further].tolist(), strict=True))
            begun, inside, last = begun[further], inside[further], last[further]
        raise AssertionError  # unreachable: the last word of a text ends every entity

    def _hidden(self, sums: Floats) -> Floats:
        """Sums of the words' vectors in, what the last layer reads out."""
        shaped = (sums + self._bias).reshape(len(sums), -1, self._pieces)
        return np.asarray(shaped.max(-1), dtype=np.float32)

    def _score(self, hidden: Floats, moves: NDArray[np.intp]) -> Floats:
        return np.asarray(np.einsum("ij,ij->i", hidden, self._upper[moves]) + self._upper_bias[moves], dtype=np.float32)
