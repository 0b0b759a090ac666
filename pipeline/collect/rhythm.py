"""How a feed usually publishes, and whether it has fallen silent. Pure: a state, dates and a clock in, changes of it out."""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections.abc import Sequence
from typing import Any, Final

from pipeline.records import FeedState

WINDOW: Final = dt.timedelta(days=60)
"""Entries older than this before the newest say nothing about how the feed publishes now: a pinned post, an archive."""

HALF_LIFE: Final = dt.timedelta(days=30)
"""The longest pause that is remembered counts half after so long: a summer break is not a habit for ever."""

ENOUGH: Final = 4
"""Publications that have to be known before a pause can be called unusual."""

WEEK: Final = dt.timedelta(days=8)
"""Known for so long, a feed has shown its nights and its weekend."""

SHORTEST: Final = dt.timedelta(hours=12)
SHORTEST_NEW: Final = dt.timedelta(hours=72)
"""No shorter pause is called silence; the second of a feed whose weekend is not known yet."""

RECENT: Final = 20


def heard(state: FeedState, dates: Sequence[dt.datetime], now: dt.datetime, *, found: bool) -> dict[str, Any]:
    """A feed that was read: its entries' dates and whether something was new in, what its state is to remember out."""
    past = sorted({date for date in dates if date <= now})
    later = state.heard_at is not None
    moments = [date for date in past if state.heard_at is None or date > state.heard_at]
    if found and (later or not past):
        moments.append(now)  # undated, or dated back: it was published between two polls
    changes: dict[str, Any] = {}
    if len(past) >= 3:
        recent = past[-RECENT:]
        changes["gap_seconds"] = statistics.median(_gaps(recent))
    if not moments:
        return changes
    latest = max(moments)
    moments = [moment for moment in moments if latest - moment <= WINDOW]
    longest = state.longest_gap_seconds
    line = moments
    if state.heard_at is not None:
        longest *= 0.5 ** ((latest - state.heard_at) / HALF_LIFE)
        line = [state.heard_at, *moments]
    return changes | {
        "heard_at": latest,
        "heard_since": min(moments[0], state.heard_since or now),
        "heard_times": state.heard_times + len(moments),
        "longest_gap_seconds": max([longest, *_gaps(line)]),
    }


def _gaps(moments: Sequence[dt.datetime]) -> list[float]:
    return [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments)]


def silence(state: FeedState, now: dt.datetime) -> str | None:
    """A feed that can be read in, what to tell an editor where it has stopped to publish out."""
    if state.heard_at is None or state.heard_since is None or state.heard_times < ENOUGH:
        return None
    quiet = now - state.heard_at
    shortest = SHORTEST if state.heard_at - state.heard_since >= WEEK else SHORTEST_NEW
    usual = dt.timedelta(seconds=state.longest_gap_seconds)
    if quiet <= max(2 * usual, shortest):
        return None
    return (
        f"nothing new since {state.heard_at:%d %b %Y %H:%M} UTC ({_words(quiet)}); "
        f"before that it never paused longer than {_words(usual)}"
    )


def _words(span: dt.timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours < 2:
        return f"{max(1, round(hours * 60))} minutes"
    return f"{round(hours)} hours" if hours < 48 else f"{round(hours / 24)} days"
