"""The nouns of Dateline, frozen and typed, and how they go over the wire.

Every record is JSON on the wire and carries its name (`record`) and the version of its schema (`schema`). A field that is
added later has a default and a type never changes, so an old worker reads a new record and the other way round; only a
record of a *newer major* schema than `SCHEMA` is refused. Ids are hashes of content, so that every step can run twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final, Literal, TypeVar

import msgspec

SCHEMA: Final = 1

EventType = Literal[
    "AGREE", "CONSULT", "SUPPORT", "CONCEDE", "COOPERATE", "AID", "RETREAT", "REQUEST",
    "ACCUSE", "REJECT", "THREATEN", "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
]  # fmt: skip
Modality = Literal["asserted", "planned", "hypothetical", "denied", "historical"]
Precision = Literal["instant", "day", "week", "month", "season", "year", "unknown"]
Section = Literal["title", "text"]
Phase = Literal["planned", "happened", "ended"]
Trigger = Literal["new", "update", "phase", "spike"]


class RecordError(ValueError):
    """Bytes that are not the record they should be; the message names the path of the wrong field."""


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag=str.lower):
    """The common base: a name on the wire and a schema version, nothing else."""

    schema: int = SCHEMA


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a record: no name of its own on the wire."""


# --- collection ------------------------------------------------------------------------------------------------------


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
    seen: dict[str, SeenEntry] = {}
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


# --- understanding ---------------------------------------------------------------------------------------------------


class Sentence(Value, frozen=True, kw_only=True):
    """A sentence's offsets, in characters of the section."""

    start: int
    end: int
    section: Section = "text"


class Entity(Value, frozen=True, kw_only=True):
    """A named thing where it stands. `label` is spaCy's (OntoNotes); `name`, `country`, `sector` are what it resolves to."""

    text: str
    label: str
    start: int
    end: int
    section: Section = "text"
    name: str | None = None
    country: str | None = None
    sector: str | None = None


