"""Articles that wait for the pool: new ones first, and articles of the past while no new one waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.stage import Source


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that has arrived; `done` is called when all that follows from it is on its topics.

    It need not be read if `wanted` returns False: its partition was revoked, and it arrives again here or elsewhere.
    """

    source: Source
    done: Callable[[], None]
    wanted: Callable[[], bool] = lambda: True


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

    async def take(self, *, past: bool = True) -> Arrival | None:
        """Wait, then return a new article, or with `past` one of the past if no new one waits. None if the inbox is closed."""
        while self._new.empty() and (self._past.empty() or not past) and not self._closed:
            self._arrived.clear()
            await self._arrived.wait()
        if self._closed:
            return None
        return (self._past if self._new.empty() else self._new).get_nowait()
