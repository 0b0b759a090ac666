"""The drop folder: a new file becomes an article, a changed file a new version of it, and equal content is published once.

The entries of a file that is itself a feed become articles instead of the file.
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
from pipeline.collect import files, prose, seen
from pipeline.collect.entry import FeedEntry, FeedError, ParsedFeed
from pipeline.collect.entry_processor import EntryResult
from pipeline.collect.feed import parse_feed
from pipeline.collect.feeds import DROP_FOLDER
from pipeline.collect.fetch import FetchError
from pipeline.collect.poll import Poller
from pipeline.collect.poll_batches import BATCH_ARTICLES
from pipeline.collect.seen import EntryCandidate
from pipeline.collect.writer import Batch, LostError
from pipeline.page import urls
from pipeline.records import Feed, FeedState, SeenEntry, content_id
from pipeline.settings import Settings

log = structlog.get_logger("collector")

SCAN_SECONDS: Final = 1.0
"""The time between two scans of the folder. A file that has not changed between them is complete."""

Stamp = tuple[int, int]
"""A file's modification time in nanoseconds, and its size in bytes."""

_NO_FEED: Final = ParsedFeed(title="Drop folder")


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry to process; or, without a candidate, the end of a feed's file, which is done when all its entries are done."""

    key: str
    stamp: str
    candidate: EntryCandidate | None
    parsed: ParsedFeed = _NO_FEED
    entries: tuple[str, ...] = ()


