"""Dates and money against the cases of Microsoft's Recognizers-Text, if the folder `shared` beside the project has them.

The cases are from assistants ("set up a call Monday 12-4"), not from news. `why_not` names each class of cases that does not occur
in news or has another meaning there; `test_no_more_cases_are_left_out` limits their number.
"""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import json
import os
import re
from pathlib import Path

import pytest

from pipeline.detect.amounts import find_money
from pipeline.detect.dates import FoundDate, find_dates
from pipeline.records import When

CASES = Path(__file__).parents[3] / "shared" / "eval" / "recognizers_en" / "dev.jsonl"

needs_cases = pytest.mark.skipif(
    not CASES.exists() and not os.environ.get("CI"), reason="the shared cases are not beside the project"
)

DATED = ("date", "daterange", "datetime", "datetimerange")

SORTS = (
    ("a time of day, a duration or a recurrence: no date at all", None),
    ("a clock: minutes and hours from now", re.compile(r"\b(?:minutes?|min|hours?|seconds?|sec)\b")),
    ("the present: now, at the moment, end of day", re.compile(r"\bnow\b|at the (?:moment|present)|\beod\b|end of (?:to)?day|end of this sunday")),
    ("no value in the cases themselves", re.compile(r"feb 30|2/29/2019|2/29-3/1/2019|(?:fiscal|school) year|\bsy ?(?:20)?\d\d|^winter, ", re.IGNORECASE)),
    ("week numbers", re.compile(r"\bweek \d|\bW00\b", re.IGNORECASE)),
    ("day and month as bare figures, without a year", re.compile(r"(?<![\d/])\d{1,2}[/.]\d{1,2}(?![\d/]|, \d{4}-)|4-23 in|5/1-5/7|\b12-2015")),
    ("years in words", re.compile(r"two thousand|nineteen (?:hundred|seventy)|august nineteen|april of 87|january first 12\b", re.IGNORECASE)),
    ("counted from the story, not from publication", re.compile(r"\blater\.?$|\blater =>|months? later|days later|fortnight later|day before$|years? from now")),
    ("business days and work weeks", re.compile(r"business days|workweek")),
    ("bare periods: the year, the month, weekend", re.compile(r"(?:in|of) the (?:year|month|week)(?:\.|$)|mom weekend|remaining of the week|the year before")),
    ("shorthand of an assistant", re.compile(r"\b(?:nov|jan)-feb|friday-jun|jan/3|dec/2018|a day starting|(?:days|week) starting|for \d days from|next day and|current date|\bcy 2008|since the year 2011|dec \$DEC", re.IGNORECASE)),
    ("feasts of one country or calendar", re.compile(r"independence day|eid al|halloween weekend|weekend of thanks", re.IGNORECASE)),
    ("a weekday beside a distance, or a distance from a feast", re.compile(r"weeks? from now|months from today on|weeks after christmas on|\bweek of oct", re.IGNORECASE)),
)  # fmt: skip


def load(kind: str) -> list[dict]:
    return [
        case for line in CASES.read_text(encoding="utf-8").splitlines() if (case := json.loads(line))["kind"] == kind
    ]


def why_not(case: dict) -> str | None:
    """Return why a case does not count; None if it does."""
    results = case["results"]
    if results and not any(result["type"] in DATED for result in results):
        return SORTS[0][0]
    for name, pattern in SORTS[1:]:
        if pattern is not None and pattern.search(case["text"]):
            return name
    return None


def values(result: dict) -> list[tuple[str, str]]:
    """Return the first and last days that a result allows; "" for an open end."""
    allowed = []
    for value in result["resolution"]["values"]:
        start = (value.get("value") or value.get("start") or "")[:10]
        end = (value.get("value") or value.get("end") or "")[:10]
        allowed.append((start, end))
        if value.get("end") and (result["type"] == "daterange" or value["end"].endswith("00:00:00")):
            with contextlib.suppress(ValueError):
                allowed.append((start, (dt.date.fromisoformat(end) - dt.timedelta(days=1)).isoformat()))
    return allowed


