"""Spans of roles in, one for each party out: a name that the reader cut is made whole, and who is told twice is one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

from pipeline.annotate.resolve import Resolver
from pipeline.detect.persons import HOME, SECTORS
from pipeline.detect.phrases import GAP, LAND, TITLE_NOUN, last_word, parts_of
from pipeline.detect.referents import Name

Span = tuple[int, int]

_COMMA: Final = re.compile(r",\s+(?:(?:the|an?)\s+)?")
_MORE: Final = re.compile(r"\s*,?\s+(?:and|or|as well as)\s")
"""Behind the last but one of a list."""
_OF: Final = re.compile(r"\s(?:of|for|at|in|from|to|with)\s")
_HEADS: Final = frozenset(("chair", "chief", "group", "head", "organisation", "organization", "party", "watchdog"))


def joined(text: str, names: Sequence[Name], spans: Sequence[Span]) -> list[Span]:
    """Spans in reading order in, with two of one party as one out.

    Two that one capital word parts are one name (`Prime`, `Arvind Rao` in `Prime Minister Arvind Rao`), a body and where it is
    are one body (`army`, `Pyongyang`), and of a name and who that is (`Jan Visser, head of the union`) the name is kept.
    """
    found: list[Span] = []
    for number, (start, end) in enumerate(spans):
        if not found:
            found.append((start, end))
            continue
        apart = text[found[-1][1] : start]
        there = LAND.fullmatch(apart) and last_word(text[slice(*found[-1])] or "-") in HOME
        listed = _MORE.match(text, end) or (number > 1 and "," in text[spans[number - 2][1] : spans[number - 1][0]])
        if there or GAP.fullmatch(apart):
            found[-1] = (found[-1][0], end)
        elif listed or not _COMMA.fullmatch(apart):
            found.append((start, end))
        elif _is_name(names, *found[-1]) and _describes(text, start, end):
            continue
        elif _is_name(names, start, end, person=True) and _describes(text, *found[-1]):
            found[-1] = (start, end)
        else:
            found.append((start, end))
    return found


def listed(text: str, name: Name, resolver: Resolver, on: dt.date | None) -> list[Name]:
    """A name of a text as it is, or the countries that it lists: `Mali, Burkina Faso` is found as one."""
    if "," not in name.text:
        return [name]
    each = [
        Name(start, end, land, name.label, resolver.party(land, on=on))
        for start, end in parts_of(text, name.start, name.end)
        if resolver.country(land := text[start:end])
    ]
    return each if len(each) == name.text.count(",") + 1 else [name]


def _is_name(names: Sequence[Name], start: int, end: int, *, person: bool = False) -> bool:
    """Whether a span ends with a name, of a person or else of a body."""
    return any(
        n.end <= end <= n.end + 8 and n.start >= start and (n.person or (not person and n.label == "ORG"))
        for n in names
    )


def _describes(text: str, start: int, end: int) -> bool:
    """Whether a span says who somebody is, of one: `a ministry spokesman`, `deputy director of the fund`."""
    words = _OF.split(text[start:end])[0].split()
    if not words or not words[-1].islower() or words[-1].endswith("s"):
        return False
    return words[-1] in SECTORS or words[-1] in _HEADS or TITLE_NOUN.fullmatch(words[-1]) is not None