class DropFolder:
    """Watches the drop folder and publishes the files in it, while this collector owns the folder's partition."""

    def __init__(
        self,
        settings: Settings,
        poller: Poller,
        partition_of: Callable[[str], int],
        report_lost: Callable[[str], None],
    ) -> None:
        folder = settings.path(settings.collector.drop_folder)
        self._directory = settings.path("")
        self._scanner = files.FolderScanner(folder)
        self._poller = poller
        self._keep = seen.MOST
        self._feed = Feed(id=DROP_FOLDER, url=files.url_of(folder, self._directory), title="Drop folder")
        self._state = FeedState(id=DROP_FOLDER, url=self._feed.url, title=self._feed.title)
        self._partition = partition_of(self._feed.url)
        self._report_lost = report_lost
        self._owned = False
        self._scanning = asyncio.Lock()

    def assign(self, partitions: bus.Partitions, states: Mapping[str, FeedState]) -> None:
        """Start to scan the folder, if its partition is among these."""
        if self._partition in partitions:
            self._state = states.get(DROP_FOLDER) or self._state
            self._owned = True

    async def revoke(self, partitions: bus.Partitions, seconds: float) -> None:
        """Stop scanning the folder, if its partition is among these; a running scan has so many seconds to end."""
        if self._partition in partitions:
            self._owned = False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._scanning.acquire(), timeout=max(seconds, 0.01))
                self._scanning.release()

    async def run(self, stop: asyncio.Event) -> None:
        """Scan the folder again and again, until `stop` is set."""
        if not self._scanner.folder.is_dir():
            log.warning("drop_folder_missing", folder=str(self._scanner.folder))
        while not stop.is_set():
            if self._owned:
                async with self._scanning:
                    await self._scan_or_lose()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=SCAN_SECONDS)

    async def _scan_or_lose(self) -> None:
        published = False
        try:
            await self.scan()
            published = True
        except LostError:
            self._owned = False
            self._report_lost(self._feed.url)
        finally:
            self._poller.seen_urls.end_poll(DROP_FOLDER, published=published)

    async def scan(self) -> None:
        """Scan the folder once, and publish the files that are complete and new."""
        found = await asyncio.to_thread(lambda: self._new(self._scanner.scan()))
        for first in range(0, len(found), BATCH_ARTICLES):
            if not self._owned or self._poller.stopping(DROP_FOLDER):
                break
            await self._publish(found[first : first + BATCH_ARTICLES])

    def _new(self, complete: list[tuple[Path, Stamp]]) -> list[_Item]:
        """Complete files in, the new and changed entries out."""
        # a file from before this moment that is not remembered is not new: its entry was dropped when the state was full
        forgotten_until = int(self._state.last_modified or 0)
        found: list[_Item] = []
        for path, stamp in complete:
            url = files.url_of(path, self._directory)
            key = content_id(url, size=16)
            written_stamp = f"{stamp[0]:x}-{stamp[1]:x}"
            previous = self._state.seen.get(key)
            if previous is None and stamp[0] <= forgotten_until:
                continue
            if previous is not None and previous.entry_hash == written_stamp:
                continue
            if path.suffix.lower() in files.FEEDS:
                found += self._entries(path, url, _Item(key, written_stamp, None))
            else:
                candidate = self._candidate(key, FeedEntry(id=url, url=url), url, urls.article_id(url), written_stamp)
                found.append(_Item(key, written_stamp, candidate))
        return found

    def _candidate(self, key: str, entry: FeedEntry, url: str, article_id: str, stamp: str) -> EntryCandidate:
        previous = self._state.seen.get(key)
        published = previous if previous is not None and previous.content_hash else None
        return EntryCandidate(key, entry, url, article_id, stamp, published)

    def _entries(self, path: Path, file_url: str, end: _Item) -> list[_Item]:
        """A feed's file in, its new and changed entries and the item of its end out."""
        limit = self._poller.settings.collector.feed_bytes
        try:
            parsed = parse_feed(files.read(path, limit).body)
            parsed = files.with_file_links(parsed, path, self._directory)
        except (FeedError, FetchError) as error:
            log.warning("dropped_file_unreadable", file=str(path), error=str(error))
            return [end]
        found: list[_Item] = []
        for entry in parsed.entries:
            key = content_id(file_url, entry.id, size=16)
            known = self._state.seen.get(key)
            if known is not None and known.entry_hash == end.stamp:
                continue
            url = entry.url if entry.url.startswith("file:") else urls.absolute(entry.url) or ""
            article_id = urls.article_id(url) if url else content_id(file_url, entry.id)
            candidate = self._candidate(key, entry, url, article_id, end.stamp)
            found.append(_Item(key, end.stamp, candidate, parsed))
        return [*found, replace(end, entries=tuple(one.key for one in found))]

    async def _publish(self, found: list[_Item]) -> None:
        """Process the items, and publish the articles with the state that remembers them."""
        remembered = dict(self._state.seen)
        results: list[EntryResult] = []
        for item in found:
            if item.candidate is None:
                done = all(key in remembered and remembered[key].entry_hash == item.stamp for key in item.entries)
                if done:
                    now = self._poller.clock.now()
                    end = SeenEntry(article_id=item.key, first_seen_at=now, content_hash="", entry_hash=item.stamp)
                    remembered[item.key] = end
                continue
            known = prose.Known(remembered)
            result = await self._poller.entry_processor.process(self._feed, item.parsed, item.candidate, known)
            if result.seen_entry is not None:
                remembered[item.key] = result.seen_entry
            results.append(result)
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
        articles = [result.article for result in results if result.article is not None]
        failures = [result.outcome.failure for result in results if result.outcome.failure is not None]
        await self._poller.sink.put(Batch(state, articles, failures))
        self._state = state
        if articles:
            log.info("polled", feed=self._feed.id, outcome="ok", published=len(articles))

    def _forgotten(self, remembered: dict[str, SeenEntry], kept: dict[str, SeenEntry]) -> str | None:
        """Return the newest modification time (nanoseconds) of the files that are no longer remembered."""
        gone = [int(remembered[key].entry_hash.partition("-")[0], 16) for key in remembered.keys() - kept.keys()]
        before = int(self._state.last_modified or 0)
        newest = max([before, *gone])
        return str(newest) if newest else None
