"""Dates by their names, pure: 20 March 2023, 2023-03-20, March, Tuesday, summer 2022, the 1990s, Q1, Christmas."""

from __future__ import annotations

import datetime as dt
from typing import Final

from pipeline.detect import daywords as cal
from pipeline.detect.date_reader import DASHES, NOTHING, PARTS_OF_DAY, WAYS, DateReader, Hit, Part, fixed, step_of
from pipeline.detect.daywords import DAY, MONTHS, WEEKDAYS, Span

_NOT_A_WEEKDAY: Final = frozenset(
    ("black", "good", "ash", "bloody", "holy", "maundy", "cyber", "super", "palm", "easter", "shrove", "giving")
)
_RECURRING: Final = frozenset(("mornings", "afternoons", "evenings", "nights"))
_JOINS: Final = frozenset(("and", "to", "or", "until", "through"))
_EVERY: Final = frozenset(("every", "each", "any", "most"))
_SURE_OF_MONTH: Final = frozenset(
    ("in", "of", "since", "until", "till", "by", "from", "during", "through", "before", "after", "between", "to", "early",
     "late", "mid")
)  # fmt: skip
_SURE_OF_YEAR: Final = _SURE_OF_MONTH | {"year", "and", "circa", "around"}


def numeric(reader: DateReader, index: int) -> Hit | None:
    """2023-03-20, 20/03/2023, 3/20/23, 20161016, 05-Aug-2016."""
    word = reader.low(index)
    if (
        not word.isdecimal()
        or not word.isascii()
        or (index and reader.glued(index) and reader.low(index - 1) not in "(=\n\"'~–—-")
    ):
        return None
    if _tail_of_number(reader, index):
        return None
    if len(word) == 8:
        return _exact(index + 1, int(word[:4]), int(word[4:6]), int(word[6:]))
    sign, other = reader.low(index + 1), reader.low(index + 3)
    if sign not in ("-", "/", ".") or other != sign or not all(reader.glued(index + step) for step in (1, 2, 3, 4)):
        return None
    first, second, third = word, reader.low(index + 2), reader.low(index + 4)
    if reader.glued(index + 5) and reader.low(index + 5) not in (
        ",",
        ".",
        ")",
        ";",
        ":",
        "!",
        "?",
        "'",
        "’",
        "\n",
        "–",
        "-",
        '"',
    ):
        return None
    if not third.isdecimal() or not third.isascii():
        return None
    if second in MONTHS:
        full, on = (first, third) if len(first) == 4 else (third, first)
        return _exact(index + 5, _year_of(full), MONTHS[second], int(on))
    if not second.isdecimal() or not second.isascii() or max(len(second), 2) > 2:
        return None
    if len(first) == 4:
        return _exact(index + 5, int(first), int(second), int(third))
    if len(third) not in (2, 4) or len(first) > 2:
        return None
    one, two = int(first), int(second)
    day_first = one > 12 or (sign == "." and two <= 12)
    month, day = (two, one) if day_first else (one, two)
    return _exact(index + 5, _year_of(third), month, day)


def _tail_of_number(reader: DateReader, index: int) -> bool:
    """The 03-03-2020 of `133-03-03-2020`; behind a year a dash opens the other end of a range."""
    if index < 2 or not (reader.glued(index) and reader.glued(index - 1)) or reader.low(index - 1) not in DASHES:
        return False
    return reader.low(index - 2).isdecimal() and len(reader.low(index - 2)) != 4


def _exact(end: int, year: int, month: int, day: int) -> Hit | None:
    date = cal.make(year, month, day)
    return fixed(end, Span(date, date), "day", Part(year, month, day)) if date and 1000 <= year <= 2199 else None


