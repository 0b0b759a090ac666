"""A feed's bytes in, its title and entries out: RSS 0.9x, 1.0 and 2.0, Atom, CDF, JSON Feed, sitemaps. Pure.

The format is recognized by the content, whatever Content-Type the server sends. feedparser reads XML; it is given bytes, never
a URL, because it opens a string as a URL or a file. `jsonfeed` and `sitemap` read their formats. The only importer of
feedparser.
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
import feedparser.mixin
import feedparser.urls

from pipeline.collect import jsonfeed, safe_xml, sitemap
from pipeline.collect.discover import discover
from pipeline.collect.entry import (
    ENTRIES,
    FeedEntry,
    FeedError,
    ParsedFeed,
    completed,
    join_url,
    language,
    text_or_empty,
)
from pipeline.page import decode, urls
from pipeline.page.date_parsing import parse_date, parse_unix_seconds, plausible
from pipeline.page.plain import plain_text
from pipeline.records import content_id


def _join(base: str, link: str) -> str:
    return urls.join(base, completed(link))


# its own join drops an empty query and a final semicolon of a link; there is no option for it
feedparser.urls._urljoin = feedparser.mixin._urljoin = _join  # noqa: SLF001


def parse_feed(body: bytes, *, content_type: str = "", url: str = "", now: dt.datetime | None = None) -> ParsedFeed:
    """A feed's bytes, its Content-Type and its URL (where relative links start) in, its entries out.

    `now` is when it was fetched: where 05/11 can be two days, it is none to come.

    Raises:
        FeedError: the bytes are not a feed. No other error leaves this function, whatever the bytes are.
    """
    body = safe_xml.decompress(body)
    start = body.lstrip(b"\xef\xbb\xbf\x00 \t\r\n")[:1]
    if not start:
        raise FeedError("not a feed: the answer is empty")
    if start in (b"{", b"["):
        return jsonfeed.parse(body, url)
    if body.startswith((b"%PDF", b"\x89PNG", b"GIF8", b"PK\x03\x04", b"\xff\xd8\xff")):
        raise FeedError("not a feed: a picture, document or archive")
    safe_xml.refuse_bombs(body)
    if sitemap.is_sitemap(body[:20_000].replace(b"\x00", b"").lower()):
        return sitemap.as_feed(sitemap.parse(body))
    body, content_type = _with_true_encoding(body, content_type)
    found = _feedparser_result(body, content_type, url)
    if found.get("bozo") and (escaped := _with_escaped_ampersands(body)) != body:
        found = _feedparser_result(escaped, content_type, url)
    return _from_feedparser(found, body, url, now)


def _feedparser_result(body: bytes, content_type: str, url: str) -> Mapping[str, Any]:
    """Return what feedparser reads.

    Raises:
        FeedError: feedparser raised an error.
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
    except Exception as error:  # feedparser raises errors of many types on broken markup; all mean the same
        raise FeedError(f"not a feed: cannot be read as XML ({type(error).__name__})") from error
    return found


_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,100}encoding=[\"']([\w.-]+)")


def _with_true_encoding(body: bytes, content_type: str) -> tuple[bytes, str]:
    """A feed and its Content-Type in, the body and Content-Type for feedparser out, with the encoding that the bytes have.

    Servers often declare a wrong encoding. UTF-8 is taken where the bytes are valid UTF-8; where UTF-8 is declared and the
    bytes are not valid, the encoding is detected.
    """
    # otherwise feedparser takes the caption of a picture for the description of the item
    if body[max(0, body.find(b"<item")) :].count(b"<description") >= body.count(b"<media:description") > 0:
        body = body.replace(b"media:description", b"media:caption")
    if (wide := _wide_encoding(body)) is not None:
        return body.decode(wide, "replace").encode("utf-8", "replace"), "application/xml; charset=utf-8"
    encoding = decode.charset(content_type)
    declared = _DECLARED.match(body)
    label = declared.group(1).decode("ascii") if declared is not None else ""
    if label and (told := decode.text_encoding(label)) is not None and told not in ("utf-8", "cp1252"):
        if re.match(r"utf.?(?:16|32)|ucs", label, re.IGNORECASE):  # no letter of it has two bytes
            return decode.text(body).encode("utf-8", "replace"), "application/xml; charset=utf-8"
        if encoding == "cp1252":  # what servers say of every file
            encoding = told
    if label and not decode.is_codec(label):
        known = decode.text_encoding(label)
        text = decode.text(body) if known is None else body.decode(known, "replace")
        return text.encode("utf-8", "replace"), "application/xml; charset=utf-8"
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


