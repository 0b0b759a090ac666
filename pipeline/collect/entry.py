"""What a feed is made of in every format: `ParsedFeed` and `Entry`, and the small functions that all formats share. Pure."""

from __future__ import annotations

import datetime as dt
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


_NO_SLASHES: Final = re.compile(r"^(https?)(?::?//?)(?=[\w-]+(?:\.[\w-]+)+(?:[:/?#]|$))(?<!://)", re.IGNORECASE)
_NO_SCHEME: Final = re.compile(r"^www\.[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}(?=[:/?#]|$)", re.IGNORECASE)


def text_or_empty(value: object) -> str:
    """Return the value if it is a string, else an empty string."""
    return value if isinstance(value, str) else ""


def language(value: object) -> str | None:
    """A language tag in, its first part (ISO 639) out; None where it is not a language tag."""
    found = re.match(r"[a-zA-Z]{2,3}(?=$|[-_])", text_or_empty(value).strip())
    return found.group().lower() if found else None


def completed(link: str) -> str:
    """A link as it is written in, the same with its scheme and slashes where it begins with a host out."""
    return _NO_SCHEME.sub(r"http://\g<0>", _NO_SLASHES.sub(r"\1://", link.strip()))


def join_url(base: str, link: str) -> str:
    """A link and the URL that relative links start at in, the absolute URL out; empty where the link is not a URL.

    An absolute link stays as it is written. One that lacks only its slashes or its scheme ("www.paper.example/a") is completed.
    """
    link = completed(link)
    try:
        urlsplit(found := urls.join(base, link) if link else "")  # raises an error where it is not a URL
    except ValueError:
        return ""
    return found
