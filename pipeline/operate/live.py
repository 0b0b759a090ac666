"""The /metrics of all processes and the new events and alerts in, one view for the screen out.

`Counters` is pure: samples in, totals and rates out, also across restarts of a process. `Watcher` has its own threads, so that
neither a slow process nor a missing Kafka delays the screen or the stop.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import structlog

from pipeline import bus
from pipeline.operate import probe
from pipeline.records import Alert, Event, RecordError, decode
from pipeline.settings import Settings

log = structlog.get_logger("live")

STAGES: Final = ("collect", "extract", "annotate", "detect", "track", "alert", "index", "notify")
OUTCOMES: Final = ("ok", "rejected", "quarantined", "retried")
RATE_SECONDS: Final = 15.0
PROBE_INTERVAL_SECONDS: Final = 1.0
KEPT: Final = 100
"""How many events and alerts are kept for the screen."""


@dataclass(frozen=True, slots=True)
class Count:
    """The records of one stage by outcome since the start, and the rate of the last `RATE_SECONDS`."""

    stage: str
    ok: int = 0
    rejected: int = 0
    quarantined: int = 0
    retried: int = 0
    per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the screen shows."""

    seconds: float = 0.0
    processes: tuple[probe.ProcessState, ...] = ()
    counts: tuple[Count, ...] = ()
    published: Mapping[str, int] = field(default_factory=dict)
    lag: Mapping[str, int] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()

    def count(self, stage: str) -> Count:
        """Return the counts of a stage."""
        return next((count for count in self.counts if count.stage == stage), Count(stage))


Key = tuple[str, str]


class Counters:
    """Totals of counters that begin at zero again when their process restarts."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, Key], float] = {}
        self._totals: dict[tuple[str, Key], float] = {}
        self._history: deque[tuple[float, dict[str, int]]] = deque()

    def add(self, state: probe.ProcessState) -> None:
        """Add the samples of one process."""
        seen: dict[tuple[str, Key], float] = {}
        for sample in state.samples:
            if sample.name == "dateline_records_total":
                found = ("records", (sample.labels["stage"], sample.labels["outcome"]))
            elif sample.name == "dateline_published_total":
                found = ("published", (sample.labels["topic"], ""))
            else:
                continue
            seen[found] = seen.get(found, 0.0) + sample.value
        for (kind, key), value in seen.items():
            before = self._last.get((state.name, kind, key), 0.0)
            self._last[state.name, kind, key] = value
            increase = value - before if value >= before else value
            self._totals[kind, key] = self._totals.get((kind, key), 0.0) + increase

    def counts(self, now: float) -> tuple[Count, ...]:
        """Return the counts of each stage at the time `now`, and keep them for later rates."""
        rows = {
            stage: {o: int(self._totals.get(("records", (stage, o)), 0)) for o in OUTCOMES}
            for stage in (*STAGES, *sorted({k[0] for kind, k in self._totals if kind == "records"} - {*STAGES}))
        }
        passed = {stage: sum(row[o] for o in OUTCOMES if o != "retried") for stage, row in rows.items()}
        self._history.append((now, passed))
        while len(self._history) > 2 and now - self._history[1][0] >= RATE_SECONDS:
            self._history.popleft()
        then, before = self._history[0]
        elapsed = now - then
        return tuple(
            Count(stage, **row, per_second=(passed[stage] - before.get(stage, 0)) / elapsed if elapsed > 0 else 0.0)
            for stage, row in rows.items()
            if stage in STAGES or passed[stage]
        )

    def published(self) -> dict[str, int]:
        """Return the number of records that were written to each topic."""
        return {key[0]: int(total) for (kind, key), total in self._totals.items() if kind == "published"}


def lag_by_group(states: Iterable[probe.ProcessState]) -> dict[str, int]:
    """Return the lag of each consumer group in records."""
    found: dict[str, int] = {}
    for state in states:
        for sample in state.samples:
            if sample.name == "dateline_consumer_lag_records":
                group = sample.labels["group"]
                found[group] = found.get(group, 0) + int(sample.value)
    return found


class Watcher:
    """Probes the processes and reads the topics of events and alerts, from `start` until `stop`."""

    def __init__(self, settings: Settings, *, on_record: Callable[[Event | Alert], None]) -> None:
        self._settings = settings
        self._on_record = on_record
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._counters = Counters()
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._alerts: deque[Alert] = deque(maxlen=KEPT)
        self._threads: list[threading.Thread] = []
        self.view = View()

    def start(self) -> None:
        """Begin to probe the processes."""
        self._run(self._probe_until_stopped)

    def read(self) -> None:
        """Begin to read the topics, which must exist."""
        self._run(self._read_until_stopped)

    def stop(self) -> None:
        """Stop the threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=probe.SECONDS)

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"watch-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _probe_until_stopped(self) -> None:
        http = self._settings.http
        with ThreadPoolExecutor(len(probe.NAMES)) as pool:
            while not self._stop.wait(PROBE_INTERVAL_SECONDS):
                futures = [pool.submit(probe.process, n, probe.address(http, n), samples=True) for n in probe.NAMES]
                self._update([future.result() for future in futures])

    def _update(self, states: Sequence[probe.ProcessState]) -> None:
        now = time.monotonic()
        for state in states:
            self._counters.add(state)
        self.view = View(
            seconds=now - self._began,
            processes=tuple(states),
            counts=self._counters.counts(now),
            published=self._counters.published(),
            lag=lag_by_group(states),
            events=tuple(self._events),
            alerts=tuple(self._alerts),
        )

    def _read_until_stopped(self) -> None:
        while not self._stop.is_set():
            try:
                for message in bus.tail(self._settings, (bus.EVENTS, bus.ALERTS), self._stop):
                    self._add(message)
            except bus.BusError as error:
                log.warning("topics_unread", error=str(error))
                self._stop.wait(2)

    def _add(self, message: bus.Message) -> None:
        try:
            if message.topic == bus.EVENTS:
                event = decode(message.value, Event)
                self._events.append(event)
                self._on_record(event)
            else:
                alert = decode(message.value, Alert)
                if alert.held:
                    return
                self._alerts.append(alert)
                self._on_record(alert)
        except RecordError as error:
            log.debug("not_shown", topic=message.topic, error=str(error))
