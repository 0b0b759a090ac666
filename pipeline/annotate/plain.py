"""A parsed text as plain lists: spaCy's arrays are read once, column by column, because asking each token is slow.

Nothing of it belongs to spaCy any more, so it may outlive the `nlp.memory_zone()` in which it was parsed.
"""

from __future__ import annotations

import itertools
import operator
from dataclasses import dataclass
from typing import Any, Final

COLUMNS: Final = ("ORTH", "TAG", "DEP", "HEAD", "IDX", "SENT_START", "ENT_IOB", "ENT_TYPE")
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

    def of(self, numbers: list[int], store: Any) -> list[str]:
        """A column of numbers in, their strings out."""
        try:
            return list(map(self.__getitem__, numbers))
        except KeyError:
            if len(self) > STRINGS_KEPT:
                self.clear()
            self.update((number, store[number]) for number in numbers)
            return list(map(self.__getitem__, numbers))


class _Low(dict[str, str]):
    """Words -> the same in lower case, with a plain apostrophe."""

    def __missing__(self, word: str) -> str:
        if len(self) > STRINGS_KEPT:
            self.clear()
        low = self[word] = word.lower().replace("’", "'")
        return low


_strings: Final = _Strings()
_low: Final = _Low()


def plain(doc: Any, text: str) -> Plain:
    """A doc of spaCy's and the text that was parsed in, what detection needs of it out."""
    size = len(doc)
    if not size:
        return Plain("", [], [], [], [], [], [], [], [])
    array = doc.to_array(COLUMNS)
    numbers, tags, deps, _, offsets, begins, places, types = array.T.tolist()
    steps = array[:, COLUMNS.index("HEAD")].astype("int64").tolist()  # as they came, steps back are huge numbers
    store = doc.vocab.strings
    words = _strings.of(numbers, store)
    starts = [0, *(index for index in range(1, size) if begins[index] == 1)]
    return Plain(
        text=text,
        words=words,
        low=list(map(_low.__getitem__, words)),
        tags=_strings.of(tags, store),
        deps=_strings.of(deps, store),
        heads=list(map(operator.add, range(size), steps)),
        offsets=offsets,
        sentences=list(itertools.pairwise((*starts, size))),
        entities=_entities(places, types, store),
    )


INSIDE: Final = 1
BEGIN: Final = 3
"""How spaCy numbers where in an entity a word stands."""


def _entities(places: list[int], types: list[int], store: Any) -> list[tuple[int, int, str]]:
    """Two columns of numbers in, the entities out: as `doc.ents` tells them, which makes a span of each."""
    found = []
    for first in [index for index, place in enumerate(places) if place == BEGIN]:
        end = first + 1
        while end < len(places) and places[end] == INSIDE:
            end += 1
        found.append((first, end, _strings.of(types[first : first + 1], store)[0]))
    return found
