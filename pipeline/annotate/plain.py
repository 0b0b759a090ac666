"""A spaCy doc in, its words, sentences and entities as plain lists out.

spaCy's arrays are read once, column by column, because a call for each token is slow. The lists hold no spaCy objects, so they
may outlive the `nlp.memory_zone()` of the doc.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Final

COLUMNS: Final = ("ORTH", "IDX", "SENT_START", "ENT_IOB", "ENT_TYPE")
STRINGS_KEPT: Final = 200_000
"""At most so many different words are cached; an hour of news has fewer."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Words with offsets; sentences and the model's entities as (first word, one past the last)."""

    text: str
    words: list[str]
    offsets: list[int]
    sentences: list[tuple[int, int]]
    entities: list[tuple[int, int, str]]

    def __len__(self) -> int:
        return len(self.words)

    def end_offset(self, index: int) -> int:
        """Return the offset just after a word."""
        return self.offsets[index] + len(self.words[index])

    def span(self, start: int, end: int) -> str:
        """Return the text from word `start` up to, not including, word `end`."""
        return self.text[self.offsets[start] : self.end_offset(end - 1)]


class _Strings(dict[int, str]):
    """Cache of spaCy's string numbers to strings. A number is a hash of its string, so it is valid for every vocabulary."""

    def of(self, numbers: list[int], store: Any) -> list[str]:
        """Return the strings of a column of numbers."""
        try:
            return list(map(self.__getitem__, numbers))
        except KeyError:
            if len(self) > STRINGS_KEPT:
                self.clear()
            self.update((number, store[number]) for number in numbers)
            return list(map(self.__getitem__, numbers))


_strings: Final = _Strings()


def plain(doc: Any, text: str) -> Plain:
    """Return the lists of a spaCy doc; `text` is the text that it was made from."""
    size = len(doc)
    if not size:
        return Plain("", [], [], [], [])
    array = doc.to_array(COLUMNS)
    numbers, offsets, begins, places, types = array.T.tolist()
    store = doc.vocab.strings
    words = _strings.of(numbers, store)
    starts = [0, *(index for index in range(1, size) if begins[index] == 1)]
    return Plain(
        text=text,
        words=words,
        offsets=offsets,
        sentences=list(itertools.pairwise((*starts, size))),
        entities=_entities(places, types, store),
    )


INSIDE: Final = 1
BEGIN: Final = 3
"""spaCy's numbers for words inside and at the beginning of an entity."""


def _entities(places: list[int], types: list[int], store: Any) -> list[tuple[int, int, str]]:
    """Return the entities from two columns, as `doc.ents` has them; that would build a span object for each."""
    found = []
    for first in [index for index, place in enumerate(places) if place == BEGIN]:
        end = first + 1
        while end < len(places) and places[end] == INSIDE:
            end += 1
        found.append((first, end, _strings.of(types[first : first + 1], store)[0]))
    return found
