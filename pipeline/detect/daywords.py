"""The words of the calendar and its arithmetic, pure: months, seasons of the north, feasts, spans of days around a date."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Final, NamedTuple

DAY: Final = dt.timedelta(days=1)


class Span(NamedTuple):
    """Days from `start` to `end`, both included."""

    start: dt.date
    end: dt.date


def _table(text: str) -> dict[str, int]:
    return {word: number for number, cell in enumerate(text.split(), start=1) for word in cell.split("/")}


MONTHS: Final = _table(
    "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug "
    "september/sept/sep october/oct november/nov december/dec"
)
WEEKDAYS: Final = {
    word: number - 1
    for word, number in _table(
        "monday/mon tuesday/tue/tues wednesday/wed thursday/thu/thur/thurs friday/fri saturday/sat sunday/sun"
    ).items()
}
FULL_WEEKDAYS: Final = frozenset(word for word in WEEKDAYS if word.endswith("day"))
UNITS: Final = {
    **dict.fromkeys(("day", "days"), "day"),
    **dict.fromkeys(("week", "weeks"), "week"),
    **dict.fromkeys(("fortnight", "fortnights"), "fortnight"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("quarter", "quarters"), "quarter"),
    **dict.fromkeys(("year", "years"), "year"),
    **dict.fromkeys(("decade", "decades"), "decade"),
    **dict.fromkeys(("weekend", "weekends"), "weekend"),
    **dict.fromkeys(("century", "centuries"), "century"),
}
SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""First month, in the north, where most of the news that says `last summer` is written."""
ORDINALS: Final = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5,
    "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17,
    "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
CARDINALS: Final = {
    "a": 1, "an": 1,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
FEASTS: Final = {
    ("christmas",): (12, 25), ("christmas", "day"): (12, 25), ("christmas", "eve"): (12, 24), ("boxing", "day"): (12, 26),
    ("new", "year", "s", "eve"): (12, 31), ("new", "year", "s", "day"): (1, 1), ("new", "year", "s"): (1, 1),
    ("new", "year"): (1, 1),
    ("halloween",): (10, 31), ("valentine", "s", "day"): (2, 14), ("earth", "day"): (4, 22), ("bastille", "day"): (7, 14),
    ("saint", "patrick", "s", "day"): (3, 17), ("st", "patrick", "s", "day"): (3, 17), ("saint", "patrick"): (3, 17),
    ("international", "workers", "day"): (5, 1), ("international", "women", "s", "day"): (3, 8), ("anzac", "day"): (4, 25),
    ("armistice", "day"): (11, 11), ("juneteenth",): (6, 19), ("easter",): (0, 0), ("easter", "sunday"): (0, 0),
    ("good", "friday"): (0, -2), ("easter", "monday"): (0, 1), ("palm", "sunday"): (0, -7), ("thanksgiving",): (11, -1),
    ("thanksgiving", "day"): (11, -1),
}  # fmt: skip
"""Words -> month and day; month 0 counts days from Easter; (11, -1) is the fourth Thursday of November."""


def make(year: int, month: int, day: int) -> dt.date | None:
    """The date, or None where the calendar has none."""
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def month_span(year: int, month: int) -> Span:
    """The days of a month."""
    return Span(dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1]))


def year_span(year: int) -> Span:
    """The days of a year."""
    return Span(dt.date(year, 1, 1), dt.date(year, 12, 31))


def week_span(day: dt.date) -> Span:
    """Monday to Sunday around a day."""
    monday = day - DAY * day.weekday()
    return Span(monday, monday + 6 * DAY)


def weekend_span(day: dt.date) -> Span:
    """Saturday and Sunday of the week of a day."""
    monday = day - DAY * day.weekday()
    return Span(monday + 5 * DAY, monday + 6 * DAY)


def quarter_span(year: int, quarter: int) -> Span:
    """The three months of a quarter (1 to 4)."""
    return Span(dt.date(year, 3 * quarter - 2, 1), month_span(year, 3 * quarter).end)


def season_span(year: int, first_month: int) -> Span:
    """The three months of a season; winter 2022 begins in December 2022."""
    last = add_months(dt.date(year, first_month, 1), 2)
    return Span(dt.date(year, first_month, 1), month_span(last.year, last.month).end)


def decade_span(year: int) -> Span:
    """The ten years around a year."""
    first = year // 10 * 10
    return Span(dt.date(max(1, first), 1, 1), dt.date(first + 9, 12, 31))


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day some months on, or the last of that month.

    Raises:
        ValueError: the year is none that dates reach.
    """
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def shift(day: dt.date, unit: str, count: int) -> dt.date:
    """The day `count` units on (back, when negative).

    Raises:
        ValueError, OverflowError: that is no year that dates reach.
    """
    if unit in ("day", "week", "fortnight", "weekend"):
        return day + DAY * count * {"day": 1, "week": 7, "fortnight": 14, "weekend": 7}[unit]
    return add_months(day, count * {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}[unit])


def period(day: dt.date, unit: str, count: int = 0) -> Span:
    """The whole week, month, quarter, year ... around a day, or the one `count` further on.

    Raises:
        ValueError, OverflowError: that is no year that dates reach.
    """
    moved = shift(day, unit, count)
    if unit == "day":
        return Span(moved, moved)
    if unit == "fortnight":
        return Span(moved, moved + 13 * DAY)
    if unit == "week":
        return week_span(moved)
    if unit == "weekend":
        return weekend_span(moved)
    if unit == "month":
        return month_span(moved.year, moved.month)
    if unit == "quarter":
        return quarter_span(moved.year, (moved.month + 2) // 3)
    if unit == "decade":
        return decade_span(moved.year)
    if unit == "century":
        first = moved.year // 100 * 100
        return Span(dt.date(max(1, first), 1, 1), dt.date(first + 99, 12, 31))
    return year_span(moved.year)


def feast(year: int, month: int, day: int) -> dt.date | None:
    """A date of `FEASTS` in a year."""
    if month == 0:
        return easter(year) + DAY * day
    if day == -1:
        first = dt.date(year, month, 1)
        return first + DAY * ((3 - first.weekday()) % 7 + 21)
    return make(year, month, day)


def easter(year: int) -> dt.date:
    """Western Easter Sunday, by the Gregorian computus (Meeus, Jones, Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)
