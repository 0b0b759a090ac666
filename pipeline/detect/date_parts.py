"""Dates that are a part of a longer period, pure: the second half of 2022, early March, the end of the year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from pipeline.detect import daywords as cal
from pipeline.detect.date_names import part_of_day
from pipeline.detect.date_reader import NOTHING, PRECISION, DateReader, Hit, fixed
from pipeline.detect.date_steps import day_at
from pipeline.detect.daywords import DAY, UNITS, WEEKDAYS, Span
from pipeline.records import Precision

_ORDER: Final = {
    "first": 1,
    "opening": 1,
    "second": 2,
    "latter": 2,
    "third": 3,
    "fourth": 4,
    "last": -1,
    "final": -1,
    "closing": -1,
}
_EDGES: Final = {
    "early": 0, "start": 0, "beginning": 0, "mid": 1, "middle": 1, "late": 2, "end": 2, "close": 2,
}  # fmt: skip


def share(reader: DateReader, index: int) -> Hit | None:
    """The second half of 2022, the first quarter of 2013, the last week of May, the first two weeks of June, H2 2019."""
    begin = reader.skip(index, "the")
    order = _ORDER.get(reader.low(begin))
    behind = begin + 1
    if order is None:
        found = reader.day_number(begin, bare=False)
        if found is None or found[0] > 5:
            return None
        order, behind = found[0], found[1]
    counted = reader.number(behind)
    count, behind = (counted[0], counted[1]) if counted is not None else (1, behind)
    unit = reader.low(behind)
    after = part_of_day(reader, behind + 1)
    if reader.low(after) not in ("of", "in"):
        return None
    whole = reader.bound(after + 1)
    if whole is None or whole.precision == "unknown":
        return None
    past, future = _cut(whole.past, unit, order, count), _cut(whole.future, unit, order, count)
    if past is None or future is None:
        return None
    precision: Precision = "season" if unit in ("half", "quarter") else PRECISION[UNITS.get(unit, "day")]
    return Hit(whole.end, past, future, precision, NOTHING, whole.nearest)


def vague_edge(reader: DateReader, index: int) -> Hit | None:
    """Early 2023, mid-March, late last year, the end of this month, earlier this year, later this week."""
    begin = reader.skip(index, "the")
    word = reader.low(begin)
    behind = begin + 1
    if word in _EDGES and reader.low(behind) == "of":
        behind += 1
    elif word in ("earlier", "later"):
        behind = reader.skip(behind, "in", "on")
    elif word in ("early", "late", "mid"):
        behind = reader.skip(reader.skip(behind, "-", "in"), "in")
    else:
        return None
    whole = _running(reader, behind)
    whole = whole or reader.bound(behind)
    if whole is None or whole.precision in ("unknown", "instant"):
        return None
    if whole.precision == "day" and whole.past.start == whole.past.end:
        return whole
    past, future = _edge(reader, word, whole.past), _edge(reader, word, whole.future)
    precision: Precision = {"year": "season", "season": "month", "month": "week"}.get(whole.precision, "day")  # type: ignore[assignment]
    return Hit(whole.end, past, future, precision, whole.part, whole.nearest)


def _running(reader: DateReader, index: int) -> Hit | None:
    """`the month` behind `the end of` is the one that runs."""
    unit = UNITS.get(reader.low(index + 1)) if reader.low(index) == "the" else None
    if (
        unit not in ("week", "month", "year", "quarter", "decade")
        or reader.ref is None
        or reader.low(index + 2) in ("of", "after", "before")
    ):
        return None
    return fixed(index + 2, cal.period(reader.ref, unit), PRECISION[unit])


def _edge(reader: DateReader, word: str, span: Span) -> Span:
    if word == "earlier":
        return Span(span.start, max(span.start, min(span.end, reader.ref or span.end)))
    if word == "later":
        return Span(min(span.end, max(span.start, reader.ref or span.start)), span.end)
    third = _EDGES[word]
    days = (span.end - span.start).days + 1
    if days > 300:  # a year's thirds are four months each
        year = span.start.year
        months = days // 30
        if months <= 13:
            return Span(dt.date(year, 4 * third + 1, 1), cal.month_span(year, 4 * third + 4).end)
    if 28 <= days <= 31:
        return Span(span.start + 10 * third * DAY, span.start + (10 * third + 9) * DAY if third < 2 else span.end)
    size = max(1, days // 3)
    return Span(span.start + size * third * DAY, span.start + (size * (third + 1) - 1) * DAY if third < 2 else span.end)


def week_of(reader: DateReader, index: int) -> Hit | None:
    """The week of March 20, the week beginning February 4."""
    begin = reader.skip(index, "the")
    if reader.low(begin) != "week" or reader.low(begin + 1) not in ("of", "beginning", "starting", "ending"):
        return None
    day = day_at(reader, reader.skip(begin + 2, "on"))
    if day is None or day.precision != "day":
        return None
    return Hit(day.end, cal.week_span(day.past.start), cal.week_span(day.future.start), "week", NOTHING, day.nearest)


def _cut(span: Span, unit: str, order: int, count: int) -> Span | None:
    """The `order`-th unit (or stretch of `count`) of a span; -1 is the last."""
    parts = list(_parts(span, unit))
    if not parts or (order > 0 and count == 1 and order > len(parts)):
        return None
    if count > 1:
        chosen = parts[:count] if order == 1 else parts[-count:] if order == -1 else []
        return Span(chosen[0].start, chosen[-1].end) if len(chosen) == count else None
    return parts[order - 1] if order > 0 else parts[-1]


def _parts(span: Span, unit: str) -> Iterator[Span]:
    kind = UNITS.get(unit)
    if unit in cal.FULL_WEEKDAYS and (span.end - span.start).days <= 3700:
        day = span.start + DAY * ((WEEKDAYS[unit] - span.start.weekday()) % 7)
        while day <= span.end:
            yield Span(day, day)
            day += 7 * DAY
    elif unit == "half":
        middle = span.start + (span.end - span.start) // 2
        if (span.end - span.start).days >= 364:
            middle = cal.month_span(span.start.year, 6).end
        yield Span(span.start, middle)
        yield Span(middle + DAY, span.end)
    elif kind == "week":
        monday = (
            span.start + DAY * ((-span.start.weekday() + 3) % 7) - 3 * DAY
        )  # the week of the first Thursday, as ISO counts
        while monday + 3 * DAY <= span.end:
            yield Span(monday, monday + 6 * DAY)
            monday += 7 * DAY
    elif kind in ("day", "month", "quarter", "weekend") and (span.end - span.start).days <= 3700:
        day = span.start
        while day <= span.end:
            part = cal.period(day, kind)
            yield Span(max(part.start, span.start), min(part.end, span.end))
            day = part.end + DAY
