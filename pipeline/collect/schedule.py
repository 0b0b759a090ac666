"""When a feed is due, and the order of the polls. Pure: the time and the random numbers are arguments."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import random
import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.collect.skip_hours import allowed_at
from pipeline.settings import Collector

JITTER: Final = 0.1
"""Share of the interval that is added at random, so that feeds that were polled together drift apart."""

DOUBLINGS: Final = 10
"""How often a failing feed's interval doubles, from the second failure on; `max_interval_seconds` limits it earlier."""

QUIET_FACTOR: Final = 4
"""A feed without new entries is polled up to this many times less often."""

BUSY_FACTOR: Final = 3
"""A feed that changes all the time is polled up to this many times more often."""


def next_due(
    options: Collector,
    now: dt.datetime,
    rng: random.Random,
    *,
    interval_seconds: int | None = None,
    dates: Sequence[dt.datetime] = (),
    usual_seconds: float | None = None,
    failures: int = 0,
    lower_bounds: Iterable[float | None] = (),
    retry_after_seconds: float | None = None,
    skip_hours: tuple[int, ...] = (),
    skip_days: tuple[int, ...] = (),
) -> dt.datetime:
    """What is known of a feed in, when to poll it next out, never sooner than its server allows.

    `interval_seconds` is the operator's interval. Without it the feed's own pace counts: `usual_seconds`, or else the `dates`
    of its entries. `lower_bounds` are seconds that the feed asks for (max-age, ttl); at `skip_hours` and `skip_days` it is
    not polled. Retry-After holds even beyond `max_interval_seconds`.
    """
    interval = float(interval_seconds or usual_seconds or interval_from_dates(options, now, dates))
    bounds = [interval, *(bound for bound in lower_bounds if bound is not None)]
    seconds = min(max(bounds) * 2 ** min(max(0, failures - 1), DOUBLINGS), options.max_interval_seconds)
    seconds = max(seconds, options.min_interval_seconds, min(retry_after_seconds or 0, 30 * 86_400))
    due_at = now + dt.timedelta(seconds=seconds * (1 + JITTER * rng.random()))
    return allowed_at(due_at, skip_hours, skip_days, rng.random())


def interval_from_dates(options: Collector, now: dt.datetime, dates: Sequence[dt.datetime]) -> float:
    """The dates of a feed's entries in, the interval in seconds that fits how often it changes out."""
    recent = sorted((date for date in dates if date <= now), reverse=True)[:20]
    if len(recent) < 3:
        return options.interval_seconds
    gaps = [(later - earlier).total_seconds() for later, earlier in itertools.pairwise(recent)]
    return interval_from_gap(options, statistics.median(gaps), (now - recent[0]).total_seconds())


def interval_from_gap(options: Collector, gap_seconds: float, quiet_seconds: float) -> float:
    """The usual time between two entries and the time since the last one in, the interval in seconds that fits out."""
    usual = options.interval_seconds
    # half the usual gap finds an entry a quarter of a gap late on average; a feed without news is polled less and less often
    wanted = max(gap_seconds / 2, quiet_seconds / 24)
    return min(max(wanted, usual / BUSY_FACTOR, options.min_interval_seconds), usual * QUIET_FACTOR)


class Schedule:
    """Feeds in the order that they are due: a heap, so that thousands cost nothing while they wait."""

    def __init__(self) -> None:
        self._heap: list[tuple[dt.datetime, str]] = []
        self._due: dict[str, dt.datetime] = {}

    def add(self, feed_id: str, due_at: dt.datetime) -> None:
        """Add a feed, or move it to another time."""
        self._due[feed_id] = due_at
        heapq.heappush(self._heap, (due_at, feed_id))

    def __contains__(self, feed_id: str) -> bool:
        return feed_id in self._due

    def remove(self, feed_id: str) -> None:
        """Remove a feed, if it is there."""
        self._due.pop(feed_id, None)

    def pop_due(self, now: dt.datetime) -> str | None:
        """Remove and return the feed that has been due for longest, or return None."""
        while self._heap and self._heap[0][0] <= now:
            due_at, feed_id = heapq.heappop(self._heap)
            if self._due.get(feed_id) == due_at:
                del self._due[feed_id]
                return feed_id
        return None

    def seconds_to_next(self, now: dt.datetime, *, most: float) -> float:
        """Return the seconds until the next feed is due, at most `most`."""
        return min(most, max(0.0, (self._heap[0][0] - now).total_seconds())) if self._heap else most

    def __len__(self) -> int:
        return len(self._due)


class HostQueue:
    """Lets at most `most` feeds of one host be polled at once. The others wait in a queue for each host."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[str]] = {}

    def start(self, host: str, feed_id: str) -> bool:
        """Return whether the feed may be polled now. If not, it waits until `finish` returns it."""
        running = self._running.get(host, 0)
        if running >= self._most:
            self._waiting.setdefault(host, deque()).append(feed_id)
            return False
        self._running[host] = running + 1
        return True

    def finish(self, host: str) -> str | None:
        """End a poll of the host; return the feed to poll next, or None."""
        waiting = self._waiting.get(host)
        if waiting:
            return waiting.popleft()
        self._waiting.pop(host, None)
        left = self._running.get(host, 0) - 1
        if left > 0:
            self._running[host] = left
        else:
            self._running.pop(host, None)
        return None

    def remove(self, feed_id: str) -> None:
        """Remove a feed from the queue, if it waits there."""
        for waiting in self._waiting.values():
            if feed_id in waiting:
                waiting.remove(feed_id)
