"""Dates by their distance from publication, pure: yesterday, last week, this Friday, the past three months, two days ago."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.detect import daywords as cal
from pipeline.detect.date_names import dated, feast, numeric, part_of_day, weekday
from pipeline.detect.date_reader import BACK, ON, PARTS_OF_DAY, PRECISION, WAYS, DateReader, Hit, Part, fixed, step_of
from pipeline.detect.daywords import DAY, UNITS, WEEKDAYS, Span
from pipeline.records import Precision

_MODALS: Final = frozenset(
    ("will", "would", "to", "may", "might", "can", "could", "should", "must", "shall", "not", "ll")
)
_RANKS: Final = frozenset(
    ("first", "only", "most", "biggest", "largest", "highest", "lowest", "longest", "worst", "best")
)
_DAYS: Final = {"today": 0, "tonight": 0, "tonite": 0, "tomorrow": 1, "tmrw": 1, "yesterday": -1}


def day_word(reader: DateReader, index: int) -> Hit | None:
    """today, yesterday morning, overnight, last night, this evening, the day before yesterday, earlier on Tuesday."""
    if reader.ref is None:
        return None
    word, second = reader.low(index), reader.low(index + 1)
    if word in _DAYS:
        day = reader.ref + DAY * _DAYS[word]
        return fixed(part_of_day(reader, index + 1), Span(day, day), "day")
    if word == "overnight":
        return fixed(index + 1, Span(reader.ref - DAY, reader.ref), "day")
    if word in ("last", "this") and second in PARTS_OF_DAY:
        day = reader.ref - DAY if word == "last" else reader.ref
        return fixed(index + 2, Span(day, day), "day")
    begin = reader.skip(index, "the")
    if reader.low(begin) == "day" and reader.low(begin + 1) in ("before", "after"):
        wanted, step = ("yesterday", -2) if reader.low(begin + 1) == "before" else ("tomorrow", 2)
        if reader.low(begin + 2) == wanted:
            day = reader.ref + DAY * step
            return fixed(begin + 3, Span(day, day), "day")
    if word in ("earlier", "later", "late", "early"):
        behind = (
            reader.skip(reader.skip(index + 1, "on", "in"), "the")
            if word in ("earlier", "later", "late", "early")
            else index
        )
        return _day_word_at(reader, behind)
    return None


def _day_word_at(reader: DateReader, index: int) -> Hit | None:
    if reader.low(index) in _DAYS:
        return day_word(reader, index)
    return weekday(reader, index)


def way(reader: DateReader, index: int) -> Hit | None:
    """Last week, this weekend, next March, the past three months, this coming Friday, over the weekend."""
    if reader.ref is None:
        return None
    begin = reader.skip(index, "the")
    word = reader.low(begin)
    if (
        reader.low(begin + 1) in ("after", "before")
        and reader.low(begin + 2) in ("next", "last")
        and word in UNITS
        and word != "day"
    ):
        step = 2 if reader.low(begin + 2) == "next" else -2
        return fixed(begin + 3, cal.period(reader.ref, UNITS[word], step), PRECISION[UNITS[word]])
    if reader.low(begin) == "weekend" and (begin > index or reader.low(index - 1) in ("over", "this", "at", "on")):
        past = cal.weekend_span(reader.ref if reader.ref.weekday() >= 5 else reader.ref - 7 * DAY)
        return Hit(begin + 1, past, cal.weekend_span(reader.ref), "day", nearest=False)
    if word == "last" and reader.low(index - 1) in _MODALS:  # the course will last three weeks
        return None
    if word not in WAYS:
        return _counted_way(reader, begin)
    behind = begin + 1
    if word == "this" and reader.low(behind) in ("past", "coming", "upcoming"):
        word, behind = reader.low(behind), behind + 1
    behind = reader.skip(behind, "calendar")
    return (
        _way_unit(reader, word, behind)
        or _way_weekday(reader, word, behind)
        or _way_month(reader, word, behind)
        or _way_season(reader, word, behind)
    )


def _counted_way(reader: DateReader, index: int) -> Hit | None:
    """The 2 next days, the 10 previous weeks."""
    found = reader.number(index)
    if found is None or reader.low(found[1]) not in BACK | ON or reader.low(found[1] + 1) not in UNITS:
        return None
    if found[0] > 1 and not reader.low(found[1] + 1).endswith("s"):
        return None
    return _stretch(reader, reader.low(found[1]), [(found[0], UNITS[reader.low(found[1] + 1)])], found[1] + 2)


def _way_unit(reader: DateReader, word: str, index: int) -> Hit | None:
    assert reader.ref is not None
    found = _lengths(reader, index)
    if found is not None and word in BACK | ON:
        if reader.low(found[1]) == "ago":  # the last 3 months and 2 days ago
            count = reader.number(index)
            return _stretch(reader, word, found[0][:1], count[1] + 1) if count is not None else None
        return _stretch(reader, word, found[0], found[1])
    unit = UNITS.get(reader.low(index))
    if unit is None or unit == "day" or word == "following" or reader.low(index) == unit + "s":
        return None
    if word == "past" and unit not in ("quarter", "weekend"):
        return _stretch(reader, word, [(1, unit)], index + 1)
    week = cal.week_span(reader.ref)
    step = step_of(word)
    if unit == "weekend":
        current = reader.ref if step >= 0 or reader.ref.weekday() >= 5 else reader.ref - 7 * DAY
        moved = current + 7 * DAY * (step if step >= 0 or reader.ref.weekday() >= 5 else 0)
        return fixed(index + 1, cal.weekend_span(moved), "day")
    if unit == "week":
        on_day = reader.skip(reader.skip(index + 1, ","), "on")
        weekday = WEEKDAYS.get(reader.low(on_day))
        if weekday is not None:  # next week Monday
            day = week.start + DAY * (7 * step + weekday)
            return fixed(on_day + 1, Span(day, day), "day")
    return fixed(index + 1, cal.period(reader.ref, unit, step), PRECISION[unit])


def _stretch(reader: DateReader, word: str, lengths: Sequence[tuple[int, str]], end: int) -> Hit | None:
    """The past three months, the next two weeks: up to today, from tomorrow on; quarters are whole."""
    assert reader.ref is not None
    count, unit = lengths[-1]
    if unit == "quarter":
        nearest = cal.period(reader.ref, unit, -1 if word in BACK else 1)
        farthest = cal.period(reader.ref, unit, -count if word in BACK else count)
        span = Span(min(nearest.start, farthest.start), max(nearest.end, farthest.end))
    elif word in BACK:
        span = Span(_moved(reader.ref, lengths, -1), reader.ref)
    else:
        span = Span(reader.ref + DAY, _moved(reader.ref, lengths, 1))
    return fixed(end, span, PRECISION[unit]) if span.start <= span.end else None


def _way_weekday(reader: DateReader, word: str, index: int) -> Hit | None:
    """Next Monday is next week's, last Friday last week's; coming is the nearest ahead, past that behind, this either."""
    assert reader.ref is not None
    weekday = WEEKDAYS.get(reader.low(index))
    if weekday is None or (reader.low(index) not in cal.FULL_WEEKDAYS and not reader.capital(index)):
        return None
    week = cal.week_span(reader.ref)
    if word in ("next", "following"):
        day = week.start + DAY * (7 + weekday)
    elif word in ("last", "previous"):
        day = week.start + DAY * (weekday - 7)
    elif word == "past":
        day = reader.ref - DAY * ((reader.ref.weekday() - weekday - 1) % 7 + 1)
    elif word == "this":  # of what happened the last one
        behind = reader.ref - DAY * ((reader.ref.weekday() - weekday) % 7)
        day = reader.ref + DAY * ((weekday - reader.ref.weekday()) % 7)
        spans = Span(behind, behind), Span(day, day)
        return Hit(part_of_day(reader, index + 1), *spans, "day", Part(weekday=weekday), nearest=True)
    else:
        day = reader.ref + DAY * ((weekday - reader.ref.weekday() - 1) % 7 + 1)
    return fixed(part_of_day(reader, index + 1), Span(day, day), "day", Part(weekday=weekday))


def _way_month(reader: DateReader, word: str, index: int) -> Hit | None:
    found = reader.month(index)
    if found is None or (reader.low(index) in ("may", "march") and not reader.capital(index)):
        return None
    return _way_yearly(reader, word, found[1], lambda year: cal.month_span(year, found[0]), exact="month")


def _way_season(reader: DateReader, word: str, index: int) -> Hit | None:
    month = cal.SEASONS.get(reader.low(index)) if not reader.name_follows(index) else None
    return (
        _way_yearly(reader, word, index + 1, lambda year: cal.season_span(year, month), exact="season")
        if month
        else None
    )


def _way_yearly(
    reader: DateReader, word: str, end: int, of_year: Callable[[int], Span], *, exact: Precision
) -> Hit | None:
    """Last March is the last one that has ended, next March the next to begin, this March the one of this year."""
    assert reader.ref is not None
    spans = [of_year(year) for year in range(reader.ref.year - 2, reader.ref.year + 3)]
    if word in BACK:
        span = [s for s in spans if s.end < reader.ref][-1]
    elif word in ("this", "current"):
        near = [s for s in spans if s.start.year == reader.ref.year or s.start <= reader.ref <= s.end]
        span = next((s for s in near if s.start <= reader.ref <= s.end), near[0])
    else:
        span = next(s for s in spans if s.start > reader.ref)
    return fixed(end, span, exact)


def _lengths(reader: DateReader, index: int) -> tuple[list[tuple[int, str]], int] | None:
    """`two weeks and 2 days` -> ([(2, week), (2, day)], position behind)."""
    lengths: list[tuple[int, str]] = []
    while (found := reader.number(index)) is not None and reader.low(found[1]) in UNITS:
        lengths.append((found[0], UNITS[reader.low(found[1])]))
        index = found[1] + 1
        joined = reader.skip(index, "and", ",")
        if joined == index or reader.number(joined) is None:
            break
        after = reader.number(joined)
        if after is None or reader.low(after[1]) not in UNITS:
            break
        index = joined
    return (lengths, index) if lengths else None


def _moved(day: dt.date, lengths: Sequence[tuple[int, str]], sign: int) -> dt.date:
    for count, unit in lengths:
        day = cal.shift(day, unit, sign * count)
    return day


def ago(reader: DateReader, index: int) -> Hit | None:
    """Two days ago, a week ago, two weeks and 2 days ago; as exact as its smallest unit."""
    found = _lengths(reader, index)
    if found is None or reader.ref is None or reader.low(found[1]) != "ago":
        return None
    day = _moved(reader.ref, found[0], -1)
    return fixed(found[1] + 1, Span(day, day), PRECISION[found[0][-1][1]])


def distant(reader: DateReader, index: int) -> Hit | None:
    """Three weeks from tomorrow, 3 days after January 12th, in two weeks' time, in 10 days (when a future is in the air)."""
    if reader.ref is None:
        return None
    if reader.low(index) == "in":
        return _in_lengths(reader, index)
    found = _lengths(reader, index)
    if found is None:
        return None
    lengths, behind = found
    word = reader.low(behind)
    if word not in ("from", "after", "before"):
        return None
    if word == "from" and reader.low(behind + 1) == "now":
        day = _moved(reader.ref, lengths, 1)
        return fixed(behind + 2, Span(day, day), PRECISION[lengths[-1][1]])
    anchor = day_at(reader, behind + 1)
    if anchor is None or anchor.precision != "day":
        return None
    day = _moved(anchor.future.start, lengths, -1 if word == "before" else 1)
    return fixed(anchor.end, Span(day, day), "day")


