"""What tables read of a hit of Elasticsearch, as types: its bytes are decoded into them, and all else is skipped.

All parts may be missing, because documents have no empty parts (`document_fields.clean`). Times stay text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

Number = int | float
"""A number as it is in the document: 1 stays 1, and 1.0 stays 1.0."""

Texts = Sequence[str]
News = TypeVar("News")
AnyHit = TypeVar("AnyHit")


class HitUrl(msgspec.Struct, frozen=True, gc=False):
    """`url` of a document."""

    full: str | None = None


class HitRule(msgspec.Struct, frozen=True, gc=False):
    """`rule` of an alert."""

    name: str | None = None


class HitPoint(msgspec.Struct, frozen=True, gc=False):
    """A point in degrees."""

    lat: Number
    lon: Number


class HitDate(msgspec.Struct, frozen=True, gc=False):
    """When it happened: days, both included."""

    start: str | None = None
    end: str | None = None
    precision: str | None = None


class HitAmount(msgspec.Struct, frozen=True, gc=False):
    """A sum or a counted thing."""

    value: Number = 0
    currency: str = ""
    unit: str = ""


class HitParty(msgspec.Struct, frozen=True, gc=False):
    """An actor or a recipient."""

    text: str | None = None
    name: str | None = None
    country: str | None = None
    sector: str | None = None


class HitExport(msgspec.Struct, frozen=True, gc=False):
    """The codes of an event's type in PLOVER and CAMEO."""

    plover: str | None = None
    cameo: str | None = None


class SharedNews(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """`news` of events and stories, as far as their own tables read it."""

    kind: str | None = None
    event_type: str | None = None
    subtype: str | None = None
    modality: str | None = None
    confidence: Number | None = None
    actor_names: Texts = ()
    actor_countries: Texts = ()
    recipient_names: Texts = ()
    recipient_countries: Texts = ()
    place_names: Texts = ()
    place_countries: Texts = ()
    location: Sequence[HitPoint] = ()
    date: HitDate = HitDate()
    amount_usd: Number | None = None
    money: Sequence[HitAmount] = ()
    dead: Number | None = None
    injured: Number | None = None
    quantities: Sequence[HitAmount] = ()
    items: Texts = ()


class EventNews(SharedNews, frozen=True, gc=False, kw_only=True):
    """`news` of an event."""

    evidence: str | None = None
    attributed_to: str | None = None
    title: str | None = None
    publisher: str | None = None
    language: str | None = None
    article_id: str | None = None
    published_at: str | None = None


class CodedNews(EventNews, frozen=True, gc=False, kw_only=True):
    """`news` of an event, with what the tables of other projects read too."""

    event_mode: str | None = None
    contexts: Texts = ()
    actors: Sequence[HitParty] = ()
    recipients: Sequence[HitParty] = ()
    export: HitExport = HitExport()


class StoryNews(SharedNews, frozen=True, gc=False, kw_only=True):
    """`news` of a story."""

    headline: str | None = None
    line: str | None = None
    phase: str | None = None
    publishers: Texts = ()
    source_count: int | None = None
    article_count: int | None = None
    first_seen_at: str | None = None
    last_seen_at: str | None = None


class ArticleNews(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """`news` of an article."""

    title: str | None = None
    publisher: str | None = None
    credit: str | None = None
    authors: Texts = ()
    language: str | None = None
    feed: str | None = None
    persons: Texts = ()
    organizations: Texts = ()
    place_names: Texts = ()
    countries: Texts = ()
    published_at: str | None = None
    text: str | None = None


class AlertNews(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """`news` of an alert."""

    raised_at: str | None = None
    about: str | None = None
    occasion: str | None = None
    headline: str | None = None
    kind: str | None = None
    modality: str | None = None
    confidence: Number | None = None
    countries: Texts = ()
    publishers: Texts = ()
    held: str | None = None
    evidence: str | None = None
    story_id: str | None = None
    event_id: str | None = None


class HitSource(msgspec.Struct, Generic[News], frozen=True, gc=False, kw_only=True):
    """A document."""

    news: News
    at: str | None = msgspec.field(default=None, name="@timestamp")
    url: HitUrl = HitUrl()
    rule: HitRule = HitRule()


class TableHit(msgspec.Struct, Generic[News], frozen=True, gc=False, kw_only=True):
    """A document with its id, and by what the search has ordered it."""

    id: str = msgspec.field(name="_id")
    source: HitSource[News] = msgspec.field(name="_source")
    sort: Sequence[Any] = ()


class PageHits(msgspec.Struct, Generic[AnyHit], frozen=True):
    """The hits of a page."""

    hits: list[AnyHit]


class HitPage(msgspec.Struct, Generic[AnyHit], frozen=True):
    """The answer to a search of a point in time, whose id may be another after it."""

    hits: PageHits[AnyHit]
    pit_id: str