def dated(reader: DateReader, index: int) -> Hit | None:
    """20 March 2023, March 20, the 4th of July, Tuesday, March 21; Friday the 26th."""
    weekday = WEEKDAYS.get(reader.low(index))
    begin = index
    if weekday is not None:
        begin = reader.skip(reader.skip(index + 1, "."), ",", "-")
        begin = reader.skip(begin, "the")
    else:
        begin = reader.skip(index, "the")
    if weekday is not None and (full := numeric(reader, begin)) is not None:
        return full
    found = _day_month(reader, begin) or _month_day(reader, begin)
    if found is None:
        return _weekday_number(reader, begin, weekday) if weekday is not None else _day_of_running_month(reader, begin)
    month, day, end = found
    behind = reader.skip(end, ",", "of", "in", "-", "/")
    year = reader.year_number(behind)
    if year is not None:
        return _exact(part_of_day(reader, year[1]), year[0], month, day)

    def of_year(year: int) -> Span | None:
        date = cal.make(year, month, day)
        return Span(date, date) if date is not None else None

    return reader.yearly(part_of_day(reader, end), of_year, "day", Part(None, month, day))


def _day_of_running_month(reader: DateReader, index: int) -> Hit | None:
    """The 21st of this month, the 15th day of next month."""
    found = reader.day_number(index, bare=False)
    if found is None or reader.ref is None:
        return None
    behind = reader.skip(reader.skip(found[1], "day"), "of")
    if reader.low(behind) not in WAYS or reader.low(behind + 1) != "month":
        return None
    span = cal.period(reader.ref, "month", step_of(reader.low(behind)))
    return _exact(behind + 2, span.start.year, span.start.month, found[0])


def _day_month(reader: DateReader, index: int) -> tuple[int, int, int] | None:
    day = reader.day_number(index, bare=True)
    if day is None or _tail_of_figure(reader, index):
        return None
    behind = reader.skip(reader.skip(day[1], "day") if reader.low(day[1]) == "day" else day[1], "of", "-", "/")
    month = reader.month(behind)
    if month is None or (
        reader.low(index) in ("second", "first") and behind == day[1] and reader.low(behind) in ("march", "may")
    ):
        return None
    return month[0], day[0], month[1]


def _tail_of_figure(reader: DateReader, index: int) -> bool:
    """The 30 of `12:30`, the 31 of `6,107.31`, the 12 of `$12`."""
    sign = reader.low(index - 1)
    if not reader.glued(index) or sign not in (":", ".", ",", "$", "€", "£", "#"):
        return False
    return sign in ("$", "€", "£", "#") or reader.low(index - 2).isdecimal()


def _month_day(reader: DateReader, index: int) -> tuple[int, int, int] | None:
    month = reader.month(index)
    if month is None:
        return None
    behind = reader.skip(reader.skip(month[1], ",", "-", "/"), "the")
    day = reader.day_number(behind, bare=True)
    if day is None or (reader.low(behind) in ("second", "first") and reader.low(index) in ("may", "march")):
        return None
    if reader.low(behind).isdecimal() and reader.low(day[1]) in (":", "%") and reader.glued(day[1]):
        return None
    return month[0], day[0], day[1]


def _weekday_number(reader: DateReader, index: int, weekday: int) -> Hit | None:
    """Monday 21, Friday the 26th: the nearest days that are both."""
    found = reader.day_number(index, bare=reader.low(index - 1) not in (",", "-", "."))
    if found is None or reader.ref is None or reader.low(found[1]) in ("-", ":", "to", "am", "pm", "p", "a", "%"):
        return None
    past = next((d for n in range(400) if (d := reader.ref - DAY * n).day == found[0] and d.weekday() == weekday), None)
    future = next(
        (d for n in range(400) if (d := reader.ref + DAY * n).day == found[0] and d.weekday() == weekday), None
    )
    if past is None or future is None:
        return None
    return Hit(found[1], Span(past, past), Span(future, future), "day", nearest=True)


