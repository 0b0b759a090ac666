"""Articles of the past from sitemaps, a WARC file or JSON lines, published to the topic of backfills (`dateline collect`).

Each batch of articles is in one transaction with a page of the backfill's journal: a state like a feed's, with an id of its
own, on the topic of feeds. So a run that was stopped goes on where it was, and a backfill and the collectors never publish an
article twice. Workers read that topic while no new article waits. `first_seen_at` is the time of the backfill.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec
import structlog

from pipeline import bus
from pipeline.collect import archive, safe_xml, sharding
from pipeline.collect.archive import BackfillError, Item
from pipeline.collect.entry import ParsedFeed
from pipeline.collect.entry_processor import EntryProcessor, EntryResult
from pipeline.collect.fetch import Clock, Fetcher, FetchError, FetchResult
from pipeline.collect.http_client import HttpClient
from pipeline.collect.poll_batches import Sink
from pipeline.collect.seen import EntryCandidate
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.writer import ArticleWriter, Batch
from pipeline.page import extract, urls
from pipeline.records import Feed, FeedState, SeenEntry, content_id
from pipeline.settings import Settings

log = structlog.get_logger("backfill")

PREFIX: Final = "backfill-"
"""The start of a journal's id. Its pages have a dot and six digits at the end, so they differ from the ids of feeds."""

BATCH_ARTICLES: Final = 50
"""Articles in one transaction."""

PAGE_ITEMS: Final = 1000
"""Items in one page of the journal, published or not: about 150 kB."""

FLUSH_SECONDS: Final = 5.0
"""An article that is ready waits no longer than this."""

START_SECONDS: Final = 10.0
"""How long to wait for Kafka. It is short because a person waits for the command."""

_NO_AGE_LIMIT: Final = 36_500
"""Days: a backfill has no limit of age."""


@dataclass(slots=True)
class BackfillProgress:
    """How far a backfill is: its place in the source (`at` of `total`), and how many items had each outcome."""

    at: int = 0
    total: int = 0
    published: int = 0
    known: int = 0
    rejected: int = 0
    failed: int = 0
    later: int = 0


class StoredPages:
    """A `Fetcher` of the pages that a file holds. Each can be fetched once."""

    def __init__(self) -> None:
        self.answers: dict[str, FetchResult] = {}

    async def get(
        self, url: str, *, limit: int, etag: str | None = None, last_modified: str | None = None, robots: bool = False
    ) -> FetchResult:
        """Return the stored answer.

        Raises:
            FetchError: the source does not hold the page, or the page is longer than `limit`.
        """
        del etag, last_modified, robots
        answer = self.answers.pop(url, None)
        if answer is None:
            raise FetchError("not_found", "the source does not hold this page")
        if len(answer.body) > limit:
            raise FetchError("oversized", f"larger than {limit:,} bytes")
        return answer


def journal_id(kind: str, source: str) -> str:
    """The kind and the source of a backfill in, the id of its journal out. Its pages have a number after it."""
    return f"{PREFIX}{content_id(kind, source, size=12)}"


def journal_of(states: Mapping[str, FeedState], identity: str) -> dict[str, SeenEntry]:
    """The states of all feeds and a journal's id in, the items that are done out."""
    pages = sorted((state for name, state in states.items() if name.startswith(f"{identity}.")), key=lambda s: s.id)
    return {key: entry for page in pages for key, entry in page.seen.items()}


