"""How often a feed publishes, and whether it has fallen silent. Pure: a state, dates and the time in, values out."""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections.abc import Sequence
from typing import Any, Final

from pipeline.records import FeedState

WINDOW: Final = dt.timedelta(days=60)
"""Entries that are so much older than the newest do not count: they are pinned posts, or an archive."""

HALF_LIFE: Final = dt.timedelta(days=30)
"""After this time the longest pause that is remembered counts half, so that a summer break is slowly forgotten."""

LEAST_PUBLICATIONS: Final = 4
"""Publications that must be known before a pause can count as unusual."""

WEEK: Final = dt.timedelta(days=8)
"""A feed that is known for so long has shown its nights and its weekend."""

SHORTEST_SILENCE: Final = dt.timedelta(hours=12)
"""A shorter pause is never silence."""

SHORTEST_SILENCE_NEW: Final = dt.timedelta(hours=72)
"""The same for a feed whose weekend is not known yet."""

RECENT: Final = 20
"""The newest entries from which the usual gap is computed."""


def publications(state: FeedState, dates: Sequence[dt.datetime], now: dt.datetime, *, found: bool) -> dict[str, Any]:
    """The dates of a feed's entries and whether some are new in, the fields of its state that change out."""
    past = sorted({date for date in dates if date <= now})
    later = state.heard_at is not None
    moments = [date for date in past if state.heard_at is None or date > state.heard_at]
    if found and (later or not past):
        moments.append(now)  # the new entry has no date, or an old one: it was published between two polls
    changes: dict[str, Any] = {}
    if len(past) >= 3:
        recent = past[-RECENT:]
        changes["gap_seconds"] = statistics.median(_gaps(recent))
    if not moments:
        return changes
    latest = max(moments)
    moments = [moment for moment in moments if latest - moment <= WINDOW]
    longest = state.longest_gap_seconds
    timeline = moments
    if state.heard_at is not None:
        longest *= 0.5 ** ((latest - state.heard_at) / HALF_LIFE)
        timeline = [state.heard_at, *moments]
    return changes | {
        "heard_at": latest,
        "heard_since": min(moments[0], state.heard_since or now),
        "heard_times": state.heard_times + len(moments),
        "longest_gap_seconds": max([longest, *_gaps(timeline)]),
    }


def _gaps(moments: Sequence[dt.datetime]) -> list[float]:
    """Return the seconds between each moment and the next."""
    return [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments)]


def silence(state: FeedState, now: dt.datetime) -> str | None:
    """The state of a feed that can be read in, what to tell an editor if it has stopped publishing out, else None."""
    if state.heard_at is None or state.heard_since is None or state.heard_times < LEAST_PUBLICATIONS:
        return None
    quiet = now - state.heard_at
    known_for = state.heard_at - state.heard_since
    shortest = SHORTEST_SILENCE if known_for >= WEEK else SHORTEST_SILENCE_NEW
    usual = dt.timedelta(seconds=state.longest_gap_seconds)
    if quiet <= max(2 * usual, shortest):
        return None
    return (
        f"nothing new since {state.heard_at:%d %b %Y %H:%M} UTC ({_words(quiet)}); "
        f"before that it never paused longer than {_words(usual)}"
    )


def _words(span: dt.timedelta) -> str:
    """Return a time span in words, such as "13 hours"."""
    hours = span.total_seconds() / 3600
    if hours < 2:
        return f"{max(1, round(hours * 60))} minutes"
    return f"{round(hours)} hours" if hours < 48 else f"{round(hours / 24)} days"
