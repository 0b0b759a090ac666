"""An entry and its page in, the Article out. Pure."""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import dataclass
from typing import Final

from pipeline import stage
from pipeline.collect import seen
from pipeline.collect.entry import FeedEntry, ParsedFeed
from pipeline.collect.fetch import FetchError, FetchResult
from pipeline.collect.seen import EntryCandidate
from pipeline.page import decode, urls
from pipeline.page.plain import plain_text
from pipeline.records import Article, Feed

FULL_CHARACTERS: Final = 1500
"""A text in a feed that is this long and not cut off is the whole article, so its page is not fetched."""

SUMMARY_CHARACTERS: Final = 120
"""About two sentences: a summary of this length is published where there is no page."""

SENTENCE_CHARACTERS: Final = 40
"""One sentence: a text of this length is published where the page is a wall or is refused, because there will be no other."""

_CUT_OFF = re.compile(
    r"(?:…|\.\.\.|\[…\]|\[\.\.\.\])\W*$|\b(?:read more|continue reading|read the full)\b.{0,60}$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as text. `url` is where it was found after all redirects.

    `is_part`: it is one part of a page of several articles.
    """

    html: str
    url: str
    content_type: str = "text/html"
    is_part: bool = False

    @property
    def is_file(self) -> bool:
        """Whether the page is a local file."""
        return self.url.startswith("file:")


def compose(
    feed: Feed,
    parsed: ParsedFeed,
    candidate: EntryCandidate,
    page: Page | FetchError | None,
    *,
    now: dt.datetime,
    limit: int,
) -> Article:
    """An entry and its page (or why there is none) in, the article with at most `limit` bytes of the page out.

    Raises:
        Rejected: neither the page nor the feed has a text.
    """
    entry, previous = candidate.entry, candidate.previous
    shut_out = isinstance(page, FetchError) and page.kind in ("wall", "refused")
    fewest = SENTENCE_CHARACTERS if shut_out else SUMMARY_CHARACTERS
    source = page if isinstance(page, Page) else _page_from_feed(entry, candidate.url, fewest)
    if source is None or (isinstance(page, FetchError) and page.kind in ("not_found", "gone", "oversized", "not_text")):
        raise _rejection(page)
    if not source.html.strip():
        raise stage.Rejected("empty")
    url, article_id = _address_and_id(candidate, page)
    latest = now + dt.timedelta(days=1)
    published = entry.published_at or entry.updated_at
    return Article(
        id=article_id if previous is None else previous.article_id,
        url=candidate.url or feed.url,
        canonical_url=url or None,
        feed_id=feed.id,
        fetched_at=now,
        first_seen_at=previous.first_seen_at if previous is not None else now,
        content_hash=seen.content_hash(entry.title, source.html),
        html=shorten(source.html, limit),
        content_type=source.content_type,
        title=entry.title[:1000],
        summary=entry.summary[:10_000],
        authors=entry.authors[:20],
        publisher=entry.publisher or feed.publisher or parsed.title,
        language=feed.language or entry.language,
        published_at=published if published is None or published <= latest else None,
        updated_at=entry.updated_at if entry.updated_at is None or entry.updated_at <= latest else None,
        truncated=isinstance(page, FetchError) and not is_full(entry.content),
        locale=_locale(feed, entry),
    )


def _locale(feed: Feed, entry: FeedEntry) -> str:
    """Return the language with its country: of the entry, or as configured for the feed."""
    if "-" in entry.locale or "_" in entry.locale:
        return entry.locale[:20]
    language = feed.language or entry.language or ("und" if feed.country else "")
    return f"{language}-{feed.country}" if feed.country else language


def _address_and_id(candidate: EntryCandidate, page: Page | FetchError | None) -> tuple[str, str]:
    """Return where the article is, and its id: of the canonical form of that address."""
    if not candidate.url or (isinstance(page, Page) and page.is_file):
        return candidate.url, candidate.article_id
    if not isinstance(page, Page) or page.is_part:
        alone = not candidate.crowded and not (isinstance(page, Page) and page.is_part)
        tidied = urls.canonical(candidate.url) if alone else None
        return candidate.url, urls.article_id(tidied) if tidied else candidate.article_id
    declared = declared_address(page)
    return (
        (declared, urls.article_id(declared))
        if declared
        else (page.url, urls.article_id(urls.canonical(page.url) or page.url))
    )


def declared_address(page: Page) -> str | None:
    """A page in, the URL that it declares as its own out; None where it declares none, or one that may be of all articles."""
    link = canonical_link(page.html)
    declared = urls.absolute(link, page.url) if link else None
    if declared is None or not (urls.is_telling(declared) or urls.address(declared) == urls.address(page.url)):
        return None
    return declared if urls.accepted(declared, page.url) == urls.canonical(declared) else None


def feed_text(entry: FeedEntry) -> str:
    """An entry in, what the feed itself says out: the longer of its summary and its content, as text."""
    return max(entry.summary, plain_text(entry.content[:100_000]), key=len)


def is_full(content: str) -> bool:
    """The HTML of an entry in, whether it is the whole article out: long enough, and not cut off."""
    if len(content) < FULL_CHARACTERS:
        return False
    text = plain_text(content)
    return len(text) >= FULL_CHARACTERS and _CUT_OFF.search(text[-120:]) is None


def read_page(answer: FetchResult, asked_url: str) -> Page:
    """An answer and the URL that was asked for in, the page as text out.

    Raises:
        FetchError: it is not an article's page: a picture, a document, or the front page in place of a removed article.
    """
    start = answer.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    kind = answer.content_type.split(";")[0].strip().lower()
    looks_like_page = start[:1] == b"<" or b"<html" in start.lower()
    binary = start.startswith((b"%PDF", b"\x89PNG", b"GIF8", b"PK\x03\x04", b"\xff\xd8\xff", b"\x1f\x8b"))
    if re.match(r"(?:application|text)/(?:[\w.-]+\+)?(?:json|javascript)$", kind) and start[:1] in (b"{", b"["):
        raise FetchError("wall", f"is not a page but {kind}")  # an answer for programs, such as "not allowed"
    not_pages = r"(?:image|video|audio|font)/|application/(?!xhtml|xml|octet)"
    if binary or (not looks_like_page and re.match(not_pages, kind)):
        raise FetchError("not_text", f"is not a page but {kind or 'something else'}")
    is_file = asked_url.startswith("file:")
    if not is_file and _path(asked_url) != "/" and _path(answer.url) == "/":
        raise FetchError("wall", "leads to the front page: the article is gone, or not shown to this reader")
    text = decode.text(answer.body, answer.content_type)
    is_text = kind in ("text/plain", "text/markdown") and not looks_like_page
    return Page(text, asked_url if is_file else answer.url, kind if is_text else "text/html")


def _path(url: str) -> str:
    """Return the path of a URL without query and fragment; "/" where it is empty."""
    return re.sub(r"^\w+://[^/?#]*", "", url).partition("?")[0].partition("#")[0] or "/"


_CANONICAL = re.compile(
    r"<link\b(?=[^>]{0,1000}\brel\s*=\s*[\"']?canonical\b)[^>]{0,1000}?\bhref\s*=\s*[\"']?([^\"'\s>]{1,2000})",
    re.IGNORECASE,
)


_OG_URL = re.compile(
    r"<meta\b(?=[^>]{0,1000}\bproperty\s*=\s*[\"']?og:url\b)[^>]{0,1000}?\bcontent\s*=\s*[\"']?([^\"'\s>]{1,2000})",
    re.IGNORECASE,
)


def canonical_link(page: str) -> str | None:
    """A page in, the URL that it declares as its own out: the canonical link, else og:url; None where it has neither."""
    head = page[:200_000]
    found = _CANONICAL.search(head) or _OG_URL.search(head)
    return html.unescape(found.group(1)) if found else None


_INVISIBLE = re.compile(
    r"<script\b(?![^>]{0,200}ld\+json)[^>]*>.*?</script\s*>|<style\b[^>]*>.*?</style\s*>|<svg\b[^>]*>.*?</svg\s*>|<!--.*?-->",
    re.IGNORECASE | re.DOTALL,
)


def shorten(page: str, limit: int) -> str:
    """A page in, at most `limit` bytes of it out: scripts, styles and comments are cut first, then the end."""
    if len(page) <= limit // 4 or len(page.encode("utf-8", "replace")) <= limit:
        return page.encode("utf-8", "replace").decode("utf-8") if not page.isascii() else page
    visible = _INVISIBLE.sub("", page)
    return visible.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _page_from_feed(entry: FeedEntry, url: str, fewest: int) -> Page | None:
    """Return the entry's own text as a page, if it has at least so many characters."""
    content = entry.content
    if len(plain_text(content)) >= fewest:
        title = html.escape(entry.title)
        return Page(
            f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{content}</article></body></html>",
            url,
        )
    if len(entry.summary) >= fewest:
        return Page(entry.summary, url, "text/plain")
    return None


def _rejection(page: Page | FetchError | None) -> stage.Rejected:
    """Return the rejection of an entry that has no text, with the reason why its page is missing."""
    if isinstance(page, FetchError):
        reason = {kind: kind for kind in ("refused", "oversized", "not_text", "wall")}.get(page.kind, "not_found")
        return stage.Rejected(reason, str(page))
    return stage.Rejected("empty", "the feed has no text and no page")
