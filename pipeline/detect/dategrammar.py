"""The grammar of dates in English news, pure: words at a place -> the days they mean, seen from the day of publication.

One small function per form, each from a position to a `Hit` or None; `Reader.period` takes the longest. A date that its words
leave open (`Tuesday`, `March 20`) has two readings, the last one and the next one; the caller knows the tense, this page not.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from pipeline.detect import daywords as cal
from pipeline.detect.daywords import DAY, MONTHS, UNITS, WEEKDAYS, Span
from pipeline.records import Precision

TOKEN: Final = re.compile(r"\d+|[^\W\d_]+|\n|[^\w\s]")
_DASHES: Final = frozenset("-–—~")
_PARTS_OF_DAY: Final = frozenset(
    ("morning", "afternoon", "evening", "night", "nights", "lunchtime", "noon", "midnight")
)
_BACK: Final = frozenset(("last", "past", "previous"))
_ON: Final = frozenset(("next", "coming", "upcoming"))
_THIS: Final = frozenset(("this", "current"))
_WAYS: Final = _BACK | _ON | _THIS | {"following"}
_DAYS: Final = {"today": 0, "tonight": 0, "tonite": 0, "tomorrow": 1, "tmrw": 1, "yesterday": -1}
_NOT_A_WEEKDAY: Final = frozenset(
    ("black", "good", "ash", "bloody", "holy", "maundy", "cyber", "super", "palm", "easter", "shrove", "giving")
)
_EVERY: Final = frozenset(("every", "each", "any", "most"))
_SURE_OF_MONTH: Final = frozenset(
    (
        "in",
        "of",
        "since",
        "until",
        "till",
        "by",
        "from",
        "during",
        "through",
        "before",
        "after",
        "between",
        "to",
        "early",
        "late",
        "mid",
    )
)
_SURE_OF_YEAR: Final = _SURE_OF_MONTH | {"year", "and", "circa", "around"}
_PRECISION: Final[dict[str, Precision]] = {
    "day": "day", "week": "week", "fortnight": "week", "weekend": "day", "month": "month", "quarter": "season", "year": "year",
    "decade": "year", "century": "year",
}  # fmt: skip


class Token(NamedTuple):
    """A word, number or sign of the text."""

    low: str
    start: int
    end: int
    capital: bool


class Part(NamedTuple):
    """What the words themselves say of a date."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None


class Hit(NamedTuple):
    """The token after the words, the two readings (alike where there is no choice), and how exact they are."""

    end: int
    past: Span
    future: Span
    precision: Precision
    part: Part = Part()
    nearest: bool = False


Rule = Callable[[int], "Hit | None"]


def tokens_of(text: str) -> list[Token]:
    """A text in, its tokens out."""
    return [Token(m.group().lower(), m.start(), m.end(), m.group()[:1].isupper()) for m in TOKEN.finditer(text)]