class Document(Record, frozen=True, kw_only=True):
    """An article understood: its text without boilerplate, sentences and entities. `id` is the article's id.

    Offsets count characters of `title` or of `text`, as `section` says.
    """

    id: str
    url: str
    feed_id: str
    title: str
    text: str
    first_seen_at: dt.datetime
    fetched_at: dt.datetime
    content_hash: str
    published_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    publisher: str = ""
    credit: str | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    image_url: str | None = None
    truncated: bool = False
    fingerprint: tuple[int, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    entities: tuple[Entity, ...] = ()


class Party(Value, frozen=True, kw_only=True):
    """Who: the words in the text, the name they resolve to, ISO 3166 alpha-3 country, sector (GOV, MIL, IGO ...)."""

    text: str
    name: str | None = None
    country: str | None = None
    sector: str | None = None
    identifier: str | None = None
    start: int | None = None
    end: int | None = None


class Place(Value, frozen=True, kw_only=True):
    """Where: latitude and longitude in degrees (WGS 84), and why this place was chosen among those of the name."""

    text: str
    name: str | None = None
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    reason: str | None = None
    start: int | None = None
    end: int | None = None


class When(Value, frozen=True, kw_only=True):
    """A date or a range of dates, both ends included, with how exact it is."""

    text: str
    start: dt.date
    end: dt.date
    precision: Precision = "day"


class Money(Value, frozen=True, kw_only=True):
    """An amount in units of `currency` (ISO 4217); of a range, `value` is the upper end and `low` the lower."""

    text: str
    value: float
    currency: str
    low: float | None = None
    start: int | None = None
    end: int | None = None


class Quantity(Value, frozen=True, kw_only=True):
    """A counted thing: `unit` is the lower-case plural noun (rounds, tanks, dead, injured)."""

    text: str
    value: float
    unit: str
    start: int | None = None
    end: int | None = None


class Evidence(Value, frozen=True, kw_only=True):
    """The words that say it; `document.title` or `document.text` sliced from `start` to `end` is `text`."""

    text: str
    start: int
    end: int
    section: Section = "text"


class Export(Value, frozen=True, kw_only=True):
    """The type as other codings would write it, modality taken in: PLOVER's root and CAMEO's two-digit root."""

    plover: str
    cameo: str


class Event(Record, frozen=True, kw_only=True):
    """Something that an article says happened, is planned, or did not happen. See docs/events.md for what counts.

    `confidence` is the probability that it is right, from `rule_confidence` and `opinion`: what the rules say, and the share
    that the second opinion gives the type. Without a second opinion it is what the rules say.

    `evidence` is the sentence or clause, `trigger` the words that gave the kind away. `mentions` are the other places of
    the same article that tell the same event. The fields from `article_id` on say where it was read; `subject`: its words.
    """

    id: str
    event_type: EventType
    kind: str
    modality: Modality
    evidence: str
    start: int
    end: int
    trigger: str
    export: Export
    section: Section = "text"
    event_mode: str | None = None
    contexts: tuple[str, ...] = ()
    subtype: str | None = None
    actors: tuple[Party, ...] = ()
    recipients: tuple[Party, ...] = ()
    places: tuple[Place, ...] = ()
    date: When | None = None
    money: tuple[Money, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    items: tuple[str, ...] = ()
    attributed_to: str | None = None
    confidence: float = 0.5
    rule_confidence: float | None = None
    opinion: float | None = None
    rule: str = ""
    mentions: tuple[Evidence, ...] = ()
    article_id: str = ""
    article_url: str = ""
    article_title: str = ""
    publisher: str = ""
    credit: str | None = None
    language: str | None = None
    published_at: dt.datetime | None = None
    first_seen_at: dt.datetime | None = None
    fetched_at: dt.datetime | None = None
    fingerprint: tuple[int, ...] = ()
    subject: dict[str, float] = {}


# --- following -------------------------------------------------------------------------------------------------------


class Report(Value, frozen=True, kw_only=True):
    """One event as its story remembers it: where, when and by whom it was told.

    `source` names the independent source that it counts for: prints of one agency's text share it.
    """

    event_id: str
    article_id: str
    article_url: str
    publisher: str
    evidence: str
    modality: Modality
    confidence: float
    seen_at: dt.datetime
    published_at: dt.datetime | None = None
    credit: str | None = None
    fingerprint: tuple[int, ...] = ()
    title: str = ""
    source: str = ""
    attributed_to: str | None = None
    language: str | None = None
    trigger: str = ""
    event_mode: str | None = None
    contexts: tuple[str, ...] = ()


class Moment(Value, frozen=True, kw_only=True):
    """One entry of a story's timeline: what changed, and when (event time)."""

    at: dt.datetime
    what: str


class Story(Record, frozen=True, kw_only=True):
    """The reports of one happening. `revision` grows by one with each change and orders them in the index.

    `opened_at` is when its first event was seen and, unlike `first_seen_at`, never changes: it chooses the story's index.
    `reports` is bounded (oldest and best kept); `event_ids` is complete for as long as the story is open. `phases` are
    those it went through, `occasions` what a rule may ring for: "new", "phase:happened", "spike:10", "update:1" ...
    `subject_ids` are the articles about it, `subject` their words; of `part_of` and the last three docs/design.md tells.
    """

    id: str
    revision: int
    headline: str
    kind: str
    event_type: EventType
    modality: Modality
    phase: Phase
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    opened_at: dt.datetime | None = None
    subtype: str | None = None
    actors: tuple[Party, ...] = ()
    recipients: tuple[Party, ...] = ()
    places: tuple[Place, ...] = ()
    date: When | None = None
    money: tuple[Money, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    items: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    source_count: int = 0
    article_count: int = 0
    confidence: float = 0.0
    change: Trigger = "new"
    event_ids: tuple[str, ...] = ()
    article_ids: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    timeline: tuple[Moment, ...] = ()
    phases: tuple[Phase, ...] = ()
    occasions: tuple[str, ...] = ()
    subject: dict[str, float] = {}
    subject_ids: tuple[str, ...] = ()
    part_of: str = ""
    merged_into: str = ""
    merged_ids: tuple[str, ...] = ()
    split_from: str = ""


class Alert(Record, frozen=True, kw_only=True):
    """A rule rang for a story. `id` is a hash of rule, story and occasion: the idempotency key of its delivery.

    `held` says why it goes to nobody (its `channels` are empty then, those it was meant for are in `meant_for`): muted,
    throttled, or digest, until the one of `held_until` that `gathers` it. `parts` are the placeholders of a template.
    """

    id: str
    rule: str
    about: str
    story_id: str
    story_revision: int
    occasion: str
    raised_at: dt.datetime
    headline: str
    message: str
    kind: str
    event_type: EventType
    modality: Modality
    evidence: str
    url: str
    confidence: float
    first_seen_at: dt.datetime
    opened_at: dt.datetime | None = None
    countries: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    family: str = ""
    event_id: str = ""
    article_id: str = ""
    held: Literal["", "muted", "throttled", "digest"] = ""
    held_until: dt.datetime | None = None
    meant_for: tuple[str, ...] = ()
    gathers: tuple[str, ...] = ()
    parts: dict[str, str] = {}


class Feedback(Record, frozen=True, kw_only=True):
    """What a person said of alerts. `name` is a rule, a story's id or an alert's id, as `target` says.

    `mute`: no bell from `at` until `until` (for ever where there is none), in event time. `ack`: the alert was right.
    `false`: it was a false alarm, so its rule rings no more for its story from `at` on; `event` is what was read wrongly.
    """

    id: str
    verdict: Literal["mute", "ack", "false"]
    target: Literal["rule", "story", "alert"]
    name: str
    at: dt.datetime
    until: dt.datetime | None = None
    rule: str = ""
    story_id: str = ""
    headline: str = ""
    evidence: str = ""
    note: str = ""
    by: str = ""
    event: Event | None = None


class Failure(Record, frozen=True, kw_only=True):
    """A record that could not be processed: the raw bytes, who tried, and why it failed. See `dateline quarantine`.

    `raw` is empty where `raw_size` (bytes) is too large for a topic: such a record is read again from its own place.
    """

    id: str
    stage: str
    error_type: str
    error: str
    topic: str
    failed_at: dt.datetime
    partition: int | None = None
    offset: int | None = None
    key: bytes | None = None
    raw: bytes = b""
    raw_size: int = 0
    version: str = ""
    traceback: str = ""


# --- the wire --------------------------------------------------------------------------------------------------------

R = TypeVar("R", bound=Record)
_encoder = msgspec.json.Encoder()
_decoders: dict[type[Record], msgspec.json.Decoder[Record]] = {}


def encode(record: Record) -> bytes:
    """A record in, its JSON out."""
    return _encoder.encode(record)


def decode(raw: bytes | None, kind: type[R]) -> R:
    """JSON in, a record of type `kind` out.

    Raises:
        RecordError: the bytes are absent, are not JSON, or do not fit; the message names the path.
    """
    decoder = _decoders.get(kind) or _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    if raw is None:
        raise RecordError(f"{kind.__name__.lower()}: the message has no value")
    try:
        record = decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{kind.__name__.lower()}: {error}") from error
    if record.schema > SCHEMA:
        raise RecordError(f"{kind.__name__.lower()}: schema {record.schema} is newer than {SCHEMA}, which is read here")
    assert isinstance(record, kind)
    return record


def content_id(*parts: object, size: int = 20) -> str:
    """Values in, a stable id out: the first `size` hex digits of SHA-256 over the parts, a separator between them."""
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:size]
