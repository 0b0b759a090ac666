"""The entries of one poll in, batches for the topics out: pages are fetched a few at a time, in the order of the entries."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol

import msgspec

from pipeline import metrics
from pipeline.collect import prose
from pipeline.collect.entry import ParsedFeed
from pipeline.collect.entry_processor import EntryProcessor, EntryResult, Fetched
from pipeline.collect.seen import EntryCandidate
from pipeline.collect.writer import Batch
from pipeline.records import Feed, FeedState, SeenEntry

BATCH_ARTICLES: Final = 50
"""Articles that are published together. A crash between two batches makes us fetch at most so many pages again."""

FLUSH_SECONDS: Final = 1.0
"""An article that is ready waits no longer than this for the rest of its feed."""

PAGES_BESIDE: Final = 2
"""Pages of further entries that are waited for where a page may be a wall: one may be an article, or fail."""

PAGES_AT_ONCE: Final = 8
"""Pages of one feed that are fetched at the same time; the limits of each host and of all connections count besides."""


class Sink(Protocol):
    """Where batches go."""

    async def put(self, batch: Batch) -> None:
        """Store a batch, and return when it is safe."""


@dataclass(slots=True)
class PollBatches:
    """The new and changed entries of one poll. `unfinished` is set when some of them have to be tried again."""

    processor: EntryProcessor
    sink: Sink
    stopping: Callable[[str], bool]
    feed: Feed
    parsed: ParsedFeed
    state: FeedState
    seen: dict[str, SeenEntry] = field(default_factory=dict)
    unfinished: bool = False
    retry_after_seconds: float = 0.0
    published: int = 0
    _known: prose.Known = field(default_factory=prose.Known)
    _ready: list[EntryResult] = field(default_factory=list)

    async def run(
        self, candidates: Sequence[EntryCandidate], present: Iterable[str] = (), *, keeps_ids: bool = False
    ) -> None:
        """Process all entries; `present` are the keys of all that the feed has now, `keeps_ids` as in seen.py.

        The last batch stays back: `flush` publishes it with the feed's final state.
        """
        self.seen = dict(self.state.seen)
        self._known = prose.Known(self.seen, present, keeps_ids=keeps_ids)
        async for candidate, result in self._in_order(candidates):
            self.unfinished = self.unfinished or result.retry
            self.retry_after_seconds = max(self.retry_after_seconds, result.retry_after_seconds)
            if result.seen_entry is not None:
                self.seen[candidate.key] = result.seen_entry
            self._ready.append(result)

    async def _in_order(
        self, candidates: Sequence[EntryCandidate]
    ) -> AsyncIterator[tuple[EntryCandidate, EntryResult]]:
        waiting = deque(candidates)
        running: deque[tuple[EntryCandidate, asyncio.Task[Fetched]]] = deque()
        loop = asyncio.get_running_loop()
        flushed_at = loop.time()
        try:
            while waiting or running:
                while waiting and len(running) < PAGES_AT_ONCE and not self.stopping(self.feed.id):
                    candidate = waiting.popleft()
                    fetching = self.processor.fetch(self.feed, candidate)
                    running.append((candidate, asyncio.create_task(fetching)))
                if not running:  # the collector stops: the entries left are found again after the next start
                    self.unfinished = True
                    return
                await asyncio.wait(_needed(running), timeout=FLUSH_SECONDS if self._ready else None)
                while running and all(task.done() for task in _needed(running)):
                    candidate, task = running.popleft()
                    fetched = task.result()
                    yield candidate, self.processor.finish(self.feed, self.parsed, candidate, fetched, self._known)
                articles = sum(result.article is not None for result in self._ready)
                if articles >= BATCH_ARTICLES or (articles and loop.time() - flushed_at > FLUSH_SECONDS):
                    await self.flush(msgspec.structs.replace(self.state, seen=dict(self.seen)))
                    flushed_at = loop.time()
        finally:
            for _, task in running:
                task.cancel()
            self.processor.end_poll(self.feed.id)

    async def flush(self, state: FeedState) -> None:
        """Publish what is ready together with the state that remembers it."""
        ready, self._ready = self._ready, []
        articles = [result.article for result in ready if result.article is not None]
        failures = [result.outcome.failure for result in ready if result.outcome.failure is not None]
        await self.sink.put(Batch(state, articles, failures))
        self.processor.seen_urls.confirm(self.feed.id, [article.id for article in articles])
        self.published += len(articles)
        now = self.processor.clock.now()
        for article in articles:
            metrics.article_age_seconds.labels(stage="collect").observe(
                max(0.0, (now - article.fetched_at).total_seconds())
            )


def _needed(running: Sequence[tuple[EntryCandidate, asyncio.Task[Fetched]]]) -> list[asyncio.Task[Fetched]]:
    """Return the fetches that have to end before the first entry is judged: its own, and some more if its page is doubtful."""
    first = running[0][1]
    doubtful = first.done() and first.exception() is None and first.result().doubtful
    return [task for _, task in islice(running, 1 + PAGES_BESIDE if doubtful else 1)]
