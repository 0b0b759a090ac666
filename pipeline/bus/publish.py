"""Publishing: idempotent, acknowledged by all replicas, and in a transaction where records belong together."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from pipeline import metrics
from pipeline.bus.topics import (
    QUARANTINE_BYTES,
    REQUEST_MS,
    BusError,
    RecordSizeError,
    connection,
    send_error,
    unanswered,
)
from pipeline.settings import Settings

log = structlog.get_logger("bus")

RETRY_SECONDS: Final = 1.0
"""The wait after a failed attempt, which itself has waited for Kafka much longer."""

BLOCK_MS: Final = 15_000
"""How long to wait for a topic's metadata before its first record, and for the start or end of a transaction. The client's 60 s
would delay an alert by a minute."""


DELIVERY_MS: Final = REQUEST_MS + 2_000
"""How long the client retries a record by itself. With its 120 s nobody would be told of an outage before; here the caller says
so and tries again."""


FLUSH_SECONDS: Final = DELIVERY_MS / 1000 + 2
"""How long to wait for all records of a flush. The client has sent them or given them up by then, or it is stuck."""


class _Producer(KafkaProducer):  # type: ignore[misc]  # kafka-python has no types
    """A producer that waits for nothing for ever.

    kafka-python waits without a limit for the end of a transaction. Where the answer to one of its requests is lost, as happens
    when Kafka is killed, it sends nothing else any more and never gives up.
    """

    def commit_transaction(self) -> None:
        """Commit.

        Raises:
            KafkaError: it is not known within `BLOCK_MS` whether the transaction has been committed, or it cannot be.
        """
        self._end(self._transaction_manager.begin_commit())

    def abort_transaction(self) -> None:
        """Abort.

        Raises:
            KafkaError: as for `commit_transaction`.
        """
        self._end(self._transaction_manager.begin_abort())

    def _end(self, result: Any) -> None:
        self._sender.wakeup()
        if not result.wait(timeout_ms=BLOCK_MS):
            raise KafkaTimeoutError(f"the transaction has not ended within {BLOCK_MS / 1000:.0f} s")

    def drop(self) -> None:
        """Close, and give up the records that Kafka has not taken. `close` alone would leave the client's thread running."""
        self._sender.force_close()
        with contextlib.suppress(KafkaError):
            self.close(timeout=1)


class Publisher:
    """An idempotent producer (acks=all). With a `transactional_id` the records sent in `transaction()` are all or nothing."""

    def __init__(self, settings: Settings, transactional_id: str = "") -> None:
        self._settings = settings
        self._transactional_id = transactional_id
        self._producer = self._connect()
        self._sent: list[tuple[str, Any]] = []

    def _connect(self) -> _Producer:
        options: dict[str, Any] = {
            **connection(self._settings),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 5,
            "batch_size": 262_144,
            "max_request_size": QUARANTINE_BYTES,
            "compression_type": "zstd",  # as small as gzip in a ninth of the time (docs/performance.md)
            "allow_auto_create_topics": False,
            "max_block_ms": BLOCK_MS,
            "delivery_timeout_ms": DELIVERY_MS,
        }
        if self._transactional_id:
            options["transactional_id"] = self._transactional_id
        try:
            producer = _Producer(**options)
        except KafkaError as error:
            raise unanswered(self._settings, error) from error
        if self._transactional_id:
            try:
                producer.init_transactions()
            except KafkaError as error:
                producer.drop()
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
            raise self._send_error(topic, error) from error
        self._sent.append((topic, sent))

    def _send_error(self, topic: str, error: KafkaError) -> BusError:
        """What to raise for a record that cannot be sent: what ended the transaction, if an earlier record did."""
        for earlier, sent in self._sent:
            if sent.failed():
                return send_error(earlier, sent.exception)
        return send_error(topic, error)

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
        deadline = time.monotonic() + FLUSH_SECONDS
        for topic, future in sent:
            try:
                future.get(timeout=max(0.0, deadline - time.monotonic()))
            except KafkaError as error:
                raise send_error(topic, error) from error
            metrics.published_total.labels(topic=topic).inc()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all records sent inside visible together, or none of them if the block raises an error.

        Raises:
            BusError: the transaction could not be committed (another producer has this id, or Kafka cannot be reached). A new
                publisher with the same id aborts it; this one cannot be used any more.
        """
        try:
            self._producer.begin_transaction()
            yield
            self.flush()
            self._producer.commit_transaction()
        except KafkaError as error:
            raise BusError(f"the transaction failed: {error}") from error
        except BusError:
            raise
        except BaseException:
            with contextlib.suppress(KafkaError):
                self._producer.abort_transaction()
            raise
        finally:
            self._sent.clear()

    def close(self, seconds: float = 10.0) -> None:
        """Wait so long for the queued records, drop those that Kafka has not taken, and close the connection."""
        try:
            self._producer.close(timeout=seconds)
        except KafkaTimeoutError:
            self._producer.drop()


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

        Raises:
            RecordSizeError: a record is too large for the cluster.
        """
        wanted = list(records)
        with self._lock:
            while wanted:
                try:
                    self._publisher = self._publisher or self._connect(self._settings)
                    for key, value in wanted:
                        self._publisher.send(topic, key, value)
                    self._publisher.flush()
                except RecordSizeError:
                    self._drop()
                    raise
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
                publisher.close(0)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()
