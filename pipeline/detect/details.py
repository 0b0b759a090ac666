"""Where, when, how much: a clause in, the places, date, sums, counts and items of its event out."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from pipeline.annotate.parse import Mention
from pipeline.detect.amounts import find_money, find_quantities
from pipeline.detect.dates import FoundDate, Prefer, find_dates, lows_of
from pipeline.detect.forms import words
from pipeline.detect.persons import PLACE_NOUNS
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import FINITE, Tree
from pipeline.records import Money, Quantity, When

SIDES: Final = words(
    "north south east west centre center outskirts part parts edge east northeast northwest southeast southwest"
)
OWN: Final = frozenset(("on", "since", "from"))
"""How a date may lie to the event that is its own."""

TELLING: Final = words("said says announced announces reported reports confirmed confirms told tells stated")
LOCATIVE: Final = words("in at near on off outside inside across around over into from to throughout within along")
STATIC: Final = words("in at near off outside inside across around throughout within along on")
ITEM_WORDS: Final = re.compile(
    r"\b(?:missiles?|rockets?|howitzers?|ammunition|tanks?|drones?|vehicles?|launchers?|weapons?|shells?|rounds?|boats?|systems?|"
    r"aircraft|jets?|helicopters?|artillery|mortars?|radars?|HIMARS|food|medicines?|tents?|blankets?|generators?|vaccines?|water|"
    r"armou?r|rifles?|grenades?|mines?|interceptors?|equipment|supplies|trucks?|ambulances?|fuel|grain)\b", re.IGNORECASE,
)  # fmt: skip

Amount = TypeVar("Amount", Money, Quantity)


@dataclass(slots=True)
class Found:
    """What stands in one sentence, with offsets of the section: looked for when it is asked for, and then kept."""

    text: str
    base: int = 0
    published: dt.datetime | None = None
    _lows: list[str] | None = None
    _sums: tuple[Money, ...] | None = None
    _counts: tuple[Quantity, ...] | None = None
    _dates: tuple[FoundDate, ...] | None = None

    @property
    def lows(self) -> list[str]:
        """Words, numbers and signs in lower case."""
        if self._lows is None:
            self._lows = lows_of(self.text)
        return self._lows

    @property
    def money(self) -> tuple[Money, ...]:
        """The sums."""
        if self._sums is None:
            self._sums = tuple(_shift(one, self.base) for one in find_money(self.text, lows=self.lows))
        return self._sums

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The counted things."""
        if self._counts is None:
            sums = [_shift(one, -self.base) for one in self.money]
            self._counts = tuple(_shift(one, self.base) for one in find_quantities(self.text, sums, lows=self.lows))
        return self._counts

    @property
    def dates(self) -> tuple[FoundDate, ...]:
        """The dates, with offsets of the sentence."""
        if self._dates is None:
            self._dates = find_dates(self.text, self.published, lows=self.lows)
        return self._dates


def _shift(value: Amount, base: int) -> Amount:
    return msgspec.structs.replace(value, start=(value.start or 0) + base, end=(value.end or 0) + base)


def place_mentions(reader: Reader, verb: int, sentence: tuple[int, int]) -> list[tuple[int, int]]:
    """Where it happened: (first word, one past the last) of names behind a locative preposition, the nearest first."""
    tree = reader.tree
    own: list[tuple[int, int, int]] = []
    for mention in reader.mentions:
        if mention.start < sentence[0] or mention.end > sentence[1]:
            continue
        word, end = mention.end - 1, mention.end
        head = tree.heads[word]
        if tree.deps[word] in ("amod", "compound", "nmod") and tree.low[head] in PLACE_NOUNS and head == end:
            word, end = head, head + 1  # the Crimean peninsula
        elif not _may_be_place(mention):
            continue
        preposition = _preposition_over(reader, word)
        if preposition is None or tree.low[preposition] not in LOCATIVE:
            continue
        distance = abs(mention.start - verb) + (40 if tree.low[preposition] not in STATIC else 0)
        own.append((distance + (0 if _below(reader, word, verb) else 15), mention.start, end))
    return [(start, end) for _, start, end in sorted(own)]


def _may_be_place(mention: Mention) -> bool:
    """A place by the model, or a name with a country that the model took for a body or a person."""
    if mention.label in ("GPE", "LOC", "FAC", ""):
        return True
    if mention.text.split()[-1].casefold() in PLACE_NOUNS:
        return True
    return (
        mention.label != "NORP"
        and bool(mention.party.country)
        and mention.party.sector in (None, "GOV")
        and " " not in mention.text
    )


def _preposition_over(reader: Reader, index: int) -> int | None:
    """The preposition that a place hangs on, through `the town of`, `the north of` and appositions."""
    tree = reader.tree
    for _ in range(8):
        dep, head = tree.deps[index], tree.heads[index]
        if head == index:
            return None
        if dep == "pobj":
            if tree.low[head] == "of" and tree.low[tree.heads[head]] in PLACE_NOUNS | SIDES:
                index = tree.heads[head]
                continue
            return head
        if dep not in ("conj", "appos", "compound", "npadvmod", "nmod"):
            return None
        index = head
    return None


def _below(reader: Reader, index: int, verb: int) -> bool:
    return verb in (index, *reader.tree.ancestors(index))


def choose_date(tree: Tree, found: Found, word: int, prefer: Prefer) -> When | None:
    """The date of the event at `word`: the nearest one of its clause, of the start of the sentence, or of who tells it."""
    at = tree.offsets[word] - found.base
    choices: list[tuple[int, int, int, FoundDate]] = []
    for date in found.dates:
        first, last = sorted((date.start, at))
        verbs = [
            i for i in tree.words_between(found.base + first, found.base + last) if tree.tags[i] in FINITE and i != word
        ]
        if date.relation not in OWN or (verbs and (date.start > at or not _opens(tree, found, date))):
            continue
        choices.append((len(verbs), abs(date.start - at), date.start, date))
    return min(choices)[3].read(prefer) if choices else None


def _opens(tree: Tree, found: Found, date: FoundDate) -> bool:
    """Whether no verb stands before a date in its sentence but one of telling: `On Monday`, `said on Monday that`."""
    before = tree.words_between(found.base, found.base + date.start)
    return all(tree.tags[i] not in FINITE or tree.low[i] in TELLING for i in before)


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
