"""A new or changed entry of a feed in, its article out: the page is fetched, and the outcome is counted in `stage`.

An entry whose page cannot be fetched now is tried again at the next poll. Where the page cannot be fetched at all, the article
is made of the feed's own text, or rejected with the reason.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import structlog

from pipeline import metrics, stage
from pipeline.collect import doubt, files, prose, seen
from pipeline.collect.article import (
    SENTENCE_CHARACTERS,
    Page,
    compose,
    declared_address,
    feed_text,
    is_full,
    read_page,
)
from pipeline.collect.entry import FeedEntry, ParsedFeed
from pipeline.collect.fetch import Clock, Fetcher, FetchError
from pipeline.collect.identity import is_same, own_page
from pipeline.collect.seen import EntryCandidate
from pipeline.collect.seen_urls import SeenUrls
from pipeline.page import kinship, urls
from pipeline.records import Article, Feed, SeenEntry
from pipeline.settings import Settings

log = structlog.get_logger("collector")

LONGEST_WAIT_SECONDS: Final = 900
"""An article that would have to wait longer than this for its site is made of the feed's own text."""

NEW_HOURS: Final = dt.timedelta(hours=12)
"""A page of an entry that is no older may not be there yet."""

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


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched for an entry: its page, why there is none, or None where none is needed.

    `claimed`: the entry is new, and no other entry or feed has its address. `view` has the words of the page. It is `doubtful`
    where it has the entry's headline alone: then the pages of further entries are looked at first.
    """

    claimed: bool = False
    page: Page | FetchError | None = None
    view: kinship.PageWords = field(default_factory=kinship.PageWords)
    mark: str = ""
    doubtful: bool = False


@dataclass(slots=True)
class EntryProcessor:
    """Makes articles of entries.

    `attempts` counts how often the page of an entry has failed. `shared` has the pages that several entries of a feed link to,
    until the end of its poll.
    """

    settings: Settings
    web: Fetcher
    seen_urls: SeenUrls
    clock: Clock
    attempts: dict[str, int] = field(default_factory=dict)
    doubts: doubt.Doubts = field(default_factory=doubt.Doubts)
    shared: dict[tuple[str, str], asyncio.Future[Fetched]] = field(default_factory=dict)

    async def process(
        self, feed: Feed, parsed: ParsedFeed, candidate: EntryCandidate, known: prose.Known | None = None
    ) -> EntryResult:
        """A new or changed entry in, what became of it out: `fetch` and `finish` at once."""
        return self.finish(feed, parsed, candidate, await self.fetch(feed, candidate), known)

    async def fetch(self, feed: Feed, candidate: EntryCandidate) -> Fetched:
        """A new or changed entry in, its page out. Another feed can no longer take the entry's address."""
        is_new = candidate.previous is None
        claimed = is_new and self.seen_urls.claim(candidate.article_id, feed.id)
        if (is_new and not claimed) or self.is_stale(candidate, self.clock.now()):
            return Fetched(claimed)
        if not candidate.crowded:
            return await self._fetched(feed, candidate, claimed=claimed)
        # one request for all entries of a live page
        address = feed.id, urls.without_fragment(candidate.url)
        if address not in self.shared:
            self.shared[address] = asyncio.ensure_future(self._fetched(feed, candidate, claimed=True))
        fetched = await asyncio.shield(self.shared[address])
        mark = seen.mark(candidate.entry, fetched.page.html) if isinstance(fetched.page, Page) else ""
        return replace(fetched, claimed=claimed, mark=mark)

    def end_poll(self, feed_id: str) -> None:
        """Forget the pages that several entries of a feed have shared in a poll."""
        for address in [address for address in self.shared if address[0] == feed_id]:
            self.shared.pop(address).cancel()

    def finish(
        self,
        feed: Feed,
        parsed: ParsedFeed,
        candidate: EntryCandidate,
        fetched: Fetched,
        known: prose.Known | None = None,
    ) -> EntryResult:
        """An entry and its page in, what became of it out. Its outcome is counted, unless the entry is tried again.

        An article with the content of one that is `known` is rejected: it is a copy under another name. So is a new one that
        says what an entry said which is gone from the feed; what it says later is an update of that. The content of an article
        that is not rejected is added. Which of two entries an article belongs to depends on the order of the calls only.
        """
        now = self.clock.now()
        page = self._own_page(feed, parsed, candidate, fetched)
        if isinstance(page, FetchError) and self._try_again(candidate, page):
            if fetched.claimed:
                self.seen_urls.release(candidate.article_id, feed.id)
            stage.retried("collect")
            return EntryResult(retry=True, retry_after_seconds=page.retry_after_seconds or 0.0)
        self.attempts.pop(candidate.key, None)
        source = stage.Source(topic=f"feed:{feed.id}", key=candidate.key.encode(), raw=_json(candidate.entry))
        article: Article | None = None
        article_id, mark = candidate.article_id, fetched.mark
        known = known or prose.Known()
        said = candidate.previous.prose if candidate.previous is not None else ""
        is_new, content_hash = candidate.previous is None, ""
        with stage.recorded("collect", source, now=now) as outcome:
            if is_new and not fetched.claimed:
                raise stage.Rejected("duplicate", "another entry or feed brought this article")
            if self.is_stale(candidate, now):
                self.seen_urls.release(article_id, feed.id)
                raise stage.Rejected("stale")
            limit = self.settings.collector.article_bytes
            composed = compose(feed, parsed, candidate, page, now=now, limit=limit)
            mark = mark or seen.mark(candidate.entry, composed.html)
            if candidate.previous is not None and composed.content_hash == candidate.previous.content_hash:
                raise stage.Rejected("unchanged")
            said = prose.sketch(composed.html)
            original = known.original(composed.content_hash, mark, said) if is_new and candidate.entry.title else None
            if original is not None:  # what this entry says from now on are updates of that article
                self.seen_urls.release(article_id, feed.id)
                article_id, content_hash = original.article_id, original.content_hash
                raise stage.Rejected("duplicate", "most of the page is known under an id that the feed no longer has")
            if composed.content_hash in known.contents:
                raise stage.Rejected("duplicate", "the same content under another name")
            if is_new:
                composed = self._with_own_id(feed, candidate, page, composed, mark)
            article_id = composed.id
            known.contents.add(composed.content_hash)
            article = composed
        remembered = _seen_entry(candidate, article, mark, now)
        remembered = msgspec.structs.replace(
            remembered, article_id=article_id, content_hash=content_hash or remembered.content_hash, prose=said
        )
        return EntryResult(article, remembered, outcome)

    def _with_own_id(
        self, feed: Feed, candidate: EntryCandidate, page: Page | FetchError | None, composed: Article, mark: str
    ) -> Article:
        """Return a new article with an id that no other article has, and claim it: of its canonical address, else of its own.

        Raises:
            Rejected: the article is known under another address.
        """
        declared = isinstance(page, Page) and declared_address(page) is not None
        own = not isinstance(page, FetchError) and not (isinstance(page, Page) and page.is_part)
        for article_id in dict.fromkeys((composed.id, candidate.article_id)):
            if article_id == candidate.article_id or self.seen_urls.claim(article_id, feed.id):
                self.seen_urls.set_mark(article_id, feed.id, mark)
                return msgspec.structs.replace(composed, id=article_id)
            if is_same(self.seen_urls.mark(article_id), mark, declared=declared, own=own):
                raise stage.Rejected("duplicate", "the page is known under another address")
        raise AssertionError("the entry's own address is claimed before its page is fetched")

    def is_stale(self, candidate: EntryCandidate, now: dt.datetime) -> bool:
        """Whether an entry is new here, and older than `collector.max_entry_age_days`."""
        limit = now - dt.timedelta(days=self.settings.collector.max_entry_age_days)
        return candidate.previous is None and candidate.at is not None and candidate.at < limit

    def _try_again(self, candidate: EntryCandidate, error: FetchError) -> bool:
        hopeless = error.kind == "wall" and len(feed_text(candidate.entry)) < SENTENCE_CHARACTERS
        since = self.clock.now() - (candidate.at or self.clock.now())
        # pages reach all servers of a network some minutes later than the feed does
        early = error.kind == "not_found" and candidate.previous is None and since < NEW_HOURS
        if not error.transient and not hopeless and not early:
            return False
        if error.kind == "queued" and (error.retry_after_seconds or 0) < LONGEST_WAIT_SECONDS:
            return True  # the host's own limit, not a failure of the page
        count = self.attempts.get(candidate.key, 0) + 1
        self.attempts[candidate.key] = count
        return count < ATTEMPTS

    async def _fetched(self, feed: Feed, candidate: EntryCandidate, *, claimed: bool) -> Fetched:
        """Return the entry's page; the error why there is none; None where the feed's own text is enough."""
        options = self.settings.collector
        entry, url = candidate.entry, candidate.url
        is_file = url.startswith("file:")
        wanted = is_file or (options.fetch_pages and not (feed.full_text and entry.content))
        if not url or not wanted or is_full(entry.content):
            return Fetched(claimed)
        try:
            if is_file:
                answer = await asyncio.to_thread(
                    files.read, files.path_of(url, self.settings.path("")), options.page_bytes
                )
            else:
                answer = await self.web.get(url, limit=options.page_bytes, robots=True)
            page = read_page(answer, url)
        except FetchError as error:
            return Fetched(claimed, error)
        if page.is_file:
            return Fetched(claimed, page, mark=seen.mark(entry, page.html))
        view, doubtful = await asyncio.to_thread(doubt.read, entry, page.html)
        if doubtful:
            self.doubts.add(feed.id, candidate, view)
        return Fetched(claimed, page, view, seen.mark(entry, page.html), doubtful)

    def _own_page(
        self, feed: Feed, parsed: ParsedFeed, candidate: EntryCandidate, fetched: Fetched
    ) -> Page | FetchError | None:
        """Return what was fetched if it is the entry's own article, else the error that says what it is."""
        found = fetched.page
        if found is None:
            return None
        if isinstance(found, Page) and not found.is_file:
            page = seen.page_of(fetched.mark)
            title = self.seen_urls.title_of_page(feed.id, page) if candidate.previous is None else ""
            found = own_page(candidate, found, fetched.view, title, (entry.title for entry in parsed.entries))
            if isinstance(found, Page) and fetched.doubtful:
                found = self.doubts.checked(feed.id, candidate, fetched.view, found)
        if isinstance(found, FetchError):
            outcome = found.kind if found.kind in ("refused", "wall") else "error"
            metrics.page_fetches_total.labels(outcome=outcome).inc()
            log.info("page_failed", feed=feed.id, url=candidate.url, kind=found.kind, error=str(found))
        else:
            metrics.page_fetches_total.labels(outcome="ok").inc()
        return found


def _seen_entry(candidate: EntryCandidate, article: Article | None, mark: str, now: dt.datetime) -> SeenEntry:
    """An entry and its article, if it became one, in; what the feed's state has to remember of it out."""
    previous = candidate.previous
    content_hash = (
        article.content_hash if article is not None else previous.content_hash if previous is not None else ""
    )
    first_seen_at = previous.first_seen_at if previous is not None else now
    return SeenEntry(
        article_id=candidate.article_id,
        first_seen_at=article.first_seen_at if article is not None else first_seen_at,
        content_hash=content_hash,
        entry_hash=candidate.entry_hash,
        mark=mark or seen.mark(candidate.entry, ""),
    )


def _json(entry: FeedEntry) -> bytes:
    fields = {name: getattr(entry, name) for name in FeedEntry.__dataclass_fields__}
    return msgspec.json.encode(fields)