@dataclass(slots=True)
class Backfill:
    """One run. `web` is an HTTP client for sitemaps, `StoredPages` for files; `states` are those of all feeds at the start."""

    settings: Settings
    web: Fetcher
    sink: Sink
    states: Mapping[str, FeedState]
    clock: Clock
    source: str
    identity: str
    since: datetime | None = None
    stopping: Callable[[], bool] = lambda: False
    report: Callable[[BackfillProgress], None] = lambda _: None
    progress: BackfillProgress = field(default_factory=BackfillProgress)
    _seen: dict[str, SeenEntry] = field(default_factory=dict)
    _versions: dict[str, SeenEntry] = field(default_factory=dict)
    _ready: list[tuple[Item, EntryResult]] = field(default_factory=list)
    _page: int = 0

    async def run(self, items: AsyncIterator[Item]) -> BackfillProgress:
        """All items in, the final progress out. When it is told to stop, what is ready is published first.

        Raises:
            BackfillError: the source cannot be read further. The items before are published.
            LostError: another run of the same backfill has taken over.
        """
        self._seen = journal_of(self.states, self.identity)
        self._versions = {entry.article_id: entry for entry in self._seen.values() if entry.content_hash}
        self._page = 1 + max(
            (int(name.rpartition(".")[2]) for name in self.states if name.startswith(f"{self.identity}.")), default=0
        )
        processor = self._processor()
        try:
            await self._process_all(processor, items)
        finally:
            await self._flush()
            self.report(self.progress)
        return self.progress

    def _processor(self) -> EntryProcessor:
        options = msgspec.structs.replace(self.settings.collector, max_entry_age_days=_NO_AGE_LIMIT, fetch_pages=True)
        settings = msgspec.structs.replace(self.settings, collector=options)
        return EntryProcessor(settings, self.web, SeenUrls(self.states.values()), self.clock)

    async def _process_all(self, processor: EntryProcessor, items: AsyncIterator[Item]) -> None:
        # pages of a file need no waiting, so one at a time keeps their order; pages of the web are fetched in parallel
        at_once = 1 if isinstance(self.web, StoredPages) else max(1, self.settings.collector.connections // 2)
        running: deque[tuple[Item, asyncio.Task[EntryResult]]] = deque()
        flushed = time.monotonic()
        try:
            async for item in items:
                if self.stopping():
                    break
                self.progress.at, self.progress.total = item.at, item.total
                if item.key in self._seen:
                    self.progress.known += 1
                    continue
                running.append((item, asyncio.create_task(self._process(processor, item))))
                while len(running) >= at_once or (running and running[0][1].done()):
                    await self._collect_result(running)
                if len(self._ready) >= BATCH_ARTICLES or time.monotonic() - flushed > FLUSH_SECONDS:
                    await self._flush()
                    self.report(self.progress)
                    flushed = time.monotonic()
            while running:
                await self._collect_result(running)
        finally:
            for _, task in running:
                task.cancel()

    async def _collect_result(self, running: deque[tuple[Item, asyncio.Task[EntryResult]]]) -> None:
        """Wait for the oldest running item, and remember its result."""
        item, task = running.popleft()
        result = await task
        if result.retry:
            self.progress.later += 1
            return
        if result.seen_entry is not None:
            self._seen[item.key] = result.seen_entry
            if result.seen_entry.content_hash:
                for article_id in (result.seen_entry.article_id, urls.article_id(_url(item))):
                    self._versions[article_id] = result.seen_entry
        self._ready.append((item, result))

    async def _process(self, processor: EntryProcessor, item: Item) -> EntryResult:
        """One item in, what became of it out. An item whose page says that it is older than `since` is only remembered."""
        now = self.clock.now()
        entry = item.entry
        url = _url(item)
        article_id = urls.article_id(url)
        if item.problem:
            log.warning("item_unreadable", source=self.source, error=item.problem)
            self.progress.failed += 1
            return EntryResult(seen_entry=SeenEntry(article_id=article_id, first_seen_at=now, content_hash=""))
        if isinstance(self.web, StoredPages) and item.answer is not None:
            self.web.answers[url] = item.answer
        previous = self._versions.get(article_id)
        feed = Feed(id=self.identity, url=self.source)
        candidate = EntryCandidate(item.key, entry, url, article_id, "", previous)
        result = await processor.process(feed, ParsedFeed(), candidate)
        if result.article is not None and self.since is not None:
            published_at = extract.published_on(result.article) or result.article.published_at
            if published_at is not None and published_at < self.since:
                seen_entry = SeenEntry(article_id=result.article.id, first_seen_at=now, content_hash="")
                return EntryResult(seen_entry=seen_entry)
        return result

    async def _flush(self) -> None:
        """Publish what is ready, with the pages of the journal that remember it."""
        ready, self._ready = self._ready, []
        for first in range(0, len(ready), PAGE_ITEMS):
            page = ready[first : first + PAGE_ITEMS]
            seen = {item.key: result.seen_entry for item, result in page if result.seen_entry is not None}
            articles = [result.article for _, result in page if result.article is not None]
            failures = [result.outcome.failure for _, result in page if result.outcome.failure is not None]
            now = self.clock.now()
            state = FeedState(
                id=f"{self.identity}.{self._page:06d}",
                url=self.source,
                title=f"Backfill of {self.source}",
                checked_at=now,
                succeeded_at=now,
                seen=seen,
                entries=len(seen),
                retired=True,
            )
            await self.sink.put(Batch(state, articles, failures, bus.BACKFILL))
            self._page += 1
            self.progress.published += len(articles)
            self.progress.rejected += len(page) - len(articles)


def _url(item: Item) -> str:
    """An item in, its URL as the source has it out."""
    return urls.absolute(item.entry.url) or item.entry.url


async def read_on_thread(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield the items of a file. They are read on a thread, so that the event loop is not blocked.

    Raises:
        BackfillError: the file cannot be read further. The items before are yielded first.
    """
    iterator = iter(items)
    error: BackfillError | None = None
    while error is None:
        chunk, error = await asyncio.to_thread(_next_items, iterator)
        for item in chunk:
            yield item
        if error is not None:
            raise error
        if not chunk:
            return


def _next_items(iterator: Iterator[Item], most: int = 20) -> tuple[list[Item], BackfillError | None]:
    """Return the next items, at most `most`, and the error that ended them."""
    found: list[Item] = []
    try:
        for item in iterator:
            found.append(item)
            if len(found) == most:
                break
    except BackfillError as error:
        return found, error
    return found, None


async def fill(
    settings: Settings,
    source: str | Path,
    kind: Literal["sitemap", "warc", "jsonl"],
    *,
    clock: Clock,
    since: datetime | None = None,
    stopping: Callable[[], bool] = lambda: False,
    report: Callable[[BackfillProgress], None] = lambda _: None,
) -> BackfillProgress:
    """A sitemap's URL or a file in, its articles published, the final progress out. `report` gets the progress meanwhile.

    Raises:
        BackfillError: the source cannot be read.
        BusError: Kafka cannot be reached, or topics are missing.
        LostError: the same backfill was started again.
    """
    name = _name(source)
    identity = journal_id(kind, name)

    def read_states() -> dict[bytes, bytes]:
        return sharding.newest_values(bus.read_all(settings, bus.FEEDS))

    await asyncio.to_thread(bus.wait_for_topics, settings, threading.Event(), seconds=START_SECONDS)
    writer = ArticleWriter(lambda: bus.Publisher(settings, f"dateline-{identity}"), read_states)
    web = HttpClient(settings.collector, clock) if kind == "sitemap" else None
    try:
        # the writer first: it aborts the open transaction of a run that was killed, so that the states read after it are final
        await asyncio.to_thread(writer.open)
        raw = await asyncio.to_thread(read_states)
        writer.set_states(raw)
        run = Backfill(
            settings=settings,
            web=web or StoredPages(),
            sink=writer,
            states=sharding.decode_states(raw),
            clock=clock,
            source=name,
            identity=identity,
            since=since,
            stopping=stopping,
            report=report,
        )
        return await run.run(_items(settings, source, kind, web, since))
    finally:
        if web is not None:
            await web.close()
        await asyncio.to_thread(writer.close)


def _name(source: str | Path) -> str:
    return source if isinstance(source, str) else source.absolute().as_uri()


def _items(
    settings: Settings, source: str | Path, kind: str, web: Fetcher | None, since: datetime | None
) -> AsyncIterator[Item]:
    if web is not None:
        return archive.read_sitemaps(web, str(source), since=since, limit=safe_xml.UNPACKED_BYTES)
    file = Path(source)
    items = archive.read_warc(file, limit=settings.collector.page_bytes) if kind == "warc" else archive.read_jsonl(file)
    return read_on_thread(items)
