"""One poll of one feed: fetch it, parse it, publish its new entries together with the state that remembers them."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from pipeline import metrics
from pipeline.collect import feed_metrics, files, rhythm, schedule, seen, sitemap_index, skip_hours, websub
from pipeline.collect.entry import FeedError, ParsedFeed
from pipeline.collect.entry_processor import LONGEST_WAIT_SECONDS, EntryProcessor
from pipeline.collect.feed import parse_feed
from pipeline.collect.fetch import Clock, Fetcher, FetchError, FetchResult
from pipeline.collect.poll_batches import PollBatches, Sink
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.subscriber import Subscriber
from pipeline.collect.writer import Batch
from pipeline.records import Feed, FeedState
from pipeline.settings import Settings

log = structlog.get_logger("collector")

TAGS: Final = 300_000
"""The most tags of a feed. One of 5000 entries has 150,000, and parsing it takes seconds of CPU."""

PARSED_AT_ONCE: Final = 2
"""Feeds that are parsed at the same time."""

IN_FULL: Final = dt.timedelta(days=1)
"""After so long a feed is asked for without its ETag and date."""

STATE_AFTER: Final = dt.timedelta(minutes=5)
"""So late the times of the last check and the next one may be on their topic where a feed says again and again that it has not
changed. The state has all that the feed ever listed, and a transaction for it each time is most of what such a poll costs."""

DEFERRED_SECONDS: Final = 60
"""After how long a poll that could not be made is tried again, where nothing says how long to wait."""


@dataclass(slots=True)
class Poller:
    """Polls feeds. Holds what lasts between polls: which feed each article belongs to, and how often a page has failed."""

    settings: Settings
    web: Fetcher
    sink: Sink
    seen_urls: SeenUrls
    clock: Clock
    rng: random.Random
    stopping: Callable[[str], bool] = lambda _: False
    subscriber: Subscriber | None = None
    entry_processor: EntryProcessor = field(init=False)
    written_at: dict[str, dt.datetime] = field(default_factory=dict)
    parsing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARSED_AT_ONCE))

    def __post_init__(self) -> None:
        self.entry_processor = EntryProcessor(self.settings, self.web, self.seen_urls, self.clock)

    async def poll(self, feed: Feed, state: FeedState) -> FeedState:
        """A feed and its state in, its new state out. The state and the articles it remembers are published by then.

        Raises:
            LostError: another collector has the feed now.
        """
        published = False
        try:
            updated = await self._poll(feed, state)
            published = True
            return updated
        finally:  # also when the poll is cancelled: what it claimed and did not publish is free again
            self.seen_urls.end_poll(feed.id, published=published)

    async def _poll(self, feed: Feed, state: FeedState) -> FeedState:
        now = self.clock.now()
        if is_of_the_future(state, now):
            state = _without_future(state, now)
        if state.url != feed.url:  # the operator changed the URL: what the old one answered no longer counts
            state = FeedState(id=feed.id, url=feed.url, seen=state.seen, title=feed.title)
        try:
            answer = await self._fetch(feed, state)
            if answer.not_modified:
                return await self._unchanged(feed, state, answer, now)
            parsed = await self._parse(feed, answer)
            if parsed.children:  # an index of sitemaps: the pages stand in the sitemaps below it
                limit = self.settings.collector.feed_bytes
                parsed = await sitemap_index.read_children(self.web, parsed, since=state.succeeded_at, limit=limit)
                answer = sitemap_index.without_validators(answer, parsed)
        except FetchError as error:
            if error.kind == "queued":  # no request was made, so only the time changes
                log.debug("poll_deferred", feed=feed.id, reason=str(error))
                return msgspec.structs.replace(
                    state, due_at=now + dt.timedelta(seconds=error.retry_after_seconds or DEFERRED_SECONDS)
                )
            return await self._failed(feed, state, error, now)
        except FeedError as error:
            return await self._failed(feed, state, FetchError("broken", str(error)), now)
        return await self._publish(feed, state, answer, parsed, now)

    async def _fetch(self, feed: Feed, state: FeedState) -> FetchResult:
        options = self.settings.collector
        if self.subscriber is not None and (pushed := self.subscriber.next_pushed(feed.id)) is not None:
            return dataclasses.replace(pushed, etag=state.etag, last_modified=state.last_modified, pushed=True)
        if feed.url.startswith("file:"):
            path = files.feed_path(feed.url, self.settings)
            return await asyncio.to_thread(files.read, path, options.feed_bytes, state.etag)
        # some servers say "not modified" for ever
        fresh = state.read_at is not None and self.clock.now() - state.read_at < IN_FULL
        return await self.web.get(
            state.moved_to or feed.url,
            limit=options.feed_bytes,
            etag=state.etag if fresh else None,
            last_modified=state.last_modified if fresh else None,
        )

    async def _parse(self, feed: Feed, answer: FetchResult) -> ParsedFeed:
        # On a thread, so that a feed of ten megabytes does not delay all others. Few at a time: every thread that computes
        # takes CPU time from the event loop.
        async with self.parsing:
            if feed.url.startswith("file:"):
                parsed = await asyncio.to_thread(parse_feed, answer.body)
                path = files.path_of(feed.url, self.settings.path(""))
                return await asyncio.to_thread(files.with_file_links, parsed, path, self.settings.path(""))
            if answer.body.count(b"<") > TAGS and not re.search(rb"<(?:urlset|sitemapindex)\b", answer.body[:5000]):
                raise FeedError(f"refused: more than {TAGS:,} tags, which no feed has")
            return await asyncio.to_thread(
                parse_feed, answer.body, content_type=answer.content_type, url=answer.url, now=self.clock.now()
            )

    async def _unchanged(self, feed: Feed, state: FeedState, answer: FetchResult, now: dt.datetime) -> FeedState:
        metrics.feed_fetches_total.labels(outcome="not_modified").inc()
        usual = None
        if state.gap_seconds is not None and state.newest_at is not None:
            quiet = (now - state.newest_at).total_seconds()
            usual = schedule.interval_from_gap(self.settings.collector, state.gap_seconds, quiet)
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
        updated = self._with_silence(feed, updated, now)
        written_at = self.written_at.get(feed.id)
        if written_at is None or now - written_at >= STATE_AFTER or _without_times(updated) != _without_times(state):
            await self._put(updated)
        if self.subscriber is not None:
            self.subscriber.after_poll(feed, updated)
        feed_metrics.show(updated)
        log.debug("polled", feed=feed.id, outcome="not_modified", due_at=due_at)
        return updated

    async def _put(self, state: FeedState) -> None:
        await self.sink.put(Batch(state))
        self.written_at[state.id] = self.clock.now()

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
            # where it had moved to is broken: start again with the URL that the operator configured
            moved_to=None,
        )
        await self._put(updated)
        feed_metrics.show(updated)
        # a warning when the error is new or another one, not at every attempt
        level = log.warning if reason != state.error else log.debug
        level("feed_failed", feed=feed.id, url=feed.url, error=reason, failures=updated.failures, due_at=due_at)
        return updated

    def _with_silence(self, feed: Feed, state: FeedState, now: dt.datetime) -> FeedState:
        """The state of a feed that was just read in, the same with its silence out. A change of it is logged once."""
        silence = rhythm.silence(state, now)
        if silence is not None and state.silence is None:
            log.warning("feed_silent", feed=feed.id, url=feed.url, reason=silence)
        elif silence is None and state.silence is not None:
            log.info("feed_speaks_again", feed=feed.id, url=feed.url)
        return msgspec.structs.replace(state, silence=silence)

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
        if self.subscriber is not None and not failures:
            bounds = (*bounds, self.subscriber.poll_interval(feed.id))
        if interval is None and feed.url.startswith("file:"):
            interval = self.settings.collector.min_interval_seconds  # reading a file loads no server
        return schedule.next_due(
            self.settings.collector,
            now,
            self.rng,
            interval_seconds=interval,
            dates=dates,
            usual_seconds=usual_seconds,
            failures=failures,
            lower_bounds=() if feed.interval_seconds else bounds,
            retry_after_seconds=retry_after_seconds,
            skip_hours=() if feed.interval_seconds else state.skip_hours,
            skip_days=() if feed.interval_seconds else state.skip_days,
        )

    async def _publish(
        self, feed: Feed, state: FeedState, answer: FetchResult, parsed: ParsedFeed, now: dt.datetime
    ) -> FeedState:
        """Publish the new entries of a feed that was fetched and parsed, then its state; return the state."""
        metrics.feed_fetches_total.labels(outcome="ok").inc()
        base = _base(feed, answer)
        found, present = seen.candidates(parsed.entries, state.seen, base=base, feed_id=feed.id)
        batches = PollBatches(self.entry_processor, self.sink, self.stopping, feed, parsed, state)
        self.entry_processor.doubts.remember(feed.id, state.doubts)
        await batches.run(found, present, keeps_ids=seen.keeps_ids(parsed.entries, state.seen, base))
        dates = [at for e in parsed.entries if (at := e.published_at or e.updated_at) is not None and at <= now]
        unfinished = batches.unfinished
        if not answer.pushed:  # a hub may send the new entries alone, without the feed's own fields
            hours, days = skip_hours.read_skips(answer.body)
            state = msgspec.structs.replace(state, ttl_seconds=parsed.ttl_seconds, skip_hours=hours, skip_days=days)
        hub, topic = websub.hub_and_topic(answer.links, answer.url)
        bounds = () if unfinished else (parsed.ttl_seconds, answer.max_age_seconds)
        due_at = self._due(feed, state, now, dates=dates, bounds=bounds)
        has_news = any(one.previous is None and not self.entry_processor.is_stale(one, now) for one in found)
        if unfinished:  # the old ETag is kept, so the feed is read in full again and the missing entries are found
            wait = min(batches.retry_after_seconds, LONGEST_WAIT_SECONDS)
            soon = max(self.settings.collector.min_interval_seconds, wait)
            due_at = min(due_at, now + dt.timedelta(seconds=soon))
        updated = msgspec.structs.replace(
            state,
            etag=state.etag if unfinished else answer.etag,
            last_modified=state.last_modified if unfinished else answer.last_modified,
            checked_at=now,
            read_at=state.read_at if answer.pushed else now,
            succeeded_at=now,
            due_at=due_at,
            failures=0,
            error=None,
            title=parsed.title or feed.title,
            moved_to=answer.moved_to or state.moved_to,
            entries=len(parsed.entries),
            newest_at=max(dates, default=state.newest_at),
            hub=state.hub if answer.pushed else (hub or parsed.hub),
            topic=state.topic if answer.pushed else (topic or parsed.topic),
            doubts=self.entry_processor.doubts.of(feed.id),
            seen=seen.pruned(batches.seen, present, self.settings.collector.seen_entries),
            **rhythm.publications(state, dates, now, found=has_news),
        )
        updated = self._with_silence(feed, updated, now)
        await batches.flush(updated)
        self.written_at[feed.id] = self.clock.now()
        if self.subscriber is not None:
            new = batches.published if state.succeeded_at is not None else 0
            self.subscriber.after_poll(feed, updated, new_entries=new, pushed=answer.pushed)
        feed_metrics.show(updated)
        level = log.info if batches.published else log.debug
        level("polled", feed=feed.id, outcome="ok", entries=len(present), published=batches.published, due_at=due_at)
        return updated


CLOCK_STEP: Final = dt.timedelta(minutes=5)
"""A state that was written so far ahead of now is of a clock that was wrong."""


def is_of_the_future(state: FeedState, now: dt.datetime) -> bool:
    """Whether a state was written while the clock was ahead."""
    return state.checked_at is not None and state.checked_at > now + CLOCK_STEP


def _without_future(state: FeedState, now: dt.datetime) -> FeedState:
    """A state of a clock that was ahead in, the same without what is wrong in it: entries were taken for old ones then."""
    known = {key: entry for key, entry in state.seen.items() if entry.content_hash or entry.first_seen_at <= now}
    return msgspec.structs.replace(state, seen=known, read_at=None, etag=None, last_modified=None)


def _base(feed: Feed, answer: FetchResult) -> str:
    """A feed and its answer in, the URL that its relative links start at out."""
    return feed.url if feed.url.startswith("file:") else answer.url


def _without_times(state: FeedState) -> FeedState:
    return msgspec.structs.replace(state, checked_at=None, succeeded_at=None, due_at=None)
