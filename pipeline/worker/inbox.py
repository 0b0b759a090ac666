"""Articles that wait for the pool: new ones first, and articles of the past while no new one waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.stage import Source


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that has arrived; `done` is called when all that follows from it is on its topics."""

    source: Source
    done: Callable[[], None]


class Inbox:
    """Holds at most `most` new articles and as many of the past; `put` waits while it is full."""

    def __init__(self, most: int) -> None:
        self._new: asyncio.Queue[Arrival] = asyncio.Queue(most)
        self._past: asyncio.Queue[Arrival] = asyncio.Queue(most)
        self._arrived = asyncio.Event()
        self._closed = False

    def close(self) -> None:
        """Give out no more articles: who takes gets none at once, and what waits here is read again after the next start."""
        self._closed = True
        self._arrived.set()

    async def put(self, arrival: Arrival, *, past: bool = False) -> None:
        """Add an article."""
        await (self._past if past else self._new).put(arrival)
        self._arrived.set()

    async def take(self, processes: int, most: int) -> list[Arrival]:
        """Wait, then return one article, or at most `most` new ones where more wait than so many processes can begin with.

        Of the past it is always one, so that a new article waits for no more than that. None if the inbox is closed.
        """
        while self._new.empty() and self._past.empty() and not self._closed:
            self._arrived.clear()
            await self._arrived.wait()
        if self._closed:
            return []
        if self._new.empty():
            return [self._past.get_nowait()]
        first = self._new.get_nowait()
        waiting = self._new.qsize()
        share = -(-waiting // processes)  # leave a share for the other processes
        return [first, *(self._new.get_nowait() for _ in range(min(waiting, share, most - 1)))]
