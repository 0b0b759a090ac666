"""Articles and feed states in, on the topics out: one thread, one transaction for all that waits.

What one poll brings stands in one transaction with the state that remembers it, so a collector that is killed has either
published an article and knows it, or neither.
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

import structlog

from pipeline import bus
from pipeline.records import Article, Failure, FeedState, encode

log = structlog.get_logger("collector")

TOGETHER: Final = 200
"""Batches that go into one transaction at the most."""

BYTES: Final = 32_000_000
"""Bytes in one transaction, about: what is waiting beyond that goes into the next."""


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()


RETRY_SECONDS: Final = (0.5, 1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Batch:
    """What becomes visible together: articles, the state that remembers them, and what failed on the way."""

    state: FeedState
    articles: Sequence[Article] = ()
    failures: Sequence[Failure] = ()


@dataclass(slots=True)
class _Waiting:
    records: list[tuple[str, bytes, bytes]]
    done: Future[None] = field(default_factory=Future)

    @property
    def size(self) -> int:
        return sum(len(value) for _, _, value in self.records)


class LostError(Exception):
    """Another collector has taken this one's place: it has to stop."""


class ArticleWriter:
    """The way out for one part of the feeds. `connect` makes a publisher; `states` reads the topic of states (key -> value).

    States go to `partition`. `wanted` tells whether the part is still ours: only then is a connection that broke made anew, for
    a new one shuts out whoever has the part.
    """

    def __init__(
        self,
        connect: Callable[[], bus.Publisher],
        states: Callable[[], dict[bytes, bytes]],
        *,
        partition: int | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connect = connect
        self._states = states
        self._partition = partition
        self._wanted = wanted
        self._known: dict[bytes, bytes] = {}
        self._gone: LostError | None = None
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._publisher: bus.Publisher | None = None
        self._closing = threading.Event()
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def open(self) -> None:
        """Connect, which ends whatever a collector before this one left open, and start the thread.

        Raises:
            BusError: Kafka is not there.
        """
        self._publisher = self._connect()
        self._thread.start()

    def remember(self, states: Mapping[bytes, bytes]) -> None:
        """What is on the topic of feed states before the first batch."""
        self._known = {key: _digest(value) for key, value in states.items()}

    async def put(self, batch: Batch) -> None:
        """A batch in; returns when it is on the topics. Waits as long as Kafka is away.

        Raises:
            LostError: another collector has taken this one's place.
        """
        records = [(bus.ARTICLES, article.id.encode(), encode(article)) for article in batch.articles]
        records += [(bus.QUARANTINE, failure.id.encode(), encode(failure)) for failure in batch.failures]
        records.append((bus.FEEDS, batch.state.id.encode(), encode(batch.state)))
        waiting = _Waiting(records)
        self._waiting.put(waiting)
        await asyncio.wrap_future(waiting.done)

    def close(self) -> None:
        """Write what waits, then let go."""
        self._closing.set()
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=15)
        if self._publisher is not None:
            self._publisher.close()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            together, last = self._more(first)
            try:
                if self._gone is not None:
                    raise self._gone  # noqa: TRY301 - said to whoever waits, like every other error
                self._write(together)
            except Exception as error:  # noqa: BLE001 - whoever waits has to hear of it, and the thread to go on
                for waiting in together:
                    waiting.done.set_exception(error)
            else:
                for waiting in together:
                    waiting.done.set_result(None)
            if last:
                return

    def _more(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        together, size = [first], first.size
        while len(together) < TOGETHER and size < BYTES:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return together, True
            together.append(following)
            size += following.size
        return together, False

    def _write(self, together: list[_Waiting]) -> None:
        records = [record for waiting in together for record in waiting.records]
        tries = 0
        while True:
            try:
                if self._publisher is None:
                    if not self._wanted():
                        raise self._leave("the part belongs to another collector now")
                    self._publisher = self._connect()
                    if self._is_there(records):
                        break
                with self._publisher.transaction():
                    for topic, key, value in records:
                        place = self._partition if topic == bus.FEEDS else None
                        self._publisher.send(topic, key, value, partition=place)
                break
            except bus.BusError as error:
                self._lost(error)
                self.problem = str(error)
                if self._closing.is_set() and tries >= 2:
                    raise
                log.warning("publish_failed", error=str(error), records=len(records))
                time.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1
                self._drop_publisher()
        self.problem = ""
        self._known |= {key: _digest(value) for topic, key, value in records if topic == bus.FEEDS}

    def _leave(self, why: str) -> LostError:
        self._gone = LostError(why)
        return self._gone

    def _lost(self, error: BaseException) -> None:
        """Stop where the transaction was fenced off: to go on would be to fight the other collector for ever."""
        cause: BaseException | None = error
        while cause is not None:
            if re.search("Fenced|InvalidProducerEpoch", f"{type(cause).__name__} {cause}"):
                raise self._leave("another collector has taken this one's place") from error
            cause = cause.__cause__

    def _is_there(self, records: Sequence[tuple[str, bytes, bytes]]) -> bool:
        """Whether the transaction whose answer was lost had been committed: then its feed states are on the topic.

        Raises:
            LostError: there is a state that we did not write: another collector had the part meanwhile.
        """
        wanted = {key: value for topic, key, value in records if topic == bus.FEEDS}
        found = self._states()
        if all(found.get(key) == value for key, value in wanted.items()):
            return True
        for key in wanted:
            there = found.get(key)
            if (None if there is None else _digest(there)) != self._known.get(key):
                raise self._leave("another collector had the part meanwhile")
        return False

    def _drop_publisher(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            try:
                publisher.close()
            except Exception as error:  # noqa: BLE001 - it is broken; a new one is made anyway
                log.debug("publisher_close_failed", error=str(error))
