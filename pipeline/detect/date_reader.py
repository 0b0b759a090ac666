"""A text as tokens, and what dates are made of: numbers, months, years. The forms of dates are functions over a `DateReader`.

A date that its words leave open (`Tuesday`, `March 20`) has two readings, the last one and the next one; the caller knows the
tense, these pages do not.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from pipeline.detect import daywords as cal
from pipeline.detect.daywords import MONTHS, Span
from pipeline.records import Precision

TOKEN: Final = re.compile(r"\d+|[^\W\d_]+|\n|[^\w\s]")
DASHES: Final = frozenset("-–—~")
JOINERS: Final = DASHES | {"to", "until", "till", "through", "thru", "and", "or", "&"}
REACH: Final = 20
"""So many tokens may the first end of a range have."""

PARTS_OF_DAY: Final = frozenset(("morning", "afternoon", "evening", "night", "lunchtime", "noon", "midnight"))
BACK: Final = frozenset(("last", "past", "previous"))
ON: Final = frozenset(("next", "coming", "upcoming"))
THIS: Final = frozenset(("this", "current"))
WAYS: Final = BACK | ON | THIS | {"following"}
PRECISION: Final[dict[str, Precision]] = {
    "day": "day", "week": "week", "fortnight": "week", "weekend": "day", "month": "month", "quarter": "season", "year": "year",
    "decade": "year", "century": "year",
}  # fmt: skip
"""How exact a date is that is told in these units."""
_AHEAD: Final = frozenset(
    (
        "will",
        "would",
        "shall",
        "scheduled",
        "planned",
        "due",
        "expected",
        "slated",
        "ll",
        "upcoming",
        "hopes",
        "plans",
        "hope",
        "plan",
    )
)


class Part(NamedTuple):
    """What the words themselves say of a date."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None


NOTHING: Final = Part()


class Hit(NamedTuple):
    """The token after the words, the two readings (alike where there is no choice), and how exact they are."""

    end: int
    past: Span
    future: Span
    precision: Precision
    part: Part = NOTHING
    nearest: bool = False


Form = Callable[["DateReader", int], "Hit | None"]


def fixed(end: int, span: Span | None, precision: Precision, part: Part = NOTHING) -> Hit | None:
    """A date that has one reading."""
    return Hit(end, span, span, precision, part) if span is not None else None


def step_of(word: str) -> int:
    """`last`, `this`, `next` in, -1, 0, 1 out."""
    return -1 if word in BACK else 0 if word in THIS else 1


