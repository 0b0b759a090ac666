"""A new or changed entry of a feed in, its article out: the page is fetched, and the outcome is counted in `stage`.

An entry whose page cannot be fetched now is tried again at the next poll. Where the page cannot be fetched at all, the article
is made of the feed's own text, or rejected with the reason.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from pipeline import metrics, stage
from pipeline.collect import files
from pipeline.collect.article import Page, compose, is_full, read_page
from pipeline.collect.entry import FeedEntry, ParsedFeed
from pipeline.collect.fetch import Clock, Fetcher, FetchError
from pipeline.collect.seen import EntryCandidate
from pipeline.collect.seen_urls import SeenUrls
from pipeline.records import Article, Feed, SeenEntry
from pipeline.settings import Settings

log = structlog.get_logger("collector")

LONGEST_WAIT_SECONDS: Final = 900
"""An article that would have to wait longer than this for its site is made of the feed's own text."""

ATTEMPTS: Final = 3
"""Polls in which a page may fail before the article is made without it."""


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What became of an entry: an article to publish, an entry to remember, or `retry` at the next poll."""

    article: Article | None = None
    seen_entry: SeenEntry | None = None
    outcome: stage.Outcome = field(default_factory=stage.Outcome)
    retry: bool = False
    retry_after_seconds: float = 0.0


@dataclass(slots=True)
class EntryProcessor:
    """Makes articles of entries. `attempts` counts how often the page of an entry has failed."""

    settings: Settings
    web: Fetcher
    seen_urls: SeenUrls
    clock: Clock
    attempts: dict[str, int] = field(default_factory=dict)

    async def process(
        self, feed: Feed, parsed: ParsedFeed, candidate: EntryCandidate, known_hashes: Collection[str] = ()
    ) -> EntryResult:
        """A new or changed entry in, what became of it out. Its outcome is counted, unless the entry is tried again.

        An article whose content hash is among `known_hashes` is rejected: it is a copy under another name.
        """
        now = self.clock.now()
        is_new = candidate.previous is None
        claimed = is_new and self.seen_urls.claim(candidate.article_id, feed.id)
        page: Page | FetchError | None = None
        if (claimed or not is_new) and not self.is_stale(candidate, now):
            page = await self._page(feed, candidate)
            if isinstance(page, FetchError) and page.transient and self._try_again(candidate, page):
                if claimed:
                    self.seen_urls.release(candidate.article_id, feed.id)
                stage.retried("collect")
                return EntryResult(retry=True, retry_after_seconds=page.retry_after_seconds or 0.0)
        self.attempts.pop(candidate.key, None)
        source = stage.Source(topic=f"feed:{feed.id}", key=candidate.key.encode(), raw=_json(candidate.entry))
        article: Article | None = None
        article_id = candidate.article_id
        with stage.recorded("collect", source, now=now) as outcome:
            if is_new and not claimed:
                raise stage.Rejected("duplicate", "another entry or feed brought this article")
            if self.is_stale(candidate, now):
                raise stage.Rejected("stale")
            limit = self.settings.collector.article_bytes
            composed = compose(feed, parsed, candidate, page, now=self.clock.now(), limit=limit)
            article_id = composed.id
            if candidate.previous is not None and composed.content_hash == candidate.previous.content_hash:
                raise stage.Rejected("unchanged")
            if composed.content_hash in known_hashes:
                raise stage.Rejected("duplicate", "the same content under another name")
            if is_new and article_id != candidate.article_id and not self.seen_urls.claim(article_id, feed.id):
                raise stage.Rejected("duplicate", "the page is known under another address")
            article = composed
        return EntryResult(article, _seen_entry(candidate, article, article_id, now), outcome)

    def is_stale(self, candidate: EntryCandidate, now: dt.datetime) -> bool:
        """Whether an entry is new here, and older than `collector.max_entry_age_days`."""
        limit = now - dt.timedelta(days=self.settings.collector.max_entry_age_days)
        return candidate.previous is None and candidate.at is not None and candidate.at < limit

    def _try_again(self, candidate: EntryCandidate, error: FetchError) -> bool:
        if error.kind == "queued" and (error.retry_after_seconds or 0) < LONGEST_WAIT_SECONDS:
            return True  # the host's own limit, not a failure of the page
        count = self.attempts.get(candidate.key, 0) + 1
        self.attempts[candidate.key] = count
        return count < ATTEMPTS

    async def _page(self, feed: Feed, candidate: EntryCandidate) -> Page | FetchError | None:
        """Return the entry's page, the error why there is none, or None where the feed's own text is enough."""
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


def _seen_entry(candidate: EntryCandidate, article: Article | None, article_id: str, now: dt.datetime) -> SeenEntry:
    """An entry and its article, if it became one, in; what the feed's state has to remember of it out."""
    previous = candidate.previous
    content_hash = (
        article.content_hash if article is not None else previous.content_hash if previous is not None else ""
    )
    first_seen_at = previous.first_seen_at if previous is not None else now
    return SeenEntry(
        article_id=article_id,
        first_seen_at=article.first_seen_at if article is not None else first_seen_at,
        content_hash=content_hash,
        entry_hash=candidate.entry_hash,
    )


def _json(entry: FeedEntry) -> bytes:
    fields = {name: getattr(entry, name) for name in FeedEntry.__dataclass_fields__}
    return msgspec.json.encode(fields)