def _begin_of_last(when: When) -> str:
    """Return the first day of the last part: of "from May to September" the cases exclude September, readers do not."""
    last = when.end
    if when.precision == "month":
        return last.replace(day=1).isoformat()
    if when.precision == "season":
        return last.replace(month=last.month - 2, day=1).isoformat()
    return last.replace(month=1, day=1).isoformat() if when.precision == "year" else last.isoformat()


def agrees(found: FoundDate, result: dict) -> bool:
    """Return whether one of the two readings is allowed; of an open result only the given end counts."""
    for when in filter(None, (found.when, found.past, found.future)):
        day_after = (when.end + dt.timedelta(days=1)).isoformat()
        for start, end in values(result):
            if (
                start
                and end
                and start == when.start.isoformat()
                and end in (when.end.isoformat(), _begin_of_last(when))
            ):
                return True
            if start and not end and start in (when.start.isoformat(), day_after):
                return True
            if end and not start and end in (when.end.isoformat(), day_after, when.start.isoformat()):
                return True
    return False


def right(case: dict) -> bool:
    published = dt.datetime.fromisoformat(case["date"][:19]) if case["date"] else None
    wanted = [result for result in case["results"] if result["type"] in DATED]
    found = find_dates(case["text"], published)
    return len(found) == len(wanted) and all(agrees(one, other) for one, other in zip(found, wanted, strict=True))


@needs_cases
def test_news_like_dates_are_right_in_nine_of_ten_cases() -> None:
    cases = [case for case in load("date") if why_not(case) is None]
    wrong = [case for case in cases if not right(case)]
    assert 1 - len(wrong) / len(cases) >= 0.90, "\n".join(case["text"] for case in wrong)


@needs_cases
def test_durations_recurrences_and_times_are_no_dates() -> None:
    cases = [case for case in load("date") if why_not(case) == SORTS[0][0]]
    loud = [case["text"] for case in cases if find_dates(case["text"], dt.datetime.fromisoformat(case["date"][:19]))]
    assert len(loud) <= 0.05 * len(cases), loud


@needs_cases
def test_no_more_cases_are_left_out() -> None:
    counts = collections.Counter(why_not(case) for case in load("date"))
    assert counts[None] >= 250, counts
    assert set(counts) - {None} == {name for name, _ in SORTS}


# --- money -----------------------------------------------------------------------------------------------------------

MONEY_SORTS = (
    ("a currency without a figure", re.compile(r"50 dollar (?:dollar|rmb)")),
    (
        "coins without their name: thirteen dollars forty five",
        re.compile(r"dollars? (?:and )?(?:forty five|15\.|one and|50\.)|five mao"),
    ),
    ("the sign behind the figure and another figure behind the sign", re.compile(r"^10 \$ 30")),
)


def why_not_money(case: dict) -> str | None:
    return next((name for name, pattern in MONEY_SORTS if pattern.search(case["text"])), None)


def right_money(case: dict) -> bool:
    """Return whether every sum has its value and, if the case has one, its ISO code; cents are hundredths of the unit."""
    wanted = []
    for result in case["results"]:
        resolution = result["resolution"]
        share = 100 if resolution["unit"] in ("Cent", "Pence") else 1
        wanted.append((float(resolution["value"]) / share, resolution.get("isoCurrency")))
    found = find_money(case["text"])
    return len(found) == len(wanted) and all(
        abs(money.value - value) <= 1e-6 * max(1.0, value) and code in (None, money.currency)
        for money, (value, code) in zip(found, wanted, strict=True)
    )


@needs_cases
def test_money_is_right_in_ninety_seven_of_a_hundred_cases() -> None:
    cases = [case for case in load("money") if why_not_money(case) is None]
    wrong = [case["text"] for case in cases if not right_money(case)]
    assert 1 - len(wrong) / len(cases) >= 0.97, wrong


@needs_cases
def test_no_more_cases_of_money_are_left_out() -> None:
    assert sum(why_not_money(case) is not None for case in load("money")) <= 9
