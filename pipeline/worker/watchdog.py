"""The worker's conscience: is it assigned, does it get on, and how far behind is it? It ends a process that silently stalls.

A Kafka consumer can stop reading while its process stays up. So a thread of its own asks the broker for the group's lag and
compares it with what the worker has finished. No progress with lag for `stall_timeout_seconds` ends the process with exit
status 70 and a clear line; whoever supervises it starts it again, and its partitions go to another worker meanwhile.
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
"""EX_SOFTWARE of sysexits: the supervisor starts the process again."""

LOOP_SECONDS: Final = 30.0
"""How long the event loop may be silent before the process counts as unhealthy."""


@dataclass(slots=True)
class Pulse:
    """What the event loop writes and the watchdog reads: plain values, replaced as a whole."""

    beat_at: float = field(default_factory=time.monotonic)
    assigned: frozenset[tuple[str, int]] = frozenset()
    finished: int = 0
    under_way: int = 0
    draining: bool = False


class Lags(Protocol):
    """Anything that tells how far groups are behind: `bus.Observer`."""

    def lags(self, groups: Iterable[str] | None = None) -> tuple[Lag, ...]:
        """Groups in, their lag on each partition out."""


@dataclass(slots=True)
class Verdict:
    """The last judgement, for /readyz."""

    behind: int = 0
    stalled_seconds: float = 0.0
    broker: str = "not asked yet"


class Watchdog:
    """Holds when progress was last seen. `judge` is pure but for that; `run` is the thread."""

    def __init__(
        self,
        pulse: Pulse,
        *,
        group: str,
        stall_seconds: float,
        end: Callable[[int], None] = os._exit,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.verdict = Verdict()
        self._pulse = pulse
        self._group = group
        self._stall_seconds = stall_seconds
        self._end = end
        self._now = now
        self._seen: tuple[object, ...] = ()
        self._moved_at = now()

    def judge(self, lags: Iterable[Lag]) -> bool:
        """The group's lag in, whether the worker may live on out."""
        pulse, now = self._pulse, self._now()
        mine = [lag for lag in lags if (lag.topic, lag.partition) in pulse.assigned]
        metrics.set_lag((lag.group, lag.topic, lag.partition, lag.records) for lag in mine)
        behind = sum(lag.records for lag in mine)
        seen = (pulse.finished, pulse.assigned, *((lag.topic, lag.partition, lag.committed) for lag in mine))
        if seen != self._seen or behind == 0:
            self._seen, self._moved_at = seen, now
        stalled = now - self._moved_at
        self.verdict = Verdict(behind=behind, stalled_seconds=stalled, broker="")
        if now - pulse.beat_at > self._stall_seconds:
            log.critical("event_loop_blocked", seconds=round(now - pulse.beat_at))
            return False
        if stalled > self._stall_seconds and not pulse.draining:
            log.critical("stalled", behind=behind, seconds=round(stalled), under_way=pulse.under_way)
            return False
        return True

    def run(self, observe: Callable[[], Lags], stop: threading.Event, *, every_seconds: float = 2.0) -> None:
        """Ask and judge until `stop` is set; end the process when it has stalled. A broker that is gone is no stall."""
        observer: Lags | None = None
        while not stop.wait(every_seconds):
            try:
                observer = observer or observe()
                lags = observer.lags([self._group])
            except BusError as error:
                observer, self._moved_at = None, self._now()
                self.verdict.broker = str(error)
                continue
            if not self.judge(lags):
                self._end(EXIT_STALLED)

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Whether the event loop still turns: what /healthz answers."""
        silent = self._now() - self._pulse.beat_at
        return silent < LOOP_SECONDS, {"loop_silent_seconds": round(silent, 1)}

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Assigned, and progressing or idle without lag: what /readyz answers."""
        pulse, verdict = self._pulse, self.verdict
        stalled = verdict.stalled_seconds > self._stall_seconds / 2
        alive, detail = self.healthy()
        good = alive and bool(pulse.assigned) and not stalled and not pulse.draining and not verdict.broker
        metrics.ready.set(good)
        return good, {
            **detail,
            "assigned": len(pulse.assigned),
            "behind": verdict.behind,
            "under_way": pulse.under_way,
            "finished": pulse.finished,
            "draining": pulse.draining,
            "stalled_seconds": round(verdict.stalled_seconds, 1),
            "broker": verdict.broker or "ok",
        }
