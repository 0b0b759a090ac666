"""Dates that lean on one told before, pure: the next day, two days later, the same evening, later that month."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.detect import daywords as cal
from pipeline.detect.daywords import CARDINALS, UNITS, Span
from pipeline.records import Precision, When

_PARTS: Final = "day|night|evening|morning|afternoon"
_SAME: Final = re.compile(
    rf"(?:on\s+)?(?:late[r]?\s+)?(?:in\s+|on\s+)?(?:the\s+same|that(?:\s+same|\s+very)?)\s+(?P<unit>{_PARTS}|week|month|year)"
    rf"|(?:(?:late|later|early|earlier)\s+)?in\s+the\s+(?:{_PARTS})"
    rf"|(?:(?:at|before|by|around)\s+)?(?:dawn|midnight|nightfall|sunrise|daybreak|noon|dusk)",
    re.IGNORECASE,
)
_NEXT: Final = re.compile(
    rf"(?:(?:on|in)\s+)?(?:the\s+)?(?:next|following)\s+(?P<unit>{_PARTS}|week|month|year)", re.IGNORECASE
)
_STEPS: Final = re.compile(
    r"(?P<count>an?|\w+)\s+(?P<unit>days?|weeks?|months?|years?)\s+(?P<way>later|afterwards|earlier)", re.IGNORECASE
)
_PRECISION: Final[dict[str, Precision]] = {"week": "week", "month": "month", "year": "year"}


class Told(NamedTuple):
    """A date that stands before in the text: the days that it may be and how exact it is."""

    days: Span
    precision: Precision


def leaning(words: str, before: Sequence[Told]) -> When | None:
    """The words of a date and the dates told before it, the nearest first, in; the date out; None if it leans on none.

    A day leans on the last day told, a month on the last day or month.
    """
    words = words.strip(" ,.;")
    same, further, steps = (form.fullmatch(words) for form in (_SAME, _NEXT, _STEPS))
    match = same or further or steps
    if match is None:
        return None
    unit = (match.groupdict().get("unit") or "day").lower()
    unit = UNITS.get(unit, "day")
    count = 0 if same else 1
    if steps:
        number = steps["count"].lower()
        count = int(number) if number.isdecimal() else CARDINALS.get(number, 0)
        count *= -1 if steps["way"].lower() == "earlier" else 1
        if not count:
            return None
    exact = _exact(before, unit)
    return None if exact is None else _made(words, exact.days, unit, count, whole=steps is None)


def _exact(before: Sequence[Told], unit: str) -> Told | None:
    """The last date told that is exact enough."""
    enough = (
        ("instant", "day")
        if unit in ("day", "week")
        else ("instant", "day", "week", "month")
        if unit == "month"
        else None
    )
    return next((one for one in before if enough is None or one.precision in enough), None)


def _made(words: str, days: Span, unit: str, count: int, *, whole: bool) -> When | None:
    try:
        moved = Span(*(cal.shift(day, unit, count) for day in days))
        span = cal.period(days.start, unit, count) if whole and unit != "day" else moved
    except (ValueError, OverflowError):  # no year that dates reach
        return None
    return When(text=words, start=span.start, end=span.end, precision=_PRECISION.get(unit, "day"))
