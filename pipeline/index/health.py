"""The health of the indexer: a thread checks assignment, progress and Elasticsearch for /readyz and /healthz."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import structlog

from pipeline import bus, metrics
from pipeline.index.client import PROBE_SECONDS
from pipeline.settings import Settings

log = structlog.get_logger("watch")


class IndexerHealth:
    """Holds the last observations. `update`, `ready` and `healthy` only compare; the thread asks the servers."""

    def __init__(
        self,
        settings: Settings,
        progress: bus.Progress,
        *,
        probe: Callable[[], str],
        broker: Callable[[], str] = lambda: "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.progress = progress
        self._settings = settings
        self._probe = probe
        self._broker = broker
        self._now = now
        self._stall_seconds = settings.worker.stall_timeout_seconds
        self._elasticsearch = "not asked yet"
        self._committed: tuple[object, ...] = ()
        self._progress_at = now()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the thread while the block runs."""
        stopping = threading.Event()
        thread = threading.Thread(target=self._run, args=(stopping,), name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(timeout=2 * PROBE_SECONDS)

    def _run(self, stopping: threading.Event) -> None:
        observer: bus.Observer | None = None
        while True:
            elasticsearch = self._probe()
            try:
                observer = observer or bus.Observer(self._settings)
                lags = observer.lags([bus.INDEXER_GROUP])
            except bus.BusError as error:
                log.debug("lag_unknown", error=str(error))
                observer, lags = None, ()
            self.update(lags, elasticsearch=elasticsearch)
            if stopping.wait(PROBE_SECONDS):
                break
        if observer:
            observer.close()

    def update(self, lags: Sequence[bus.Lag], *, elasticsearch: str) -> None:
        """Store the group's lag, the state of Elasticsearch, and the time of the last progress."""
        metrics.set_lag((lag.group, lag.topic, lag.partition, lag.records) for lag in lags)
        self._elasticsearch = elasticsearch
        committed = tuple((lag.topic, lag.partition, lag.committed) for lag in lags)
        idle = not any(lag.records for lag in lags)
        if committed != self._committed or idle or self.progress.problem or self._broker():
            # a known problem is not a silent stall
            self._committed, self._progress_at = committed, self._now()

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Return the answer of /readyz: assigned, with progress or without lag, and Elasticsearch available."""
        good, detail = self.progress.ready(now=self._now(), stall_seconds=self._stall_seconds)
        still = self._now() - self._progress_at
        broker = self._broker()
        good = good and still <= self._stall_seconds and self._elasticsearch == "ok" and not broker
        problem = broker or detail["problem"] or ("" if self._elasticsearch == "ok" else self._elasticsearch)
        return good, {
            **detail,
            "problem": problem,
            "behind_and_still_seconds": round(still, 1),
            "elasticsearch": self._elasticsearch,
        }

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Return the answer of /healthz: False if a restart may help. Waiting for an unavailable server is healthy."""
        waiting = bool(self.progress.problem) or self.progress.polled_at == 0
        still = self._now() - min(self._progress_at, max(self.progress.polled_at, self.progress.committed_at))
        return waiting or still < 2 * self._stall_seconds, {"still_seconds": round(still, 1)}