def _wide_encoding(body: bytes) -> str | None:
    """Bytes in, which form of UTF-16 or UTF-32 they are in out, by their mark or by the zeros beside the first letter."""
    for mark, encoding in decode.MARKS:
        if encoding != "utf-8" and body.startswith(mark):
            return encoding.rpartition("-")[0]  # the codec without a byte order takes the mark off
    return {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}.get(body[:2])


def _with_escaped_ampersands(body: bytes) -> bytes:
    """Broken XML in, the same with bare ampersands ("AT&T") escaped out: feedparser would read "AT&T;"."""
    parts = re.split(rb"(<!\[CDATA\[.*?\]\]>)", body, flags=re.DOTALL)
    parts[::2] = [re.sub(rb"&(?!#?\w{1,32};)", b"&amp;", part) for part in parts[::2]]
    return b"".join(parts)


_KINDS = {"rss": "RSS", "ato": "Atom", "cdf": "CDF"}


def _from_feedparser(found: Mapping[str, Any], body: bytes, url: str, now: dt.datetime | None) -> ParsedFeed:
    entries = found.get("entries") or []
    version = found.get("version") or ""
    if not version and not entries:
        raise FeedError(_no_feed_reason(body, url, found.get("bozo_exception")))
    if not entries and found.get("bozo") and not _closes(body):
        raise FeedError(f"a broken feed: {_xml_error(found.get('bozo_exception'))}, and no entry can be read")
    channel = found.get("feed") or {}
    locale = text_or_empty(channel.get("language")).strip()
    converted = [_entry(entry, url, locale, now) for entry in entries[: 2 * ENTRIES]]
    if len(converted) > ENTRIES and all(entry.published_at or entry.updated_at for entry in converted):
        # the newest, wherever they stand
        moments = sorted(((e.published_at or e.updated_at, n) for n, e in enumerate(converted)), reverse=True)
        converted = [converted[n] for n in sorted(n for _, n in moments[:ENTRIES])]
    links = [link for link in channel.get("links") or () if isinstance(link, Mapping)]
    hub = next((text_or_empty(link.get("href")) for link in links if link.get("rel") == "hub"), None)
    topic = next((text_or_empty(link.get("href")) for link in links if link.get("rel") == "self"), "")
    return ParsedFeed(
        title=plain_text(text_or_empty(channel.get("title"))),
        url=text_or_empty(channel.get("link")),
        language=language(locale),
        ttl_seconds=_ttl(channel),
        hub=hub or None,
        topic=join_url(url, topic),
        kind=_KINDS.get(version[:3], "feed"),
        entries=tuple(converted[:ENTRIES]),
    )


def _closes(body: bytes) -> bool:
    """Whether the feed has its end tag: then it really has no entries, and was not cut off before them."""
    return re.search(rb"</(?:\w+:)?(?:rss|rdf|feed|channel)\s*>?\s*\Z", body[-2000:], re.IGNORECASE) is not None


def _xml_error(error: object) -> str:
    line = getattr(error, "getLineNumber", lambda: None)()
    message = getattr(error, "getMessage", lambda: str(error))()
    return f"{message} in line {line}" if line else str(message)[:200]


def _no_feed_reason(body: bytes, url: str, error: object) -> str:
    """Bytes that are not a feed in, what they are instead out, in an editor's words."""
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