def day_at(reader: DateReader, index: int) -> Hit | None:
    """A day in any form but a distance: what other dates are counted from."""
    for form in (numeric, dated, way, day_word, weekday, feast):
        hit = form(reader, index)
        if hit is not None:
            return hit
    return None


def _in_lengths(reader: DateReader, index: int) -> Hit | None:
    assert reader.ref is not None
    found = _lengths(reader, index + 1)
    if found is None:
        return None
    lengths, behind = found
    from_now = reader.low(behind) == "from" and reader.low(behind + 1) in ("now", "today")
    end = behind + 2 if from_now else behind
    for step in range(3):
        if reader.low(behind + step) == "time" and step:
            from_now, end = True, behind + step + 1
    if not from_now and (not reader.ahead(index, 12) or _ranked(reader, index)):
        return None
    day = _moved(reader.ref, lengths, 1)
    return fixed(end, Span(day, day), PRECISION[lengths[-1][1]])


def _ranked(reader: DateReader, index: int) -> bool:
    """Whether a rank stands behind what tells the future: `will be the first visit in six years` looks back."""
    while reader.ahead(index, 12):
        index -= 1
        if reader.low(index) in _RANKS:
            return True
    return False


def now(reader: DateReader, index: int) -> Hit | None:
    """`to date`, `and now`: the other end of a range."""
    if reader.ref is None or reader.low(index) not in ("now", "date", "present"):
        return None
    return fixed(index + 1, Span(reader.ref, reader.ref), "day")
