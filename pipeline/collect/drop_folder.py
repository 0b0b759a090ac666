"""The drop folder as a feed: each new file an article, each changed file a new version of it, the same content once.

A file that is a feed itself gives its entries in the place of an article.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import structlog

from pipeline import bus
from pipeline.collect import feed as feed_
from pipeline.collect import files, seen
from pipeline.collect.feed import Entry, FeedError, Parsed
from pipeline.collect.feeds import DROP_FOLDER
from pipeline.collect.fetch import FetchError
from pipeline.collect.poll import TOGETHER, Made, Poller
from pipeline.collect.seen import Candidate
from pipeline.collect.writer import Batch, LostError
from pipeline.page import urls
from pipeline.records import Feed, FeedState, SeenEntry, content_id
from pipeline.settings import Settings

log = structlog.get_logger("collector")

LOOK_SECONDS: Final = 1.0
"""Between two looks at the folder; a file that has not changed between them is complete."""

Stamp = tuple[int, int]


_NO_FEED: Final = Parsed(title="Drop folder")


@dataclass(frozen=True, slots=True)
class _Found:
    """An article to be made; or the end of a feed's file (no candidate), which is done with when all its entries are."""

    key: str
    told: str
    candidate: Candidate | None
    parsed: Parsed = _NO_FEED
    entries: tuple[str, ...] = ()


class Dropped:
    """Watches the drop folder and publishes what lies in it."""

    def __init__(
        self, settings: Settings, poller: Poller, part: Callable[[str], int], lost: Callable[[str], None]
    ) -> None:
        folder = settings.path(settings.collector.drop_folder)
        self._directory = settings.path("")
        self._drop = files.Drop(folder)
        self._poller = poller
        self._keep = seen.MOST
        self._feed = Feed(id=DROP_FOLDER, url=files.url_of(folder, self._directory), title="Drop folder")
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
        found = await asyncio.to_thread(lambda: self._new(self._drop.scan()))
        for first in range(0, len(found), TOGETHER):
            if not self._ours or self._poller.stopping(DROP_FOLDER):
                break
            await self._take(found[first : first + TOGETHER])

    def _new(self, complete: list[tuple[Path, Stamp]]) -> list[_Found]:
        """Complete files in, what is new or changed in them out."""
        # files from before this moment were forgotten for want of room, not for being new
        forgotten_until = int(self._state.last_modified or 0)
        found: list[_Found] = []
        for path, stamp in complete:
            url = files.url_of(path, self._directory)
            key = content_id(url, size=16)
            told = f"{stamp[0]:x}-{stamp[1]:x}"
            previous = self._state.seen.get(key)
            if previous is None and stamp[0] <= forgotten_until:
                continue
            if previous is not None and previous.entry_hash == told:
                continue
            if path.suffix.lower() in files.FEEDS:
                found += self._entries(path, url, _Found(key, told, None))
            else:
                candidate = self._candidate(key, Entry(id=url, url=url), url, urls.article_id(url), told)
                found.append(_Found(key, told, candidate))
        return found

    def _candidate(self, key: str, entry: Entry, url: str, article_id: str, told: str) -> Candidate:
        previous = self._state.seen.get(key)
        published = previous if previous is not None and previous.content_hash else None
        return Candidate(key, entry, url, article_id, told, published)

    def _entries(self, path: Path, file_url: str, end: _Found) -> list[_Found]:
        """A feed's file in, its entries that are new or changed out, and its end."""
        limit = self._poller.settings.collector.feed_bytes
        try:
            parsed = feed_.parse(files.read(path, limit).body)
            parsed = files.with_file_links(parsed, path, self._directory)
        except (FeedError, FetchError) as error:
            log.warning("dropped_file_unreadable", file=str(path), error=str(error))
            return [end]
        found: list[_Found] = []
        for entry in parsed.entries:
            key = content_id(file_url, entry.id, size=16)
            known = self._state.seen.get(key)
            if known is not None and known.entry_hash == end.told:
                continue
            url = entry.url if entry.url.startswith("file:") else urls.canonical(entry.url) or ""
            article_id = urls.article_id(url) if url else content_id(file_url, entry.id)
            candidate = self._candidate(key, entry, url, article_id, end.told)
            found.append(_Found(key, end.told, candidate, parsed))
        return [*found, replace(end, entries=tuple(one.key for one in found))]

    async def _take(self, found: list[_Found]) -> None:
        remembered = dict(self._state.seen)
        made: list[Made] = []
        for item in found:
            if item.candidate is None:
                done = all(key in remembered and remembered[key].entry_hash == item.told for key in item.entries)
                if done:
                    now = self._poller.clock.now()
                    end = SeenEntry(article_id=item.key, first_seen_at=now, content_hash="", entry_hash=item.told)
                    remembered[item.key] = end
                continue
            known = {entry.content_hash for entry in remembered.values() if entry.content_hash}
            one = await self._poller.make(self._feed, item.parsed, item.candidate, known)
            if one.remember is not None:
                remembered[item.key] = one.remember
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
        await self._poller.sink.put(Batch(state, articles, failures))
        self._state = state
        if articles:
            log.info("polled", feed=self._feed.id, outcome="ok", published=len(articles))

    def _forgotten(self, remembered: dict[str, SeenEntry], kept: dict[str, SeenEntry]) -> str | None:
        """The newest modification time (nanoseconds) among the files that are no longer remembered."""
        gone = [int(remembered[key].entry_hash.partition("-")[0], 16) for key in remembered.keys() - kept.keys()]
        before = int(self._state.last_modified or 0)
        newest = max([before, *gone])
        return str(newest) if newest else None
