"""The worker's watchdog: check assignment, progress and lag, and end a process that has stalled.

A Kafka consumer can stop reading while its process keeps running. A separate thread asks the broker for the group's lag and
compares it with the work that the worker has finished. If there is lag and no progress for `stall_timeout_seconds`, the process
ends with exit status 70 and a log line. The supervisor restarts it, and another worker takes its partitions meanwhile.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from pipeline import metrics
from pipeline.bus import BusError, Lag

log = structlog.get_logger("watchdog")

EXIT_STALLED: Final = 70
"""EX_SOFTWARE of sysexits.h: the supervisor restarts the process."""

LOOP_SECONDS: Final = 30.0
"""How long the event loop may be blocked before the process counts as unhealthy."""


PARTITION_FACTOR: Final = 5
"""One partition may stand still for so many times as long as all together: the records of others are in front of it."""

UNASSIGNED: Final = "no partition assigned"


@dataclass(slots=True)
class Heartbeat:
    """What the event loop writes and the watchdog reads. Each value is replaced as a whole, so no lock is needed."""

    beat_at: float = field(default_factory=time.monotonic)
    assigned: frozenset[tuple[str, int]] = frozenset()
    answered: tuple[float, float] = (0.0, 0.0)
    """When Kafka last answered a request for records: for the least and the most recent partition."""
    finished: int = 0
    finished_at: float = 0.0
    reading_until: float = 0.0
    """Until when (time.monotonic) the pool may be busy with articles; 0 while it is idle."""
    under_way: int = 0
    draining: bool = False

    def finish(self) -> None:
        """Note that a record has been processed."""
        self.finished += 1
        self.finished_at = time.monotonic()


class Broker(Protocol):
    """What is known of Kafka itself: `bus.BrokerWatch`."""

    @property
    def problem(self) -> str:
        """Why nothing can be read or written now, or an empty string."""

    @property
    def lost_at(self) -> float:
        """When (time.monotonic) Kafka last did not answer; 0 if it always has."""


class Lags(Protocol):
    """A source of the lag of consumer groups: `bus.Observer`."""

    def lags(self, groups: Iterable[str] | None = None) -> tuple[Lag, ...]:
        """Return the lag of the groups on each partition."""


@dataclass(slots=True)
class WatchdogState:
    """The result of the last check, for /readyz."""

    behind: int = 0
    stalled_seconds: float = 0.0
    broker: str = "not asked yet"


class Watchdog:
    """Holds the time of the last progress. `check` compares, `run` is the thread."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        *,
        group: str,
        stall_seconds: float,
        broker: Broker | None = None,
        exit_process: Callable[[int], None] = os._exit,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = WatchdogState()
        self._heartbeat = heartbeat
        self._group = group
        self._stall_seconds = stall_seconds
        self._broker = broker
        self._exit_process = exit_process
        self._now = now
        self._last: tuple[object, ...] = ()
        self._progress_at = now()
        self._stuck: dict[tuple[str, int], tuple[int | None, float]] = {}

    def check(self, lags: Iterable[Lag]) -> bool:
        """Return whether the worker may go on, given the lag of its group."""
        heartbeat, now = self._heartbeat, self._now()
        own = [lag for lag in lags if (lag.topic, lag.partition) in heartbeat.assigned]
        metrics.set_lag((lag.group, lag.topic, lag.partition, lag.records) for lag in own)
        behind = sum(lag.records for lag in own)
        current = (heartbeat.finished, heartbeat.assigned, *((lag.topic, lag.partition, lag.committed) for lag in own))
        # On a busy machine a batch of articles can take longer than a stall; the pool notices by itself where it is stuck.
        if current != self._last or behind == 0 or now < heartbeat.reading_until:
            self._last, self._progress_at = current, now
        stalled = now - self._progress_at
        self.state = WatchdogState(behind=behind, stalled_seconds=stalled, broker="")
        if now - heartbeat.beat_at > self._stall_seconds:
            log.critical("event_loop_blocked", seconds=round(now - heartbeat.beat_at))
            return False
        if stalled > self._stall_seconds and not heartbeat.draining:
            log.critical("stalled", behind=behind, seconds=round(stalled), under_way=heartbeat.under_way)
            return False
        return heartbeat.draining or not self._stuck_partition(own)

    def _stuck_partition(self, own: Iterable[Lag]) -> bool:
        """Whether one partition with a lag has been left out for very long, although others go on."""
        now, before = self._now(), self._stuck
        self._stuck = {}
        for lag in own:
            place = (lag.topic, lag.partition)
            committed, since = before.get(place, (lag.committed, now))
            if lag.records:
                self._stuck[place] = (lag.committed, since if committed == lag.committed else now)
        for (topic, partition), (_, since) in self._stuck.items():
            if now - since > PARTITION_FACTOR * self._stall_seconds:
                log.critical("partition_stalled", topic=topic, partition=partition, seconds=round(now - since))
                return True
        return False

    def run(self, observe: Callable[[], Lags], stop: threading.Event, *, every_seconds: float = 2.0) -> None:
        """Check until `stop` is set, and end the process if it has stalled. A missing broker is not a stall."""
        observer: Lags | None = None
        while not stop.wait(every_seconds):
            try:
                observer = observer or observe()
                lags = observer.lags([self._group])
            except BusError as error:
                observer, self._progress_at, self._stuck = None, self._now(), {}
                self.state.broker = str(error)
                continue
            if not self.check(lags):
                self._exit_process(EXIT_STALLED)

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Return the answer of /healthz: whether the event loop still runs."""
        silent = self._now() - self._heartbeat.beat_at
        return silent < LOOP_SECONDS, {"loop_silent_seconds": round(silent, 1)}

    def _own_problem(self) -> str:
        """Return why the worker does not process records although Kafka answers, or an empty string."""
        heartbeat, now = self._heartbeat, self._now()
        if self.state.stalled_seconds > self._stall_seconds / 2:
            return "stalled"
        if heartbeat.draining:
            return "draining"
        if not heartbeat.assigned:
            return UNASSIGNED
        lost_at = self._broker.lost_at if self._broker is not None else 0.0
        oldest, newest = heartbeat.answered
        if max(oldest, heartbeat.finished_at) <= lost_at:
            return "not all partitions are read yet"
        silent = now - max(newest, heartbeat.finished_at)
        return f"nothing received from Kafka for {silent:.0f} s" if silent > self._stall_seconds / 2 else ""

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Return the answer of /readyz: whether the worker is assigned, and makes progress or has no lag."""
        heartbeat, state = self._heartbeat, self.state
        alive, detail = self.healthy()
        broker = (self._broker.problem if self._broker is not None else "") or state.broker
        problem = broker or self._own_problem()
        good = alive and not problem
        return good, {
            **detail,
            "problem": problem,
            "assigned": len(heartbeat.assigned),
            "behind": state.behind,
            "under_way": heartbeat.under_way,
            "finished": heartbeat.finished,
            "draining": heartbeat.draining,
            "stalled_seconds": round(state.stalled_seconds, 1),
            "broker": broker or "ok",
        }