def month_year(reader: DateReader, index: int) -> Hit | None:
    """March 2023, March of 2023, 2017 April, Dec/2018; a bare month behind `in`, `since`, `early`."""
    year = reader.year_number(index)
    if (
        year is not None
        and (month := reader.month(year[1])) is not None
        and reader.day_number(month[1], bare=True) is None
    ):
        return fixed(month[1], cal.month_span(year[0], month[0]), "month", Part(year[0], month[0]))
    month = reader.month(index)
    if month is None:
        return None
    year = reader.year_number(reader.skip(month[1], ",", "of", "in", "/", "-"))
    if year is not None:
        return fixed(year[1], cal.month_span(year[0], month[0]), "month", Part(year[0], month[0]))
    way = reader.skip(month[1], "of")
    if reader.ref is not None and reader.low(way) in WAYS and reader.low(way + 1) == "year":  # March last year
        named = reader.ref.year + step_of(reader.low(way))
        return fixed(way + 2, cal.month_span(named, month[0]), "month", Part(named, month[0]))
    before = reader.low(index - 1)
    sure = before in _SURE_OF_MONTH and (reader.capital(index) or before in ("in", "since", "until"))
    return bare_month(reader, index) if sure else None


def bare_month(reader: DateReader, index: int) -> Hit | None:
    """March, where what stands before makes it a month."""
    month = reader.month(index)
    if month is None:
        return None
    return reader.yearly(month[1], lambda year: cal.month_span(year, month[0]), "month", Part(None, month[0]))


def bare_day(reader: DateReader, index: int) -> Hit | None:
    """A day of a month that the other end of the range names."""
    found = reader.day_number(index, bare=True)
    if found is None or reader.ref is None:
        return None
    here = Span(reader.ref, reader.ref)
    return Hit(found[1], here, here, "unknown", Part(None, None, found[0]))


def part_of_day(reader: DateReader, index: int) -> int:
    """The position behind `morning`, `night` and the like."""
    return reader.skip(index, *PARTS_OF_DAY)


def weekday(reader: DateReader, index: int) -> Hit | None:
    """Tuesday; Friday last week; the last one and the next one."""
    word = reader.low(index)
    weekday = WEEKDAYS.get(word)
    if weekday is None or reader.ref is None or reader.low(index - 1) in _EVERY | _NOT_A_WEEKDAY:
        return None
    if word not in cal.FULL_WEEKDAYS and (not reader.capital(index) or word in ("sun", "sat")):
        return None
    end = index + 1 if word in cal.FULL_WEEKDAYS else reader.skip(index + 1, ".")
    if reader.low(end) in _RECURRING:
        return None
    end = part_of_day(reader, end)
    behind = reader.skip(reader.skip(end, ","), "of")
    behind = reader.skip(behind, "the")
    if reader.low(behind) in WAYS and reader.low(behind + 1) == "week":
        week = cal.week_span(reader.ref + DAY * 7 * step_of(reader.low(behind)))
        day = week.start + DAY * weekday
        return fixed(behind + 2, Span(day, day), "day", Part(weekday=weekday))
    past = reader.ref - DAY * ((reader.ref.weekday() - weekday) % 7)
    future = reader.ref + DAY * ((weekday - reader.ref.weekday()) % 7)
    return Hit(end, Span(past, past), Span(future, future), "day", Part(weekday=weekday))


def season_year(reader: DateReader, index: int) -> Hit | None:
    """Summer 2022, the winter of 2021; in the spring."""
    begin = reader.skip(index, "the")
    month = cal.SEASONS.get(reader.low(begin))
    if month is None:
        return None
    year = reader.year_number(reader.skip(begin + 1, "of", "in", ","))
    if year is not None:
        return fixed(year[1], cal.season_span(year[0], month), "season")
    sure = reader.low(index - 1) in ("in", "since", "during", "until", "by", "through") and (
        begin > index or reader.low(begin) != "fall"
    )
    return (
        bare_season(reader, begin)
        if sure and reader.low(begin + 1) not in ("of", "offensive", "apart", "into")
        else None
    )


def bare_season(reader: DateReader, index: int) -> Hit | None:
    """Summer, where what stands before makes it a time; not the fall of Kabul, not the Winter Olympics."""
    month = cal.SEASONS.get(reader.low(index))
    if month is None or reader.low(index + 1) == "of" or reader.name_follows(index):
        return None
    return reader.yearly(index + 1, lambda year: cal.season_span(year, month), "season", NOTHING)


