"""Writes articles and feed states to their topics: one thread, and one transaction for all batches that wait.

The articles of a batch are in one transaction with the state that remembers them. So a collector that is killed has either
published an article and remembers it, or neither.
"""

from __future__ import annotations

import asyncio
import hashlib
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from pipeline import bus
from pipeline.collect.article import shorten
from pipeline.records import Article, Failure, FeedState, decode, encode

log = structlog.get_logger("collector")

TRANSACTION_BATCHES: Final = 200
"""The most batches in one transaction."""

TRANSACTION_BYTES: Final = 32_000_000
"""About the most bytes in one transaction. The batches above it wait for the next."""


RETRY_SECONDS: Final = (0.5, 1, 2)
"""The waits between attempts to write; the last one repeats. An attempt itself waits for Kafka much longer."""

CLOSE_SECONDS: Final = 15

SHORTEST_BYTES: Final = 20_000
"""An article that is smaller is not made shorter: Kafka's lowest useful limit is far above."""

SLOW_SECONDS: Final = 5.0
"""A transaction takes some milliseconds, on a busy machine a second. One that takes this long waits for Kafka."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is published together: articles on their topic, the state that remembers them, and the failures on the way."""

    state: FeedState
    articles: Sequence[Article] = ()
    failures: Sequence[Failure] = ()
    topic: str = bus.ARTICLES


@dataclass(slots=True)
class _Pending:
    """The records of a batch, and the future that its caller waits for."""

    records: list[tuple[str, bytes, bytes]]
    done: Future[None] = field(default_factory=Future)

    @property
    def size(self) -> int:
        return sum(len(value) for _, _, value in self.records)


class LostError(Exception):
    """Another collector has taken over, so this one must stop writing."""


