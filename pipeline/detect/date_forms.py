"""Which forms of dates begin with which word: the registry of the grammar, and the reader that uses it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.detect import date_names as names
from pipeline.detect import date_parts as parts
from pipeline.detect import date_steps as steps
from pipeline.detect import date_vague as vague
from pipeline.detect import daywords as cal
from pipeline.detect.date_reader import BACK, ON, WAYS, DateReader, Form

_COUNTS: Final = ("0", "couple", *cal.CARDINALS)
_FORMS: Final[tuple[tuple[Form, Iterable[str]], ...]] = (
    (names.numeric, ("0",)),
    (names.dated, ("0", "the", "twenty", "thirty", *cal.ORDINALS, *cal.MONTHS, *cal.WEEKDAYS)),
    (names.month_year, ("0", *cal.MONTHS)),
    (names.weekday, cal.WEEKDAYS),
    (names.season_year, ("the", *cal.SEASONS)),
    (names.year, ("0", "year")),
    (names.decade, ("0", "the", *cal.ORDINALS)),
    (names.quarter, ("0", "q", "h")),
    (names.feast, {words[0] for words in cal.FEASTS}),
    (steps.day_word, ("today", "tonight", "tonite", "tomorrow", "tmrw", "yesterday", "overnight", "last", "this", "the", "day",
                      "earlier", "later", "late", "early")),
    (steps.way, ("the", "weekend", *cal.UNITS, *WAYS, *_COUNTS)),
    (steps.ago, _COUNTS),
    (steps.distant, ("in", *_COUNTS)),
    (parts.share, ("the", "0", "opening", "latter", "last", "final", "closing", *cal.ORDINALS)),
    (parts.vague_edge, ("the", "early", "start", "beginning", "mid", "middle", "late", "end", "close", "earlier", "later")),
    (parts.week_of, ("the", "week")),
    (vague.stretch, ("the", "recent", *BACK, *ON)),
    (vague.within, ("within",)),
    (vague.day_before, ("the", "previous", "preceding")),
)  # fmt: skip
_ENDS: Final[tuple[Form, ...]] = (names.bare_month, names.bare_year, names.bare_season, steps.now, names.bare_day)


def _by_first_word() -> dict[str, tuple[Form, ...]]:
    table: dict[str, list[Form]] = {}
    for form, words in _FORMS:
        for word in dict.fromkeys(words):
            table.setdefault(word, []).append(form)
    return {word: tuple(forms) for word, forms in table.items()}


FORMS: Final = _by_first_word()


def reader_of(text: str, lows: Sequence[str], ref: dt.date | None) -> DateReader:
    """A text, its words in lower case and the day of publication in, what reads its dates out."""
    return DateReader(text, lows, ref, FORMS, _ENDS)
