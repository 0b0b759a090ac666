"""Sitemaps, news sitemaps and indexes of sitemaps: bytes in, the pages or further sitemaps they name out. Pure.

A sitemap lists a whole site, so as a feed only the pages that say when they are from count: by news:publication_date, by
lastmod, or by a date in their address. lxml reads it as a stream and expands no entity; whatever declares an entity was
refused before.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from lxml import etree

from pipeline.collect.entry import ENTRIES, ChildSitemap, Entry, FeedError, Parsed, language, plain
from pipeline.page.dates import date_in, moment

PAGES: Final = 50_000
"""The most pages that the format allows in one file."""

CHILDREN: Final = 50_000
"""The same for the sitemaps in an index."""

_NEWS: Final = re.compile(r"news|latest|today|article|story|stories|post", re.IGNORECASE)


def is_one(head: bytes) -> bool:
    """The first bytes of a file (lower case) in, whether they are of a sitemap or an index of sitemaps out."""
    return re.search(rb"<(?:[\w-]{1,20}:)?(?:urlset|sitemapindex)[\s>]", head) is not None


def parse(body: bytes) -> Parsed:
    """A sitemap's bytes in; its pages in the order of the file as entries, or the sitemaps it names as children, out.

    Raises:
        FeedError: it cannot be read.
    """
    entries: list[Entry] = []
    children: list[ChildSitemap] = []
    is_index = False
    whole = _closes(body)
    if not whole:  # what stands after the last whole page may be half an address
        body = body[: max((end.end() for end in _END.finditer(body)), default=0)]
    try:
        for tag, found in _things(body):
            if tag == "sitemap":
                is_index = True
                if len(children) < CHILDREN and found.get("loc"):
                    children.append(ChildSitemap(found["loc"], moment(found.get("lastmod", ""))))
            elif len(entries) < PAGES and found.get("loc"):
                entries.append(_entry(found))
    except etree.XMLSyntaxError as error:
        if not entries and not children:
            raise FeedError(f"a broken sitemap: {error.msg}") from error
    if not entries and not children and not whole:
        raise FeedError("a broken sitemap: it ends before its first page")
    return Parsed(
        entries=tuple(entries), children=tuple(children), kind="sitemap index" if is_index or children else "sitemap"
    )


_END = re.compile(rb"</(?:[\w-]+:)?(?:url|sitemap)\s*>")


def _closes(body: bytes) -> bool:
    tail = body[-2000:].replace(b"\x00", b"")
    return re.search(rb"</(?:[\w-]+:)?(?:urlset|sitemapindex)\s*>|<(?:[\w-]+:)?urlset[^>]*/>", tail) is not None


def _things(body: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Each <url> and <sitemap>: its tag, and the first text of each kind below it."""
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


def _entry(found: dict[str, str]) -> Entry:
    published = moment(found.get("publication_date", ""))
    return Entry(
        id=found["loc"],
        url=found["loc"],
        title=plain(found.get("title", "")),
        published_at=published,
        updated_at=moment(found.get("lastmod", "")),
        publisher=plain(found.get("name", "")),
        language=language(found.get("language", "")),
    )


def dated(entry: Entry) -> dt.datetime | None:
    """A page of a sitemap in, when it is from as far as the sitemap or its address says out."""
    return entry.published_at or entry.updated_at or date_in(entry.url)


def as_feed(parsed: Parsed) -> Parsed:
    """A sitemap in, the same as a feed out: its newest pages, those without any date left out and counted."""
    with_date = [(at, _with(entry, at)) for entry in parsed.entries if (at := dated(entry)) is not None]
    with_date.sort(key=lambda pair: pair[0], reverse=True)
    return Parsed(
        title=parsed.title,
        entries=tuple(entry for _, entry in with_date[:ENTRIES]),
        children=parsed.children,
        undated=len(parsed.entries) - len(with_date),
        kind=parsed.kind,
    )


def _with(entry: Entry, at: dt.datetime) -> Entry:
    """A page with the date of its address where it has no other: an old one must not look as if it might be new."""
    return entry if entry.published_at or entry.updated_at else replace(entry, updated_at=at)


def chosen(children: Sequence[ChildSitemap], *, since: dt.datetime | None, most: int) -> tuple[ChildSitemap, ...]:
    """The sitemaps of an index in, those worth reading out: changed since then, the newest first, at most so many.

    Those that do not say when they changed come after them: first the ones that are named for news, then by the newest date
    in their name, then the last of the list.
    """
    told = [child for child in children if child.changed_at is not None]
    fresh = [child for child in told if since is None or child.changed_at is None or child.changed_at >= since]
    fresh.sort(key=lambda child: child.changed_at or dt.datetime.min.replace(tzinfo=dt.UTC), reverse=True)
    epoch = dt.datetime.min.replace(tzinfo=dt.UTC)
    silent = [(position, child) for position, child in enumerate(children) if child.changed_at is None]
    old = {child.url for _, child in silent if since is not None and (at := date_in(child.url)) and at < since}
    silent = [(position, child) for position, child in silent if child.url not in old]
    silent.sort(
        key=lambda pair: (_NEWS.search(pair[1].url) is not None, date_in(pair[1].url) or epoch, pair[0]), reverse=True
    )
    return tuple(dict.fromkeys([*fresh, *(child for _, child in silent)]))[:most]
