"""The drop folder as a feed: each new file an article, each changed file a new version of it, the same content once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from pipeline import bus
from pipeline.collect import local, seen, urls
from pipeline.collect.feed import Entry, Parsed
from pipeline.collect.feeds import DROP_FOLDER
from pipeline.collect.poll import TOGETHER, Made, Poller
from pipeline.collect.publish import Batch, LostError
from pipeline.collect.seen import Candidate
from pipeline.records import Feed, FeedState, SeenEntry, content_id
from pipeline.settings import Settings

log = structlog.get_logger("collector")

LOOK_SECONDS: Final = 1.0
"""Between two looks at the folder; a file that has not changed between them is complete."""

Stamp = tuple[int, int]


class Dropped:
    """Watches the drop folder and publishes what lies in it."""

    def __init__(
        self, settings: Settings, poller: Poller, part: Callable[[str], int], lost: Callable[[str], None]
    ) -> None:
        folder = settings.path(settings.collector.drop_folder)
        self._directory = settings.path("")
        self._drop = local.Drop(folder)
        self._poller = poller
        self._keep = seen.MOST
        self._feed = Feed(id=DROP_FOLDER, url=local.url_of(folder, self._directory), title="Drop folder")
        self._state = FeedState(id=DROP_FOLDER, url=self._feed.url, title=self._feed.title)
        self._part = part(self._feed.url)
        self._lost = lost
        self._ours = False
        self._looking = asyncio.Lock()

    def take(self, parts: bus.Parts, states: Mapping[str, FeedState]) -> None:
        """The folder is ours to look at, if its part is among these."""
        if self._part in parts:
            self._state = states.get(DROP_FOLDER) or self._state
            self._ours = True

    async def leave(self, parts: bus.Parts, seconds: float) -> None:
        """Let go of the folder, if its part is among these."""
        if self._part in parts:
            self._ours = False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._looking.acquire(), timeout=max(seconds, 0.01))
                self._looking.release()

    async def run(self, stop: asyncio.Event) -> None:
        """Look, publish, wait, until `stop` is set."""
        if not self._drop.folder.is_dir():
            log.warning("drop_folder_missing", folder=str(self._drop.folder))
        while not stop.is_set():
            if self._ours:
                async with self._looking:
                    await self._look_or_lose()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=LOOK_SECONDS)

    async def _look_or_lose(self) -> None:
        published = False
        try:
            await self.look()
            published = True
        except LostError:
            self._ours = False
            self._lost(self._feed.url)
        finally:
            self._poller.claims.end(DROP_FOLDER, published=published)

    async def look(self) -> None:
        """Look once, and publish what is complete and new."""
        found = self._new(await asyncio.to_thread(self._drop.scan))
        for first in range(0, len(found), TOGETHER):
            if not self._ours or self._poller.stopping(DROP_FOLDER):
                break
            await self._take(found[first : first + TOGETHER])

    def _new(self, files: list[tuple[Path, Stamp]]) -> list[tuple[Candidate, Stamp]]:
        """Complete files in, those that are new or changed out."""
        # files from before this moment were forgotten for want of room, not for being new
        forgotten_until = int(self._state.last_modified or 0)
        found = []
        for path, stamp in files:
            url = local.url_of(path, self._directory)
            key = content_id(url, size=16)
            told = f"{stamp[0]:x}-{stamp[1]:x}"
            previous = self._state.seen.get(key)
            if previous is None and stamp[0] <= forgotten_until:
                continue
            if previous is None or previous.entry_hash != told:
                published = previous if previous is not None and previous.content_hash else None
                found.append(
                    (Candidate(key, Entry(id=url, url=url), url, urls.article_id(url), told, published), stamp)
                )
        return found

    async def _take(self, found: list[tuple[Candidate, Stamp]]) -> None:
        remembered = dict(self._state.seen)
        made: list[Made] = []
        for candidate, _ in found:
            known = {entry.content_hash for entry in remembered.values() if entry.content_hash}
            one = await self._poller.make(self._feed, Parsed(title="Drop folder"), candidate, known)
            if one.remember is not None:
                remembered[candidate.key] = one.remember
            made.append(one)
        kept = seen.pruned(remembered, (), self._keep)
        now = self._poller.clock.now()
        state = msgspec.structs.replace(
            self._state,
            url=self._feed.url,
            title=self._feed.title,
            seen=kept,
            checked_at=now,
            succeeded_at=now,
            entries=len(kept),
            last_modified=self._forgotten(remembered, kept),
        )
        articles = [one.article for one in made if one.article is not None]
        failures = [one.outcome.failure for one in made if one.outcome.failure is not None]
        await self._poller.outlet.put(Batch(state, articles, failures))
        self._state = state
        if articles:
            log.info("polled", feed=self._feed.id, outcome="ok", published=len(articles))

    def _forgotten(self, remembered: dict[str, SeenEntry], kept: dict[str, SeenEntry]) -> str | None:
        """The newest modification time (nanoseconds) among the files that are no longer remembered."""
        gone = [int(remembered[key].entry_hash.partition("-")[0], 16) for key in remembered.keys() - kept.keys()]
        before = int(self._state.last_modified or 0)
        newest = max([before, *gone])
        return str(newest) if newest else None
