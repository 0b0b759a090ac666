"""Where, when, how much: a clause in, the places, date, sums, counts and items of its event out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from pipeline.annotate import Mention
from pipeline.detect.forms import words
from pipeline.detect.reader import Reader, known
from pipeline.records import Money, Place, Quantity, When

LOCATIVE: Final = words("in at near on off outside inside across around over into from to throughout within along")
STATIC: Final = words("in at near off outside inside across around throughout within along on")
ITEM_LEADS: Final = frozenset(("including", "include", "includes", "included", "such"))
ITEM_WORDS: Final = re.compile(
    r"\b(?:missiles?|rockets?|howitzers?|ammunition|tanks?|drones?|vehicles?|launchers?|weapons?|shells?|rounds?|boats?|systems?|"
    r"aircraft|jets?|helicopters?|artillery|mortars?|radars?|HIMARS|food|medicines?|tents?|blankets?|generators?|vaccines?|water|"
    r"armou?r|rifles?|grenades?|mines?|interceptors?|equipment|supplies|trucks?|ambulances?|fuel|grain)\b", re.IGNORECASE,
)  # fmt: skip


class Dated(Protocol):
    """A date where it stands in a text."""

    when: When
    start: int
    end: int


@dataclass(slots=True)
class Found:
    """What stands in one sentence, with offsets of the section."""

    money: list[Money] = field(default_factory=list)
    quantities: list[Quantity] = field(default_factory=list)
    dates: list[tuple[int, int, When]] = field(default_factory=list)


def place_mentions(reader: Reader, verb: int, sentence: tuple[int, int]) -> list[Mention]:
    """The names that say where: behind a locative preposition that hangs on the clause, nearest first."""
    tree = reader.tree
    start, end = sentence
    own: list[tuple[int, Mention]] = []
    for mention in reader.mentions:
        if mention.start < start or mention.end > end or mention.label not in ("GPE", "LOC", "FAC", "ORG", ""):
            continue
        last = mention.end - 1
        head = tree.heads[last]
        if mention.label == "ORG" and not (mention.party.sector == "GOV" and mention.party.country):
            continue
        if tree.deps[last] in ("pobj", "appos", "conj", "npadvmod") or tree.deps[last] in ("ROOT", "dep"):
            preposition = _preposition_over(reader, last)
            if preposition is None or tree.low[preposition] not in LOCATIVE:
                continue
            distance = abs(mention.start - verb) + (40 if tree.low[preposition] not in STATIC else 0)
            if not _below(reader, last, verb):
                distance += 15
            own.append((distance, mention))
        del head
    return [mention for _, mention in sorted(own, key=lambda pair: (pair[0], pair[1].start))]


def _preposition_over(reader: Reader, index: int) -> int | None:
    tree = reader.tree
    for _ in range(5):
        dep, head = tree.deps[index], tree.heads[index]
        if dep == "pobj":
            return head
        if dep not in ("conj", "appos", "compound", "npadvmod", "nmod") or head == index:
            return None
        index = head
    return None


def _below(reader: Reader, index: int, verb: int) -> bool:
    return verb in (index, *reader.tree.ancestors(index))


def choose_date(found: Found, at: int, reach: tuple[int, int]) -> When | None:
    """The date nearest to the trigger within the clause or sentence, before or after."""
    inside = [(abs(start - at), start, when) for start, _end, when in found.dates if reach[0] <= start < reach[1]]
    return min(inside, key=lambda item: (item[0], item[1]))[2] if inside else None


def items(text: str) -> tuple[str, ...]:
    """The sentence of an aid package in, what it holds out: what is listed behind `including`, and what looks like an item."""
    match = re.search(
        r"\b(?:including|includes?|such as|consisting of|comprising|namely|of)\b(?P<list>.+)", text, re.DOTALL
    )
    if match is None:
        return ()
    parts = re.split(r",|;|\band\b|\bplus\b|\bas well as\b|\bmore\b", match["list"])
    kept = []
    for part in parts:
        piece = part.strip(" .,;:")
        if piece and len(piece) <= 80 and ITEM_WORDS.search(piece):
            kept.append(piece)
    return tuple(dict.fromkeys(kept))


def past(date: When, published: dt.date) -> bool:
    """Did the date end before publication?"""
    return date.end < published


def sides(mentions: Sequence[Mention]) -> list[str]:
    """The countries of names, once each."""
    return list(dict.fromkeys(m.party.country for m in mentions if m.party.country and known(m.party)))


__all__ = ["Found", "Place", "choose_date", "items", "past", "place_mentions", "sides"]
