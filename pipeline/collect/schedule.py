"""When is a feed due? Pure: what the feed and its server say, a clock and a chance in, a moment out."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import random
import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.collect import skip_hours as wishes_
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
    usual_seconds: float | None = None,
    failures: int = 0,
    wishes: Iterable[float | None] = (),
    retry_after_seconds: float | None = None,
    skip_hours: tuple[int, ...] = (),
    skip_days: tuple[int, ...] = (),
) -> dt.datetime:
    """What is known of a feed in, when to ask it again out; never sooner than its server wants.

    `interval_seconds` is the operator's word and wins over the feed's habits (`dates` of its entries, or the `usual_seconds`
    that were worked out from them); `wishes` are lower bounds in seconds that the feed states (max-age, ttl), `skip_hours` and
    `skip_days` when it does not want to be asked at all. Retry-After is obeyed even beyond `max_interval_seconds`.
    """
    interval = float(interval_seconds or usual_seconds or habit(options, now, dates))
    bounds = [interval, *(wish for wish in wishes if wish is not None)]
    seconds = min(max(bounds) * 2 ** min(max(0, failures - 1), DOUBLINGS), options.max_interval_seconds)
    seconds = max(seconds, options.min_interval_seconds, min(retry_after_seconds or 0, 30 * 86_400))
    due_at = now + dt.timedelta(seconds=seconds * (1 + JITTER * chance.random()))
    return wishes_.allowed_at(due_at, skip_hours, skip_days, chance.random())


def habit(options: Collector, now: dt.datetime, dates: Sequence[dt.datetime]) -> float:
    """The dates of a feed's entries in, an interval that fits how often it really changes out."""
    recent = sorted((date for date in dates if date <= now), reverse=True)[:20]
    if len(recent) < 3:
        return options.interval_seconds
    gaps = [(later - earlier).total_seconds() for later, earlier in itertools.pairwise(recent)]
    return pace(options, statistics.median(gaps), (now - recent[0]).total_seconds())


def pace(options: Collector, gap_seconds: float, quiet_seconds: float) -> float:
    """The usual time between two entries and the time since the last in, an interval that fits out."""
    usual = options.interval_seconds
    # half the usual gap finds an entry a quarter of a gap late on average; a feed that fell silent is asked less and less
    wanted = max(gap_seconds / 2, quiet_seconds / 24)
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

    def remove(self, feed_id: str) -> None:
        """Take a feed out, if it is in."""
        self._due.pop(feed_id, None)

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


class Turns:
    """So many feeds of a host at a time: who comes when all turns are taken waits in line."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: dict[str, int] = {}
        self._lines: dict[str, deque[str]] = {}

    def come(self, host: str, feed_id: str) -> bool:
        """Whether the feed may go ahead; if not, `go` names it when its turn comes."""
        taken = self._under_way.get(host, 0)
        if taken >= self._most:
            self._lines.setdefault(host, deque()).append(feed_id)
            return False
        self._under_way[host] = taken + 1
        return True

    def go(self, host: str) -> str | None:
        """A feed of the host has ended: the one whose turn it is now, or None."""
        line = self._lines.get(host)
        if line:
            return line.popleft()
        self._lines.pop(host, None)
        left = self._under_way.get(host, 0) - 1
        if left > 0:
            self._under_way[host] = left
        else:
            self._under_way.pop(host, None)
        return None

    def forget(self, feed_id: str) -> None:
        """A feed that waits in a line, if it does, waits no longer."""
        for line in self._lines.values():
            if feed_id in line:
                line.remove(feed_id)
