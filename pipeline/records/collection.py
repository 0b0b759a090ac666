"""What the collector writes: feeds, what it knows of them, and the pages it fetched."""

from __future__ import annotations

import datetime as dt

import msgspec

from pipeline.records.wire import Record, Value


class Feed(Record, frozen=True, kw_only=True):
    """What an operator configured in feeds.toml; the collector's state of it is a `FeedState`."""

    id: str
    url: str
    title: str = ""
    publisher: str = ""
    country: str | None = None
    language: str | None = None
    interval_seconds: int | None = None
    full_text: bool = False
    group: str = ""


class FeedState(Record, frozen=True, kw_only=True):
    """What the collector knows of a feed: kept in a compacted topic, so that a restart refetches and repeats nothing.

    `seen` maps an entry (a hash of its id) to its article. `url` is the configured one that the rest is about, `moved_to`
    where it permanently redirects to; a `retired` feed (410 Gone) is not asked again until its URL is changed. `heard_at`: when
    it last published something; `silence`: why that is long ago. `hub` is where it offers WebSub, for its address `topic`.
    """

    id: str
    url: str
    etag: str | None = None
    last_modified: str | None = None
    checked_at: dt.datetime | None = None
    succeeded_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    failures: int = 0
    error: str | None = None
    seen: dict[str, SeenEntry] = msgspec.field(default_factory=dict)
    title: str = ""
    moved_to: str | None = None
    retired: bool = False
    entries: int = 0
    newest_at: dt.datetime | None = None
    ttl_seconds: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    gap_seconds: float | None = None
    heard_at: dt.datetime | None = None
    heard_since: dt.datetime | None = None
    heard_times: int = 0
    longest_gap_seconds: float = 0.0
    silence: str | None = None
    hub: str | None = None
    topic: str = ""


class SeenEntry(Value, frozen=True, kw_only=True):
    """One entry that was dealt with: its article, the fingerprint of what was published and of what the feed said of it.

    An empty `content_hash` means that nothing was published: another feed brought the article, or it was rejected.
    """

    article_id: str
    first_seen_at: dt.datetime
    content_hash: str
    entry_hash: str = ""


class Article(Record, frozen=True, kw_only=True):
    """One fetched page or feed entry, raw, as it was met. `id` is a hash of the canonical URL.

    `html` is the page up to the collector's cap, or plain text when `content_type` is text/plain. `first_seen_at` never
    changes for an id; an updated article is the same id with a newer `fetched_at` and another `content_hash`.
    """

    id: str
    url: str
    feed_id: str
    fetched_at: dt.datetime
    first_seen_at: dt.datetime
    content_hash: str
    html: str
    content_type: str = "text/html"
    canonical_url: str | None = None
    title: str = ""
    summary: str = ""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    language: str | None = None
    published_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
