"""Dates that name no day, pure: recent weeks, the next few days, the past 24 hours, within a month, the day before.

How long `a few` is nobody says; the next larger unit is taken, so that `recent days` is the week up to publication.
"""

from __future__ import annotations

from typing import Final

from pipeline.detect import daywords as cal
from pipeline.detect.date_reader import BACK, ON, DateReader, Hit, fixed
from pipeline.detect.daywords import DAY, Span
from pipeline.records import Precision

_STRETCHES: Final[dict[str, tuple[int, str, Precision]]] = {
    "days": (1, "week", "week"), "weeks": (1, "month", "month"), "months": (6, "month", "season"), "years": (5, "year", "year"),
}  # fmt: skip
"""A few units in, the stretch that is taken for them out: its count, unit and precision."""
_FEW: Final = frozenset(("few", "several", "couple"))
_HOURS: Final = frozenset(("hour", "hours"))
_LEADS: Final = ("a", "of", "the")
_ALONE: Final = frozenset(
    ("", ".", ",", ";", ":", ")", "\n", '"', "”", "’", "when", "in", "at", "after", "by", "and", "but", "as")
)
"""What may stand behind `the day before`; `the day before the vote` is another day."""


def stretch(reader: DateReader, index: int) -> Hit | None:
    """Recent days, the past few weeks, the coming months, the last several years, the next 48 hours."""
    if reader.ref is None:
        return None
    begin = reader.skip(index, "the")
    word, behind = reader.low(begin), begin + 1
    if word in BACK | ON and reader.low(behind).isdecimal() and reader.low(behind + 1) in _HOURS:
        return _hours(reader, int(reader.low(behind)), behind + 2, back=word in BACK)
    if word == "recent" or word in ("coming", "upcoming"):
        few = True
    elif word in BACK | ON:
        few = reader.low(behind) in _FEW
        while few and (reader.low(behind) in _FEW or reader.low(behind) in _LEADS):
            behind += 1
    else:
        return None
    unit = reader.low(behind)
    if not few or unit not in _STRETCHES:
        return None
    return _few(reader, unit, behind + 1, back=word == "recent" or word in BACK)


def within(reader: DateReader, index: int) -> Hit | None:
    """Within 48 hours, within a month, within days: from today on."""
    if reader.ref is None:
        return None
    begin = reader.skip(index + 1, "the", "next")
    if reader.low(begin) in _STRETCHES:
        return _few(reader, reader.low(begin), begin + 1, back=False)
    counted = reader.number(begin)
    if counted is None:
        return None
    count, unit = counted[0], reader.low(counted[1])
    if unit in _HOURS:
        return _hours(reader, count, counted[1] + 1, back=False)
    if unit not in cal.UNITS:
        return None
    precision: Precision = "day" if cal.UNITS[unit] == "day" else "week" if cal.UNITS[unit] == "week" else "month"
    return fixed(counted[1] + 1, Span(reader.ref, cal.shift(reader.ref, cal.UNITS[unit], count)), precision)


def day_before(reader: DateReader, index: int) -> Hit | None:
    """The previous day, the day before, the night before: of news the day before publication."""
    if reader.ref is None:
        return None
    begin = reader.skip(index, "the")
    first, second = reader.low(begin), reader.low(begin + 1)
    named = first in ("previous", "preceding") and second in ("day", "night", "evening")
    before = begin > index and first in ("day", "night", "evening") and second in ("before", "prior", "earlier")
    if not (named or (before and reader.low(begin + 2) in _ALONE)):
        return None
    day = reader.ref - DAY
    return fixed(begin + 2, Span(day, day), "day")


def _few(reader: DateReader, unit: str, end: int, *, back: bool) -> Hit | None:
    assert reader.ref is not None
    count, larger, precision = _STRETCHES[unit]
    far = cal.shift(reader.ref, larger, -count if back else count)
    return fixed(end, Span(far, reader.ref) if back else Span(reader.ref, far), precision)


def _hours(reader: DateReader, hours: int, end: int, *, back: bool) -> Hit | None:
    """So many hours around noon touch so many days: 24 hours are today and yesterday."""
    assert reader.ref is not None
    far = DAY * max(1, (hours + 12) // 24)
    return fixed(end, Span(reader.ref - far, reader.ref) if back else Span(reader.ref, reader.ref + far), "day")
