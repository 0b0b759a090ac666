"""An index of sitemaps in, the pages of its newest sitemaps out. The only part of reading a feed that makes more requests."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Final

import structlog

from pipeline.collect import sitemap
from pipeline.collect.entry import ChildSitemap, FeedEntry, FeedError, ParsedFeed
from pipeline.collect.feed import parse_feed
from pipeline.collect.fetch import Fetcher, FetchError, FetchResult

log = structlog.get_logger("collector")

MOST: Final = 10
"""Sitemaps of one index that are read in one poll, the newest ones. Older articles are for `dateline collect`."""

DEPTH: Final = 2
"""Levels of indexes below an index. The format has none, but some sites have one."""

MARGIN: Final = dt.timedelta(days=1)
"""Subtracted from the time of the last poll, because lastmod may be a day without a time."""


async def read_children(web: Fetcher, parsed: ParsedFeed, *, since: dt.datetime | None, limit: int) -> ParsedFeed:
    """An index and the time of the last poll in, one feed of the newest pages of its sitemaps out.

    Raises:
        FetchError: no sitemap could be read, and the first could not be fetched.
        FeedError: no sitemap could be read, and the first is not a sitemap.
    """
    entries: dict[str, FeedEntry] = {}
    problems: list[Exception] = []
    undated, left = 0, MOST
    waiting = [(1, child) for child in _newest(parsed, since)]
    read = 0
    while waiting and left > 0:
        depth, child = waiting.pop(0)
        left -= 1
        try:
            answer = await web.get(child.url, limit=limit)
            found = await asyncio.to_thread(parse_feed, answer.body, content_type=answer.content_type, url=answer.url)
        except (FetchError, FeedError) as error:
            problems.append(error)
            log.info("sitemap_failed", url=child.url, error=str(error))
            continue
        read += 1
        undated += found.undated
        entries |= {entry.id: entry for entry in found.entries}
        if found.children and depth < DEPTH:
            waiting[:0] = [(depth + 1, below) for below in _newest(found, since)]
    if problems and not read:
        raise problems[0]
    feed = sitemap.as_feed(ParsedFeed(entries=tuple(entries.values()), kind=parsed.kind))
    return ParsedFeed(
        title=parsed.title,
        entries=feed.entries,
        children=parsed.children,
        undated=undated,
        kind=parsed.kind,
    )


def _newest(parsed: ParsedFeed, since: dt.datetime | None) -> tuple[ChildSitemap, ...]:
    return sitemap.choose_children(parsed.children, since=since - MARGIN if since is not None else None, most=MOST)


def without_validators(answer: FetchResult, parsed: ParsedFeed) -> FetchResult:
    """An index's answer in, the answer to remember out: without ETag and Last-Modified where a child has no time of change.

    The children of such an index can change while the index itself is "not modified".
    """
    if all(child.changed_at is not None for child in parsed.children):
        return answer
    fields = {name: getattr(answer, name) for name in FetchResult.__dataclass_fields__}
    return FetchResult(**fields | {"etag": None, "last_modified": None})
