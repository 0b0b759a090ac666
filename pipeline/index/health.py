"""The indexer judges itself, on a thread of its own: whether it is assigned, gets on, and Elasticsearch is there."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog

from pipeline import bus, metrics
from pipeline.settings import Settings

log = structlog.get_logger("watch")

PROBE_SECONDS: Final = 3.0
"""How often Elasticsearch and the broker are asked, and how long Elasticsearch may take to answer that."""


class Watch:
    """Holds what was seen last. `judge`, `ready` and `healthy` only compare; the thread asks."""

    def __init__(
        self,
        settings: Settings,
        progress: bus.Progress,
        *,
        probe: Callable[[], str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.progress = progress
        self._settings = settings
        self._probe = probe
        self._now = now
        self._stall_seconds = settings.worker.stall_timeout_seconds
        self._elasticsearch = "not asked yet"
        self._committed: tuple[object, ...] = ()
        self._moved_at = now()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Watch while the block runs."""
        ended = threading.Event()
        thread = threading.Thread(target=self._run, args=(ended,), name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=2 * PROBE_SECONDS)

    def _run(self, ended: threading.Event) -> None:
        observer: bus.Observer | None = None
        while True:
            elasticsearch = self._probe()
            try:
                observer = observer or bus.Observer(self._settings)
                lags = observer.lags([bus.INDEXER_GROUP])
            except bus.BusError as error:
                log.debug("lag_unknown", error=str(error))
                lags = ()
            self.judge(lags, elasticsearch=elasticsearch)
            self.ready()
            if ended.wait(PROBE_SECONDS):
                break
        if observer:
            observer.close()

    def judge(self, lags: Sequence[bus.Lag], *, elasticsearch: str) -> None:
        """The group's lag and Elasticsearch's state in; remembers them, and when the group last got on."""
        metrics.set_lag((lag.group, lag.topic, lag.partition, lag.records) for lag in lags)
        self._elasticsearch = elasticsearch
        committed = tuple((lag.topic, lag.partition, lag.committed) for lag in lags)
        idle = not any(lag.records for lag in lags)
        if committed != self._committed or idle or self.progress.problem:  # a problem that is known is no silent stall
            self._committed, self._moved_at = committed, self._now()

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Assigned, getting on or idle without lag, and Elasticsearch there: what /readyz answers."""
        good, detail = self.progress.ready(now=self._now(), stall_seconds=self._stall_seconds)
        still = self._now() - self._moved_at
        good = good and still <= self._stall_seconds and self._elasticsearch == "ok"
        metrics.ready.set(good)
        return good, {**detail, "behind_and_still_seconds": round(still, 1), "elasticsearch": self._elasticsearch}

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Whether a restart would not help: what /healthz answers. To wait for a server that is away is healthy."""
        waiting = bool(self.progress.problem) or self.progress.polled_at == 0
        still = self._now() - min(self._moved_at, max(self.progress.polled_at, self.progress.committed_at))
        return waiting or still < 2 * self._stall_seconds, {"still_seconds": round(still, 1)}
