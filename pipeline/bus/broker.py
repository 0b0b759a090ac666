"""Whether Kafka answers, for /readyz, the log and the end of a process. Each process has one such thread."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline.bus.create import LOG_SECONDS
from pipeline.bus.topics import client_of, connection
from pipeline.settings import Settings

log = structlog.get_logger("bus")

ASK_SECONDS: Final = 2.0
"""The time between two requests."""

ANSWER_MS: Final = 5_000
"""How long Kafka may take to answer one, on a machine that is busy."""

END_MS: Final = 4_000
"""How long Kafka may take to answer while a process ends that has been told to stop. Without an answer it ends at once: its
clients would wait much longer, and the process has to be gone within five seconds."""

END_AWAY_MS: Final = 1_500
"""The same where it is known already that Kafka does not answer."""


class BrokerWatch:
    """Asks Kafka every two seconds whether it answers. `problem` says since when it does not, or is empty.

    A client of Kafka retries by itself and tells nobody, so it cannot be asked. Only tests replace the last three arguments.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        ask: Callable[[], None] | None = None,
        now: Callable[[], float] = time.monotonic,
        end_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._settings = settings
        self._admin: Any = None
        self._ask = ask or self._ask_admin
        self._ask_anew = (lambda _: ask()) if ask else self._ask_new_admin
        self._now = now
        self._end_process = end_process
        self._away_since: float | None = None
        self._logged_at = 0.0
        self._asked = False
        self.lost_at = 0.0
        """When (time.monotonic) Kafka last did not answer. Whoever has received something since then has reached it again."""

    @property
    def problem(self) -> str:
        """Why nothing can be read or written now, or an empty string."""
        if not self._asked:
            return f"Kafka at {self._settings.bootstrap_servers} has not answered yet"
        if self._away_since is None:
            return ""
        seconds = self._now() - self._away_since
        return f"Kafka at {self._settings.bootstrap_servers} does not answer, for {seconds:.0f} s"

    @contextlib.contextmanager
    def running(self, stop: threading.Event) -> Iterator[None]:
        """Watch while the block runs. If `stop` is set and the block cannot end because Kafka is away, end the process."""
        done = threading.Event()
        threading.Thread(target=self._run, args=(done,), name="broker", daemon=True).start()
        threading.Thread(target=self._end_when_away, args=(stop, done), name="broker-end", daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def look(self) -> None:
        """Ask once. An outage is logged when it begins, once a minute, and when it ends."""
        try:
            self._ask()
        except KafkaError as error:
            self._close()
            now = self.lost_at = self._now()
            first = self._away_since is None
            if self._away_since is None:
                self._away_since = now
            self._asked = True
            if first or now - self._logged_at >= LOG_SECONDS:
                self._logged_at = now
                log.warning("kafka_unavailable", waits_for=self.problem, error=str(error))
            return
        if self._away_since is not None:
            log.info("kafka_back", seconds=round(self._now() - self._away_since, 1))
        self._asked, self._away_since = True, None

    def _ask_admin(self) -> None:
        if self._admin is None:
            options = connection(self._settings) | {"bootstrap_timeout_ms": ANSWER_MS, "request_timeout_ms": ANSWER_MS}
            self._admin = client_of(KafkaAdminClient, **options)
        self._admin.describe_cluster()

    def _ask_new_admin(self, limit_ms: int) -> None:
        """Ask on a new connection: one that is cut or dead would wait for its answer."""
        options = connection(self._settings) | {"bootstrap_timeout_ms": limit_ms, "request_timeout_ms": limit_ms}
        client_of(KafkaAdminClient, **options).close()  # it is made only if a broker answers

    def _close(self) -> None:
        if self._admin is not None:
            with contextlib.suppress(Exception):  # it is broken, and a new one is made anyway
                self._admin.close()
        self._admin = None

    def _run(self, done: threading.Event) -> None:
        while not done.is_set():
            self.look()
            done.wait(ASK_SECONDS)

    def _end_when_away(self, stop: threading.Event, done: threading.Event) -> None:
        """End the process soon after `stop`: its clients wait for Kafka much longer, and what is under way is read again."""
        while not stop.wait(ASK_SECONDS):
            if done.is_set():
                return
        while not done.is_set():
            try:
                self._ask_anew(END_AWAY_MS if self.problem else END_MS)
            except KafkaError as error:
                if not done.is_set():
                    log.warning("stopped_without_kafka", waits_for=self.problem, error=str(error))
                    self._end_process(0)
                return
            done.wait(ASK_SECONDS)
