"""A live page whose days are headed by names alone ("Friday", "Thursday 18:00", "Yesterday") in, those days out. Pure.

The order of the names says which days are meant: they go back from when the page was changed last, or on from when it began.
A list of days to come ("The week ahead") fits neither.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.page import date_parsing

LONGEST: Final = 30
"""Characters of a line that says a day by its name."""

MOST: Final = 1000
"""Lines of one page that name a day; more are no live page, and would lead back to before the first year of the calendar."""

WEEK: Final = dt.timedelta(days=7)

_CLOCK: Final = re.compile(
    r"\b(\d{1,2})(?:[:.h](\d{2}))?\s?([ap])?\.?(?:m\b\.?)?(?:\s(?:GMT|UTC|[A-Z]{1,2}[SD]?T|Uhr|h))?", re.IGNORECASE
)
_PREFIX: Final = re.compile(r"(?P<stamp>[^\W\d]{3,12},?\s+\d{1,2}[:.h]\d{2}(?:\s?[ap]\.?m\.?)?)\s*[-–—:|]\s+\S")
_PARTS_OF_DAY: Final = frozenset(("morning", "midday", "noon", "afternoon", "evening", "night"))


class _Named(NamedTuple):
    """A line that names a day: its place, the day (0 is Monday) or `TODAY` or `YESTERDAY`, and its clock."""

    place: int
    day: int
    clock: dt.time


def dates(
    lines: Sequence[str],
    locale: str,
    *,
    begun: dt.datetime | None,
    changed: dt.datetime | None,
    latest: dt.datetime,
) -> dict[int, dt.datetime]:
    """The paragraphs of a page in, the moments of those that name a day out, by their place; empty where they fit no order.

    `begun` and `changed` are when the page was published and changed last, `latest` when it was fetched.
    """
    names = date_parsing.day_names(locale.replace("_", "-").partition("-")[0].casefold())
    named = [found for place, line in enumerate(lines) if (found := _named(place, line, names)) is not None]
    if len({one.day for one in named}) < 2 or len(named) > MOST:
        return {}
    last = (changed if changed is not None and changed <= latest else latest).date()
    back, on = _gone_back(named, last), _gone_back(named[::-1], last)[::-1]
    is_short = back[0] - back[-1] < WEEK
    if begun is None or (is_short and back[0] == begun.date()):  # some pages are published anew at each update
        return _moments(named, back) if is_short else {}
    for days in (back, on):
        # a page that does not say when it changed may have been fetched long after
        weeks = (min(days) - begun.date()) // WEEK if changed is None else 0
        if min(days) >= begun.date():
            return _moments(named, [day - weeks * WEEK for day in days])
    return {}


def _moments(named: Sequence[_Named], days: Sequence[dt.date]) -> dict[int, dt.datetime]:
    moments = (dt.datetime.combine(day, one.clock, dt.UTC) for one, day in zip(named, days, strict=True))
    return {one.place: at for one, at in zip(named, moments, strict=True)}


def _gone_back(named: Sequence[_Named], last: dt.date) -> list[dt.date]:
    """Days in, the latest first, and the last one that they can mean in, their dates out."""
    today, found = last, []
    for one in named:
        if one.day in (date_parsing.TODAY, date_parsing.YESTERDAY):
            last = today - dt.timedelta(days=one.day - date_parsing.TODAY)
        else:
            last -= dt.timedelta(days=(last.weekday() - one.day) % 7)
        found.append(last)
    return found


def _named(place: int, line: str, names: dict[str, int]) -> _Named | None:
    """Return the day and the clock of a line that is a day's name, or begins with one and a clock; None for any other line."""
    prefix = _PREFIX.match(line)
    text = (prefix["stamp"] if prefix is not None else line).strip(" .:|·–-")
    if len(text) > LONGEST:
        return None
    clock = _CLOCK.search(text)
    words = (text.replace(clock.group(), " ") if clock is not None else text).casefold().replace("’", "'")
    told = [word for word in re.split(r"[\s,.:|·–]+", words) if word and word not in _PARTS_OF_DAY]
    day = names.get(told[0]) if len(told) == 1 else None
    if day is None:
        return None
    hour, minute = (int(clock[1]), int(clock[2] or 0)) if clock is not None else (0, 0)
    if clock is not None and clock[3]:
        hour = hour % 12 + (12 if clock[3].casefold() == "p" else 0)
    return _Named(place, day, dt.time(hour, minute) if hour < 24 and minute < 60 else dt.time())
