"""An index of sitemaps in, the pages of those worth reading out: the only part of reading feeds that asks the web again."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Final

import structlog

from pipeline.collect import feed as feed_
from pipeline.collect import sitemap
from pipeline.collect.entry import ChildSitemap, Entry, FeedError, Parsed
from pipeline.collect.fetch import Fetcher, FetchError, FetchResult

log = structlog.get_logger("collector")

MOST: Final = 10
"""Sitemaps of one index that are read in one poll: the newest; what a site wrote before is a matter for `dateline collect`."""

DEPTH: Final = 2
"""Indexes below an index; the format knows none, some sites have one."""

MARGIN: Final = dt.timedelta(days=1)
"""What a site says of the last change may be a day, not a moment."""


async def children(web: Fetcher, parsed: Parsed, *, since: dt.datetime | None, limit: int) -> Parsed:
    """An index that was read and when it was read before in, one feed of the newest pages of its sitemaps out.

    Raises:
        FetchError: none of its sitemaps can be had.
        FeedError: none of them can be read.
    """
    entries: dict[str, Entry] = {}
    problems: list[Exception] = []
    undated, left = 0, MOST
    waiting = [(1, child) for child in _worth(parsed, since)]
    read = 0
    while waiting and left > 0:
        depth, child = waiting.pop(0)
        left -= 1
        try:
            answer = await web.get(child.url, limit=limit)
            found = await asyncio.to_thread(feed_.parse, answer.body, content_type=answer.content_type, url=answer.url)
        except (FetchError, FeedError) as error:
            problems.append(error)
            log.info("sitemap_failed", url=child.url, error=str(error))
            continue
        read += 1
        undated += found.undated
        entries |= {entry.id: entry for entry in found.entries}
        if found.children and depth < DEPTH:
            waiting[:0] = [(depth + 1, below) for below in _worth(found, since)]
    if problems and not read:
        raise problems[0]
    everything = sitemap.as_feed(Parsed(entries=tuple(entries.values()), kind=parsed.kind))
    return Parsed(
        title=parsed.title,
        entries=everything.entries,
        children=parsed.children,
        undated=undated,
        kind=parsed.kind,
    )


def _worth(parsed: Parsed, since: dt.datetime | None) -> tuple[ChildSitemap, ...]:
    return sitemap.chosen(parsed.children, since=since - MARGIN if since is not None else None, most=MOST)


def without_validators(answer: FetchResult, parsed: Parsed) -> FetchResult:
    """The answer to remember: of an index that does not say when its sitemaps changed, "not modified" would say nothing."""
    if all(child.changed_at is not None for child in parsed.children):
        return answer
    fields = {name: getattr(answer, name) for name in FetchResult.__dataclass_fields__}
    return FetchResult(**fields | {"etag": None, "last_modified": None})
