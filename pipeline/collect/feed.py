"""Bytes in, a feed's title and entries out: RSS 0.9x, 1.0 and 2.0, Atom, JSON Feed. Pure: no network, no clock.

The format is found in the content, whatever the server calls it. feedparser reads XML and is given bytes, never an address:
it would open what it takes for a file's name. JSON Feed is read by hand. The only importer of feedparser.
"""

from __future__ import annotations

import calendar
import datetime as dt
import html
import io
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urljoin

import feedparser
import msgspec

from pipeline.collect import decode
from pipeline.records import content_id

ENTRIES: Final = 5000
"""The most entries read from one feed; what it keeps beyond that is an archive."""

_ENTITIES: Final = 300
"""An XML feed that declares more names of letters than HTML has (253) declares something else."""

_JSON_FEED: Final = "jsonfeed.org/version"


class FeedError(Exception):
    """These bytes are no feed; the message says to an editor what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as the feed tells it. `id` is the feed's own name for it, or the link; `summary` is text, `content` HTML."""

    id: str
    url: str = ""
    title: str = ""
    published_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    summary: str = ""
    content: str = ""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed that was read. `ttl_seconds` is how long it asks to be left alone; `hub` is where it offers WebSub."""

    title: str = ""
    url: str = ""
    language: str | None = None
    ttl_seconds: int | None = None
    hub: str | None = None
    entries: tuple[Entry, ...] = ()


def parse(body: bytes, *, content_type: str = "", url: str = "") -> Parsed:
    """A feed's bytes, its Content-Type and its address (relative links start there) in, its entries out.

    Raises:
        FeedError: they are no feed. Nothing else, whatever the bytes are.
    """
    start = body.lstrip(b"\xef\xbb\xbf\x00 \t\r\n")[:1]
    if not start:
        raise FeedError("not a feed: the answer is empty")
    if start in (b"{", b"["):
        return _json_feed(body, url)
    if body.startswith((b"\x1f\x8b", b"%PDF", b"\x89PNG", b"GIF8", b"PK\x03\x04", b"\xff\xd8\xff")):
        raise FeedError("not a feed: a picture, document or archive")
    _defuse(body)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = feedparser.parse(
                io.BytesIO(body),
                response_headers={"content-type": _content_type(body, content_type), "content-location": url},
                sanitize_html=False,
                resolve_relative_uris=True,
            )
    except Exception as error:  # feedparser fails in many ways on broken markup; each of them means the same
        raise FeedError(f"not a feed: cannot be read as XML ({type(error).__name__})") from error
    return _from_feedparser(found, body, url)


def _content_type(body: bytes, content_type: str) -> str:
    """What to tell feedparser: XML, and UTF-8 where the bytes are that, because servers name encodings by habit."""
    encoding = decode.charset(content_type)
    try:
        if not body.isascii():
            body.decode("utf-8")
            declared = re.match(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,100}encoding=[\"']([\w.-]+)", body)
            if declared is None or declared.group(1).lower() in (b"utf-8", b"utf8"):
                encoding = "utf-8"
    except UnicodeDecodeError:
        pass
    return f"application/xml; charset={encoding}" if encoding else "application/xml"


_LETTER = re.compile(rb"\s*(\"(?:&#\w{1,8};|[^&%\"]{0,64})\"|'(?:&#\w{1,8};|[^&%']{0,64})')\s*")
"""The value of a harmless entity: a letter by its number, or a short text without entities in it."""

_PUBLIC_SET = re.compile(rb"\s*PUBLIC\s+[\"']-//W3C//[^\"'<>&%]{0,100}[\"']\s*[\"'][^\"'<>&%]{0,200}[\"']\s*")
"""The W3C's sets of named letters, which old RDF feeds refer to. Nothing is fetched for them."""


def _defuse(body: bytes) -> None:
    """Refuse entities that are built of entities, fetched from elsewhere, or too many: XML bombs.

    Raises:
        FeedError: the document type declares such entities.
    """
    flat = body.replace(b"\x00", b"")  # UTF-16 has a zero in every ASCII letter
    if b"<!ENTITY" not in flat.upper():
        return
    declared = re.findall(rb"<!ENTITY\s+(%?)\s*[\w:.-]*\s*([^>]{0,2000})>?", flat, re.IGNORECASE)
    harmless = all((_PUBLIC_SET if percent else _LETTER).fullmatch(value) for percent, value in declared)
    if not harmless or len(declared) > _ENTITIES:
        raise FeedError("refused: its document type declares entities as an XML bomb does")


