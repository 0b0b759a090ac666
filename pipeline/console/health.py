"""What the console says on /readyz: whether it serves, and whether the servers that it needs answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from pipeline import bus
from pipeline.index import client
from pipeline.settings import Settings


class ConsoleHealth:
    """Asks Elasticsearch and Kafka every few seconds, on threads of its own. Only tests replace the last two arguments.

    Nothing can be shown without Elasticsearch, so the console is not ready then. Without Kafka only new records and marks on
    alerts are missing: it stays ready, and says so.
    """

    def __init__(
        self, settings: Settings, *, ask: Callable[[], str] | None = None, broker: bus.BrokerWatch | None = None
    ) -> None:
        self._es = client.connect(settings).options(request_timeout=client.PROBE_SECONDS)
        self._address = settings.elasticsearch_url
        self._ask = ask or (lambda: client.answers(self._es))
        self._broker = broker or bus.BrokerWatch(settings)
        self._elasticsearch = "not asked yet"

    @contextlib.contextmanager
    def running(self, stop: threading.Event) -> Iterator[None]:
        """Ask while the block runs. If `stop` is set and the block cannot end because Kafka is away, end the process."""
        done = threading.Event()
        thread = threading.Thread(target=self._run, args=(done,), name="watch", daemon=True)
        thread.start()
        try:
            with self._broker.running(stop):
                yield
        finally:
            done.set()
            thread.join(2 * client.PROBE_SECONDS)
            self._es.close()

    def look(self) -> None:
        """Ask Elasticsearch once."""
        self._elasticsearch = self._ask()

    def _run(self, done: threading.Event) -> None:
        while not done.is_set():
            self.look()
            done.wait(client.PROBE_SECONDS)

    def ready(self, *, serving: bool) -> tuple[bool, dict[str, object]]:
        """Return the answer of /readyz: whether requests are served and Elasticsearch answers; and the detail."""
        problem = "" if serving else "starting"
        if self._elasticsearch != "ok":
            problem = problem or f"Elasticsearch at {self._address}: {self._elasticsearch}"
        return not problem, {
            "problem": problem,
            "elasticsearch": self._elasticsearch,
            "live": self._broker.problem or "ok",
        }
