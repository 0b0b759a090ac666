"""A parsed text in, the same with hyphenated words such as `cease-fire` and `test-fires` as single words out.

The parser splits them in three, as it was trained to. The joined word gets the tag and dependency of the part that heads the
others.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from pipeline.annotate.plain import Plain

PREFIXED: Final = re.compile(r"(?:[Rr]e|[Cc]o|[Cc]ounter|[Cc]yber|[Dd]e)-[a-z]{4,}")
"""Words that the parser was trained on as one token (`re-elected`), but that its tokenizer splits at the hyphen."""


def joined(read: Plain, forms: frozenset[str]) -> Plain:
    """Return the parsed text with each hyphenated word that is in `forms` as one word.

    A word that is in `forms` without its hyphen (`air-strike`) has that form in `low`. A word that contains a name
    (Iran-backed) stays split.
    """
    if "-" not in read.text:
        return read
    low = [_bare(word, forms) if "-" in word[1:-1] else word for word in read.low]
    spans = _spans(read, forms)
    if not spans:
        return dataclasses.replace(read, low=low)
    return _merged(read, low, spans)


def _bare(word: str, forms: frozenset[str]) -> str:
    """Return a word without its hyphen if only that form is in `forms`: retook for re-took."""
    bare = word.replace("-", "")
    return bare if word not in forms and bare in forms else word


def _spans(read: Plain, forms: frozenset[str]) -> list[tuple[int, int, str]]:
    """Return (first word, one past the last, form) of each run of words that is one word."""
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
    """Return whether there is no space between the words from `start` up to `end`."""
    return all(read.end_offset(index) == read.offsets[index + 1] for index in range(start, end - 1))


def _merged(read: Plain, low: list[str], spans: list[tuple[int, int, str]]) -> Plain:
    inner = {index: span for span in spans for index in range(span[0], span[1])}
    place: list[int] = []  # the new index of each old word, and one more for the end
    kept: list[int] = []  # the old word from which each new one has its tag and dependency
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