def _from_feedparser(found: Mapping[str, Any], body: bytes, url: str) -> Parsed:
    entries = found.get("entries") or []
    version = found.get("version") or ""
    if not version and not entries:
        raise FeedError(_what_is_it(body, url, found.get("bozo_exception")))
    if not entries and found.get("bozo") and not _closes(body):
        raise FeedError(f"a broken feed: {_xml_error(found.get('bozo_exception'))}, and no entry can be read")
    channel = found.get("feed") or {}
    default_language = _language(channel.get("language"))
    read = [_entry(entry, url, default_language) for entry in entries[:ENTRIES]]
    links = [link for link in channel.get("links") or () if isinstance(link, Mapping)]
    hub = next((_string(link.get("href")) for link in links if link.get("rel") == "hub"), None)
    return Parsed(
        title=plain(_string(channel.get("title"))),
        url=_string(channel.get("link")),
        language=default_language,
        ttl_seconds=_ttl(channel),
        hub=hub or None,
        entries=tuple(read),
    )


def _closes(body: bytes) -> bool:
    """Whether the end of a feed is there: then it has no entries, and is not cut off before them."""
    return re.search(rb"</(?:\w+:)?(?:rss|rdf|feed|channel)\s*>\s*\Z", body[-2000:], re.IGNORECASE) is not None


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
    if b"<urlset" in head or b"<sitemapindex" in head:
        return "not a feed: a sitemap"
    if b"<" not in head:
        return "not a feed: plain text or data"
    return f"not a feed: {_xml_error(error)}" if error else "not a feed: XML of another kind"


def _entry(raw: Mapping[str, Any], base: str, language: str | None) -> Entry:
    """One of feedparser's entries in, ours out; one without name, link and title is known by its words."""
    link = _link(raw)
    contents = [c for c in raw.get("content") or () if isinstance(c, Mapping) and _string(c.get("value"))]
    content = max((_string(c.get("value")) for c in contents), key=len, default="")
    summary = _string(raw.get("summary"))
    identity = _string(raw.get("id"))
    title = plain(_string(raw.get("title")))
    if not link and re.match(r"https?://", identity):
        link = identity
    source = raw.get("source")
    return Entry(
        id=identity or link or title or content_id(summary, content),
        url=_joined(base, link),
        title=title,
        published_at=_moment(raw.get("published_parsed")) or _moment(raw.get("created_parsed")),
        updated_at=_moment(raw.get("updated_parsed")) if "updated_parsed" in raw.keys() else None,  # noqa: SIM118
        summary=plain(summary),
        content=content or (summary if "<p" in summary.lower() or len(summary) > 1500 else ""),
        authors=tuple(dict.fromkeys(_authors(raw))),
        publisher=plain(_string(source.get("title"))) if isinstance(source, Mapping) else "",
        language=_language(raw.get("language")) or language,
    )


def _link(raw: Mapping[str, Any]) -> str:
    """The entry's page: what the publisher says it was before a feed service put its own address there."""
    original = _string(raw.get("feedburner_origlink"))
    if original:
        return original
    links = [link for link in raw.get("links") or () if isinstance(link, Mapping)]
    pages = [link for link in links if link.get("rel", "alternate") == "alternate" and _string(link.get("href"))]
    html_pages = [link for link in pages if "html" in _string(link.get("type"))]
    return _string(raw.get("link")) or next((_string(p.get("href")) for p in (*html_pages, *pages)), "")


def _authors(raw: Mapping[str, Any]) -> Iterator[str]:
    for author in raw.get("authors") or ():
        name = plain(_string(author.get("name"))) if isinstance(author, Mapping) else ""
        if name and not re.fullmatch(r"\S+@\S+|https?://\S+", name):
            yield name
    if not raw.get("authors") and (name := plain(_string(raw.get("author")))):
        yield name


def _ttl(channel: Mapping[str, Any]) -> int | None:
    """How long the feed asks to be left alone, in seconds: <ttl> (minutes) or the syndication module."""
    minutes = re.fullmatch(r"\s*(\d{1,6})\s*", _string(channel.get("ttl")))
    if minutes:
        return int(minutes.group(1)) * 60
    period = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}.get(
        _string(channel.get("sy_updateperiod")).strip().lower()
    )
    if period is None:
        return None
    often = re.fullmatch(r"\s*(\d{1,6})\s*", _string(channel.get("sy_updatefrequency")))
    return period // max(1, int(often.group(1)) if often else 1)


