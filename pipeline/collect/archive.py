"""The sources of a backfill as `Item`s: a WARC file, JSON lines, or all sitemaps of a site. The only importer of warcio."""

from __future__ import annotations

import asyncio
import datetime as dt
import html
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import structlog
from warcio.archiveiterator import ArchiveIterator

from pipeline.collect import safe_xml, sitemap
from pipeline.collect.entry import ChildSitemap, FeedEntry, FeedError, ParsedFeed
from pipeline.collect.fetch import Fetcher, FetchError, FetchResult
from pipeline.page import date_parsing
from pipeline.page.plain import plain_text
from pipeline.records import content_id

log = structlog.get_logger("backfill")

DEPTH: Final = 3
"""Levels of indexes below an index of sitemaps; more would be a circle or a trap."""

SITEMAPS: Final = 5000
"""The most sitemaps of one site."""

LINE_BYTES: Final = 20_000_000
"""The longest line of a JSON Lines file."""


class BackfillError(Exception):
    """The source of a backfill cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One article of the past: its entry, and its page where the source holds it. `problem` says why it cannot be read.

    `at` of `total` is its place in the source: in bytes of a file, or in pages of sitemaps.
    """

    key: str
    entry: FeedEntry
    answer: FetchResult | None = None
    problem: str = ""
    at: int = 0
    total: int = 0


# --- WARC ---------------------------------------------------------------------------------------------------------------


def read_warc(file: Path, *, limit: int) -> Iterator[Item]:
    """A WARC or ARC file, compressed or not, in; its pages with status 200 or 203, at most `limit` bytes of each, out.

    Raises:
        BackfillError: it is not such a file, or it is cut off. The pages before are yielded first.
    """
    total = file.stat().st_size
    with file.open("rb") as stream:
        try:
            for record in ArchiveIterator(stream, arc2warc=True):
                if record.rec_type not in ("response", "resource"):
                    continue
                url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
                headers = record.http_headers
                status = headers.get_statuscode() if headers is not None else "200"
                if status not in ("200", "203") or not url.startswith(("http://", "https://")):
                    continue
                kind = (headers.get_header("Content-Type") if headers is not None else record.content_type) or ""
                if not kind.lower().startswith(("text/html", "application/xhtml", "text/plain")):
                    continue
                yield _capture(record, url, kind, limit, (stream.tell(), total))
        except Exception as error:  # the library raises errors of many types on broken files; all mean the same
            raise BackfillError(f"{file}: cannot be read further: {error}") from error


def _capture(record: object, url: str, kind: str, limit: int, place: tuple[int, int]) -> Item:
    """One page of an archive in, its item out, with a problem if the page is broken, cut off or too long."""
    headers = getattr(record, "rec_headers")  # noqa: B009 - the library has no types
    stored_at = headers.get_header("WARC-Date") or ""
    key = content_id(url, stored_at, headers.get_header("WARC-Record-ID"), size=16)
    at, total = place
    entry = FeedEntry(id=url, url=url)
    try:
        body = getattr(record, "content_stream")().read(limit + 1)  # noqa: B009
        raw = getattr(record, "raw_stream")  # noqa: B009
        broken_off = len(body) <= limit and getattr(raw, "limit", 0) > 0 and not raw.read(1)
    except Exception as error:  # noqa: BLE001 - the broken compression of one record, reported with its URL
        return Item(key=key, entry=entry, problem=f"{url}: broken: {error}", at=at, total=total)
    if broken_off:
        return Item(key=key, entry=entry, problem=f"{url}: is cut off", at=at, total=total)
    if len(body) > limit:
        return Item(key=key, entry=entry, problem=f"{url}: larger than {limit:,} bytes", at=at, total=total)
    return Item(
        key=key, entry=entry, answer=FetchResult(url=url, status=200, body=body, content_type=kind), at=at, total=total
    )


# --- JSON lines ---------------------------------------------------------------------------------------------------------


class _ArticleLine(msgspec.Struct, frozen=True, kw_only=True):
    """An article as one line: with `html` or `text` as for `dateline detect`, or an Article record of Dateline."""

    id: str | int = ""
    url: str = ""
    html: str = ""
    text: str = ""
    content_type: str = ""
    title: str = ""
    summary: str = ""
    published: str | None = None
    published_at: str | None = None
    updated: str | None = None
    updated_at: str | None = None
    authors: tuple[str, ...] = ()
    publisher: str = ""
    language: str | None = None


