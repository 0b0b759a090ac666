"""What an article says: its text with the entities in it, and its events with all their parts."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from pipeline.records.wire import Record, Value

EventType = Literal[
    "AGREE", "CONSULT", "SUPPORT", "CONCEDE", "COOPERATE", "AID", "RETREAT", "REQUEST",
    "ACCUSE", "REJECT", "THREATEN", "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
]  # fmt: skip
Modality = Literal["asserted", "planned", "hypothetical", "denied", "historical"]
Precision = Literal["instant", "day", "week", "month", "season", "year", "unknown"]
Section = Literal["title", "text"]


class Sentence(Value, frozen=True, kw_only=True):
    """The offsets of a sentence, in characters of the section."""

    start: int
    end: int
    section: Section = "text"


class Entity(Value, frozen=True, kw_only=True):
    """A named entity and its place in the text. `label` is spaCy's (OntoNotes); `name`, `country`, `sector` are resolved."""

    text: str
    label: str
    start: int
    end: int
    section: Section = "text"
    name: str | None = None
    country: str | None = None
    sector: str | None = None


class PageUpdate(Value, frozen=True, kw_only=True):
    """An update of a live page: from character `start` of the text on, "today" is the day of `at`."""

    start: int
    at: dt.datetime


class Document(Record, frozen=True, kw_only=True):
    """An annotated article: its text without boilerplate, its sentences and entities. `id` is the article's id.

    Offsets count characters of `title` or of `text`, as `section` says. `updates` are those of a live page, in the order of
    the text.
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
    updates: tuple[PageUpdate, ...] = ()


class Party(Value, frozen=True, kw_only=True):
    """An actor or recipient: its words in the text, the resolved name, ISO 3166 alpha-3 country, sector (GOV, MIL, IGO ...)."""

    text: str
    name: str | None = None
    country: str | None = None
    sector: str | None = None
    identifier: str | None = None
    start: int | None = None
    end: int | None = None


class Place(Value, frozen=True, kw_only=True):
    """A place: latitude and longitude in degrees (WGS 84), and why it was chosen among the places of that name."""

    text: str
    name: str | None = None
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    reason: str | None = None
    start: int | None = None
    end: int | None = None


class When(Value, frozen=True, kw_only=True):
    """A date or a range of dates, both ends included, and its precision."""

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
    """The text of an event; `document.title` or `document.text` sliced from `start` to `end` is `text`."""

    text: str
    start: int
    end: int
    section: Section = "text"


class Export(Value, frozen=True, kw_only=True):
    """The event type in other codings, with the modality included: PLOVER's root and CAMEO's two-digit root."""

    plover: str
    cameo: str


class Event(Record, frozen=True, kw_only=True):
    """Something that an article says happened, is planned, or did not happen. See docs/events.md for what counts.

    `confidence` is the calibrated probability that it is an event of its type, `shares` the reader's own probability of each
    part (kind, modality, actors, recipients, places, date, money); it is empty for a user's own kinds. `rule` says what found
    it: `reader`, or the kind of a user's own.

    `evidence` is the sentence or clause, `trigger` the words that decided the kind. `mentions` are the other places of the
    same article that report the same event. The fields from `article_id` on say where it was read; `subject` holds the
    article's words.
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
    rule: str = ""
    shares: dict[str, float] = msgspec.field(default_factory=dict)
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
    subject: dict[str, float] = msgspec.field(default_factory=dict)


class Brief(Record, frozen=True, kw_only=True):
    """What the tracker needs of an article: who published it and when, the words that tell what it is about, and its events.

    `id` is the article's id. `words` are the telling words of title and text with their weights, `lead` those of title
    and first sentences, `names` and `lead_names` those among them that are names, in the lead also numbers, and countries
    as their codes, `year` the latest year that the text of an article
    without a date names, or None. An article without events has a brief too.
    """

    id: str
    url: str
    title: str
    first_seen_at: dt.datetime
    publisher: str = ""
    credit: str | None = None
    language: str | None = None
    published_at: dt.datetime | None = None
    fingerprint: tuple[int, ...] = ()
    words: dict[str, float] = msgspec.field(default_factory=dict)
    lead: dict[str, float] = msgspec.field(default_factory=dict)
    names: tuple[str, ...] = ()
    lead_names: tuple[str, ...] = ()
    year: int | None = None
    events: tuple[Event, ...] = ()