def _moment(parsed: object) -> dt.datetime | None:
    """A time tuple of feedparser (UTC) in, a moment out; None for the nonsense that broken dates become."""
    if not isinstance(parsed, time.struct_time):
        return None
    try:
        moment = dt.datetime.fromtimestamp(calendar.timegm(parsed), dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 1990 <= moment.year <= 2100 else None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _language(value: object) -> str | None:
    found = re.match(r"[a-zA-Z]{2,3}(?=$|[-_])", _string(value).strip())
    return found.group().lower() if found else None


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link.strip()) if base and link else link.strip()
    except ValueError:
        return ""


_BLOCK = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(?:[a-zA-Z/!][^<>]*)>")
_SILENT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def plain(markup: str) -> str:
    """Markup in, its words on one line out."""
    if "<" in markup:
        markup = _TAG.sub("", _BLOCK.sub(" ", _SILENT.sub(" ", markup)))
    return " ".join(html.unescape(markup).split())


# --- JSON Feed ---------------------------------------------------------------------------------------------------------


def _json_feed(body: bytes, url: str) -> Parsed:
    try:
        found = msgspec.json.decode(decode.text(body).encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise FeedError(f"not a feed: broken JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        raise FeedError("not a feed: JSON of another kind")
    if _JSON_FEED not in _string(found.get("version")) and not any(
        isinstance(item, dict) and {"url", "content_html", "content_text"} & item.keys() for item in found["items"]
    ):
        raise FeedError("not a feed: JSON of another kind")
    language = _language(found.get("language"))
    hubs = found.get("hubs")
    hub = next((_string(h.get("url")) for h in hubs if isinstance(h, dict)), None) if isinstance(hubs, list) else None
    items = [item for item in found["items"][:ENTRIES] if isinstance(item, dict)]
    entries = [_json_entry(item, url, language) for item in items]
    return Parsed(
        title=plain(_string(found.get("title"))),
        url=_string(found.get("home_page_url")),
        language=language,
        hub=hub or None,
        entries=tuple(entries),
    )


def _json_entry(item: dict[str, Any], base: str, language: str | None) -> Entry:
    identity = item.get("id")
    identity = str(identity) if isinstance(identity, str | int | float) and not isinstance(identity, bool) else ""
    link = _string(item.get("url")) or _string(item.get("external_url"))
    title = plain(_string(item.get("title")))
    content_html, content_text = _string(item.get("content_html")), _string(item.get("content_text"))
    if not link and re.match(r"https?://", identity):
        link = identity
    listed = item.get("authors")
    people = listed if isinstance(listed, list) else [item.get("author")]
    content = content_html or "".join(f"<p>{html.escape(p)}</p>" for p in content_text.splitlines() if p.strip())
    return Entry(
        id=identity or link or title or content_id(content_html, content_text),
        url=_joined(base, link),
        title=title,
        published_at=_iso(item.get("date_published")),
        updated_at=_iso(item.get("date_modified")),
        summary=plain(_string(item.get("summary"))),
        content=content,
        authors=tuple(name for p in people if isinstance(p, dict) and (name := plain(_string(p.get("name"))))),
        language=_language(item.get("language")) or language,
    )


def _iso(value: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(_string(value).strip())
        moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1990 <= moment.year <= 2100 else None


# --- feeds of a page ----------------------------------------------------------------------------------------------------


class _Links(HTMLParser):
    """Collects <link rel="alternate"> of feeds."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if (
            tag == "link"
            and "alternate" in values.get("rel", "").lower().split()
            and re.search(r"application/(?:rss|atom|feed\+json|rdf)|text/xml", values.get("type", "").lower())
            and values.get("href")
        ):
            self.found.append(values["href"])


def discover(page: str, url: str) -> tuple[str, ...]:
    """A page and its address in, the addresses of the feeds that it offers out, in its order."""
    parser = _Links()
    try:
        parser.feed(page)
        return tuple(dict.fromkeys(joined for link in parser.found if (joined := _joined(url, link))))
    except (ValueError, AssertionError, RecursionError):
        return ()
