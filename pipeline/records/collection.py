"""The collector's records: feeds, the state of each, and the articles that were fetched."""

from __future__ import annotations

import datetime as dt

import msgspec

from pipeline.records.wire import Record, Value


class Feed(Record, frozen=True, kw_only=True):
    """A feed as configured in feeds.toml. What the collector knows of it is in its `FeedState`."""

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
    """What the collector knows of a feed, kept in a compacted topic, so that a restart fetches and publishes nothing twice.

    `seen` maps the key of an entry to its article. `url` is the configured URL that the state is about, `moved_to` the URL
    that it permanently redirects to. A `retired` feed (410 Gone) is not polled again until its URL is changed. `read_at` is
    when it was last read in full, `heard_at` when it last published an entry; `silence` is set when that is unusually long
    ago. `hub` is its WebSub hub, `topic` its URL there. `doubts` are hashes of pages that may be a wall (see collect/doubt.py).
    """

    id: str
    url: str
    etag: str | None = None
    last_modified: str | None = None
    checked_at: dt.datetime | None = None
    read_at: dt.datetime | None = None
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
    doubts: tuple[str, ...] = ()


class SeenEntry(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An entry that was processed: its article, and the hashes of what was published and of what stood in the feed.

    An empty `content_hash` means that nothing was published, because another feed has the article or it was rejected. `mark`
    has short hashes of page and title and the entry's date (see collect/seen.py), `prose` of some sentences of the page (see
    collect/prose.py): entries change their ids and addresses.
    """

    article_id: str
    first_seen_at: dt.datetime
    content_hash: str
    entry_hash: str = ""
    mark: str = ""
    prose: str = ""


class Article(Record, frozen=True, kw_only=True):
    """One fetched page or feed entry, raw. `id` is a hash of its URL: of the canonical form, unless another article has that.

    `url` is the address as the feed gives it, `canonical_url` the one that the page declares, or where it was found.
    `truncated`: the page is a wall or cannot be read, and `html` is the feed's shorter text. `locale` is the feed's language
    with its country ("en-GB"), which says in which order days and months are written.
    `html` is the page up to the collector's limit, or plain text when `content_type` is text/plain. `first_seen_at` never
    changes for an id. An updated article has the same id, a newer `fetched_at` and another `content_hash`.
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
    truncated: bool = False
    locale: str = ""
