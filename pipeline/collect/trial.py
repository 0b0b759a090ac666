"""Tries feeds out: fetches each feed and some of its pages once (`dateline feeds check`), finds the feeds of a site.

Nothing is published and nothing is remembered. The limits of the collector apply here too.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from pipeline.collect import discover, doubt, files, seen, sitemap_index
from pipeline.collect.article import SENTENCE_CHARACTERS, Page, feed_text, is_full, read_page
from pipeline.collect.entry import FeedEntry, FeedError, ParsedFeed
from pipeline.collect.feed import parse_feed
from pipeline.collect.fetch import Clock, Fetcher, FetchError, FetchResult
from pipeline.collect.http_client import HttpClient
from pipeline.collect.identity import own_page
from pipeline.collect.seen import EntryCandidate
from pipeline.page import decode, kinship
from pipeline.records import Feed
from pipeline.settings import Settings

FEEDS_AT_ONCE: Final = 16
"""Feeds that are fetched at the same time."""

SILENT_DAYS: Final = 30
"""Days without a new entry after which a feed is reported as silent."""

PAGES_TRIED: Final = 3
"""Pages of a feed that are fetched, to see whether they are articles."""

ENOUGH_FEEDS: Final = 3
"""Feeds of a site after which the usual places are not tried any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """What a feed is like now. `problem` says why it cannot be read, `notes` what an editor should know."""

    id: str
    url: str
    ok: bool
    kind: str = ""
    title: str = ""
    entries: int = 0
    newest_at: dt.datetime | None = None
    full_text: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()


async def check(
    settings: Settings,
    feeds: Sequence[Feed],
    *,
    clock: Clock,
    progress: Callable[[int, int], None] = lambda _a, _b: None,
) -> tuple[FeedReport, ...]:
    """Feeds in, a report of each out, in their order. No feed makes it raise an error."""
    web = HttpClient(settings.collector, clock)
    gate = asyncio.Semaphore(FEEDS_AT_ONCE)
    done = 0

    async def one(feed: Feed) -> FeedReport:
        nonlocal done
        async with gate:
            report = await _try(settings, web, feed, clock.now(), with_pages=True)
        done += 1
        progress(done, len(feeds))
        return report

    try:
        return tuple(await asyncio.gather(*(one(feed) for feed in feeds)))
    finally:
        await web.close()


async def _try(
    settings: Settings, web: Fetcher, feed: Feed, now: dt.datetime, *, with_pages: bool = False
) -> FeedReport:
    try:
        answer = await _fetch(settings, web, feed)
        parsed = await asyncio.to_thread(
            parse_feed, answer.body, content_type=answer.content_type, url=answer.url, now=now
        )
        if parsed.children:
            parsed = await sitemap_index.read_children(web, parsed, since=None, limit=settings.collector.feed_bytes)
    except (FetchError, FeedError) as error:
        return FeedReport(id=feed.id, url=feed.url, ok=False, problem=str(error))
    report = report_on(feed, parsed, answer, now)
    note = await _note_on_walls(settings, web, feed, parsed, answer) if with_pages else ""
    return replace(report, notes=(*report.notes, note)) if note else report


async def _note_on_walls(settings: Settings, web: Fetcher, feed: Feed, parsed: ParsedFeed, answer: FetchResult) -> str:
    """Fetch the pages of a few entries; return what to note where they are not the articles, else an empty string."""
    options = settings.collector
    base = feed.url if feed.url.startswith("file:") else answer.url
    found, _ = seen.candidates(parsed.entries, {}, base=base, feed_id=feed.id)
    newest = [c for c in found[::-1] if c.url.startswith("http") and not is_full(c.entry.content)][:PAGES_TRIED]
    if not options.fetch_pages or feed.full_text or not newest:
        return ""
    reasons: list[str] = []
    titles: dict[str, str] = {}
    doubts = doubt.Doubts()
    read: list[tuple[EntryCandidate, Page, kinship.PageWords, bool]] = []
    for candidate in newest:
        try:
            page = read_page(await web.get(candidate.url, limit=options.page_bytes, robots=True), candidate.url)
        except FetchError as error:
            reasons += [str(error)] if error.kind == "wall" else []
        else:
            view, doubtful = await asyncio.to_thread(doubt.read, candidate.entry, page.html)
            if doubtful:
                doubts.add(feed.id, candidate, view)
            read.append((candidate, page, view, doubtful))
    for candidate, page, view, doubtful in read:
        mark = seen.mark(candidate.entry, page.html)
        title = titles.setdefault(seen.page_of(mark), seen.title_of(mark))
        own = own_page(candidate, page, view, title, (entry.title for entry in parsed.entries))
        if doubtful and isinstance(own, Page):
            own = doubts.checked(feed.id, candidate, view, own)
        if isinstance(own, FetchError):
            reasons.append(str(own))
    if not reasons:
        return ""
    has_text = all(len(feed_text(candidate.entry)) >= SENTENCE_CHARACTERS for candidate in newest)
    used = "the feed's text is used" if has_text else "articles without a text in the feed are lost"
    return f"{len(reasons)} of {len(newest)} pages are a wall ({reasons[0]}): {used}"


