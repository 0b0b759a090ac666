"""Articles of the past into the same topic: from sitemaps, a WARC file or JSON lines (`dateline collect`).

Each batch of articles stands in one transaction with a page of the backfill's journal: a state like a feed's, under an id of
its own, on the topic of feeds. So a run that was stopped goes on where it was, what a collector has published is not published
again, and the other way round. `first_seen_at` is now: what is only now met must not ring as if it had just happened.
"""

from __future__ import annotations

import asyncio
import random
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
from pipeline.collect.entry import Parsed
from pipeline.collect.fetch import Clock, Fetcher, FetchError, FetchResult
from pipeline.collect.http_client import HttpClient
from pipeline.collect.poll import Made, Poller, Sink
from pipeline.collect.seen import Candidate
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.writer import ArticleWriter, Batch
from pipeline.page import extract, urls
from pipeline.records import Feed, FeedState, SeenEntry, content_id
from pipeline.settings import Settings

log = structlog.get_logger("backfill")

PREFIX: Final = "backfill-"
"""What the ids of journals begin with; no feed of feeds.toml has a dot followed by six digits."""

TOGETHER: Final = 50
"""Articles in one transaction."""

REMEMBERED: Final = 1000
"""Items in one page of the journal, whether or not they led to an article: about 150 kB."""

FLUSH_SECONDS: Final = 5.0
"""What is ready does not wait longer than this."""

START_SECONDS: Final = 10.0
"""How long to wait for Kafka: a person is waiting too."""

_NO_AGE_LIMIT: Final = 36_500
"""Days. The past is what a backfill is about."""


@dataclass(slots=True)
class Progress:
    """How far a backfill is: the place in its source, and what became of its items."""

    at: int = 0
    total: int = 0
    published: int = 0
    known: int = 0
    rejected: int = 0
    failed: int = 0
    later: int = 0


class Stored:
    """A web that holds what the source holds: the pages of a file, asked for once each."""

    def __init__(self) -> None:
        self.answers: dict[str, FetchResult] = {}

    async def get(
        self, url: str, *, limit: int, etag: str | None = None, last_modified: str | None = None, robots: bool = False
    ) -> FetchResult:
        """The stored answer.

        Raises:
            FetchError: the source does not hold it.
        """
        del etag, last_modified, robots
        answer = self.answers.pop(url, None)
        if answer is None:
            raise FetchError("not_found", "the source does not hold this page")
        if len(answer.body) > limit:
            raise FetchError("oversized", f"larger than {limit:,} bytes")
        return answer


def journal_id(kind: str, source: str) -> str:
    """What a backfill reads in, the id of its journal out; the pages of the journal have a number behind it."""
    return f"{PREFIX}{content_id(kind, source, size=12)}"


def journal_of(states: Mapping[str, FeedState], identity: str) -> dict[str, SeenEntry]:
    """The states of all feeds and a journal's id in, the items that were dealt with out."""
    pages = sorted((state for name, state in states.items() if name.startswith(f"{identity}.")), key=lambda s: s.id)
    return {key: entry for page in pages for key, entry in page.seen.items()}


