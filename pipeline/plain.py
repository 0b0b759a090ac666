"""A parsed text as plain lists: spaCy's arrays are read once, column by column, because asking each token is slow.

Nothing of it belongs to spaCy any more, so it may outlive the `nlp.memory_zone()` in which it was parsed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Final

COLUMNS: Final = ("ORTH", "LOWER", "TAG", "DEP", "HEAD", "IDX", "SENT_START")
STRINGS_KEPT: Final = 200_000
"""Different words kept in memory: an hour's news holds fewer."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Words with tags, arcs and offsets; sentences and the model's entities as (first word, one past the last)."""

    text: str
    words: list[str]
    low: list[str]
    tags: list[str]
    deps: list[str]
    heads: list[int]
    offsets: list[int]
    sentences: list[tuple[int, int]]
    entities: list[tuple[int, int, str]]

    def __len__(self) -> int:
        return len(self.words)

    def end_offset(self, index: int) -> int:
        """The character after the word."""
        return self.offsets[index] + len(self.words[index])

    def span(self, start: int, end: int) -> str:
        """The text from word `start` up to, not including, word `end`."""
        return self.text[self.offsets[start] : self.end_offset(end - 1)]


class _Strings(dict[int, str]):
    """spaCy's numbers of strings -> the strings. A number is a hash of its string, so it holds for every vocabulary."""

    def __init__(self, *, low: bool = False) -> None:
        super().__init__()
        self._low = low

    def of(self, numbers: list[int], store: Any) -> list[str]:
        """A column of numbers in, their strings out."""
        try:
            return [self[number] for number in numbers]
        except KeyError:
            if len(self) > STRINGS_KEPT:
                self.clear()
            for number in numbers:
                text = store[number]
                self[number] = text.replace("’", "'") if self._low else text
            return [self[number] for number in numbers]


_strings: Final = _Strings()
_low: Final = _Strings(low=True)


def plain(doc: Any) -> Plain:
    """A doc of spaCy's in, what detection needs of it out."""
    size = len(doc)
    if not size:
        return Plain("", [], [], [], [], [], [], [], [])
    array = doc.to_array(COLUMNS)
    words, low, tags, deps, _, offsets, begins = array.T.tolist()
    store = doc.vocab.strings
    starts = [0, *(index for index in range(1, size) if begins[index] == 1)]
    return Plain(
        text=doc.text,
        words=_strings.of(words, store),
        low=_low.of(low, store),
        tags=_strings.of(tags, store),
        deps=_strings.of(deps, store),
        heads=[
            index + step for index, step in enumerate(array[:, 4].astype("int64").tolist())
        ],  # steps may be negative
        offsets=offsets,
        sentences=list(itertools.pairwise((*starts, size))),
        entities=[(entity.start, entity.end, entity.label_) for entity in doc.ents],
    )
