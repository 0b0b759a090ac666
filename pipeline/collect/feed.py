"""Bytes in, a feed's title and entries out: RSS 0.9x, 1.0 and 2.0, Atom, CDF, JSON Feed, sitemaps. Pure: no network, no clock.

The format is found in the content, whatever the server calls it. feedparser reads XML and is given bytes, never an address:
it would open what it takes for a file's name. `jsonfeed` and `sitemap` read theirs. The only importer of feedparser.
"""

from __future__ import annotations

import calendar
import datetime as dt
import io
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import feedparser

from pipeline.collect import jsonfeed, safe_xml, sitemap
from pipeline.collect.discover import discover
from pipeline.collect.entry import ENTRIES, Entry, FeedError, Parsed, joined, language, plain, string
from pipeline.page import decode
from pipeline.page.dates import believable
from pipeline.page.dates import moment as written_moment
from pipeline.records import content_id

__all__ = ["ENTRIES", "Entry", "FeedError", "Parsed", "discover", "parse", "plain"]


def parse(body: bytes, *, content_type: str = "", url: str = "") -> Parsed:
    """A feed's bytes, its Content-Type and its address (relative links start there) in, its entries out.

    Raises:
        FeedError: they are no feed. Nothing else, whatever the bytes are.
    """
    body = safe_xml.unpacked(body)
    start = body.lstrip(b"\xef\xbb\xbf\x00 \t\r\n")[:1]
    if not start:
        raise FeedError("not a feed: the answer is empty")
    if start in (b"{", b"["):
        return jsonfeed.parse(body, url)
    if body.startswith((b"%PDF", b"\x89PNG", b"GIF8", b"PK\x03\x04", b"\xff\xd8\xff")):
        raise FeedError("not a feed: a picture, document or archive")
    safe_xml.defuse(body)
    if sitemap.is_one(body[:20_000].replace(b"\x00", b"").lower()):
        return sitemap.as_feed(sitemap.parse(body))
    body, content_type = _readable(body, content_type)
    found = _fed(body, content_type, url)
    if found.get("bozo") and (mended := _with_whole_ampersands(body)) != body:
        found = _fed(mended, content_type, url)
    return _from_feedparser(found, body, url)


def _fed(body: bytes, content_type: str, url: str) -> Mapping[str, Any]:
    """What feedparser makes of it.

    Raises:
        FeedError: nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Mapping[str, Any] = feedparser.parse(
                io.BytesIO(body),
                response_headers={"content-type": content_type, "content-location": url},
                sanitize_html=False,
                resolve_relative_uris=True,
            )
    except Exception as error:  # feedparser fails in many ways on broken markup; each of them means the same
        raise FeedError(f"not a feed: cannot be read as XML ({type(error).__name__})") from error
    return found


_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,100}encoding=[\"']([\w.-]+)")


def _readable(body: bytes, content_type: str) -> tuple[bytes, str]:
    """A feed and its Content-Type in, what to give to feedparser out: XML, in an encoding that the bytes really are.

    Servers name encodings by habit: UTF-8 is believed where it fits, and where it is named and does not fit, it is found out.
    """
    # the caption of a picture takes the place of the item's own words otherwise
    if body[max(0, body.find(b"<item")) :].count(b"<description") >= body.count(b"<media:description") > 0:
        body = body.replace(b"media:description", b"media:caption")
    encoding = decode.charset(content_type)
    declared = _DECLARED.match(body)
    says_utf8 = declared is None or declared.group(1).lower() in (b"utf-8", b"utf8")
    try:
        if not body.isascii():
            body.decode("utf-8")
            if says_utf8:
                encoding = "utf-8"
    except UnicodeDecodeError:
        if (
            says_utf8
            and encoding in (None, "utf-8")
            and not body.startswith((b"\xff\xfe", b"\xfe\xff"))
            and b"\x00" not in body
        ):
            body, encoding = decode.text(body).encode("utf-8", "replace"), "utf-8"
    return body, f"application/xml; charset={encoding}" if encoding else "application/xml"


def _with_whole_ampersands(body: bytes) -> bytes:
    """Broken XML in, the same with "AT&T" as XML wants it out: feedparser would make "AT&T;" of it."""
    parts = re.split(rb"(<!\[CDATA\[.*?\]\]>)", body, flags=re.DOTALL)
    parts[::2] = [re.sub(rb"&(?!#?\w{1,32};)", b"&amp;", part) for part in parts[::2]]
    return b"".join(parts)


_KINDS = {"rss": "RSS", "ato": "Atom", "cdf": "CDF"}


def _from_feedparser(found: Mapping[str, Any], body: bytes, url: str) -> Parsed:
    entries = found.get("entries") or []
    version = found.get("version") or ""
    if not version and not entries:
        raise FeedError(_what_is_it(body, url, found.get("bozo_exception")))
    if not entries and found.get("bozo") and not _closes(body):
        raise FeedError(f"a broken feed: {_xml_error(found.get('bozo_exception'))}, and no entry can be read")
    channel = found.get("feed") or {}
    default_language = language(channel.get("language"))
    read = [_entry(entry, url, default_language) for entry in entries[:ENTRIES]]
    links = [link for link in channel.get("links") or () if isinstance(link, Mapping)]
    hub = next((string(link.get("href")) for link in links if link.get("rel") == "hub"), None)
    itself = next((string(link.get("href")) for link in links if link.get("rel") == "self"), "")
    return Parsed(
        title=plain(string(channel.get("title"))),
        url=string(channel.get("link")),
        language=default_language,
        ttl_seconds=_ttl(channel),
        hub=hub or None,
        topic=joined(url, itself),
        kind=_KINDS.get(version[:3], "feed"),
        entries=tuple(read),
    )


def _closes(body: bytes) -> bool:
    """Whether the end of a feed is there: then it has no entries, and is not cut off before them."""
    return re.search(rb"</(?:\w+:)?(?:rss|rdf|feed|channel)\s*>?\s*\Z", body[-2000:], re.IGNORECASE) is not None


def _xml_error(error: object) -> str:
    line = getattr(error, "getLineNumber", lambda: None)()
    message = getattr(error, "getMessage", lambda: str(error))()
    return f"{message} in line {line}" if line else str(message)[:200]


def _what_is_it(body: bytes, url: str, error: object) -> str:
    head = body[:200_000].replace(b"\x00", b"").lower()
    if b"<opml" in head:
        return "not a feed: a list of feeds (OPML)"
    if b"<html" in head or b"<!doctype html" in head or b"<body" in head:
        links = discover(decode.text(body[:500_000]), url)
        hint = f"; did you mean {links[0]}" if links else ""
        return f"not a feed: an HTML page{hint}"
    if b"<" not in head:
        return "not a feed: plain text or data"
    return f"not a feed: {_xml_error(error)}" if error else "not a feed: XML of another kind"


def _entry(raw: Mapping[str, Any], base: str, spoken: str | None) -> Entry:
    """One of feedparser's entries in, ours out; one without name, link and title is known by its words."""
    link = _link(raw)
    contents = [c for c in raw.get("content") or () if isinstance(c, Mapping) and string(c.get("value"))]
    content = max((string(c.get("value")) for c in contents), key=len, default="")
    summary = string(raw.get("summary"))
    identity = string(raw.get("id"))
    title = plain(string(raw.get("title")))
    if not link and re.match(r"https?://", identity):
        link = identity
    source = raw.get("source")
    own = language(raw.get("language")) or spoken
    return Entry(
        id=identity or link or title or content_id(summary, content),
        url=joined(base, link),
        title=title,
        published_at=_date(raw, "published", own) or _date(raw, "created", own),
        updated_at=_date(raw, "updated", own),
        summary=plain(summary),
        content=content or (summary if "<p" in summary.lower() or len(summary) > 1500 else ""),
        authors=tuple(dict.fromkeys(_authors(raw))),
        publisher=plain(string(source.get("title"))) if isinstance(source, Mapping) else "",
        language=own,
    )