@dataclass(slots=True)
class Backfill:
    """One run. `web` is the real one for sitemaps, `Stored` for files; `states` are those of all feeds at the start."""

    settings: Settings
    web: Fetcher
    sink: Sink
    states: Mapping[str, FeedState]
    clock: Clock
    source: str
    identity: str
    since: datetime | None = None
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None
    told: Progress = field(default_factory=Progress)
    _seen: dict[str, SeenEntry] = field(default_factory=dict)
    _versions: dict[str, SeenEntry] = field(default_factory=dict)
    _ready: list[tuple[Item, Made]] = field(default_factory=list)
    _page: int = 0

    async def run(self, items: AsyncIterator[Item]) -> Progress:
        """All items in, what became of them out; when told to stop, what is ready is published first.

        Raises:
            BackfillError: the source cannot be read further; what came before is published.
            LostError: another run of the same backfill has taken over.
        """
        self._seen = journal_of(self.states, self.identity)
        self._versions = {entry.article_id: entry for entry in self._seen.values() if entry.content_hash}
        self._page = 1 + max(
            (int(name.rpartition(".")[2]) for name in self.states if name.startswith(f"{self.identity}.")), default=0
        )
        poller = self._poller()
        try:
            await self._go(poller, items)
        finally:
            await self._flush()
            self.progress(self.told)
        return self.told

    def _poller(self) -> Poller:
        options = msgspec.structs.replace(self.settings.collector, max_entry_age_days=_NO_AGE_LIMIT, fetch_pages=True)
        settings = msgspec.structs.replace(self.settings, collector=options)
        claims = SeenUrls(self.states.values())
        chance = random.Random(0)  # noqa: S311 - nothing here is left to chance
        return Poller(settings, self.web, self.sink, claims, self.clock, chance)

    async def _go(self, poller: Poller, items: AsyncIterator[Item]) -> None:
        # pages of a file are at hand, so one after the other keeps their order; those of the web wait for each other
        window = 1 if isinstance(self.web, Stored) else max(1, self.settings.collector.connections // 2)
        under_way: deque[tuple[Item, asyncio.Task[Made]]] = deque()
        flushed = time.monotonic()
        try:
            async for item in items:
                if self.stopping():
                    break
                self.told.at, self.told.total = item.at, item.total
                if item.key in self._seen:
                    self.told.known += 1
                    continue
                under_way.append((item, asyncio.create_task(self._make(poller, item))))
                while len(under_way) >= window or (under_way and under_way[0][1].done()):
                    await self._settle(under_way)
                if len(self._ready) >= TOGETHER or time.monotonic() - flushed > FLUSH_SECONDS:
                    await self._flush()
                    self.progress(self.told)
                    flushed = time.monotonic()
            while under_way:
                await self._settle(under_way)
        finally:
            for _, task in under_way:
                task.cancel()

    async def _settle(self, under_way: deque[tuple[Item, asyncio.Task[Made]]]) -> None:
        item, task = under_way.popleft()
        made = await task
        if made.again:
            self.told.later += 1
            return
        if made.remember is not None:
            self._seen[item.key] = made.remember
            if made.remember.content_hash:
                self._versions[made.remember.article_id] = made.remember
        self._ready.append((item, made))

    async def _make(self, poller: Poller, item: Item) -> Made:
        """One item in, what became of it out; one that is older than `since` by its own page is only remembered."""
        now = self.clock.now()
        entry = item.entry
        url = urls.canonical(entry.url) or entry.url
        article_id = urls.article_id(url)
        if item.problem:
            log.warning("item_unreadable", source=self.source, error=item.problem)
            self.told.failed += 1
            return Made(remember=SeenEntry(article_id=article_id, first_seen_at=now, content_hash=""))
        if isinstance(self.web, Stored) and item.answer is not None:
            self.web.answers[url] = item.answer
        previous = self._versions.get(article_id)
        feed = Feed(id=self.identity, url=self.source)
        candidate = Candidate(item.key, entry, url, article_id, "", previous)
        made = await poller.make(feed, Parsed(), candidate)
        if made.article is not None and self.since is not None:
            written_at = extract.published_on(made.article) or made.article.published_at
            if written_at is not None and written_at < self.since:
                return Made(remember=SeenEntry(article_id=made.article.id, first_seen_at=now, content_hash=""))
        return made

    async def _flush(self) -> None:
        """Publish what is ready, and write down that it was."""
        ready, self._ready = self._ready, []
        for first in range(0, len(ready), REMEMBERED):
            part = ready[first : first + REMEMBERED]
            seen = {item.key: made.remember for item, made in part if made.remember is not None}
            articles = [made.article for _, made in part if made.article is not None]
            failures = [made.outcome.failure for _, made in part if made.outcome.failure is not None]
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
            await self.sink.put(Batch(state, articles, failures))
            self._page += 1
            self.told.published += len(articles)
            self.told.rejected += len(part) - len(articles)


async def in_turn(items: Iterable[Item]) -> AsyncIterator[Item]:
    """The items of a file, read on a thread so that the loop goes on turning.

    Raises:
        BackfillError: the file cannot be read further; the items before are given out first.
    """
    iterator = iter(items)
    error: BackfillError | None = None
    while error is None:
        together, error = await asyncio.to_thread(_some, iterator)
        for item in together:
            yield item
        if error is not None:
            raise error
        if not together:
            return


def _some(iterator: Iterator[Item], most: int = 20) -> tuple[list[Item], BackfillError | None]:
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
    progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """A sitemap's address or a file in; its articles onto the topic, what became of them out.

    Raises:
        BackfillError: the source cannot be read.
        BusError: Kafka is not there, or its topics are not.
        LostError: the same backfill was started once more.
    """
    name = _name(source)
    identity = journal_id(kind, name)

    def read_states() -> dict[bytes, bytes]:
        return sharding.latest(bus.read_all(settings, bus.FEEDS))

    await asyncio.to_thread(bus.wait_for_topics, settings, seconds=START_SECONDS)
    sink = ArticleWriter(lambda: bus.Publisher(settings, f"dateline-{identity}"), read_states)
    web = HttpClient(settings.collector, clock) if kind == "sitemap" else None
    try:
        # the publisher first: it ends the transaction of a run that was killed, so that what is read after is final
        await asyncio.to_thread(sink.open)
        raw = await asyncio.to_thread(read_states)
        sink.remember(raw)
        run = Backfill(
            settings=settings,
            web=web or Stored(),
            sink=sink,
            states=sharding.decoded(raw),
            clock=clock,
            source=name,
            identity=identity,
            since=since,
            stopping=stopping,
            progress=progress,
        )
        return await run.run(_items(settings, source, kind, web, since))
    finally:
        if web is not None:
            await web.close()
        await asyncio.to_thread(sink.close)


def _name(source: str | Path) -> str:
    return source if isinstance(source, str) else source.absolute().as_uri()


def _items(
    settings: Settings, source: str | Path, kind: str, web: Fetcher | None, since: datetime | None
) -> AsyncIterator[Item]:
    if web is not None:
        return archive.site(web, str(source), since=since, limit=safe_xml.UNPACKED_BYTES)
    file = Path(source)
    return in_turn(archive.warc(file, limit=settings.collector.page_bytes) if kind == "warc" else archive.jsonl(file))
