"""Words with a hyphen made one word: `cease-fire` and `test-fires` are read in three parts and mean one thing.

The parser reads them in parts, as it was trained; the part on which the others hang lends the whole its tag and arc.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from pipeline.annotate.plain import Plain

PREFIXED: Final = re.compile(r"(?:[Rr]e|[Cc]o|[Cc]ounter|[Cc]yber|[Dd]e)-[a-z]{4,}")
"""Words that the parser was trained to see whole (`re-elected`), while its tokenizer cuts them at the hyphen."""


def joined(read: Plain, forms: frozenset[str]) -> Plain:
    """A parsed text in, the same with each hyphened word that is one of `forms` made one word out.

    A word that the forms have without its hyphen (`air-strike`) is known by that in `low`. Names keep their parts
    (Iran-backed).
    """
    if "-" not in read.text:
        return read
    low = [_bare(word, forms) if "-" in word[1:-1] else word for word in read.low]
    spans = _spans(read, forms)
    if not spans:
        return dataclasses.replace(read, low=low)
    return _merged(read, low, spans)


def _bare(word: str, forms: frozenset[str]) -> str:
    """A word that was read whole, as the forms write it: re-took is retook."""
    bare = word.replace("-", "")
    return bare if word not in forms and bare in forms else word


def _spans(read: Plain, forms: frozenset[str]) -> list[tuple[int, int, str]]:
    """The stretches of words that are one: first, one past the last, and how the forms write it."""
    spans: list[tuple[int, int, str]] = []
    named = {index for first, last, _ in read.entities for index in range(first, last)}
    size = len(read)
    for at in [index for index, word in enumerate(read.words) if word == "-" and 0 < index < size - 1]:
        if spans and spans[-1][1] > at - 1:
            continue
        end = at + 2
        while end + 1 < size and read.words[end] == "-" and _glued(read, end - 1, end + 2):
            end += 2
        rest = "".join(read.words[at:end])
        if at - 1 in named or not rest.islower() or not _glued(read, at - 1, end):
            continue
        whole = "".join(read.low[at - 1 : end])
        form = next((one for one in (whole, whole.replace("-", "")) if one in forms), "")
        if form:
            spans.append((at - 1, end, form))
    return spans


def _glued(read: Plain, start: int, end: int) -> bool:
    """Whether no blank stands between the words from `start` up to `end`."""
    return all(read.end_offset(index) == read.offsets[index + 1] for index in range(start, end - 1))


def _merged(read: Plain, low: list[str], spans: list[tuple[int, int, str]]) -> Plain:
    inner = {index: span for span in spans for index in range(span[0], span[1])}
    place: list[int] = []  # where each old word is among the new ones; one more for the end
    kept: list[int] = []  # the old word that lends its tag and arc to each new one
    words: list[str] = []
    lows: list[str] = []
    for index in range(len(read)):
        span = inner.get(index)
        if span is not None and index > span[0]:
            place.append(len(words) - 1)
            continue
        place.append(len(words))
        first, end, form = span or (index, index + 1, low[index])
        kept.append(
            next((i for i in range(first, end) if not first <= read.heads[i] < end or read.heads[i] == i), index)
        )
        words.append(read.span(first, end))
        lows.append(form)
    place.append(len(words))
    return Plain(
        text=read.text,
        words=words,
        low=lows,
        tags=[read.tags[index] for index in kept],
        deps=[read.deps[index] for index in kept],
        heads=[place[read.heads[index]] for index in kept],
        offsets=[read.offsets[inner[index][0] if index in inner else index] for index in kept],
        sentences=[(place[start], place[end]) for start, end in read.sentences],
        entities=[(place[start], place[end - 1] + 1, label) for start, end, label in read.entities],
    )
