"""What the service does right now: the /metrics of its processes folded into one view, and the events as they come.

`Counters` is pure: samples in, totals and rates out, over restarts of a process. `Watcher` asks on threads of its own, so that
neither a slow process nor an absent Kafka delays the screen or the stop.
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
ASK_SECONDS: Final = 1.0
KEPT: Final = 100
"""How many events and alerts are remembered for the screen."""


@dataclass(frozen=True, slots=True)
class Count:
    """A row of the path: records by outcome since the start, and how many a second passed lately."""

    stage: str
    ok: int = 0
    rejected: int = 0
    quarantined: int = 0
    retried: int = 0
    per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """Everything there is to show."""

    seconds: float = 0.0
    answers: tuple[probe.ProcessState, ...] = ()
    counts: tuple[Count, ...] = ()
    published: Mapping[str, int] = field(default_factory=dict)
    behind: Mapping[str, int] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()

    def count(self, stage: str) -> Count:
        """The row of a stage."""
        return next((count for count in self.counts if count.stage == stage), Count(stage))


Key = tuple[str, str]


class Counters:
    """Totals of counters that start at nothing again whenever their process does."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, Key], float] = {}
        self._totals: dict[tuple[str, Key], float] = {}
        self._history: deque[tuple[float, dict[str, int]]] = deque()

    def take(self, answer: probe.ProcessState) -> None:
        """What a process said in."""
        seen: dict[tuple[str, Key], float] = {}
        for sample in answer.samples:
            if sample.name == "dateline_records_total":
                found = ("records", (sample.labels["stage"], sample.labels["outcome"]))
            elif sample.name == "dateline_published_total":
                found = ("published", (sample.labels["topic"], ""))
            else:
                continue
            seen[found] = seen.get(found, 0.0) + sample.value
        for (kind, key), value in seen.items():
            before = self._last.get((answer.name, kind, key), 0.0)
            self._last[answer.name, kind, key] = value
            grown = value - before if value >= before else value
            self._totals[kind, key] = self._totals.get((kind, key), 0.0) + grown

    def counts(self, now: float) -> tuple[Count, ...]:
        """The clock in, a row for each stage out; remembers them for the rates."""
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
        """Records by topic, as the processes have written them."""
        return {key[0]: int(total) for (kind, key), total in self._totals.items() if kind == "published"}


def behind(answers: Iterable[probe.ProcessState]) -> dict[str, int]:
    """What the processes said in, how many records each group is behind out."""
    found: dict[str, int] = {}
    for answer in answers:
        for sample in answer.samples:
            if sample.name == "dateline_consumer_lag_records":
                group = sample.labels["group"]
                found[group] = found.get(group, 0) + int(sample.value)
    return found


class Watcher:
    """Asks the processes and reads the topics of events and alerts, from `start` until `stop`."""

    def __init__(self, settings: Settings, *, seen: Callable[[Event | Alert], None]) -> None:
        self._settings = settings
        self._seen = seen
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._counters = Counters()
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._alerts: deque[Alert] = deque(maxlen=KEPT)
        self._threads: list[threading.Thread] = []
        self.view = View()

    def start(self) -> None:
        """Begin to ask the processes."""
        self._run(self._ask_always)

    def read(self) -> None:
        """Begin to read the topics, which must be there."""
        self._run(self._read_always)

    def stop(self) -> None:
        """Ask and read no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=probe.SECONDS)

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"watch-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _ask_always(self) -> None:
        http = self._settings.http
        with ThreadPoolExecutor(len(probe.NAMES)) as pool:
            while not self._stop.wait(ASK_SECONDS):
                asked = [pool.submit(probe.process, n, probe.address(http, n), samples=True) for n in probe.NAMES]
                self._update([future.result() for future in asked])

    def _update(self, answers: Sequence[probe.ProcessState]) -> None:
        now = time.monotonic()
        for answer in answers:
            self._counters.take(answer)
        self.view = View(
            seconds=now - self._began,
            answers=tuple(answers),
            counts=self._counters.counts(now),
            published=self._counters.published(),
            behind=behind(answers),
            events=tuple(self._events),
            alerts=tuple(self._alerts),
        )

    def _read_always(self) -> None:
        while not self._stop.is_set():
            try:
                for message in bus.tail(self._settings, (bus.EVENTS, bus.ALERTS), self._stop):
                    self._take(message)
            except bus.BusError as error:
                log.warning("topics_unread", error=str(error))
                self._stop.wait(2)

    def _take(self, message: bus.Message) -> None:
        try:
            if message.topic == bus.EVENTS:
                event = decode(message.value, Event)
                self._events.append(event)
                self._seen(event)
            else:
                alert = decode(message.value, Alert)
                if alert.held:
                    return
                self._alerts.append(alert)
                self._seen(alert)
        except RecordError as error:
            log.debug("not_shown", topic=message.topic, error=str(error))
