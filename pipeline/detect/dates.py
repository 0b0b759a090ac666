"""When, pure: text and publication time -> dates where they stand, resolved in the time zone of the publication.

The forms are in `date_names.py`, `date_steps.py` and `date_parts.py`; here they are joined to ranges (`from 3 to 5 May`), to
what lies before or after a date (`since August`, `by Friday`), and put on offsets. A library for free text was not taken: it
reads `second round` as a time, costs a millisecond a phrase, and gives one reading where the tense has to choose between two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import chain
from typing import Final, Literal

import msgspec

from pipeline.detect import daywords as cal
from pipeline.detect.date_forms import FORMS, reader_of
from pipeline.detect.date_reader import DASHES, PARTS_OF_DAY, TOKEN, DateReader, Hit, Part, fixed
from pipeline.detect.daywords import DAY, Span
from pipeline.detect.persons import words as word_set
from pipeline.records import Precision, When

Relation = Literal["on", "since", "from", "until", "before", "after"]
Prefer = Literal["past", "future"]

_RELATION_OF: Final[dict[tuple[str, ...], Relation]] = {
    ("since",): "since", ("until",): "until", ("till",): "until", ("by",): "until", ("before",): "before", ("after",): "after",
    ("prior", "to"): "before", ("no", "later", "than"): "until", ("as", "of"): "from", ("starting", "on"): "from",
    ("starting", "from"): "from", ("starting",): "from", ("beginning", "on"): "from", ("beginning",): "from",
    ("ahead", "of"): "before", ("later", "than"): "after", ("up", "to"): "until", ("up", "until"): "until",
}  # fmt: skip
_RELATIONS: Final = {
    first: tuple((words, relation) for words, relation in _RELATION_OF.items() if words[0] == first)
    for first in {words[0] for words in _RELATION_OF}
}
_RANGE_STARTS: Final = frozenset(
    ("from", "between", "the", "q", "h", "today", "yesterday", "tomorrow", "early", "late", "mid", "twenty", "thirty",
     *cal.MONTHS, *cal.WEEKDAYS, *cal.ORDINALS, *cal.SEASONS)
)  # fmt: skip
_STARTS: Final = frozenset((*FORMS, "from", "between", *_RELATIONS))
"""Words that a date can begin with; at any other nothing is tried."""
_TELLING: Final = frozenset(
    (*cal.MONTHS, *cal.WEEKDAYS, *cal.UNITS, *cal.SEASONS, *PARTS_OF_DAY, *(word for feast in cal.FEASTS for word in feast),
     "today", "tonight", "tonite", "tomorrow", "tmrw", "yesterday", "overnight", "now", "date", "present", "hours")
)  # fmt: skip
"""Without one of these words or a figure there is no date."""
_INNER: Final = (
    _STARTS
    | set(chain(*_RELATION_OF))
    | word_set("of in on half day days few several end ends than s - – — , . ' ’ / (")
)
"""Words that may stand in a date before the first telling one."""
LEAD: Final = 12
"""So many tokens may stand before it: `no later than the twenty-first day of the second half of`."""
LONG: Final = 300
"""Days: two readings so far apart are of two years; those of a weekday are a week apart."""
_SET_FOR: Final = frozenset(("scheduled", "planned", "due", "set", "slated", "expected"))
_LEADS: Final = frozenset(("the", "on", "over", "in", "at", "during", "from"))
"""Small words before a date that are no part of it."""


class FoundDate(msgspec.Struct, frozen=True):
    """A date where it stands: `text[start:end] == found.text`. `when` is the likelier reading.

    `past` and `future` are both readings of a date that its words leave open (`Tuesday`), else None. `relation` says how the
    event lies to the date; only with `on`, `since` and `from` can it be the event's own.
    """

    start: int
    end: int
    text: str
    when: When
    past: When | None = None
    future: When | None = None
    relation: Relation = "on"

    def read(self, prefer: Prefer | None) -> When:
        """The reading that the tense asks for, where there is a choice; of a day without a year always the likelier one.

        Nobody writes `on March 15` in March of the year after, whatever the tense.
        """
        if self.when.precision == "day" and self._yearly():
            return self.when
        if prefer == "past":
            return self.past or self.when
        if prefer == "future":
            return self.future or self.when
        return self.when

    def _yearly(self) -> bool:
        return self.past is not None and self.future is not None and (self.future.start - self.past.start).days > LONG


def lows_of(text: str) -> list[str]:
    """A text in, its words, numbers and signs in lower case out."""
    return [word.lower() for word in TOKEN.findall(text)]


def find_dates(text: str, published_at: dt.datetime | None, *, lows: list[str] | None = None) -> tuple[FoundDate, ...]:
    """Text and publication time in, its dates out, in order and apart. Without a time only full dates are found.

    Durations (`for three days`), recurrences (`every Friday`) and times of day are no dates. The time zone of `published_at`
    counts: `Tuesday` is another day in Sydney. `lows` are the words of the text, where they are known already.
    """
    lows = lows_of(text) if lows is None else lows
    telling = [
        index
        for index, low in enumerate(lows)
        if low in _TELLING or (low[:1].isdecimal() and not _only_counts(lows, index))
    ]
    if not telling:
        return ()
    reader = reader_of(text, lows, published_at.date() if published_at is not None else None)
    found: list[FoundDate] = []
    free = 0
    for index in _begins(lows, telling):
        if index < free:
            continue
        date, after = _at(reader, text, index)
        if date is not None:
            found.append(date)
            free = after
    return tuple(found)


def date_at(text: str, start: int, end: int, published_at: dt.datetime | None) -> FoundDate | None:
    """The date at `text[start:end]`, which somebody who knows the context takes for one: a bare `November` or `2014` counts."""
    reader = reader_of(text, lows_of(text), published_at.date() if published_at is not None else None)
    for index, (first, last) in enumerate(reader.bounds):
        if first >= end:
            break
        if last > start and reader.low(index) not in _LEADS:
            hit = reader.bound(index)
            if hit is None and (year := reader.year_number(index)) is not None:  # the 2014 election
                hit = fixed(year[1], cal.year_span(year[0]), "year")
            return _made(reader, text, index, "on", hit) if hit is not None and hit.precision != "unknown" else None
    return None


def _begins(lows: list[str], telling: Sequence[int]) -> list[int]:
    """Where a date may begin: at a telling word, or before it as far as words of dates go."""
    begins = []
    free = 0
    for end in telling:
        index = end
        while index >= max(free, end - LEAD) and (index == end or lows[index] in _INNER or lows[index].isdecimal()):
            index -= 1
        begins += [i for i in range(index + 1, end + 1) if lows[i] in _STARTS or lows[i][:1].isdecimal()]
        free = end + 1
    return begins


def _only_counts(lows: list[str], index: int) -> bool:
    """Whether a number is a short one between plain words, `of 40 tanks`: no date has no other number and no telling word."""
    behind = lows[index + 1] if index + 1 < len(lows) else ""
    before = lows[index - 1] if index else "the"
    return len(lows[index]) <= 3 and len(behind) >= 3 and behind.isalpha() and len(before) >= 2 and before.isalpha()


def _at(reader: DateReader, text: str, index: int) -> tuple[FoundDate | None, int]:
    """The date that begins at a token, and where to read on."""
    try:
        relation, hit = _phrase(reader, index)
    except (ValueError, OverflowError):  # a year that dates do not reach
        return None, index + 1
    if hit is None or hit.precision == "unknown":
        return None, index + 1
    return _made(reader, text, index, relation, hit), hit.end


def _phrase(reader: DateReader, index: int) -> tuple[Relation, Hit | None]:
    """A range, a date with what it bounds, or a plain date: the longest."""
    word = reader.low(index)
    if (word in _RANGE_STARTS or word[:1].isdecimal()) and (hit := _range(reader, index)) is not None:
        return "on", hit
    for words, relation in _RELATIONS.get(word, ()):
        if all(reader.low(index + step) == word for step, word in enumerate(words)):
            begin = index + len(words)
            if reader.low(begin) in ("date", "now", "present"):  # up to date
                continue
            bound = _range(reader, begin) or reader.bound(begin)
            if bound is not None and bound.precision != "unknown":
                return relation, bound
    if reader.low(index) == "from" and (hit := reader.period(index + 1)) is not None:
        return ("on" if reader.low(hit.end) in ("'", "’") else "from"), hit  # the toll from Sunday's attack
    return "on", reader.period(index)


def _range(reader: DateReader, index: int) -> Hit | None:
    """From P to P, between P and P, P to P, P-P; each end may leave out what the other one says."""
    word = reader.low(index)
    if not reader.joins_behind(index):
        return None
    opened = word in ("from", "between")
    first = reader.bound(index + 1 if opened else index)
    if first is None:
        return None
    joiner = reader.low(first.end)
    joins = (
        joiner == "and"
        if word == "between"
        else joiner in ("to", "until", "till", "through", "thru") or joiner in DASHES
    )
    if word == "between" and joiner in DASHES:
        joins = True
    if not opened and joiner in ("and", "or", "&"):  # 18 and 19 June
        joins = first.precision == "unknown"
    if not joins or (not opened and not _may_open(reader, index, first)):
        return None
    second = reader.bound(first.end + 1)
    if second is None or (first.precision == "unknown" and second.part.month is None):
        return None
    if second.precision == "unknown" and (first.part.month is None or first.part.day is None):
        return None
    return _joined(reader, first, second)


def _may_open(reader: DateReader, index: int, first: Hit) -> bool:
    """Whether a bare number, month or year may begin a range on its own: its partner must be of its kind."""
    second = reader.bound(first.end + 1)
    if second is None:
        return False
    if first.precision == "unknown":
        return second.part.day is not None and second.part.month is not None and not reader.glued(index)
    if first.part.year is not None and first.precision == "year":
        return second.precision in ("year", "month", "day") and second.part.year is not None and not reader.glued(index)
    return True


def _joined(reader: DateReader, first: Hit, second: Hit) -> Hit | None:
    end, precision = second.end, _coarser(first.precision, second.precision)
    a, b = first.part, second.part
    if precision == "unknown":
        precision = "day"
    if a.day is not None and a.month is None and a.weekday is None:  # from 3 to 5 May
        a = Part(b.year, b.month, a.day)
    if b.day is not None and b.month is None and b.weekday is None:  # May 3-5
        later = reader.year_number(reader.skip(end, ","))
        if later is not None and a.year is None:
            a, end = Part(later[0], a.month, a.day), later[1]
        b = Part(a.year, a.month, b.day)
    if a.month is not None and a.year is None and b.year is not None:
        wraps = b.month is not None and a.month > b.month
        a = Part(b.year - 1 if wraps else b.year, a.month, a.day)
    starts = _options(a, first)
    spans = [span for start in starts if (span := _closed(start, b, second)) is not None]
    if not spans:
        return None
    return Hit(end, spans[0], spans[-1], precision, nearest=len(spans) > 1)


def _options(part: Part, hit: Hit) -> list[Span]:
    """The readings of the first end, the past one first."""
    if part.month is not None and part.year is not None:
        span = _spelt(part, part.year)
        return [span] if span is not None else []
    if part.month is not None and part.day is not None and hit.precision == "unknown":
        years = (hit.past.start.year - 1, hit.past.start.year, hit.past.start.year + 1)
        spans = [span for year in years if (span := _spelt(part, year)) is not None]
        begun = [span for span in spans if span.start <= hit.past.start]
        coming = [span for span in spans if span.end >= hit.past.start]
        return [*begun[-1:], *coming[:1]]
    return [hit.past] if hit.past == hit.future else [hit.past, hit.future]


def _spelt(part: Part, year: int) -> Span | None:
    if part.month is None:
        return None
    if part.day is None:
        return cal.month_span(year, part.month)
    day = cal.make(year, part.month, part.day)
    return Span(day, day) if day is not None else None


def _closed(start: Span, part: Part, hit: Hit) -> Span | None:
    """From a first end to the first fitting second one."""
    if part.month is not None:
        years = (part.year,) if part.year is not None else (start.start.year, start.start.year + 1)
        ends = [span for year in years if (span := _spelt(part, year)) is not None]
    elif part.weekday is not None and hit.past != hit.future:
        day = start.start + DAY * ((part.weekday - start.start.weekday()) % 7)
        ends = [Span(day, day)]
    else:
        ends = [hit.past, hit.future]
    return next((Span(start.start, end.end) for end in ends if end.end >= start.start), None)


def _coarser(one: Precision, other: Precision) -> Precision:
    order: tuple[Precision, ...] = ("unknown", "instant", "day", "week", "month", "season", "year")
    return max(one, other, key=order.index)


def _made(reader: DateReader, text: str, index: int, relation: Relation, hit: Hit) -> FoundDate:
    """A hit in, the found date with its readings out; the small words before it are left off."""
    begin = index
    while (
        relation == "on"
        and begin + 1 < hit.end
        and reader.low(begin) in _LEADS
        and not _opens_range(reader, begin, hit)
    ):
        begin += 1
    start, end = reader.bounds[begin][0], reader.bounds[hit.end - 1][1]
    words = text[start:end]
    past, future = hit.past, hit.future
    if relation == "since":
        until = past.start if reader.ref is None else max(past.start, reader.ref)
        past = future = Span(past.start, until)
    ahead = relation == "until" or _set_for(reader, index)
    chosen = future if ahead else _nearer(past, future, reader.ref) if hit.nearest else past
    when, before, after = (
        When(text=words, start=span.start, end=span.end, precision=hit.precision) for span in (chosen, past, future)
    )
    if past == future:
        return FoundDate(start, end, words, when, relation=relation)
    return FoundDate(start, end, words, when, before, after, relation)


def _opens_range(reader: DateReader, index: int, hit: Hit) -> bool:
    """The `from` of `from 3 to 5 May` belongs to the date, the one of `from Sunday's attack` does not."""
    if reader.low(index) != "from":
        return False
    return any(
        reader.low(step) in ("to", "until", "till", "through") or reader.low(step) in DASHES
        for step in range(index, hit.end)
    )


def _set_for(reader: DateReader, index: int) -> bool:
    """`scheduled for Tuesday`, `due on Friday`: the future is in the words right before."""
    return any(reader.low(index - step) in _SET_FOR for step in (1, 2, 3))


def _nearer(past: Span, future: Span, ref: dt.date | None) -> Span:
    """A date without a year is the nearer one, and one that has been unless it is twice as far: news tells what happened."""
    if ref is None:
        return past
    return past if abs((ref - past.end).days) <= 2 * abs((future.start - ref).days) else future
