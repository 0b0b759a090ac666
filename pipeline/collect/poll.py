"""One poll of one feed: ask, read, take what is new, publish it together with the state that remembers it.

An entry that cannot be had now is tried again at the next poll; one that cannot be had at all is told from the feed's own
text, or rejected with the reason. Each entry has one outcome, counted in stage.py.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
import structlog

from pipeline import metrics, stage
from pipeline.collect import feed as feed_
from pipeline.collect import feed_metrics, files, rhythm, schedule, seen, sitemap_index, skip_hours, websub
from pipeline.collect.article import Page, compose, is_full, read_page
from pipeline.collect.feed import Entry, FeedError, Parsed
from pipeline.collect.fetch import Clock, Fetcher, FetchError, FetchResult
from pipeline.collect.push import Push
from pipeline.collect.seen import Candidate
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.writer import Batch
from pipeline.records import Article, Feed, FeedState, SeenEntry
from pipeline.settings import Settings

log = structlog.get_logger("collector")

TOGETHER: Final = 50
"""Articles that are published at once: what a crash between two transactions makes us fetch again at the most."""

FLUSH_SECONDS: Final = 1.0
"""Nothing that is ready waits longer than this for the rest of its feed."""

WINDOW: Final = 8
"""Pages of one feed under way at once; the limits per host and in all lie below it."""

TAGS: Final = 300_000
"""A feed of 5000 entries has 150,000; reading one takes seconds of CPU, and more of them are there to take our time."""

PARSING: Final = 2
"""Feeds that are parsed at once."""

PATIENCE_SECONDS: Final = 900
"""An article that would have to wait longer than this for its site is told from the feed's own text."""

TRIES: Final = 3
"""Polls in which a page may fail before its article is told without it."""


class Sink(Protocol):
    """Where articles go."""

    async def put(self, batch: Batch) -> None:
        """A batch in; returns when it is safe."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an entry: published, remembered, or to be tried again."""

    article: Article | None = None
    remember: SeenEntry | None = None
    outcome: stage.Outcome = field(default_factory=stage.Outcome)
    again: bool = False
    again_after_seconds: float = 0.0