class Reader:
    """Reads dates at positions of one text. `ref` is the day of publication; without it only full dates are read."""

    def __init__(self, tokens: Sequence[Token], ref: dt.date | None) -> None:
        self.tokens = tokens
        self.ref = ref
        self._rules: tuple[Rule, ...] = (
            self._numeric, self._dated, self._month_year, self._weekday, self._day_word, self._way, self._ago, self._distant,
            self._share, self._vague_edge, self._week_of, self._season_year, self._year, self._decade, self._quarter, self._feast,
        )  # fmt: skip

    # --- looking at tokens --------------------------------------------------------------------------------------------

    def low(self, index: int) -> str:
        """The token's word in lower case, or nothing outside of the text."""
        return self.tokens[index].low if 0 <= index < len(self.tokens) else ""

    def glued(self, index: int) -> bool:
        """Whether nothing stands between the token and the one before it."""
        return 0 < index < len(self.tokens) and self.tokens[index].start == self.tokens[index - 1].end

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

    # --- periods ------------------------------------------------------------------------------------------------------

    def period(self, index: int) -> Hit | None:
        """The longest form that begins here."""
        best: Hit | None = None
        for rule in self._rules:
            hit = rule(index)
            if hit is not None and (best is None or hit.end > best.end):
                best = hit
        return best

    def bound(self, index: int) -> Hit | None:
        """One end of a range, or what stands behind `since`: here a bare month, year, season is surely one."""
        index = self.skip(index, "the") if self.low(index + 1) not in UNITS else index
        best = self.period(index)
        for rule in (self._bare_month, self._bare_year, self._bare_season, self._now, self._bare_day):
            hit = rule(index)
            if hit is not None and (best is None or hit.end > best.end):
                best = hit
        return best

    def _fixed(self, end: int, span: Span | None, precision: Precision, part: Part = Part()) -> Hit | None:  # noqa: B008 - frozen
        return Hit(end, span, span, precision, part) if span is not None else None

    def _yearly(self, end: int, of_year: Callable[[int], Span | None], precision: Precision, part: Part) -> Hit | None:
        """What comes each year: the last one that has begun and the next one that has not ended."""
        if self.ref is None:
            return None
        spans = [span for year in range(self.ref.year - 9, self.ref.year + 10) if (span := of_year(year)) is not None]
        begun = [span for span in spans if span.start <= self.ref]
        coming = [span for span in spans if span.end >= self.ref]
        return Hit(end, begun[-1], coming[0], precision, part, nearest=True) if begun and coming else None

    # --- numbers ------------------------------------------------------------------------------------------------------

    def _numeric(self, index: int) -> Hit | None:
        """2023-03-20, 20/03/2023, 3/20/23, 20161016, 05-Aug-2016."""
        word = self.low(index)
        if (
            not word.isdecimal()
            or not word.isascii()
            or (index and self.glued(index) and self.low(index - 1) not in "(=\n\"'~–—-")
        ):
            return None
        if len(word) == 8:
            return self._exact(index + 1, int(word[:4]), int(word[4:6]), int(word[6:]))
        sign, other = self.low(index + 1), self.low(index + 3)
        if sign not in ("-", "/", ".") or other != sign or not all(self.glued(index + step) for step in (1, 2, 3, 4)):
            return None
        first, second, third = word, self.low(index + 2), self.low(index + 4)
        if self.glued(index + 5) and self.low(index + 5) not in (
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
            year, day = (first, third) if len(first) == 4 else (third, first)
            return self._exact(index + 5, _year_of(year), MONTHS[second], int(day))
        if not second.isdecimal() or not second.isascii() or max(len(second), 2) > 2:
            return None
        if len(first) == 4:
            return self._exact(index + 5, int(first), int(second), int(third))
        if len(third) not in (2, 4) or len(first) > 2:
            return None
        one, two = int(first), int(second)
        day_first = one > 12 or (sign == "." and two <= 12)
        month, day = (two, one) if day_first else (one, two)
        return self._exact(index + 5, _year_of(third), month, day)

    def _exact(self, end: int, year: int, month: int, day: int) -> Hit | None:
        date = cal.make(year, month, day)
        return (
            self._fixed(end, Span(date, date), "day", Part(year, month, day)) if date and 1000 <= year <= 2199 else None
        )

    # --- days and months ----------------------------------------------------------------------------------------------

    def _dated(self, index: int) -> Hit | None:
        """20 March 2023, March 20, the 4th of July, Tuesday, March 21; Friday the 26th."""
        weekday = WEEKDAYS.get(self.low(index))
        begin = index
        if weekday is not None:
            begin = self.skip(self.skip(index + 1, "."), ",", "-")
            begin = self.skip(begin, "the")
        else:
            begin = self.skip(index, "the")
        found = self._day_month(begin) or self._month_day(begin)
        if found is None:
            return self._weekday_number(begin, weekday) if weekday is not None else None
        month, day, end = found
        behind = self.skip(end, ",", "of", "in", "-", "/")
        year = self.year_number(behind)
        if year is not None:
            return self._exact(self._part_of_day(year[1]), year[0], month, day)

        def of_year(year: int) -> Span | None:
            date = cal.make(year, month, day)
            return Span(date, date) if date is not None else None

        return self._yearly(self._part_of_day(end), of_year, "day", Part(None, month, day))

    def _day_month(self, index: int) -> tuple[int, int, int] | None:
        day = self.day_number(index, bare=True)
        if day is None:
            return None
        behind = self.skip(self.skip(day[1], "day") if self.low(day[1]) == "day" else day[1], "of", "-", "/")
        month = self.month(behind)
        if month is None or (
            self.low(index) in ("second", "first") and behind == day[1] and self.low(behind) in ("march", "may")
        ):
            return None
        return month[0], day[0], month[1]

    def _month_day(self, index: int) -> tuple[int, int, int] | None:
        month = self.month(index)
        if month is None:
            return None
        behind = self.skip(self.skip(month[1], ",", "-", "/"), "the")
        day = self.day_number(behind, bare=True)
        if day is None or self.low(behind) in ("second", "first") and self.low(index) in ("may", "march"):
            return None
        if self.low(behind).isdecimal() and self.low(day[1]) in (":", "%") and self.glued(day[1]):
            return None
        return month[0], day[0], day[1]

    def _weekday_number(self, index: int, weekday: int) -> Hit | None:
        """Monday 21, Friday the 26th: the nearest days that are both."""
        found = self.day_number(index, bare=self.low(index - 1) not in (",", "-", "."))
        if found is None or self.ref is None or self.low(found[1]) in ("-", ":", "to", "am", "pm", "p", "a", "%", "."):
            return None
        past = next(
            (d for n in range(400) if (d := self.ref - DAY * n).day == found[0] and d.weekday() == weekday), None
        )
        future = next(
            (d for n in range(400) if (d := self.ref + DAY * n).day == found[0] and d.weekday() == weekday), None
        )
        if past is None or future is None:
            return None
        return Hit(found[1], Span(past, past), Span(future, future), "day", nearest=True)

    def _month_year(self, index: int) -> Hit | None:
        """March 2023, March of 2023, 2017 April, Dec/2018; a bare month behind `in`, `since`, `early`."""
        year = self.year_number(index)
        if (
            year is not None
            and (month := self.month(year[1])) is not None
            and self.day_number(month[1], bare=True) is None
        ):
            return self._fixed(month[1], cal.month_span(year[0], month[0]), "month", Part(year[0], month[0]))
        month = self.month(index)
        if month is None:
            return None
        year = self.year_number(self.skip(month[1], ",", "of", "in", "/", "-"))
        if year is not None:
            return self._fixed(year[1], cal.month_span(year[0], month[0]), "month", Part(year[0], month[0]))
        return self._bare_month(index) if self.low(index - 1) in _SURE_OF_MONTH and self.tokens[index].capital else None

    def _bare_month(self, index: int) -> Hit | None:
        month = self.month(index)
        if month is None:
            return None
        return self._yearly(month[1], lambda year: cal.month_span(year, month[0]), "month", Part(None, month[0]))

    def _bare_day(self, index: int) -> Hit | None:
        """A day of a month that the other end of the range names."""
        found = self.day_number(index, bare=True)
        if found is None or self.ref is None:
            return None
        here = Span(self.ref, self.ref)
        return Hit(found[1], here, here, "unknown", Part(None, None, found[0]))

    def _part_of_day(self, index: int) -> int:
        return self.skip(index, *_PARTS_OF_DAY)

    # --- weekdays and days --------------------------------------------------------------------------------------------

    def _weekday(self, index: int) -> Hit | None:
        """Tuesday; Friday last week; the last one and the next one."""
        word = self.low(index)
        weekday = WEEKDAYS.get(word)
        if weekday is None or self.ref is None or self.low(index - 1) in _EVERY | _NOT_A_WEEKDAY:
            return None
        if word not in cal.FULL_WEEKDAYS and (not self.tokens[index].capital or word in ("sun", "sat")):
            return None
        end = self._part_of_day(self.skip(index + 1, "."))
        behind = self.skip(self.skip(end, ","), "of")
        behind = self.skip(behind, "the")
        if self.low(behind) in _WAYS and self.low(behind + 1) == "week":
            week = cal.week_span(self.ref + DAY * 7 * _step(self.low(behind)))
            day = week.start + DAY * weekday
            return self._fixed(behind + 2, Span(day, day), "day", Part(weekday=weekday))
        past = self.ref - DAY * ((self.ref.weekday() - weekday) % 7)
        future = self.ref + DAY * ((weekday - self.ref.weekday()) % 7)
        return Hit(end, Span(past, past), Span(future, future), "day", Part(weekday=weekday))

    def _day_word(self, index: int) -> Hit | None:
        """today, yesterday morning, overnight, last night, this evening, the day before yesterday, earlier on Tuesday."""
        if self.ref is None:
            return None
        word, second = self.low(index), self.low(index + 1)
        if word in _DAYS:
            day = self.ref + DAY * _DAYS[word]
            return self._fixed(self._part_of_day(index + 1), Span(day, day), "day")
        if word == "overnight":
            return self._fixed(index + 1, Span(self.ref - DAY, self.ref), "day")
        if word in ("last", "this") and second in _PARTS_OF_DAY:
            day = self.ref - DAY if word == "last" else self.ref
            return self._fixed(index + 2, Span(day, day), "day")
        begin = self.skip(index, "the")
        if self.low(begin) == "day" and self.low(begin + 1) in ("before", "after"):
            wanted, step = ("yesterday", -2) if self.low(begin + 1) == "before" else ("tomorrow", 2)
            if self.low(begin + 2) == wanted:
                day = self.ref + DAY * step
                return self._fixed(begin + 3, Span(day, day), "day")
        if word in ("earlier", "later", "late", "early"):
            behind = (
                self.skip(self.skip(index + 1, "on", "in"), "the")
                if word in ("earlier", "later", "late", "early")
                else index
            )
            return self._day_word_at(behind)
        return None

    def _day_word_at(self, index: int) -> Hit | None:
        if self.low(index) in _DAYS:
            return self._day_word(index)
        return self._weekday(index)

    # --- last, this, next ---------------------------------------------------------------------------------------------

    def _way(self, index: int) -> Hit | None:
        """last week, this weekend, next March, the past three months, this coming Friday, over the weekend."""
        if self.ref is None:
            return None
        begin = self.skip(index, "the")
        word = self.low(begin)
        if self.low(begin) in ("weekend",) and (begin > index or self.low(index - 1) in ("over", "this", "at", "on")):
            past = cal.weekend_span(self.ref if self.ref.weekday() >= 5 else self.ref - 7 * DAY)
            return Hit(begin + 1, past, cal.weekend_span(self.ref), "day", nearest=False)
        if word not in _WAYS:
            return self._counted_way(begin)
        behind = begin + 1
        if word == "this" and self.low(behind) in ("past", "coming", "upcoming"):
            word, behind = self.low(behind), behind + 1
        behind = self.skip(behind, "calendar")
        return (
            self._way_unit(word, behind)
            or self._way_weekday(word, behind)
            or self._way_month(word, behind)
            or self._way_season(word, behind)
        )

    def _counted_way(self, index: int) -> Hit | None:
        """The 2 next days, the 10 previous weeks."""
        found = self.number(index)
        if found is None or self.low(found[1]) not in _BACK | _ON or self.low(found[1] + 1) not in UNITS:
            return None
        return self._stretch(self.low(found[1]), found[0], UNITS[self.low(found[1] + 1)], found[1] + 2)

    def _way_unit(self, word: str, index: int) -> Hit | None:
        assert self.ref is not None
        found = self.number(index)
        unit = UNITS.get(self.low(found[1])) if found is not None else None
        if found is not None and unit is not None and word in _BACK | _ON:
            return self._stretch(word, found[0], unit, found[1] + 1)
        unit = UNITS.get(self.low(index))
        if unit is None or unit == "day" or word == "following" or self.low(index) == unit + "s":
            return None
        if word == "past" and unit not in ("quarter", "weekend"):
            return self._stretch(word, 1, unit, index + 1)
        week = cal.week_span(self.ref)
        step = _step(word)
        if unit == "weekend":
            current = self.ref if step >= 0 or self.ref.weekday() >= 5 else self.ref - 7 * DAY
            moved = current + 7 * DAY * (step if step >= 0 or self.ref.weekday() >= 5 else 0)
            return self._fixed(index + 1, cal.weekend_span(moved), "day")
        if unit == "week":
            on_day = self.skip(self.skip(index + 1, ","), "on")
            weekday = WEEKDAYS.get(self.low(on_day))
            if weekday is not None:  # next week Monday
                day = week.start + DAY * (7 * step + weekday)
                return self._fixed(on_day + 1, Span(day, day), "day")
        return self._fixed(index + 1, cal.period(self.ref, unit, step), _PRECISION[unit])

    def _stretch(self, word: str, count: int, unit: str, end: int) -> Hit | None:
        """The past three months, the next two weeks: up to today, from tomorrow on; quarters are whole."""
        assert self.ref is not None
        if unit == "quarter":
            nearest = cal.period(self.ref, unit, -1 if word in _BACK else 1)
            farthest = cal.period(self.ref, unit, -count if word in _BACK else count)
            span = Span(min(nearest.start, farthest.start), max(nearest.end, farthest.end))
        elif word in _BACK:
            span = Span(cal.shift(self.ref, unit, -count), self.ref)
        else:
            span = Span(self.ref + DAY, cal.shift(self.ref, unit, count))
        return self._fixed(end, span, _PRECISION[unit]) if span.start <= span.end else None

    def _way_weekday(self, word: str, index: int) -> Hit | None:
        """Next Monday is next week's, last Friday last week's; this and coming are the nearest ahead, past the nearest behind."""
        assert self.ref is not None
        weekday = WEEKDAYS.get(self.low(index))
        if weekday is None or (self.low(index) not in cal.FULL_WEEKDAYS and not self.tokens[index].capital):
            return None
        week = cal.week_span(self.ref)
        if word in ("next", "following"):
            day = week.start + DAY * (7 + weekday)
        elif word in ("last", "previous"):
            day = week.start + DAY * (weekday - 7)
        elif word == "past":
            day = self.ref - DAY * ((self.ref.weekday() - weekday - 1) % 7 + 1)
        elif word == "this":
            day = self.ref + DAY * ((weekday - self.ref.weekday()) % 7)
        else:
            day = self.ref + DAY * ((weekday - self.ref.weekday() - 1) % 7 + 1)
        return self._fixed(self._part_of_day(index + 1), Span(day, day), "day", Part(weekday=weekday))

    def _way_month(self, word: str, index: int) -> Hit | None:
        found = self.month(index)
        if found is None:
            return None
        return self._way_yearly(
            word, found[1], lambda year: cal.month_span(year, found[0]), "month", Part(None, found[0])
        )

    def _way_season(self, word: str, index: int) -> Hit | None:
        month = cal.SEASONS.get(self.low(index))
        return (
            self._way_yearly(word, index + 1, lambda year: cal.season_span(year, month), "season", Part())
            if month
            else None
        )

    def _way_yearly(
        self, word: str, end: int, of_year: Callable[[int], Span], precision: Precision, part: Part
    ) -> Hit | None:
        """Last March is the last one that has ended, next March the next to begin, this March the one of this year."""
        assert self.ref is not None
        spans = [of_year(year) for year in range(self.ref.year - 2, self.ref.year + 3)]
        if word in _BACK:
            span = [s for s in spans if s.end < self.ref][-1]
        elif word in ("this", "current"):
            near = [s for s in spans if s.start.year == self.ref.year or s.start <= self.ref <= s.end]
            span = next((s for s in near if s.start <= self.ref <= s.end), near[0])
        else:
            span = next(s for s in spans if s.start > self.ref)
        return self._fixed(end, span, precision, part)

    # --- distances ----------------------------------------------------------------------------------------------------

    def _lengths(self, index: int) -> tuple[list[tuple[int, str]], int] | None:
        """`two weeks and 2 days` -> ([(2, week), (2, day)], position behind)."""
        lengths: list[tuple[int, str]] = []
        while (found := self.number(index)) is not None and self.low(found[1]) in UNITS:
            lengths.append((found[0], UNITS[self.low(found[1])]))
            index = found[1] + 1
            joined = self.skip(index, "and", ",")
            if joined == index or self.number(joined) is None:
                break
            after = self.number(joined)
            if after is None or self.low(after[1]) not in UNITS:
                break
            index = joined
        return (lengths, index) if lengths else None

    def _moved(self, day: dt.date, lengths: Sequence[tuple[int, str]], sign: int) -> dt.date:
        for count, unit in lengths:
            day = cal.shift(day, unit, sign * count)
        return day

    def _ago(self, index: int) -> Hit | None:
        """Two days ago, a week ago, two weeks and 2 days ago; as exact as its smallest unit."""
        found = self._lengths(index)
        if found is None or self.ref is None or self.low(found[1]) != "ago":
            return None
        day = self._moved(self.ref, found[0], -1)
        return self._fixed(found[1] + 1, Span(day, day), _PRECISION[found[0][-1][1]])

    def _distant(self, index: int) -> Hit | None:
        """Three weeks from tomorrow, 3 days after January 12th, in two weeks' time, in 10 days (when a future is in the air)."""
        if self.ref is None:
            return None
        if self.low(index) == "in":
            return self._in_lengths(index)
        found = self._lengths(index)
        if found is None:
            return None
        lengths, behind = found
        word = self.low(behind)
        if word not in ("from", "after", "before"):
            return None
        if word == "from" and self.low(behind + 1) == "now":
            day = self._moved(self.ref, lengths, 1)
            return self._fixed(behind + 2, Span(day, day), _PRECISION[lengths[-1][1]])
        anchor = self._anchor(behind + 1)
        if anchor is None or anchor.precision != "day":
            return None
        day = self._moved(
            anchor.future.start if word != "before" else anchor.future.start, lengths, -1 if word == "before" else 1
        )
        return self._fixed(anchor.end, Span(day, day), "day")

    def _anchor(self, index: int) -> Hit | None:
        for rule in (self._numeric, self._dated, self._way, self._day_word, self._weekday, self._feast):
            hit = rule(index)
            if hit is not None:
                return hit
        return None

    def _in_lengths(self, index: int) -> Hit | None:
        assert self.ref is not None
        found = self._lengths(index + 1)
        if found is None:
            return None
        lengths, behind = found
        from_now = self.low(behind) == "from" and self.low(behind + 1) in ("now", "today")
        end = behind + 2 if from_now else behind
        for step in range(3):
            if self.low(behind + step) == "time" and step:
                from_now, end = True, behind + step + 1
        if not from_now and not self.ahead(index, 12):
            return None
        day = self._moved(self.ref, lengths, 1)
        return self._fixed(end, Span(day, day), _PRECISION[lengths[-1][1]])

    def ahead(self, index: int, reach: int) -> bool:
        """Whether the words before speak of what is to come: `will`, `scheduled for`."""
        for position in range(index - 1, max(-1, index - 1 - reach), -1):
            word = self.low(position)
            if word in (".", "\n", "?", "!", ";") and not (word == "." and self.glued(position + 1)):
                return False
            if word in _AHEAD:
                return True
        return False

    # --- shares of a period -------------------------------------------------------------------------------------------

    def _share(self, index: int) -> Hit | None:
        """The second half of 2022, the first quarter of 2013, the last week of May, the first two weeks of June, H2 2019."""
        begin = self.skip(index, "the")
        order = _ORDER.get(self.low(begin))
        behind = begin + 1
        if order is None:
            found = self.day_number(begin, bare=False)
            if found is None or found[0] > 5:
                return None
            order, behind = found[0], found[1]
        counted = self.number(behind)
        count, behind = (counted[0], counted[1]) if counted is not None else (1, behind)
        unit = self.low(behind)
        if self.low(behind + 1) not in ("of", "in"):
            return None
        whole = self.bound(behind + 2)
        if whole is None or whole.precision == "unknown":
            return None
        past, future = _cut(whole.past, unit, order, count), _cut(whole.future, unit, order, count)
        if past is None or future is None:
            return None
        precision: Precision = "season" if unit in ("half", "quarter") else _PRECISION[UNITS[unit]]
        return Hit(whole.end, past, future, precision, Part(), whole.nearest)

    def _vague_edge(self, index: int) -> Hit | None:
        """Early 2023, mid-March, late last year, the end of this month, earlier this year, later this week."""
        begin = self.skip(index, "the")
        word = self.low(begin)
        behind = begin + 1
        if word in _EDGES and self.low(behind) in ("of", "in"):
            behind += 1
        elif word in ("earlier", "later"):
            behind = self.skip(behind, "in", "on")
        elif word in ("early", "late", "mid"):
            behind = self.skip(self.skip(behind, "-", "in"), "in")
        else:
            return None
        whole = self.bound(behind)
        if whole is None or whole.precision in ("unknown", "instant"):
            return None
        if whole.precision == "day" and whole.past.start == whole.past.end:
            return whole
        past, future = self._edge(word, whole.past), self._edge(word, whole.future)
        precision: Precision = {"year": "season", "season": "month", "month": "week"}.get(whole.precision, "day")  # type: ignore[assignment]
        return Hit(whole.end, past, future, precision, whole.part, whole.nearest)

    def _edge(self, word: str, span: Span) -> Span:
        if word == "earlier":
            return Span(span.start, max(span.start, min(span.end, self.ref or span.end)))
        if word == "later":
            return Span(min(span.end, max(span.start, self.ref or span.start)), span.end)
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
        return Span(
            span.start + size * third * DAY, span.start + (size * (third + 1) - 1) * DAY if third < 2 else span.end
        )

    def _week_of(self, index: int) -> Hit | None:
        """The week of March 20, the week beginning February 4."""
        begin = self.skip(index, "the")
        if self.low(begin) != "week" or self.low(begin + 1) not in ("of", "beginning", "starting", "ending"):
            return None
        day = self._anchor(self.skip(begin + 2, "on"))
        if day is None or day.precision != "day":
            return None
        return Hit(day.end, cal.week_span(day.past.start), cal.week_span(day.future.start), "week", Part(), day.nearest)

    # --- seasons, years and the like ----------------------------------------------------------------------------------

    def _season_year(self, index: int) -> Hit | None:
        """Summer 2022, the winter of 2021; in the spring."""
        begin = self.skip(index, "the")
        month = cal.SEASONS.get(self.low(begin))
        if month is None:
            return None
        year = self.year_number(self.skip(begin + 1, "of", "in", ","))
        if year is not None:
            return self._fixed(year[1], cal.season_span(year[0], month), "season")
        sure = self.low(index - 1) in ("in", "since", "during", "until", "by", "through") and (
            begin > index or self.low(begin) != "fall"
        )
        return (
            self._bare_season(begin)
            if sure and self.low(begin + 1) not in ("of", "offensive", "apart", "into")
            else None
        )

    def _bare_season(self, index: int) -> Hit | None:
        month = cal.SEASONS.get(self.low(index))
        if month is None:
            return None
        return self._yearly(index + 1, lambda year: cal.season_span(year, month), "season", Part())

    def _year(self, index: int) -> Hit | None:
        """A year where a preposition or `year` makes it sure."""
        before = self.low(index - 1)
        if self.low(index) == "year":
            return self._bare_year(self.skip(index + 1, "of"))
        sure = before in _SURE_OF_YEAR and not (index and self.glued(index))
        return self._bare_year(index) if sure or (before == "(" and self.low(index + 1) in (")", "-", "–")) else None

    def _bare_year(self, index: int) -> Hit | None:
        found = self.year_number(self.skip(index, "year") if self.low(index) == "year" else index)
        if found is None:
            return None
        return self._fixed(found[1], cal.year_span(found[0]), "year", Part(found[0]))

    def _decade(self, index: int) -> Hit | None:
        """The 1990s."""
        begin = self.skip(index, "the")
        word = self.low(begin)
        if word.isdecimal() and len(word) == 4 and word.isascii() and word.endswith("0"):
            mark = self.skip(begin + 1, "'", "’")
            if self.low(mark) == "s" and self.glued(mark) and 1000 <= int(word) <= 2190:
                return self._fixed(mark + 1, cal.decade_span(int(word)), "year")
        return None

    def _quarter(self, index: int) -> Hit | None:
        """Q1 2019, 2017-Q1, H2 of 2022; Q3 alone."""
        year = self.year_number(index)
        begin = self.skip(year[1], "-", ",") if year is not None else index
        letter, digit = self.low(begin), self.low(begin + 1)
        if (
            letter not in ("q", "h")
            or digit not in ("1", "2", "3", "4")
            or not self.glued(begin + 1)
            or (letter == "h" and digit > "2")
        ):
            return None
        end, number = begin + 2, int(digit)
        if year is None:
            year = self.year_number(self.skip(end, "of", "-", ","))
            end = year[1] if year is not None else end

        def of_year(year: int) -> Span:
            if letter == "q":
                return cal.quarter_span(year, number)
            return Span(dt.date(year, 6 * number - 5, 1), cal.month_span(year, 6 * number).end)

        if year is not None:
            return self._fixed(end, of_year(year[0]), "season")
        return self._yearly(end, of_year, "season", Part()) if letter == "q" else None

    def _feast(self, index: int) -> Hit | None:
        """Christmas Day, Easter 2018, Good Friday."""
        for size in (4, 3, 2, 1):
            words = [self.low(index + step) for step in range(size + 2)]
            plain = tuple(word for word in words if word not in ("'", "’"))[:size]
            if plain in cal.FEASTS:
                month, day = cal.FEASTS[plain]
                end = index + next(
                    n for n in range(size, size + 3) if len([w for w in words[:n] if w not in ("'", "’")]) == size
                )
                year = self.year_number(self.skip(end, ",", "of"))

                def of_year(number: int, month: int = month, day: int = day) -> Span | None:
                    date = cal.feast(number, month, day)
                    return Span(date, date) if date is not None else None

                if year is not None:
                    return self._fixed(year[1], of_year(year[0]), "day")
                return self._yearly(end, of_year, "day", Part())
        return None

    def _now(self, index: int) -> Hit | None:
        """`to date`, `and now`: the other end of a range."""
        if self.ref is None or self.low(index) not in ("now", "date", "present"):
            return None
        return self._fixed(index + 1, Span(self.ref, self.ref), "day")


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


def _step(word: str) -> int:
    return -1 if word in _BACK else 0 if word in _THIS else 1


def _year_of(digits: str) -> int:
    """Two digits are of this century up to 68, as in POSIX."""
    number = int(digits)
    return number if len(digits) > 2 else number + (2000 if number <= 68 else 1900)


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
    if unit == "half":
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