class ArticleWriter:
    """Writes the batches of one partition of the feeds.

    `connect` makes a publisher; `states` reads the topic of feed states (key -> value). States are written to `partition`. A
    broken connection is replaced only while `is_assigned` returns True, because a new connection fences off the owner of the
    partition.
    """

    def __init__(
        self,
        connect: Callable[[], bus.Publisher],
        states: Callable[[], dict[bytes, bytes]],
        *,
        partition: int | None = None,
        is_assigned: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connect = connect
        self._states = states
        self._partition = partition
        self._is_assigned = is_assigned
        self._written: dict[bytes, bytes] = {}  # key of a feed state -> digest of the value on the topic
        self._lost: LostError | None = None
        self._queue: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._publisher: bus.Publisher | None = None
        self._closing = threading.Event()
        self._error = ""
        self._writing_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    @property
    def problem(self) -> str:
        """Why batches are not written now, or an empty string."""
        since = self._writing_since
        seconds = time.monotonic() - since if since is not None else 0.0
        return self._error or (f"not written for {seconds:.0f} s" if seconds > SLOW_SECONDS else "")

    def open(self) -> None:
        """Connect, which aborts the open transaction of a collector before this one, and start the thread.

        Raises:
            BusError: Kafka cannot be reached.
        """
        self._publisher = self._connect()
        self._thread.start()

    def set_states(self, states: Mapping[bytes, bytes]) -> None:
        """Set what is on the topic of feed states before the first batch is written."""
        self._written = {key: _digest(value) for key, value in states.items()}

    async def put(self, batch: Batch) -> None:
        """Write a batch, and return when it is on the topics. Waits as long as Kafka is away.

        Raises:
            LostError: another collector has taken over.
        """
        records = [(batch.topic, article.id.encode(), encode(article)) for article in batch.articles]
        records += [(bus.QUARANTINE, failure.id.encode(), encode(failure)) for failure in batch.failures]
        records.append((bus.FEEDS, batch.state.id.encode(), encode(batch.state)))
        pending = _Pending(records)
        self._queue.put(pending)
        await asyncio.wrap_future(pending.done)

    def close(self) -> None:
        """Write the batches that wait, then close the connection."""
        self._closing.set()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=CLOSE_SECONDS)
        if self._publisher is not None:
            self._publisher.close()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batches, last = self._with_waiting(first)
            try:
                if self._lost is not None:
                    raise self._lost  # noqa: TRY301 - it goes to the callers like every other error
                self._writing_since = time.monotonic()
                self._write(batches)
            except Exception as error:  # noqa: BLE001 - the callers get the error, and the thread goes on
                for pending in batches:
                    pending.done.set_exception(error)
            else:
                for pending in batches:
                    pending.done.set_result(None)
            finally:
                self._writing_since = None
            if last:
                return

    def _with_waiting(self, first: _Pending) -> tuple[list[_Pending], bool]:
        """Return the batches for one transaction, and whether the writer was closed after them."""
        batches, size = [first], first.size
        while len(batches) < TRANSACTION_BATCHES and size < TRANSACTION_BYTES:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batches, True
            batches.append(following)
            size += following.size
        return batches, False

    def _write(self, batches: list[_Pending]) -> None:
        records = [record for pending in batches for record in pending.records]
        attempts = 0
        while True:
            try:
                if self._publisher is None:
                    if not self._is_assigned():
                        raise self._stop("the partition belongs to another collector now")
                    self._publisher = self._connect()
                    if self._is_committed(records):
                        break
                with self._publisher.transaction():
                    for topic, key, value in records:
                        partition = self._partition if topic == bus.FEEDS else None
                        self._publisher.send(topic, key, value, partition=partition)
                break
            except bus.BusError as error:
                if isinstance(error, bus.RecordSizeError) and (shorter := _with_shorter_article(records)):
                    records = shorter
                    self._drop_publisher()
                    continue
                self._stop_if_fenced(error)
                self._error = str(error)
                if self._closing.is_set() and attempts >= 2:
                    raise
                log.warning("publish_failed", error=str(error), records=len(records))
                self._closing.wait(RETRY_SECONDS[min(attempts, len(RETRY_SECONDS) - 1)])
                attempts += 1
                self._drop_publisher()
        self._error = ""
        self._written |= {key: _digest(value) for topic, key, value in records if topic == bus.FEEDS}

    def _stop(self, reason: str) -> LostError:
        """Return the error with which this and every later batch fails."""
        self._lost = LostError(reason)
        return self._lost

    def _stop_if_fenced(self, error: BaseException) -> None:
        """Stop if the producer was fenced off: a new attempt would fence off the other collector, and so on for ever."""
        cause: BaseException | None = error
        while cause is not None:
            if re.search("Fenced|InvalidProducerEpoch", f"{type(cause).__name__} {cause}"):
                raise self._stop("another collector has taken this one's place") from error
            cause = cause.__cause__

    def _is_committed(self, records: Sequence[tuple[str, bytes, bytes]]) -> bool:
        """Whether a transaction whose answer was lost was committed: then its feed states are on the topic.

        Raises:
            LostError: there is a state that this writer did not write: another collector had the partition meanwhile.
        """
        wanted = {key: value for topic, key, value in records if topic == bus.FEEDS}
        found = self._states()
        if all(found.get(key) == value for key, value in wanted.items()):
            return True
        for key in wanted:
            value = found.get(key)
            if (None if value is None else _digest(value)) != self._written.get(key):
                raise self._stop("another collector had the partition meanwhile")
        return False

    def _drop_publisher(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            try:
                publisher.close(0)
            except Exception as error:  # noqa: BLE001 - it is broken, and a new one is made anyway
                log.debug("publisher_close_failed", error=str(error))


def _with_shorter_article(records: Sequence[tuple[str, bytes, bytes]]) -> list[tuple[str, bytes, bytes]]:
    """Records that are too large for the cluster in, the same with half of the page of the largest article out.

    Empty if no article is left that could be shorter.
    """
    articles = [n for n, (topic, _, _) in enumerate(records) if topic in (bus.ARTICLES, bus.BACKFILL)]
    largest = max(articles, key=lambda n: len(records[n][2]), default=None)
    if largest is None or len(records[largest][2]) < SHORTEST_BYTES:
        return []
    topic, key, value = records[largest]
    article = decode(value, Article)
    shorter = shorten(article.html, len(article.html.encode("utf-8", "replace")) // 2)
    log.warning("article_shortened", url=article.url, bytes=len(value))
    shown = encode(msgspec.structs.replace(article, html=shorter, truncated=True))
    return [*records[:largest], (topic, key, shown), *records[largest + 1 :]]


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()