@dataclass(slots=True)
class Poller:
    """Polls feeds. Holds what lasts between polls: whose each article is, and how often a page has failed."""

    settings: Settings
    web: Fetcher
    sink: Sink
    claims: SeenUrls
    clock: Clock
    chance: random.Random
    stopping: Callable[[str], bool] = lambda _: False
    tries: dict[str, int] = field(default_factory=dict)
    push: Push | None = None
    parsing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARSING))

    async def poll(self, feed: Feed, state: FeedState) -> FeedState:
        """A feed and its state in, its new state out: published already, with the articles that it remembers.

        Raises:
            LostError: another collector has the feed now.
        """
        published = False
        try:
            updated = await self._poll(feed, state)
            published = True
            return updated
        finally:  # also when it is given up in the middle: what it claimed and did not publish is free again
            self.claims.end(feed.id, published=published)

    async def _poll(self, feed: Feed, state: FeedState) -> FeedState:
        now = self.clock.now()
        if state.url != feed.url:  # the operator gave it another address: what the old one said is void
            state = FeedState(id=feed.id, url=feed.url, seen=state.seen, title=feed.title)
        try:
            answer = await self._ask(feed, state)
            if answer.not_modified:
                return await self._unchanged(feed, state, answer, now)
            parsed = await self._parse(feed, answer)
            if parsed.children:  # an index of sitemaps: its pages stand one step further
                limit = self.settings.collector.feed_bytes
                parsed = await sitemap_index.children(self.web, parsed, since=state.succeeded_at, limit=limit)
                answer = sitemap_index.without_validators(answer, parsed)
        except FetchError as error:
            if error.kind == "queued":  # not the feed's fault, and nothing to remember: only later
                log.debug("poll_deferred", feed=feed.id, reason=str(error))
                return msgspec.structs.replace(
                    state, due_at=now + dt.timedelta(seconds=error.retry_after_seconds or 60)
                )
            return await self._failed(feed, state, error, now)
        except FeedError as error:
            return await self._failed(feed, state, FetchError("broken", str(error)), now)
        return await self._take(feed, state, answer, parsed, now)

    async def _ask(self, feed: Feed, state: FeedState) -> FetchResult:
        options = self.settings.collector
        if self.push is not None and (pushed := self.push.take(feed.id)) is not None:
            return dataclasses.replace(pushed, etag=state.etag, last_modified=state.last_modified, pushed=True)
        if feed.url.startswith("file:"):
            path = files.path_of(feed.url, self.settings.path(""))
            return await asyncio.to_thread(files.read, path, options.feed_bytes, state.etag)
        return await self.web.get(
            state.moved_to or feed.url,
            limit=options.feed_bytes,
            etag=state.etag,
            last_modified=state.last_modified,
        )

    async def _parse(self, feed: Feed, answer: FetchResult) -> Parsed:
        # on a thread, so that a feed of ten megabytes does not hold up all the others; few at a time, for each thread that
        # computes takes its turn before the loop gets one again
        async with self.parsing:
            if feed.url.startswith("file:"):
                parsed = await asyncio.to_thread(feed_.parse, answer.body)
                path = files.path_of(feed.url, self.settings.path(""))
                return await asyncio.to_thread(files.with_file_links, parsed, path, self.settings.path(""))
            if answer.body.count(b"<") > TAGS and not re.search(rb"<(?:urlset|sitemapindex)\b", answer.body[:5000]):
                raise FeedError(f"refused: more than {TAGS:,} tags, as no feed has")
            return await asyncio.to_thread(feed_.parse, answer.body, content_type=answer.content_type, url=answer.url)

    async def _unchanged(self, feed: Feed, state: FeedState, answer: FetchResult, now: dt.datetime) -> FeedState:
        metrics.feed_fetches_total.labels(outcome="not_modified").inc()
        usual = None
        if state.gap_seconds is not None and state.newest_at is not None:
            quiet = (now - state.newest_at).total_seconds()
            usual = schedule.pace(self.settings.collector, state.gap_seconds, quiet)
        due_at = self._due(feed, state, now, usual_seconds=usual, bounds=(answer.max_age_seconds, state.ttl_seconds))
        updated = msgspec.structs.replace(
            state,
            checked_at=now,
            succeeded_at=now,
            due_at=due_at,
            failures=0,
            error=None,
            etag=answer.etag or state.etag,
            last_modified=answer.last_modified or state.last_modified,
            moved_to=answer.moved_to or state.moved_to,
        )
        updated = self._listened(feed, updated, now)
        await self.sink.put(Batch(updated))
        if self.push is not None:
            self.push.follow(feed, updated)
        feed_metrics.show(updated)
        log.debug("polled", feed=feed.id, outcome="not_modified", due_at=due_at)
        return updated

    async def _failed(self, feed: Feed, state: FeedState, error: FetchError, now: dt.datetime) -> FeedState:
        metrics.feed_fetches_total.labels(outcome="error").inc()
        retired = error.kind == "gone"
        reason = f"{error}; the feed is retired until its URL is changed" if retired else str(error)
        after = error.retry_after_seconds
        due_at = self._due(feed, state, now, failures=state.failures + 1, retry_after_seconds=after)
        updated = msgspec.structs.replace(
            state,
            checked_at=now,
            due_at=due_at,
            failures=state.failures + 1,
            error=reason,
            retired=retired,
            # the place it had moved to is broken: begin again with the address that the operator gave
            moved_to=None,
        )
        await self.sink.put(Batch(updated))
        feed_metrics.show(updated)
        # one line when it breaks or breaks differently, not one for each try
        level = log.warning if reason != state.error else log.debug
        level("feed_failed", feed=feed.id, url=feed.url, error=reason, failures=updated.failures, due_at=due_at)
        return updated

    def _listened(self, feed: Feed, state: FeedState, now: dt.datetime) -> FeedState:
        """A feed that was just read in, the same with whether it has fallen silent out; said once when that changes."""
        told = rhythm.silence(state, now)
        if told is not None and state.silence is None:
            log.warning("feed_silent", feed=feed.id, url=feed.url, reason=told)
        elif told is None and state.silence is not None:
            log.info("feed_speaks_again", feed=feed.id, url=feed.url)
        return msgspec.structs.replace(state, silence=told)

    def _due(
        self,
        feed: Feed,
        state: FeedState,
        now: dt.datetime,
        *,
        dates: Sequence[dt.datetime] = (),
        usual_seconds: float | None = None,
        failures: int = 0,
        bounds: Iterable[float | None] = (),
        retry_after_seconds: float | None = None,
    ) -> dt.datetime:
        interval = feed.interval_seconds
        if self.push is not None and not failures:
            bounds = (*bounds, self.push.interval(feed.id))
        if interval is None and feed.url.startswith("file:"):
            interval = self.settings.collector.min_interval_seconds  # looking at a file costs nothing
        return schedule.next_due(
            self.settings.collector,
            now,
            self.chance,
            interval_seconds=interval,
            dates=dates,
            usual_seconds=usual_seconds,
            failures=failures,
            wishes=() if feed.interval_seconds else bounds,
            retry_after_seconds=retry_after_seconds,
            skip_hours=() if feed.interval_seconds else state.skip_hours,
            skip_days=() if feed.interval_seconds else state.skip_days,
        )

    async def _take(
        self, feed: Feed, state: FeedState, answer: FetchResult, parsed: Parsed, now: dt.datetime
    ) -> FeedState:
        """A feed that was read: publish what is new, then its state."""
        metrics.feed_fetches_total.labels(outcome="ok").inc()
        found, present = seen.candidates(parsed.entries, state.seen, base=answer_base(feed, answer), feed_id=feed.id)
        intake = _Intake(self, feed, parsed, state)
        await intake.run(found)
        dates = [at for e in parsed.entries if (at := e.published_at or e.updated_at) is not None and at <= now]
        unfinished = intake.unfinished
        if not answer.pushed:  # what a hub sends may be the news alone, without what the feed says of itself
            hours, days = skip_hours.skips(answer.body)
            state = msgspec.structs.replace(state, ttl_seconds=parsed.ttl_seconds, skip_hours=hours, skip_days=days)
        named = websub.offered(answer.links, answer.url)
        bounds = () if unfinished else (parsed.ttl_seconds, answer.max_age_seconds)
        due_at = self._due(feed, state, now, dates=dates, bounds=bounds)
        if unfinished:  # without its ETag it is read again in full, and what was missed is found again
            soon = max(self.settings.collector.min_interval_seconds, min(intake.again_after_seconds, PATIENCE_SECONDS))
            due_at = min(due_at, now + dt.timedelta(seconds=soon))
        updated = msgspec.structs.replace(
            state,
            etag=state.etag if unfinished else answer.etag,
            last_modified=state.last_modified if unfinished else answer.last_modified,
            checked_at=now,
            succeeded_at=now,
            due_at=due_at,
            failures=0,
            error=None,
            title=parsed.title or feed.title,
            moved_to=answer.moved_to or state.moved_to,
            entries=len(parsed.entries),
            newest_at=max(dates, default=state.newest_at),
            hub=state.hub if answer.pushed else (named[0] or parsed.hub),
            topic=state.topic if answer.pushed else (named[1] or parsed.topic),
            seen=seen.pruned(intake.remembered, present, self.settings.collector.seen_entries),
            **rhythm.heard(state, dates, now, found=any(self._is_news(candidate, now) for candidate in found)),
        )
        updated = self._listened(feed, updated, now)
        await intake.flush(updated)
        if self.push is not None:
            missed = intake.published if state.succeeded_at is not None else 0
            self.push.follow(feed, updated, found=missed, pushed=answer.pushed)
        feed_metrics.show(updated)
        say = log.info if intake.published else log.debug
        say("polled", feed=feed.id, outcome="ok", entries=len(present), published=intake.published, due_at=due_at)
        return updated

    # --- one entry ---------------------------------------------------------------------------------------------------

    async def make(self, feed: Feed, parsed: Parsed, candidate: Candidate, known: Collection[str] = ()) -> Made:
        """An entry that is new or changed in, what became of it out. Counts its outcome, unless it is tried again.

        Content whose hash is `known` is a copy under another name.
        """
        now = self.clock.now()
        fresh = candidate.previous is None
        claimed = fresh and self.claims.take(candidate.article_id, feed.id)
        page: Page | FetchError | None = None
        if (claimed or not fresh) and not self._is_stale(candidate, now):
            page = await self._page(feed, candidate)
            if isinstance(page, FetchError) and page.transient and self._try_again(candidate, page):
                if claimed:
                    self.claims.release(candidate.article_id, feed.id)
                stage.retried("collect")
                return Made(again=True, again_after_seconds=page.retry_after_seconds or 0.0)
        self.tries.pop(candidate.key, None)
        source = stage.Source(topic=f"feed:{feed.id}", key=candidate.key.encode(), raw=_raw(candidate.entry))
        article: Article | None = None
        article_id = candidate.article_id
        with stage.recorded("collect", source, now=now) as outcome:
            if fresh and not claimed:
                raise stage.Rejected("duplicate", "another entry or feed brought this article")
            if self._is_stale(candidate, now):
                raise stage.Rejected("stale")
            limit = self.settings.collector.article_bytes
            made = compose(feed, parsed, candidate, page, now=self.clock.now(), limit=limit)
            article_id = made.id
            if candidate.previous is not None and made.content_hash == candidate.previous.content_hash:
                raise stage.Rejected("unchanged")
            if made.content_hash in known:
                raise stage.Rejected("duplicate", "the same content under another name")
            if fresh and article_id != candidate.article_id and not self.claims.take(article_id, feed.id):
                raise stage.Rejected("duplicate", "the page is known under another address")
            article = made
        return Made(article, self._memory(candidate, article, article_id, now), outcome)

    def _memory(self, candidate: Candidate, article: Article | None, article_id: str, now: dt.datetime) -> SeenEntry:
        previous = candidate.previous
        kept = article.content_hash if article is not None else previous.content_hash if previous is not None else ""
        first_seen_at = previous.first_seen_at if previous is not None else now
        return SeenEntry(
            article_id=article_id,
            first_seen_at=article.first_seen_at if article is not None else first_seen_at,
            content_hash=kept,
            entry_hash=candidate.entry_hash,
        )

    def _is_news(self, candidate: Candidate, now: dt.datetime) -> bool:
        return candidate.previous is None and not self._is_stale(candidate, now)

    def _is_stale(self, candidate: Candidate, now: dt.datetime) -> bool:
        limit = now - dt.timedelta(days=self.settings.collector.max_entry_age_days)
        return candidate.previous is None and candidate.at is not None and candidate.at < limit

    def _try_again(self, candidate: Candidate, error: FetchError) -> bool:
        if error.kind == "queued" and (error.retry_after_seconds or 0) < PATIENCE_SECONDS:
            return True  # our own queue at the site: its turn comes
        count = self.tries.get(candidate.key, 0) + 1
        self.tries[candidate.key] = count
        return count < TRIES

    async def _page(self, feed: Feed, candidate: Candidate) -> Page | FetchError | None:
        """The entry's page, the reason why there is none, or None where the feed's own text is enough."""
        options = self.settings.collector
        entry, url = candidate.entry, candidate.url
        is_file = url.startswith("file:")
        fetched = is_file or (options.fetch_pages and not (feed.full_text and entry.content))
        if not url or not fetched or is_full(entry.content):
            return None
        try:
            if is_file:
                answer = await asyncio.to_thread(
                    files.read, files.path_of(url, self.settings.path("")), options.page_bytes
                )
            else:
                answer = await self.web.get(url, limit=options.page_bytes, robots=True)
            page = read_page(answer, url)
        except FetchError as error:
            metrics.page_fetches_total.labels(outcome="refused" if error.kind == "refused" else "error").inc()
            log.info("page_failed", feed=feed.id, url=url, kind=error.kind, error=str(error))
            return error
        metrics.page_fetches_total.labels(outcome="ok").inc()
        return page


