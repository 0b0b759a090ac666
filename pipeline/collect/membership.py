"""A collector's membership in the group of collectors: its partitions of the feeds are taken over and given up in order.

The group (`bus.Member`) assigns the partitions. A partition is opened before its feeds are polled, and closed after their polls
have ended. If two collectors hold one partition for a moment, Kafka lets only the later one write (`writer.py`).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from pipeline import bus, records
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.sharding import OwnedPartitions
from pipeline.collect.writer import LostError
from pipeline.records import FeedState, RecordError
from pipeline.settings import Settings

log = structlog.get_logger("collector")

RETRY_SECONDS: Final = 2.0
"""The wait after Kafka could not be reached."""

JOINING: Final = "joining the other collectors"
FOLLOW_START_SECONDS: Final = 30.0
"""How long to wait until the states that other collectors write are followed."""

FOLLOW: Final = "what other collectors publish"


class PartitionListener(Protocol):
    """A job that works on the feeds of the partitions that this collector owns."""

    def assign(self, partitions: bus.Partitions, states: Mapping[str, FeedState]) -> None:
        """Start work on these partitions. `states` holds the states of all feeds."""

    async def revoke(self, partitions: bus.Partitions, seconds: float) -> None:
        """End the work on these partitions: in order for so many seconds, then at once."""


class Membership:
    """A collector as a member of the group. Create it inside the running event loop."""

    def __init__(
        self, settings: Settings, count: int, seen_urls: SeenUrls, *, name: str, alive: Callable[[], bool]
    ) -> None:
        self.problem = JOINING
        self._settings = settings
        self._seen_urls = seen_urls
        self._alive = alive
        self._assigned: bus.Partitions = frozenset()
        self.owned = OwnedPartitions(settings, count, lambda partition: partition in self._assigned)
        self._listeners: Sequence[PartitionListener] = ()
        self._lost: set[int] = set()
        self._retry_at: dict[int, float] = {}
        # a member without a partition at this time has nothing to do: there are more collectors than partitions
        self._standby_at = time.monotonic() + 2 * settings.worker.session_timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._changing = asyncio.Lock()
        self._done = threading.Event()
        self._follows = threading.Event()
        self._member_task: asyncio.Task[None] | None = None
        self._following = threading.Thread(target=self._follow, name="follow-states", daemon=True)
        self._member = bus.Member(
            settings,
            bus.FEEDS,
            bus.COLLECTOR_GROUP,
            name=name,
            changed=lambda partitions: self._from_thread(self._change, partitions),
            release=self._release,
        )

    def report_lost(self, url: str) -> None:
        """Note that another collector writes the partition of this feed's URL."""
        self._lost.add(self.owned.partition(url))
        self._woken.set()

    async def run(self, stop: asyncio.Event, listeners: Sequence[PartitionListener]) -> None:
        """Take partitions over and give them up as the group assigns them, until `stop` is set.

        Raises:
            LostError: another process has this one's name.
        """
        self._listeners = listeners
        self._following.start()
        await asyncio.to_thread(self._follows.wait, FOLLOW_START_SECONDS)
        self._member_task = asyncio.create_task(asyncio.to_thread(self._member.run, self._done, self._alive))
        self._member_task.add_done_callback(lambda _: self._woken.set())
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            self._woken.clear()
            if self._member_task.done():
                self._raise(self._member_task)
            await self._own_assigned()
            woken = asyncio.create_task(self._woken.wait())
            await asyncio.wait([stopping, woken], timeout=1, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
        stopping.cancel()

    @staticmethod
    def _raise(member_task: asyncio.Task[None]) -> None:
        try:
            member_task.result()
        except bus.ReplacedError as error:
            raise LostError(f"{error}; this one stops") from error

    async def close(self) -> None:
        """Write what waits and give up all partitions, then leave, so that the next owner finds everything written."""
        async with self._changing:
            self._assigned = frozenset()
            await self.owned.close(self.owned.held)
        self._done.set()
        if self._member_task is not None:
            with contextlib.suppress(bus.ReplacedError):
                await self._member_task
        if self._following.is_alive():
            await asyncio.to_thread(self._following.join, 10)

    # --- called by the group, on its thread -------------------------------------------------------------------------

    def _from_thread(self, call: Callable[[bus.Partitions], None], partitions: bus.Partitions) -> None:
        self._loop.call_soon_threadsafe(call, partitions)

    def _change(self, partitions: bus.Partitions) -> None:
        self._assigned = partitions
        self._woken.set()

    def _release(self, partitions: bus.Partitions) -> None:
        seconds = self._settings.worker.session_timeout_seconds / 3
        releasing = asyncio.run_coroutine_threadsafe(self._give_up_in_order(partitions, seconds * 0.8), self._loop)
        with contextlib.suppress(concurrent.futures.TimeoutError):  # the next owner fences this one off
            releasing.result(timeout=seconds)

    async def _give_up_in_order(self, partitions: bus.Partitions, seconds: float) -> None:
        self._assigned -= partitions
        async with self._changing:
            await self._give_up(partitions & self.owned.held, seconds)

    # --- partitions --------------------------------------------------------------------------------------------------

    async def _own_assigned(self) -> None:
        """Give up the partitions that are lost or no longer assigned, and take over those that are assigned."""
        async with self._changing:
            now = time.monotonic()
            lost, self._lost = self._lost & self.owned.held, set()
            for partition in lost:
                # either the group assigns it to another soon, or this was a mistake and no one has it: then try again
                log.warning("part_lost", part=partition)
                self._retry_at[partition] = now + self._settings.worker.session_timeout_seconds
            await self._give_up(frozenset(lost | (self.owned.held - self._assigned)), 0.0)
            await self._take({p for p in self._assigned - self.owned.held if self._retry_at.get(p, 0.0) <= now})

    async def _give_up(self, partitions: bus.Partitions, seconds: float) -> None:
        if partitions:
            for listener in self._listeners:
                await listener.revoke(partitions, seconds)
            await self.owned.close(partitions)
            log.info("parts_left", parts=sorted(partitions), held=sorted(self.owned.held))

    async def _take(self, partitions: set[int]) -> None:
        if not partitions:
            if self._assigned or (self._member.joined and time.monotonic() > self._standby_at):
                self.problem = ""
            elif not self._member.joined:
                self.problem = JOINING
            return
        began = time.monotonic()
        try:
            states = await self.owned.open(frozenset(partitions))
        except bus.BusError as error:
            self.problem = str(error)
            self._retry_at |= dict.fromkeys(partitions, time.monotonic() + RETRY_SECONDS)
            log.warning("parts_not_taken", parts=sorted(partitions), error=str(error))
            return
        self.problem = ""
        for state in states.values():
            self._seen_urls.add_state(state)
        for listener in self._listeners:
            listener.assign(frozenset(partitions), states)
        seconds = round(time.monotonic() - began, 2)
        log.info("parts_taken", parts=sorted(partitions), held=sorted(self.owned.held), seconds=seconds)

    def _follow(self) -> None:
        """Add the articles in the states that other collectors write, as they come."""
        while not self._done.is_set():
            try:
                for message in bus.tail(self._settings, [bus.FEEDS], self._done, placed=self._follows):
                    if message.partition not in self.owned.held and message.value is not None:
                        with contextlib.suppress(RecordError):
                            state = records.decode(message.value, FeedState)
                            self._loop.call_soon_threadsafe(self._seen_urls.add_state, state)
            except Exception as error:  # noqa: BLE001 - collecting goes on without it; only an article may be published twice
                log.warning("follow_failed", what=FOLLOW, error=str(error))
                self._done.wait(RETRY_SECONDS)
