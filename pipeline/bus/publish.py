"""Publishing: idempotent, acknowledged by all replicas, and in a transaction where records belong together."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from pipeline import metrics
from pipeline.bus.topics import QUARANTINE_BYTES, REQUEST_MS, BusError, connection, unanswered
from pipeline.settings import Settings

log = structlog.get_logger("bus")

RETRY_SECONDS: Final = 1.0
"""The wait after a failed attempt, which itself has waited for Kafka much longer."""

BLOCK_MS: Final = 15_000
"""How long to wait for a topic's metadata before its first record. The client's 60 s would delay an alert by a minute."""


DELIVERY_MS: Final = REQUEST_MS + 2_000
"""How long the client retries a record by itself. With its 120 s nobody would be told of an outage before; here the caller says
so and tries again."""


class Publisher:
    """An idempotent producer (acks=all). With a `transactional_id` the records sent in `transaction()` are all or nothing."""

    def __init__(self, settings: Settings, transactional_id: str = "") -> None:
        self._settings = settings
        self._transactional_id = transactional_id
        self._producer = self._connect()
        self._sent: list[tuple[str, Any]] = []

    def _connect(self) -> KafkaProducer:
        options: dict[str, Any] = {
            **connection(self._settings),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 5,
            "batch_size": 262_144,
            "max_request_size": QUARANTINE_BYTES,
            "compression_type": "gzip",
            "allow_auto_create_topics": False,
            "max_block_ms": BLOCK_MS,
            "delivery_timeout_ms": DELIVERY_MS,
        }
        if self._transactional_id:
            options["transactional_id"] = self._transactional_id
        try:
            producer = KafkaProducer(**options)
            if self._transactional_id:
                producer.init_transactions()
        except KafkaError as error:
            raise unanswered(self._settings, error) from error
        return producer

    def send(self, topic: str, key: bytes, value: bytes | None, *, partition: int | None = None) -> None:
        """Queue a record. It is on the topic when `flush` or the transaction has returned.

        Raises:
            BusError: the record is too large, or the producer has failed.
        """
        record = {"key": key, "value": value, "partition": partition}
        try:
            sent = self._send(topic, record)
        except KafkaError as error:
            raise BusError(f"{topic}: {error}") from error
        self._sent.append((topic, sent))

    def _send(self, topic: str, record: dict[str, Any]) -> Any:
        try:
            return self._producer.send(topic, **record)
        except KafkaTimeoutError:
            if self._sent or self._transactional_id:
                raise
            # The client's task that looks up topics can die with a connection and is not started again. Where no record is
            # queued, a new client replaces it.
            self.close()
            self._producer = self._connect()
            return self._producer.send(topic, **record)

    def flush(self) -> None:
        """Wait until every in-sync replica has acknowledged all records.

        Raises:
            BusError: a record was not accepted; the message names its topic.
        """
        sent, self._sent = self._sent, []
        try:
            self._producer.flush()
        except KafkaError as error:
            raise BusError(str(error)) from error
        for topic, future in sent:
            if future.failed():
                raise BusError(f"{topic}: {future.exception}")
            metrics.published_total.labels(topic=topic).inc()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all records sent inside visible together, or none of them if the block raises an error.

        Raises:
            BusError: the transaction could not be committed (another producer has this id, or Kafka cannot be reached).
        """
        self._producer.begin_transaction()
        try:
            yield
            self.flush()
            self._producer.commit_transaction()
        except BaseException as error:
            self._sent.clear()
            with contextlib.suppress(KafkaError):
                self._producer.abort_transaction()
            if isinstance(error, KafkaError):
                raise BusError(f"the transaction failed: {error}") from error
            raise

    def close(self) -> None:
        """Wait for the queued records, then close the connection."""
        self._producer.close(timeout=10)


class PatientPublisher:
    """Publishes however long Kafka is away. Its producer is made for the first record, and anew after each failure."""

    def __init__(
        self, settings: Settings, stop: threading.Event, *, connect: Callable[[Settings], Publisher] = Publisher
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._connect = connect
        self._lock = threading.Lock()
        self._publisher: Publisher | None = None

    def put(self, topic: str, records: Iterable[tuple[bytes, bytes]]) -> bool:
        """Write records (key, value) and return True when all are on the topic; False if `stop` was set before.

        After a failure all of them are written again. May be called on several threads.
        """
        wanted = list(records)
        with self._lock:
            while wanted:
                try:
                    self._publisher = self._publisher or self._connect(self._settings)
                    for key, value in wanted:
                        self._publisher.send(topic, key, value)
                    self._publisher.flush()
                except BusError as error:
                    log.warning("publish_waits", topic=topic, records=len(wanted), error=str(error))
                    self._drop()
                    if self._stop.wait(RETRY_SECONDS):
                        return False
                else:
                    break
        return True

    def _drop(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            with contextlib.suppress(KafkaError):  # it is broken, and a new one is made anyway
                publisher.close()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()