@dataclass(slots=True)
class _Intake:
    """The entries of one poll on their way: a few pages at a time, published as they come, in the order of the entries."""

    poller: Poller
    feed: Feed
    parsed: Parsed
    state: FeedState
    remembered: dict[str, SeenEntry] = field(default_factory=dict)
    unfinished: bool = False
    again_after_seconds: float = 0.0
    published: int = 0
    _ready: list[Made] = field(default_factory=list)

    async def run(self, found: Sequence[Candidate]) -> None:
        self.remembered = dict(self.state.seen)
        async for candidate, made in self._in_order(found):
            self.unfinished = self.unfinished or made.again
            self.again_after_seconds = max(self.again_after_seconds, made.again_after_seconds)
            if made.remember is not None:
                self.remembered[candidate.key] = made.remember
            self._ready.append(made)

    async def _in_order(self, found: Sequence[Candidate]) -> AsyncIterator[tuple[Candidate, Made]]:
        waiting = deque(found)
        under_way: deque[tuple[Candidate, asyncio.Task[Made]]] = deque()
        loop = asyncio.get_running_loop()
        flushed_at = loop.time()
        try:
            while waiting or under_way:
                while waiting and len(under_way) < WINDOW and not self.poller.stopping(self.feed.id):
                    candidate = waiting.popleft()
                    making = self.poller.make(self.feed, self.parsed, candidate)
                    under_way.append((candidate, asyncio.create_task(making)))
                if not under_way:  # told to stop: what is left is found again after the start
                    self.unfinished = True
                    return
                await asyncio.wait([under_way[0][1]], timeout=FLUSH_SECONDS if self._ready else None)
                while under_way and under_way[0][1].done():
                    candidate, task = under_way.popleft()
                    yield candidate, task.result()
                articles = sum(made.article is not None for made in self._ready)
                if articles >= TOGETHER or (articles and loop.time() - flushed_at > FLUSH_SECONDS):
                    await self.flush(msgspec.structs.replace(self.state, seen=dict(self.remembered)))
                    flushed_at = loop.time()
        finally:
            for _, task in under_way:
                task.cancel()

    async def flush(self, state: FeedState) -> None:
        """Publish what is ready with the state that remembers it."""
        ready, self._ready = self._ready, []
        articles = [made.article for made in ready if made.article is not None]
        failures = [made.outcome.failure for made in ready if made.outcome.failure is not None]
        await self.poller.sink.put(Batch(state, articles, failures))
        self.poller.claims.settle(self.feed.id, [article.id for article in articles])
        self.published += len(articles)
        now = self.poller.clock.now()
        for article in articles:
            metrics.article_age_seconds.labels(stage="collect").observe(
                max(0.0, (now - article.fetched_at).total_seconds())
            )


def answer_base(feed: Feed, answer: FetchResult) -> str:
    """Where a feed's relative links start."""
    return feed.url if feed.url.startswith("file:") else answer.url


def _raw(entry: Entry) -> bytes:
    fields = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return msgspec.json.encode(fields)