def read_jsonl(file: Path) -> Iterator[Item]:
    """A file of JSON lines in, an item for each out. A bad line gives an item with a problem."""
    total = file.stat().st_size
    with file.open("rb") as stream:
        number = at = 0
        while line := stream.readline(LINE_BYTES + 1):
            number, at = number + 1, at + len(line)
            if not line.strip():
                continue
            key = content_id(line.strip().decode("utf-8", "replace"), size=16)
            if len(line) > LINE_BYTES:
                _skip_rest(stream)
                at = stream.tell()
                yield Item(
                    key=key, entry=FeedEntry(id=str(number)), problem=f"line {number}: too long", at=at, total=total
                )
                continue
            try:
                yield _from_line(msgspec.json.decode(line, type=_ArticleLine, strict=True), key, (at, total))
            except (msgspec.DecodeError, ValueError) as error:
                problem = f"line {number}: {error}"
                yield Item(key=key, entry=FeedEntry(id=str(number)), problem=problem, at=at, total=total)


def _skip_rest(stream: BinaryIO) -> None:
    """Read up to the end of a line that is too long."""
    while (more := stream.readline(LINE_BYTES)) and not more.endswith(b"\n"):
        pass


def _from_line(line: _ArticleLine, key: str, place: tuple[int, int]) -> Item:
    """A line in, the item out.

    Raises:
        ValueError: the line has neither html nor text.
    """
    body = line.html or line.text
    if not body.strip():
        raise ValueError("neither html nor text")
    url = line.url if line.url.startswith(("http://", "https://")) else f"urn:article:{line.id or key}"
    is_text = not line.html or line.content_type.startswith("text/plain")
    entry = FeedEntry(
        id=url,
        url=url,
        title=plain_text(line.title),
        published_at=_parse(line.published or line.published_at),
        updated_at=_parse(line.updated or line.updated_at),
        summary=plain_text(line.summary),
        authors=line.authors,
        publisher=line.publisher,
        language=line.language,
    )
    kind = "text/plain; charset=utf-8" if is_text else "text/html; charset=utf-8"
    stored = FetchResult(url=url, status=200, body=body.encode("utf-8", "replace"), content_type=kind)
    return Item(key=key, entry=entry, answer=stored, at=place[0], total=place[1])


def _parse(written: str | None) -> dt.datetime | None:
    return date_parsing.parse_date(html.unescape(written)) if written else None


# --- all sitemaps of a site ------------------------------------------------------------------------------------------------


async def read_sitemaps(web: Fetcher, url: str, *, since: dt.datetime | None, limit: int) -> AsyncIterator[Item]:
    """The URL of a sitemap or index in, every page that may be from `since` or later out, sitemap by sitemap, old to new.

    A page without a date is included: its own date decides once it is fetched.

    Raises:
        BackfillError: the first sitemap cannot be read. One below it that cannot be read is logged and left out.
    """
    waiting: list[tuple[int, ChildSitemap]] = [(0, ChildSitemap(url))]
    known = {url}
    at = total = 0
    while waiting:
        depth, child = waiting.pop(0)
        try:
            found = await _sitemap(web, child.url, limit)
        except (FetchError, FeedError) as error:
            if depth == 0:
                raise BackfillError(f"{url}: {error}") from error
            log.warning("sitemap_failed", url=child.url, error=str(error))
            continue
        if found.kind not in ("sitemap", "sitemap index"):
            raise BackfillError(f"{url}: not a sitemap")
        if depth < DEPTH:
            below = [one for one in found.children if one.url not in known and _may_hold(one, since)]
            below = below[: SITEMAPS - len(known)]
            known |= {one.url for one in below}
            waiting[:0] = [(depth + 1, one) for one in below]
        pages = [
            entry for entry in found.entries if since is None or (day := sitemap.date_of(entry)) is None or day >= since
        ]
        pages.sort(key=lambda entry: (sitemap.date_of(entry) or _LAST, entry.url))
        total += len(pages)
        for entry in pages:
            at += 1
            yield Item(key=content_id(entry.url, size=16), entry=entry, at=at, total=total)


_LAST: Final = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
"""The place of pages without a date in the order: after all others."""


async def _sitemap(web: Fetcher, url: str, limit: int) -> ParsedFeed:
    answer = await web.get(url, limit=limit)

    def read() -> ParsedFeed:
        body = safe_xml.decompress(answer.body)
        safe_xml.refuse_bombs(body)
        if not sitemap.is_sitemap(body[:20_000].replace(b"\x00", b"").lower()):
            raise FeedError("not a sitemap")
        return sitemap.parse(body)

    return await asyncio.to_thread(read)


def _may_hold(child: ChildSitemap, since: dt.datetime | None) -> bool:
    """Whether a sitemap may list pages from `since` or later, by its time of change or the date in its URL."""
    at = child.changed_at or date_parsing.date_in_url(child.url)
    return since is None or at is None or date_parsing.plausible(at) is None or at >= since - dt.timedelta(days=1)
