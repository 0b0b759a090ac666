"""How collectors share the feeds: by the site of a feed, so that only one collector polls a site and the site's limit holds.

Each partition of the topic of feeds stands for a part of all sites. Its owner polls the feeds of these sites and writes their
states to it, with the partition's own transactional id: a collector that takes a partition over fences off the owner before it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from pipeline import bus, records
from pipeline.collect.writer import ArticleWriter, Batch, LostError
from pipeline.page import urls
from pipeline.records import FeedState, RecordError
from pipeline.settings import Settings

log = structlog.get_logger("collector")

TRANSACTIONAL_ID: Final = "dateline-collector"
"""The transactional id without the partition's number. Kafka lets one producer at a time write with an id."""


def partition_of(url: str, count: int) -> int:
    """The URL of a feed or page and the number of partitions in, the partition of its site out."""
    key = (urls.site(url) or url).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") % count


def newest_values(messages: Iterable[bus.Message]) -> dict[bytes, bytes]:
    """Messages of the topic of feeds in, the newest value of each key out. A feed whose URL has changed may have two."""
    found: dict[bytes, tuple[int, bytes | None]] = {}
    for message in messages:
        if message.key is not None and message.timestamp_ms >= found.get(message.key, (-1, None))[0]:
            found[message.key] = (message.timestamp_ms, message.value)
    return {key: value for key, (_, value) in found.items() if value is not None}


def decode_states(raw: Mapping[bytes, bytes]) -> dict[str, FeedState]:
    """The newest values of all feeds in, their states out. A value that cannot be decoded is logged and left out."""
    states: dict[str, FeedState] = {}
    for key, value in raw.items():
        try:
            state = records.decode(value, FeedState)
            states[state.id] = state
        except RecordError as error:
            log.warning("feed_state_unreadable", key=key.decode("utf-8", "replace"), error=str(error))
    return states


class OwnedPartitions:
    """The partitions that this collector owns, each with its writer; `is_assigned` tells whether it may keep one."""

    def __init__(self, settings: Settings, count: int, is_assigned: Callable[[int], bool]) -> None:
        self._settings = settings
        self._count = count
        self._is_assigned = is_assigned
        self._writers: dict[int, ArticleWriter] = {}

    @property
    def held(self) -> frozenset[int]:
        """The partitions that can be written to."""
        return frozenset(self._writers)

    @property
    def problem(self) -> str:
        """Why batches cannot be written, or an empty string."""
        return next((writer.problem for writer in self._writers.values() if writer.problem), "")

    def partition(self, url: str) -> int:
        """A URL in, the partition of its site out."""
        return partition_of(url, self._count)

    def interval_factor(self, url: str) -> float:
        """Return the factor for the interval between two requests to the site of a URL.

        A site of another partition is asked by several collectors, so each uses only its share of the limit: the share of all
        partitions that it owns.
        """
        return 1.0 if self.partition(url) in self._writers else self._count / max(1, len(self._writers))

    async def open(self, partitions: bus.Partitions) -> dict[str, FeedState]:
        """Take these partitions over: fence off their owners, then read the states of all feeds and return them.

        Raises:
            BusError: Kafka cannot be reached.
        """
        writers = {partition: self._writer(partition) for partition in partitions}
        try:
            await asyncio.gather(*(asyncio.to_thread(writer.open) for writer in writers.values()))
            raw = await asyncio.to_thread(lambda: newest_values(bus.read_all(self._settings, bus.FEEDS)))
            states = await asyncio.to_thread(decode_states, raw)
        except BaseException:
            closing = (asyncio.to_thread(writer.close) for writer in writers.values())
            await asyncio.gather(*closing, return_exceptions=True)
            raise
        for writer in writers.values():
            writer.set_states(raw)
        self._writers |= writers
        return states

    def _writer(self, partition: int) -> ArticleWriter:
        return ArticleWriter(
            lambda: bus.Publisher(self._settings, f"{TRANSACTIONAL_ID}-{partition}"),
            lambda: newest_values(bus.read_all(self._settings, bus.FEEDS)),
            partition=partition,
            is_assigned=lambda: self._is_assigned(partition),
        )

    async def close(self, partitions: Iterable[int]) -> None:
        """Write what waits for these partitions, then give them up."""
        writers = [writer for one in partitions if (writer := self._writers.pop(one, None)) is not None]
        await asyncio.gather(*(asyncio.to_thread(writer.close) for writer in writers))

    async def put(self, batch: Batch) -> None:
        """Write a batch, and return when it is on the topics.

        Raises:
            LostError: another collector has the feed now.
        """
        writer = self._writers.get(self.partition(batch.state.url))
        if writer is None:
            raise LostError("the feed belongs to another collector now")
        await writer.put(batch)
