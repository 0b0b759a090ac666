"""What a feed is made of in every format: `ParsedFeed` and `Entry`, and the small functions that all formats share. Pure."""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pipeline.page import urls

ENTRIES: Final = 5000
"""The most entries that are read from one feed."""


class FeedError(Exception):
    """The bytes are not a feed. The message tells an editor what they are instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry as it stands in the feed. `id` is the feed's id for it, or its link; `summary` is text, `content` HTML.

    `locale` is the whole language tag, with its country ("en-GB").
    """

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
    locale: str = ""


@dataclass(frozen=True, slots=True)
class ChildSitemap:
    """A sitemap that an index of sitemaps lists, and when it changed last, where the index says so."""

    url: str
    changed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed that was read. `ttl_seconds` is the least time that it asks for between two polls.

    `hub` is its WebSub hub, `topic` the URL that the hub knows it by (rel=self). An index of sitemaps has `children` instead of
    entries. `undated` counts the pages of a sitemap that were left out because they have no date.
    """

    title: str = ""
    url: str = ""
    language: str | None = None
    ttl_seconds: int | None = None
    hub: str | None = None
    topic: str = ""
    entries: tuple[FeedEntry, ...] = ()
    children: tuple[ChildSitemap, ...] = ()
    undated: int = 0
    kind: str = ""


def text_or_empty(value: object) -> str:
    """Return the value if it is a string, else an empty string."""
    return value if isinstance(value, str) else ""


def language(value: object) -> str | None:
    """A language tag in, its first part (ISO 639) out; None where it is not a language tag."""
    found = re.match(r"[a-zA-Z]{2,3}(?=$|[-_])", text_or_empty(value).strip())
    return found.group().lower() if found else None


def join_url(base: str, link: str) -> str:
    """A link and the URL that relative links start at in, the absolute URL out; empty where the link is not a URL.

    An absolute link stays as it is written.
    """
    try:
        urlsplit(found := urls.join(base, link.strip()) if link else "")  # raises an error where it is not a URL
    except ValueError:
        return ""
    return found


_BLOCK = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(?:[a-zA-Z/!][^<>]*)>")
_INVISIBLE = re.compile(
    r"<(script|style|del|s|strike)(?:\s[^<>]*)?>.*?</\1\s*>"
    r"|<(\w+)\s[^<>]*(?:line-through|display\s*:\s*none)[^<>]*>[^<>]*</\2\s*>"
    r"|<sup(?:\s[^<>]*)?>\s*(?:<a\s[^<>]*>)?\s*[\[(]?(?:\d{1,3}|[a-z*†‡])[\])]?\s*(?:</a\s*>)?\s*</sup\s*>",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,7}|#x[0-9a-f]{2,6}|[a-z]{3,8});", re.IGNORECASE)

_TIMES_ESCAPED: Final = 4
"""How often a text may have been escaped: systems that pass a feed on escape it again."""


def plain_text(markup: str) -> str:
    """Markup in, its text on one line out, without struck text and marks of notes, and however often it was escaped."""
    for times in range(_TIMES_ESCAPED):
        if "<" in markup and (times == 0 or _KNOWN_TAG.search(markup)):
            markup = _TAG.sub("", _BLOCK.sub(" ", _INVISIBLE.sub(" ", markup)))
        if not _ESCAPED.search(markup):
            break
        markup = html.unescape(markup)
    return " ".join(html.unescape(markup).split())


_KNOWN_TAG = re.compile(r"</(?:a|b|div|em|i|p|s|span|strong|del|h\d)\s*>|<(?:br|p)\b", re.IGNORECASE)