def _date(raw: Mapping[str, Any], name: str, spoken: str | None) -> dt.datetime | None:
    """A date of an entry; feedparser's own reading comes second, for it drops the time of some and takes zones for UTC."""
    there = raw.keys()  # to ask the entry itself would give one date for another
    written = string(raw.get(name)) if name in there else ""
    if (found := written_moment(written, spoken)) is not None:
        return found
    return _moment(raw.get(f"{name}_parsed")) if f"{name}_parsed" in there else None


def _link(raw: Mapping[str, Any]) -> str:
    """The entry's page: what the publisher says it was before a feed service put its own address there."""
    original = string(raw.get("feedburner_origlink"))
    if original:
        return original
    links = [link for link in raw.get("links") or () if isinstance(link, Mapping)]
    pages = [link for link in links if link.get("rel", "alternate") == "alternate" and string(link.get("href"))]
    html_pages = [link for link in pages if "html" in string(link.get("type"))]
    return string(raw.get("link")) or next((string(p.get("href")) for p in (*html_pages, *pages)), "")


def _authors(raw: Mapping[str, Any]) -> Iterator[str]:
    mail = re.fullmatch(r"\S+@\S+\s+\(([^()]{2,200})\)", string(raw.get("author")).strip())
    if mail:  # as RSS wants it; feedparser cuts the address in the wrong place
        yield plain(mail.group(1))
        return
    for author in raw.get("authors") or ():
        name = plain(string(author.get("name"))) if isinstance(author, Mapping) else ""
        if name and not re.fullmatch(r"\S+@\S+|https?://\S+", name):
            yield name
    if not raw.get("authors") and (name := plain(string(raw.get("author")))):
        yield name


def _ttl(channel: Mapping[str, Any]) -> int | None:
    """How long the feed asks to be left alone, in seconds: <ttl> (minutes) or the syndication module."""
    minutes = re.fullmatch(r"\s*(\d{1,6})\s*", string(channel.get("ttl")))
    if minutes:
        return int(minutes.group(1)) * 60
    period = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}.get(
        string(channel.get("sy_updateperiod")).strip().lower()
    )
    if period is None:
        return None
    often = re.fullmatch(r"\s*(\d{1,6})\s*", string(channel.get("sy_updatefrequency")))
    return period // max(1, int(often.group(1)) if often else 1)


def _moment(parsed: object) -> dt.datetime | None:
    """A time tuple of feedparser (UTC) in, a moment out; None for the nonsense that broken dates become."""
    if not isinstance(parsed, time.struct_time):
        return None
    try:
        moment = dt.datetime.fromtimestamp(calendar.timegm(parsed), dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return believable(moment)
