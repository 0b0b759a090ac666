"""What a feed is made of, whatever its format: `Parsed`, its `Entry`s, and the small readers that all formats share. Pure."""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

ENTRIES: Final = 5000
"""The most entries read from one feed; what it keeps beyond that is an archive."""


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


@dataclass(frozen=True, slots=True)
class ChildSitemap:
    """A sitemap that an index of sitemaps names, and when it says that one has changed."""

    url: str
    changed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed that was read. `ttl_seconds` is how long it asks to be left alone; `hub` is where it offers WebSub.

    `topic` is the address that the hub knows it by (rel=self). An index of sitemaps has `children` in place of entries;
    `undated` counts the pages of a sitemap that were left out because nothing says when they are from.
    """

    title: str = ""
    url: str = ""
    language: str | None = None
    ttl_seconds: int | None = None
    hub: str | None = None
    topic: str = ""
    entries: tuple[Entry, ...] = ()
    children: tuple[ChildSitemap, ...] = ()
    undated: int = 0
    kind: str = ""


def string(value: object) -> str:
    """Anything in, itself if it is text, else nothing out."""
    return value if isinstance(value, str) else ""


def language(value: object) -> str | None:
    """A language tag in, its first part (ISO 639) out."""
    found = re.match(r"[a-zA-Z]{2,3}(?=$|[-_])", string(value).strip())
    return found.group().lower() if found else None


def joined(base: str, link: str) -> str:
    """A link and the address that relative ones start at in, the whole address out; empty where there can be none."""
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