def year(reader: DateReader, index: int) -> Hit | None:
    """A year where a preposition or `year` makes it sure."""
    before = reader.low(index - 1)
    if reader.low(index) == "year":
        return bare_year(reader, reader.skip(index + 1, "of"))
    sure = before in _SURE_OF_YEAR and not (index and reader.glued(index))
    return bare_year(reader, index) if sure or (before == "(" and reader.low(index + 1) in (")", "-", "–")) else None


def bare_year(reader: DateReader, index: int) -> Hit | None:
    """2022, where what stands before makes it a year; not the 2020 election."""
    found = reader.year_number(reader.skip(index, "year") if reader.low(index) == "year" else index)
    if found is None or (
        reader.low(index - 1) == "the" and reader.low(found[1]).isalpha() and reader.low(found[1]) not in _JOINS
    ):
        return None
    return fixed(found[1], cal.year_span(found[0]), "year", Part(found[0]))


def decade(reader: DateReader, index: int) -> Hit | None:
    """The 1990s, the 15th century."""
    begin = reader.skip(index, "the")
    word = reader.low(begin)
    order = reader.day_number(begin, bare=False)
    if order is not None and reader.low(order[1]) == "century" and 1 < order[0] <= 21:
        first = 100 * (order[0] - 1)
        return fixed(order[1] + 1, Span(dt.date(first, 1, 1), dt.date(first + 99, 12, 31)), "year")
    if word.isdecimal() and len(word) == 4 and word.isascii() and word.endswith("0"):
        mark = reader.skip(begin + 1, "'", "’")
        if reader.low(mark) == "s" and reader.glued(mark) and 1000 <= int(word) <= 2190:
            return fixed(mark + 1, cal.decade_span(int(word)), "year")
    return None


def quarter(reader: DateReader, index: int) -> Hit | None:
    """Q1 2019, 2017-Q1, H2 of 2022; Q3 alone."""
    year = reader.year_number(index)
    begin = reader.skip(year[1], "-", ",") if year is not None else index
    letter, digit = reader.low(begin), reader.low(begin + 1)
    if (
        letter not in ("q", "h")
        or digit not in ("1", "2", "3", "4")
        or not reader.glued(begin + 1)
        or (letter == "h" and digit > "2")
    ):
        return None
    end, number = begin + 2, int(digit)
    if year is None:
        year = reader.year_number(reader.skip(end, "of", "-", ","))
        end = year[1] if year is not None else end

    def of_year(year: int) -> Span:
        if letter == "q":
            return cal.quarter_span(year, number)
        return Span(dt.date(year, 6 * number - 5, 1), cal.month_span(year, 6 * number).end)

    if year is not None:
        return fixed(end, of_year(year[0]), "season")
    return reader.yearly(end, of_year, "season", NOTHING) if letter == "q" else None


def feast(reader: DateReader, index: int) -> Hit | None:
    """Christmas Day, Easter 2018, Good Friday."""
    for size in (4, 3, 2, 1):
        words = [reader.low(index + step) for step in range(size + 2)]
        plain = tuple(word for word in words if word not in ("'", "’"))[:size]
        if plain in cal.FEASTS:
            month, day = cal.FEASTS[plain]
            end = index + next(
                n for n in range(size, size + 3) if len([w for w in words[:n] if w not in ("'", "’")]) == size
            )
            year = reader.year_number(reader.skip(end, ",", "of"))

            def of_year(number: int, month: int = month, day: int = day) -> Span | None:
                date = cal.feast(number, month, day)
                return Span(date, date) if date is not None else None

            if year is not None:
                return fixed(year[1], of_year(year[0]), "day")
            return reader.yearly(end, of_year, "day", NOTHING)
    return None


def _year_of(digits: str) -> int:
    """Two digits are of this century up to 68, as in POSIX."""
    number = int(digits)
    return number if len(digits) > 2 else number + (2000 if number <= 68 else 1900)