class DateReader:
    """Reads one text. `ref` is the day of publication; without it only full dates are read.

    `forms` are tried by the word that a date begins with, `ends` where a range or `since` makes a bare month or year sure;
    the key "0" stands for any number.
    """

    def __init__(
        self,
        text: str,
        lows: Sequence[str],
        ref: dt.date | None,
        forms: Mapping[str, tuple[Form, ...]],
        ends: Sequence[Form],
    ) -> None:
        self._text = text
        self._lows = [*lows, "", "", "", ""]  # a look over either edge finds nothing
        self._edge = len(self._lows)
        self.ref = ref
        self._forms = forms
        self._ends = ends
        self._periods: dict[int, Hit | None] = {}
        self._bounds: dict[int, Hit | None] = {}

    @cached_property
    def bounds(self) -> list[tuple[int, int]]:
        """Where each token begins and ends, which not all forms ask for."""
        return [match.span() for match in TOKEN.finditer(self._text)]

    def capital(self, index: int) -> bool:
        """Whether the token begins with a capital."""
        return self._text[self.bounds[index][0]].isupper()

    def joins_behind(self, index: int) -> bool:
        """Whether a word that joins two dates to a range stands near behind a token."""
        return not JOINERS.isdisjoint(self._lows[index + 1 : index + REACH])

    def period(self, index: int) -> Hit | None:
        """The longest form that begins here."""
        if index not in self._periods:  # a range, a bound and a plain date all ask for it
            self._periods[index] = self._period(index)
        return self._periods[index]

    def _period(self, index: int) -> Hit | None:
        word = self.low(index)
        best: Hit | None = None
        for form in self._forms.get("0" if word[:1].isdecimal() else word, ()):
            hit = form(self, index)
            if hit is not None and (best is None or hit.end > best.end):
                best = hit
        return best

    def bound(self, index: int) -> Hit | None:
        """One end of a range, or what stands behind `since`: here a bare month, year, season is surely one."""
        index = self.skip(index, "the") if self.low(index + 1) not in cal.UNITS else index
        if index not in self._bounds:
            self._bounds[index] = self._bound(index)
        return self._bounds[index]

    def _bound(self, index: int) -> Hit | None:
        best = self.period(index)
        for form in self._ends:
            hit = form(self, index)
            if hit is not None and (best is None or hit.end > best.end):
                best = hit
        return best

    def yearly(self, end: int, of_year: Callable[[int], Span | None], precision: Precision, part: Part) -> Hit | None:
        """What comes each year: the last one that has begun and the next one that has not ended."""
        if self.ref is None:
            return None
        now = self.ref.year  # a leap day may be eight years off
        back, on = map(of_year, range(now + 1, now - 10, -1)), map(of_year, range(now - 1, now + 10))
        begun = next((span for span in back if span is not None and span.start <= self.ref), None)
        coming = next((span for span in on if span is not None and span.end >= self.ref), None)
        return Hit(end, begun, coming, precision, part, nearest=True) if begun and coming else None

    def low(self, index: int) -> str:
        """The token's word in lower case, or nothing outside of the text."""
        return self._lows[index] if -4 <= index < self._edge else ""

    def glued(self, index: int) -> bool:
        """Whether nothing stands between the token and the one before it."""
        return 0 < index < len(self.bounds) and self.bounds[index][0] == self.bounds[index - 1][1]

    def name_follows(self, index: int) -> bool:
        """Whether the word is the first of a name: the next one has a capital as well."""
        return index + 1 < len(self.bounds) and self.capital(index) and self.capital(index + 1)

    def skip(self, index: int, *words: str) -> int:
        """The position behind any of the words."""
        return index + 1 if self.low(index) in words else index

    def number(self, index: int) -> tuple[int, int] | None:
        """A whole number up to 999 in digits or words: (value, position behind it)."""
        word = self.low(index)
        if word.isdecimal():
            if len(word) > 3 or (
                self.low(index + 1) in (".", ",") and self.low(index + 2).isdecimal() and self.glued(index + 2)
            ):
                return None
            return int(word), index + 1
        value = cal.CARDINALS.get(word)
        if value is None:
            if word == "couple" and self.low(index + 1) == "of":
                return 2, index + 2
            return None
        if word == "a" and self.low(index + 1) == "couple" and self.low(index + 2) == "of":
            return 2, index + 3
        behind = self.skip(index + 1, "-")
        if value >= 20 and 0 < cal.CARDINALS.get(self.low(behind), 0) < 10 and self.low(behind) not in ("a", "an"):
            return value + cal.CARDINALS[self.low(behind)], behind + 1
        return value, index + 1

    def day_number(self, index: int, *, bare: bool) -> tuple[int, int] | None:
        """A day of the month: `20th`, `twenty-second`, and where `bare` is allowed `20`."""
        word = self.low(index)
        if word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= 31:
            if self.low(index + 1) in ("st", "nd", "rd", "th") and self.glued(index + 1):
                return int(word), index + 2
            return (int(word), index + 1) if bare else None
        if word in cal.ORDINALS:
            return cal.ORDINALS[word], index + 1
        behind = self.skip(index + 1, "-")
        if word in ("twenty", "thirty") and cal.ORDINALS.get(self.low(behind), 99) < 10:
            return cal.CARDINALS[word] + cal.ORDINALS[self.low(behind)], behind + 1
        return None

    def year_number(self, index: int) -> tuple[int, int] | None:
        """Four digits that are a year."""
        word = self.low(index)
        if not (word.isdecimal() and len(word) == 4 and word.isascii() and 1000 <= int(word) <= 2199):
            return None
        after = self.low(index + 1)
        if (
            after in (".", ",", ":")
            and self.low(index + 2).isdecimal()
            and self.glued(index + 1)
            and self.glued(index + 2)
        ):
            return None
        return (int(word), index + 1) if after not in ("%", "s") or not self.glued(index + 1) else None

    def month(self, index: int) -> tuple[int, int] | None:
        """A month's name or abbreviation, with its point: (month, position behind it)."""
        word = self.low(index)
        value = MONTHS.get(word)
        if value is None:
            return None
        short = len(word) <= 4 and word not in ("may", "june", "july")
        return value, self.skip(index + 1, ".") if short else index + 1

    def ahead(self, index: int, reach: int) -> bool:
        """Whether the words before speak of what is to come: `will`, `scheduled for`."""
        for position in range(index - 1, max(-1, index - 1 - reach), -1):
            word = self.low(position)
            if word in (".", "\n", "?", "!", ";") and not (word == "." and self.glued(position + 1)):
                return False
            if word in _AHEAD:
                return True
        return False
