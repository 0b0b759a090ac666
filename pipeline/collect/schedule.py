"""When is a feed due? Pure: what the feed and its server say, a clock and a chance in, a moment out."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import random
import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.settings import Collector

JITTER: Final = 0.1
"""Share of the interval that chance adds, so that feeds that were asked together drift apart."""

DOUBLINGS: Final = 10
"""A failing feed's interval doubles, from the second failure on, up to this often; `max_interval_seconds` comes first."""

QUIET_FACTOR: Final = 4
"""A feed that has nothing new for long is asked up to this many times less often."""

BUSY_FACTOR: Final = 3
"""A feed that changes all the time is asked up to this many times more often."""


def next_due(
    options: Collector,
    now: dt.datetime,
    chance: random.Random,
    *,
    interval_seconds: int | None = None,
    dates: Sequence[dt.datetime] = (),
    failures: int = 0,
    wishes: Iterable[float | None] = (),
    retry_after_seconds: float | None = None,
) -> dt.datetime:
    """What is known of a feed in, when to ask it again out; never sooner than its server wants.

    `interval_seconds` is the operator's word and wins over the feed's habits (`dates` of its entries); `wishes` are lower
    bounds in seconds that the feed states (max-age, ttl). Retry-After is obeyed even beyond `max_interval_seconds`.
    """
    interval = float(interval_seconds or habit(options, now, dates))
    bounds = [interval, *(wish for wish in wishes if wish is not None)]
    seconds = min(max(bounds) * 2 ** min(max(0, failures - 1), DOUBLINGS), options.max_interval_seconds)
    seconds = max(seconds, options.min_interval_seconds, min(retry_after_seconds or 0, 30 * 86_400))
    return now + dt.timedelta(seconds=seconds * (1 + JITTER * chance.random()))


def habit(options: Collector, now: dt.datetime, dates: Sequence[dt.datetime]) -> float:
    """The dates of a feed's entries in, an interval that fits how often it really changes out."""
    usual = options.interval_seconds
    recent = sorted((date for date in dates if date <= now), reverse=True)[:20]
    if len(recent) < 3:
        return usual
    gaps = [(later - earlier).total_seconds() for later, earlier in itertools.pairwise(recent)]
    silence = (now - recent[0]).total_seconds()
    # half the usual gap finds an entry a quarter of a gap late on average; a feed that fell silent is asked less and less
    wanted = max(statistics.median(gaps) / 2, silence / 24)
    return min(max(wanted, usual / BUSY_FACTOR, options.min_interval_seconds), usual * QUIET_FACTOR)


class Schedule:
    """Feeds by the moment they are due: a heap, so that thousands cost nothing while they wait."""

    def __init__(self) -> None:
        self._heap: list[tuple[dt.datetime, str]] = []
        self._due: dict[str, dt.datetime] = {}

    def add(self, feed_id: str, due_at: dt.datetime) -> None:
        """Put a feed in, or move it."""
        self._due[feed_id] = due_at
        heapq.heappush(self._heap, (due_at, feed_id))

    def pop_due(self, now: dt.datetime) -> str | None:
        """Take out the feed that has been due the longest, or None."""
        while self._heap and self._heap[0][0] <= now:
            due_at, feed_id = heapq.heappop(self._heap)
            if self._due.get(feed_id) == due_at:
                del self._due[feed_id]
                return feed_id
        return None

    def seconds_to_next(self, now: dt.datetime, *, most: float) -> float:
        """How long nothing is due, `most` at the most."""
        return min(most, max(0.0, (self._heap[0][0] - now).total_seconds())) if self._heap else most

    def __len__(self) -> int:
        return len(self._due)
