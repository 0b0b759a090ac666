"""One collector among others: which parts of the feeds are its to poll, taken over and given up in order.

The group of collectors (bus.Member) says which parts are ours. A part is opened before its feeds are polled and closed after
their polls have ended. Should two collectors believe for a moment that they hold the same part, Kafka lets only the later
one write (share.py).
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
from pipeline.collect.sharding import Shares
from pipeline.collect.writer import LostError
from pipeline.records import FeedState, RecordError
from pipeline.settings import Settings

log = structlog.get_logger("collector")

AGAIN_SECONDS: Final = 2.0
"""After Kafka was away."""

JOINING: Final = "joining the other collectors"
PLACED_SECONDS: Final = 30.0
FOLLOW: Final = "what other collectors publish"


class Taker(Protocol):
    """Who works on the feeds of the parts that are held."""

    def take(self, parts: bus.Parts, states: Mapping[str, FeedState]) -> None:
        """These parts are ours now; `states` is what is known of all feeds."""

    async def leave(self, parts: bus.Parts, seconds: float) -> None:
        """End what is under way for these parts: in order within so many seconds, then at once."""


class Team:
    """A collector's place among the others. Make it inside the running loop."""

    def __init__(
        self, settings: Settings, count: int, claims: SeenUrls, *, name: str, alive: Callable[[], bool]
    ) -> None:
        self.problem = JOINING
        self._settings = settings
        self._claims = claims
        self._alive = alive
        self._wanted: bus.Parts = frozenset()
        self.shares = Shares(settings, count, lambda part: part in self._wanted)
        self._takers: Sequence[Taker] = ()
        self._lost: set[int] = set()
        self._again_at: dict[int, float] = {}
        # one that was given no part by then has none to do: there are more collectors than parts
        self._stands_by_at = time.monotonic() + 2 * settings.worker.session_timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()
        self._done = threading.Event()
        self._placed = threading.Event()
        self._membership: asyncio.Task[None] | None = None
        self._following = threading.Thread(target=self._follow, name="claims", daemon=True)
        self._member = bus.Member(
            settings,
            bus.FEEDS,
            bus.COLLECTOR_GROUP,
            name=name,
            changed=lambda parts: self._from_thread(self._change, parts),
            release=self._release,
        )

    def lost(self, url: str) -> None:
        """The feed's part turned out to be another collector's."""
        self._lost.add(self.shares.part(url))
        self._woken.set()

    async def run(self, stop: asyncio.Event, takers: Sequence[Taker]) -> None:
        """Take parts over and give them up as the group says, until `stop` is set.

        Raises:
            LostError: another process has this one's name.
            BusError: Kafka is not there at the start.
        """
        self._takers = takers
        self._following.start()
        await asyncio.to_thread(self._placed.wait, PLACED_SECONDS)
        self._membership = asyncio.create_task(asyncio.to_thread(self._member.run, self._done, self._alive))
        self._membership.add_done_callback(lambda _: self._woken.set())
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            self._woken.clear()
            if self._membership.done():
                self._raise(self._membership)
            await self._settle()
            woken = asyncio.create_task(self._woken.wait())
            await asyncio.wait([stopping, woken], timeout=1, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
        stopping.cancel()

    @staticmethod
    def _raise(membership: asyncio.Task[None]) -> None:
        try:
            membership.result()
        except bus.ReplacedError as error:
            raise LostError(f"{error}; this one stops") from error

    async def close(self) -> None:
        """Write what waits, let go of all parts, then leave, so that who takes over finds everything done."""
        async with self._turn:
            self._wanted = frozenset()
            await self.shares.close(self.shares.held)
        self._done.set()
        if self._membership is not None:
            with contextlib.suppress(bus.BusError, bus.ReplacedError):
                await self._membership
        if self._following.is_alive():
            await asyncio.to_thread(self._following.join, 10)

    # --- told by the group, on its thread ---------------------------------------------------------------------------

    def _from_thread(self, call: Callable[[bus.Parts], None], parts: bus.Parts) -> None:
        self._loop.call_soon_threadsafe(call, parts)

    def _change(self, parts: bus.Parts) -> None:
        self._wanted = parts
        self._woken.set()

    def _release(self, parts: bus.Parts) -> None:
        seconds = self._settings.worker.session_timeout_seconds / 3
        giving = asyncio.run_coroutine_threadsafe(self._give_up(parts, seconds * 0.8), self._loop)
        with contextlib.suppress(concurrent.futures.TimeoutError):  # whoever takes over shuts us out
            giving.result(timeout=seconds)

    async def _give_up(self, parts: bus.Parts, seconds: float) -> None:
        self._wanted -= parts
        async with self._turn:
            await self._leave(parts & self.shares.held, seconds)

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Make what is held what is wanted."""
        async with self._turn:
            now = time.monotonic()
            lost, self._lost = self._lost & self.shares.held, set()
            for part in lost:
                # either the group tells us so in a moment, or it was a mistake and nobody has it: then we try again
                log.warning("part_lost", part=part)
                self._again_at[part] = now + self._settings.worker.session_timeout_seconds
            await self._leave(frozenset(lost | (self.shares.held - self._wanted)), 0.0)
            await self._take({p for p in self._wanted - self.shares.held if self._again_at.get(p, 0.0) <= now})

    async def _leave(self, parts: bus.Parts, seconds: float) -> None:
        if parts:
            for taker in self._takers:
                await taker.leave(parts, seconds)
            await self.shares.close(parts)
            log.info("parts_left", parts=sorted(parts), held=sorted(self.shares.held))

    async def _take(self, parts: set[int]) -> None:
        if not parts:
            if self._wanted or (self._member.joined and time.monotonic() > self._stands_by_at):
                self.problem = ""
            elif not self._member.joined:
                self.problem = JOINING
            return
        began = time.monotonic()
        try:
            states = await self.shares.open(frozenset(parts))
        except bus.BusError as error:
            self.problem = str(error)
            self._again_at |= dict.fromkeys(parts, time.monotonic() + AGAIN_SECONDS)
            log.warning("parts_not_taken", parts=sorted(parts), error=str(error))
            return
        self.problem = ""
        for state in states.values():
            self._claims.know(state)
        for taker in self._takers:
            taker.take(frozenset(parts), states)
        seconds = round(time.monotonic() - began, 2)
        log.info("parts_taken", parts=sorted(parts), held=sorted(self.shares.held), seconds=seconds)

    def _follow(self) -> None:
        """What others publish is theirs: their feeds' states, as they come."""
        while not self._done.is_set():
            try:
                for message in bus.tail(self._settings, [bus.FEEDS], self._done, placed=self._placed):
                    if message.partition not in self.shares.held and message.value is not None:
                        with contextlib.suppress(RecordError):
                            state = records.decode(message.value, FeedState)
                            self._loop.call_soon_threadsafe(self._claims.know, state)
            except Exception as error:  # noqa: BLE001 - without it collecting goes on; it only may repeat another's article
                log.warning("follow_failed", what=FOLLOW, error=str(error))
                self._done.wait(AGAIN_SECONDS)
