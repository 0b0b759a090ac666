"""When each process is ready and works again after a fault, while that happens: on a thread of its own."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from typing import TYPE_CHECKING, Final, Self

from pipeline.operate import probe

if TYPE_CHECKING:
    from bench.chaos_rig import ChaosRig
    from bench.site import SyntheticArticle

LOOK_SECONDS: Final = 0.5

WORK: Final = {
    "collector": "dateline_published_total",
    "worker": "dateline_records_total",
    "indexer": "dateline_indexed_total",
}
"""The processes that always have something to do under load, and the metric that counts it."""


class Recovery:
    """Watches from the end of a fault, for as long as the block runs. All times are seconds since then.

    `ready` holds since when each process has been ready without a break, `worked` when each has first finished something, and
    `found` when an article that was published at the end of the fault could be found, 0 if not.
    """

    def __init__(self, rig: ChaosRig, late: SyntheticArticle) -> None:
        self._rig = rig
        self._late = late
        self.ready: dict[str, float] = {}
        self.worked: dict[str, float] = {}
        self.found = 0.0
        self._counted = {name: self._count(name) for name in WORK}
        self._began = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recovery")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def ready_seconds(self) -> float:
        """Until the last process was ready."""
        return max(self.ready.values(), default=0.0)

    @property
    def worked_seconds(self) -> float:
        """Until the last process had done some work."""
        return max(self.worked.values(), default=0.0)

    def _count(self, name: str) -> float | None:
        state = probe.process(name, probe.address(self._rig.settings.http, name), samples=True, seconds=5)
        found = [sample.value for sample in state.samples if sample.name == WORK[name]]
        return sum(found) if state.up else None

    def _run(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            now = time.monotonic() - self._began
            for name, state in self._rig.states().items():
                if not state.ready:
                    self.ready.pop(name, None)
                else:
                    self.ready.setdefault(name, now)
            for name in WORK.keys() - self.worked.keys():
                count = self._count(name)
                if count and count != self._counted[name]:
                    self.worked[name] = now
            with contextlib.suppress(OSError, http.client.HTTPException):  # a process or server is away
                if not self.found and self._rig.has(self._late):
                    self.found = now