def _entry(raw: Mapping[str, Any], base: str, default_locale: str, now: dt.datetime | None) -> FeedEntry:
    """An entry of feedparser in, an `Entry` out. One without id, link and title gets a hash of its text as its id."""
    link = _link(raw)
    contents = [c for c in raw.get("content") or () if isinstance(c, Mapping) and text_or_empty(c.get("value"))]
    content = max((text_or_empty(c.get("value")) for c in contents), key=len, default="")
    summary = text_or_empty(raw.get("summary"))
    identity = text_or_empty(raw.get("id"))
    title = plain_text(text_or_empty(raw.get("title")))
    if not link and re.match(r"https?://", identity):
        link = identity
    source = raw.get("source")
    locale = text_or_empty(raw.get("language")).strip() or default_locale
    entry_language = language(locale)
    return FeedEntry(
        id=identity or link or title or content_id(summary, content),
        url=join_url(base, link),
        title=title,
        published_at=_date(raw, "published", locale, now) or _date(raw, "created", locale, now),
        updated_at=_date(raw, "updated", locale, now),
        summary=plain_text(summary),
        content=content or (summary if "<p" in summary.lower() or len(summary) > 1500 else ""),
        authors=tuple(dict.fromkeys(_authors(raw))),
        publisher=plain_text(text_or_empty(source.get("title"))) if isinstance(source, Mapping) else "",
        language=entry_language,
        locale=locale if entry_language else "",
    )


def _date(raw: Mapping[str, Any], name: str, locale: str, now: dt.datetime | None) -> dt.datetime | None:
    """Return a date of an entry. feedparser's own reading comes second: it loses some times and takes unknown zones for UTC."""
    present = raw.keys()  # feedparser's `get` returns another date where this one is missing
    written = text_or_empty(raw.get(name)) if name in present else ""
    if (found := parse_date(written, locale, now=now) or parse_unix_seconds(written)) is not None:
        return found
    other = _from_struct_time(raw.get(f"{name}_parsed")) if f"{name}_parsed" in present else None
    return other if other is not None and _has_day(written, other) else None


def _has_day(written: str, moment: dt.datetime) -> bool:
    """Whether a text has the day and the year of a moment: of a year, a week or a clock feedparser makes a whole date."""
    numbers = {int(number) for number in re.findall(r"\d+", written)}
    days = {(moment + dt.timedelta(days=shift)).day for shift in (-1, 0, 1)}  # the moment is in UTC
    return (
        bool(numbers & days and numbers & {moment.year, moment.year % 100}) or re.search(r"\d{8}", written) is not None
    )


def _link(raw: Mapping[str, Any]) -> str:
    """Return the URL of the entry's page; the publisher's own, where a feed service has put its redirect in front."""
    original = text_or_empty(raw.get("feedburner_origlink"))
    if original:
        return original
    links = [link for link in raw.get("links") or () if isinstance(link, Mapping)]
    pages = [link for link in links if link.get("rel", "alternate") == "alternate" and text_or_empty(link.get("href"))]
    html_pages = [link for link in pages if "html" in text_or_empty(link.get("type"))]
    return text_or_empty(raw.get("link")) or next((text_or_empty(p.get("href")) for p in (*html_pages, *pages)), "")


def _authors(raw: Mapping[str, Any]) -> Iterator[str]:
    mail = re.fullmatch(r"\S+@\S+\s+\(([^()]{2,200})\)", text_or_empty(raw.get("author")).strip())
    if mail:  # the form of the RSS specification, which feedparser splits in the wrong place
        yield plain_text(mail.group(1))
        return
    for author in raw.get("authors") or ():
        name = plain_text(text_or_empty(author.get("name"))) if isinstance(author, Mapping) else ""
        if name and not re.fullmatch(r"\S+@\S+|https?://\S+", name):
            yield name
    if not raw.get("authors") and (name := plain_text(text_or_empty(raw.get("author")))):
        yield name


def _ttl(channel: Mapping[str, Any]) -> int | None:
    """Return the least seconds between two polls that the feed asks for: <ttl> (minutes) or the syndication module."""
    minutes = re.fullmatch(r"\s*(\d{1,6})\s*", text_or_empty(channel.get("ttl")))
    if minutes:
        return int(minutes.group(1)) * 60
    period = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}.get(
        text_or_empty(channel.get("sy_updateperiod")).strip().lower()
    )
    if period is None:
        return None
    frequency = re.fullmatch(r"\s*(\d{1,6})\s*", text_or_empty(channel.get("sy_updatefrequency")))
    return period // max(1, int(frequency.group(1)) if frequency else 1)


def _from_struct_time(parsed: object) -> dt.datetime | None:
    """A time tuple of feedparser (UTC) in, a moment out; None for a year that cannot be meant."""
    if not isinstance(parsed, time.struct_time):
        return None
    try:
        moment = dt.datetime.fromtimestamp(calendar.timegm(parsed), dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return plausible(moment)