async def _fetch(settings: Settings, web: Fetcher, feed: Feed) -> FetchResult:
    limit = settings.collector.feed_bytes
    if feed.url.startswith("file:"):
        return await asyncio.to_thread(files.read, files.feed_path(feed.url, settings), limit)
    return await web.get(feed.url, limit=limit)


def report_on(feed: Feed, parsed: ParsedFeed, answer: FetchResult, now: dt.datetime) -> FeedReport:
    """A feed that could be read in, the report of it out."""
    dates = [at for entry in parsed.entries if (at := entry.published_at or entry.updated_at) is not None]
    newest = max((at for at in dates if at <= now + dt.timedelta(days=1)), default=None)
    return FeedReport(
        id=feed.id,
        url=feed.url,
        ok=True,
        kind=parsed.kind,
        title=parsed.title,
        entries=len(parsed.entries),
        newest_at=newest,
        full_text=_full_text(parsed.entries),
        notes=tuple(_notes(feed, parsed, answer, newest, now)),
    )


def _full_text(entries: Iterable[FeedEntry]) -> str:
    """Return whether the entries are whole articles: "yes", "some" or "no"; an empty string without entries."""
    full = [is_full(entry.content) for entry in entries]
    return "" if not full else "yes" if sum(full) * 10 >= len(full) * 9 else "some" if any(full) else "no"


def _notes(
    feed: Feed, parsed: ParsedFeed, answer: FetchResult, newest: dt.datetime | None, now: dt.datetime
) -> Iterable[str]:
    if not parsed.entries:
        yield "no entries"
    elif newest is None:
        yield "no entry has a date"
    elif newest < now - dt.timedelta(days=SILENT_DAYS):
        yield f"silent for {(now - newest).days} days"
    if parsed.undated:
        yield f"{parsed.undated} pages without a date are left out"
    if parsed.entries and not any(entry.url for entry in parsed.entries):
        yield "no entry has a link"
    if answer.moved_to:
        yield f"has moved for good to {answer.moved_to}"
    if urlsplit(feed.url).scheme == "http" and not answer.etag and not answer.last_modified:
        yield "not encrypted, and read in full at each poll (no ETag)"
    elif not feed.url.startswith("file:") and not answer.etag and not answer.last_modified:
        yield "read in full at each poll (no ETag)"
    if parsed.hub:
        yield "offers WebSub"


# --- the feeds of a site ------------------------------------------------------------------------------------------------


async def find(settings: Settings, url: str, *, clock: Clock) -> tuple[FeedReport, ...]:
    """A site's URL in, the feeds that can be read there out, the most likely first.

    All feeds that the page declares are tried. The usual places are tried only until a few feeds are found.

    Raises:
        FetchError: the page itself cannot be fetched.
    """
    web = HttpClient(settings.collector, clock)
    try:
        answer = await web.get(url, limit=settings.collector.page_bytes)
        site = Feed(id="", url=url)
        direct = await _read(settings, web, answer, site, clock.now())
        if direct is not None:
            return (direct,)
        page = decode.text(answer.body, answer.content_type)
        declared = discover.discover(page, answer.url)
        robots = await _robots(web, answer.url)
        found: dict[tuple[object, ...], FeedReport] = {}
        for candidate in discover.candidates(page, answer.url, robots):
            if len(found) >= ENOUGH_FEEDS and candidate not in declared:
                break
            one = await _try(settings, web, Feed(id="", url=candidate), clock.now())
            if one.ok and (one.entries or candidate in declared):
                found.setdefault((one.title, one.entries, one.newest_at, one.kind), one)
        return tuple(found.values())
    finally:
        await web.close()


async def _read(
    settings: Settings, web: Fetcher, answer: FetchResult, site: Feed, now: dt.datetime
) -> FeedReport | None:
    """Return the report of the URL itself if it is a feed, else None."""
    try:
        parsed = await asyncio.to_thread(
            parse_feed, answer.body, content_type=answer.content_type, url=answer.url, now=now
        )
        if parsed.children:
            parsed = await sitemap_index.read_children(web, parsed, since=None, limit=settings.collector.feed_bytes)
    except (FetchError, FeedError):
        return None
    return report_on(site, parsed, answer, now)


async def _robots(web: Fetcher, url: str) -> str:
    """Return the text of a site's robots.txt, or an empty string."""
    parts = urlsplit(url)
    try:
        return decode.text((await web.get(f"{parts.scheme}://{parts.netloc}/robots.txt", limit=500_000)).body)
    except FetchError:
        return ""
