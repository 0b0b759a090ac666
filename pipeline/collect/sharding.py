"""How collectors share the feeds: by the site that a feed is on, so that a site is asked by one collector and its limit holds.

Each partition of the topic of feeds stands for a part of all sites. Who holds it polls those feeds and
writes their states to it, under the partition's own transactional id: whoever takes it over shuts out the one before.
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
"""With the partition's number behind it: one collector at a time writes under it."""


def partition_of(url: str, count: int) -> int:
    """A feed's (or page's) URL and the number of partitions in, the one that its site belongs to out."""
    key = (urls.site(url) or url).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") % count


def latest(messages: Iterable[bus.Message]) -> dict[bytes, bytes]:
    """Records of the topic of feeds in, the newest of each feed out; one that moved left an old one in another partition."""
    found: dict[bytes, tuple[int, bytes | None]] = {}
    for message in messages:
        if message.key is not None and message.timestamp_ms >= found.get(message.key, (-1, None))[0]:
            found[message.key] = (message.timestamp_ms, message.value)
    return {key: value for key, (_, value) in found.items() if value is not None}


def decoded(raw: Mapping[bytes, bytes]) -> dict[str, FeedState]:
    """The newest records of all feeds in, their states out; one that cannot be read counts as unknown."""
    states: dict[str, FeedState] = {}
    for key, value in raw.items():
        try:
            state = records.decode(value, FeedState)
            states[state.id] = state
        except RecordError as error:
            log.warning("feed_state_unreadable", key=key.decode("utf-8", "replace"), error=str(error))
    return states


class Shares:
    """The parts that this collector holds, each with its own way out. `wanted` tells whether a part is still to be held."""

    def __init__(self, settings: Settings, count: int, wanted: Callable[[int], bool]) -> None:
        self._settings = settings
        self._count = count
        self._wanted = wanted
        self._sinks: dict[int, ArticleWriter] = {}

    @property
    def held(self) -> frozenset[int]:
        """The parts that can be written to."""
        return frozenset(self._sinks)

    @property
    def problem(self) -> str:
        """Why what is published does not arrive, if so."""
        return next((sink.problem for sink in self._sinks.values() if sink.problem), "")

    def part(self, url: str) -> int:
        """A URL in, the part that its site belongs to out."""
        return partition_of(url, self._count)

    def stretch(self, url: str) -> float:
        """By how much the interval between two requests to a page's site is longer here.

        A site of another part is asked by several collectors: each takes the share of the limit that it has of all parts.
        """
        return 1.0 if self.part(url) in self._sinks else self._count / max(1, len(self._sinks))

    async def open(self, parts: frozenset[int]) -> dict[str, FeedState]:
        """Take these parts over: shut out who had them before, and only then read. The states of all feeds out.

        Raises:
            BusError: Kafka is not there.
        """
        made = {part: self._sink(part) for part in parts}
        try:
            await asyncio.gather(*(asyncio.to_thread(sink.open) for sink in made.values()))
            raw = await asyncio.to_thread(lambda: latest(bus.read_all(self._settings, bus.FEEDS)))
            states = await asyncio.to_thread(decoded, raw)
        except BaseException:
            await asyncio.gather(*(asyncio.to_thread(sink.close) for sink in made.values()), return_exceptions=True)
            raise
        for sink in made.values():
            sink.remember(raw)
        self._sinks |= made
        return states

    def _sink(self, part: int) -> ArticleWriter:
        return ArticleWriter(
            lambda: bus.Publisher(self._settings, f"{TRANSACTIONAL_ID}-{part}"),
            lambda: latest(bus.read_all(self._settings, bus.FEEDS)),
            partition=part,
            wanted=lambda: self._wanted(part),
        )

    async def close(self, parts: Iterable[int]) -> None:
        """Write what waits for these parts, then let go of them."""
        going = [sink for part in parts if (sink := self._sinks.pop(part, None)) is not None]
        await asyncio.gather(*(asyncio.to_thread(sink.close) for sink in going))

    async def put(self, batch: Batch) -> None:
        """A batch in; returns when it is on the topics.

        Raises:
            LostError: another collector has the feed now.
        """
        sink = self._sinks.get(self.part(batch.state.url))
        if sink is None:
            raise LostError("the feed belongs to another collector now")
        await sink.put(batch)
