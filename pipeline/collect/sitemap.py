"""Sitemaps, news sitemaps and indexes of sitemaps: bytes in, the pages or the sitemaps that they list out. Pure.

A sitemap lists a whole site. As a feed it has only the pages with a date: news:publication_date, lastmod, or a date in the URL.
lxml reads the file as a stream and expands no entities; `safe_xml` has refused dangerous ones before.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from lxml import etree

from pipeline.collect.entry import ENTRIES, ChildSitemap, FeedEntry, FeedError, ParsedFeed, language
from pipeline.page.date_parsing import date_in_url, parse_date
from pipeline.page.plain import plain_text

PAGES: Final = 50_000
"""The most pages that the format allows in one file."""

CHILDREN: Final = 50_000
"""The same for the sitemaps in an index."""

_NEWS: Final = re.compile(r"news|latest|today|article|story|stories|post", re.IGNORECASE)


def is_sitemap(head: bytes) -> bool:
    """The first bytes of a file in lower case in, whether it is a sitemap or an index of sitemaps out."""
    return re.search(rb"<(?:[\w-]{1,20}:)?(?:urlset|sitemapindex)[\s>]", head) is not None


def parse(body: bytes) -> ParsedFeed:
    """A sitemap's bytes in, its pages as entries in the order of the file, or its sitemaps as children, out.

    Raises:
        FeedError: it cannot be read.
    """
    entries: list[FeedEntry] = []
    children: list[ChildSitemap] = []
    is_index = False
    complete = _closes(body)
    if not complete:  # the text after the last complete page may be half a URL
        body = body[: max((end.end() for end in _END.finditer(body)), default=0)]
    try:
        for tag, found in _elements(body):
            if tag == "sitemap":
                is_index = True
                if len(children) < CHILDREN and found.get("loc"):
                    children.append(ChildSitemap(found["loc"], parse_date(found.get("lastmod", ""))))
            elif len(entries) < PAGES and found.get("loc"):
                entries.append(_entry(found))
    except etree.XMLSyntaxError as error:
        if not entries and not children:
            raise FeedError(f"a broken sitemap: {error.msg}") from error
    if not entries and not children and not complete:
        raise FeedError("a broken sitemap: it ends before its first page")
    return ParsedFeed(
        entries=tuple(entries), children=tuple(children), kind="sitemap index" if is_index or children else "sitemap"
    )


_END = re.compile(rb"</(?:[\w-]+:)?(?:url|sitemap)\s*>")


def _closes(body: bytes) -> bool:
    """Whether the file has its end tag, so that it was not cut off."""
    tail = body[-2000:].replace(b"\x00", b"")
    return re.search(rb"</(?:[\w-]+:)?(?:urlset|sitemapindex)\s*>|<(?:[\w-]+:)?urlset[^>]*/>", tail) is not None


def _elements(body: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the tag of each <url> and <sitemap>, and the first text of each element below it."""
    found: dict[str, str] = {}
    inside: list[str] = []
    events = etree.iterparse(
        io.BytesIO(body), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, recover=True
    )
    for event, element in events:
        if not isinstance(element.tag, str):
            continue
        tag = element.tag.rpartition("}")[2].rpartition(":")[2].lower()
        if event == "start":
            inside.append(tag)
            continue
        if inside:
            inside.pop()
        if tag in ("url", "sitemap"):
            yield tag, found
            found = {}
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
        elif "image" not in inside and "video" not in inside and element.text:
            found.setdefault(tag, element.text.strip())


def _entry(found: dict[str, str]) -> FeedEntry:
    published = parse_date(found.get("publication_date", ""))
    return FeedEntry(
        id=found["loc"],
        url=found["loc"],
        title=plain_text(found.get("title", "")),
        published_at=published,
        updated_at=parse_date(found.get("lastmod", "")),
        publisher=plain_text(found.get("name", "")),
        language=language(found.get("language", "")),
    )


def date_of(entry: FeedEntry) -> dt.datetime | None:
    """A page of a sitemap in, its date out: the one in the sitemap, or else the one in its URL."""
    return entry.published_at or entry.updated_at or date_in_url(entry.url)


def as_feed(parsed: ParsedFeed) -> ParsedFeed:
    """A sitemap in, the same as a feed out: its newest pages. Pages without a date are left out and counted."""
    with_date = [(at, _with_date(entry, at)) for entry in parsed.entries if (at := date_of(entry)) is not None]
    with_date.sort(key=lambda pair: pair[0], reverse=True)
    return ParsedFeed(
        title=parsed.title,
        entries=tuple(entry for _, entry in with_date[:ENTRIES]),
        children=parsed.children,
        undated=len(parsed.entries) - len(with_date),
        kind=parsed.kind,
    )


def _with_date(entry: FeedEntry, at: dt.datetime) -> FeedEntry:
    """Return the page with the date in its URL where it has no other, so that an old page does not count as new."""
    return entry if entry.published_at or entry.updated_at else replace(entry, updated_at=at)


def choose_children(
    children: Sequence[ChildSitemap], *, since: dt.datetime | None, most: int
) -> tuple[ChildSitemap, ...]:
    """The sitemaps of an index in, at most `most` to read out: those changed since `since`, the newest first.

    Those without a time of change come after them: first the ones with a name for news, then by the newest date in their
    name, then by the end of the list.
    """
    dated = [child for child in children if child.changed_at is not None]
    fresh = [child for child in dated if since is None or child.changed_at is None or child.changed_at >= since]
    fresh.sort(key=lambda child: child.changed_at or dt.datetime.min.replace(tzinfo=dt.UTC), reverse=True)
    epoch = dt.datetime.min.replace(tzinfo=dt.UTC)
    undated = [(position, child) for position, child in enumerate(children) if child.changed_at is None]
    old = {child.url for _, child in undated if since is not None and (at := date_in_url(child.url)) and at < since}
    undated = [(position, child) for position, child in undated if child.url not in old]
    undated.sort(
        key=lambda pair: (_NEWS.search(pair[1].url) is not None, date_in_url(pair[1].url) or epoch, pair[0]),
        reverse=True,
    )
    return tuple(dict.fromkeys([*fresh, *(child for _, child in undated)]))[:most]
