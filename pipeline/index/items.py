"""A document of Elasticsearch in, the item that the console, the command and the exports show out. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.alert import rates
from pipeline.annotate.groups import country_name
from pipeline.index.filters import Resource
from pipeline.index.hits import HitExport, HitPoint, HitRule, HitUrl, News

EXCERPT_CHARACTERS: Final = 300


class ItemParty(msgspec.Struct, frozen=True, kw_only=True):
    """An actor or a recipient."""

    text: str = ""
    name: str | None = None
    country: str | None = None
    country_name: str | None = None
    sector: str | None = None


class ItemPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place with its coordinates in degrees."""

    text: str = ""
    name: str | None = None
    country: str | None = None
    country_name: str | None = None
    lat: float | None = None
    lon: float | None = None


class ItemDate(msgspec.Struct, frozen=True, kw_only=True):
    """When it happened: a range of days, both included."""

    text: str = ""
    start: str = ""
    end: str = ""
    precision: str = "day"


class ItemMoney(msgspec.Struct, frozen=True, kw_only=True):
    """A sum; `usd` is its worth in US dollars at the rough rates of rates.toml."""

    text: str = ""
    value: float = 0.0
    low: float | None = None
    currency: str = ""
    usd: float | None = None


class ItemQuantity(msgspec.Struct, frozen=True, kw_only=True):
    """A counted thing."""

    text: str = ""
    value: float = 0.0
    unit: str = ""


class EventItem(msgspec.Struct, frozen=True, kw_only=True):
    """An event as searches return it. `at` is when it was reported."""

    id: str
    at: dt.datetime | None = None
    kind: str = ""
    kind_name: str = ""
    event_type: str = ""
    subtype: str | None = None
    modality: str = ""
    event_mode: str | None = None
    contexts: tuple[str, ...] = ()
    confidence: float = 0.0
    evidence: str = ""
    section: str = "text"
    start: int = 0
    end: int = 0
    trigger: str = ""
    actors: tuple[ItemParty, ...] = ()
    recipients: tuple[ItemParty, ...] = ()
    places: tuple[ItemPlace, ...] = ()
    date: ItemDate | None = None
    money: tuple[ItemMoney, ...] = ()
    amount_usd: float | None = None
    quantities: tuple[ItemQuantity, ...] = ()
    dead: int | None = None
    injured: int | None = None
    items: tuple[str, ...] = ()
    attributed_to: str | None = None
    rule: str = ""
    plover: str = ""
    cameo: str = ""
    title: str = ""
    url: str = ""
    publisher: str = ""
    credit: str | None = None
    language: str | None = None
    article_id: str = ""
    published_at: dt.datetime | None = None
    first_seen_at: dt.datetime | None = None
    score: float | None = None


class StoryItem(msgspec.Struct, frozen=True, kw_only=True):
    """A story as searches return it. `at` is when it was last reported, `evidence` the sentence of its first report."""

    id: str
    at: dt.datetime | None = None
    revision: int = 0
    headline: str = ""
    line: str = ""
    kind: str = ""
    kind_name: str = ""
    event_type: str = ""
    subtype: str | None = None
    modality: str = ""
    phase: str = ""
    change: str = ""
    confidence: float = 0.0
    evidence: str = ""
    actors: tuple[ItemParty, ...] = ()
    recipients: tuple[ItemParty, ...] = ()
    places: tuple[ItemPlace, ...] = ()
    countries: tuple[str, ...] = ()
    date: ItemDate | None = None
    money: tuple[ItemMoney, ...] = ()
    amount_usd: float | None = None
    quantities: tuple[ItemQuantity, ...] = ()
    dead: int | None = None
    injured: int | None = None
    items: tuple[str, ...] = ()
    publisher: str = ""
    publishers: tuple[str, ...] = ()
    source_count: int = 0
    article_count: int = 0
    url: str = ""
    first_seen_at: dt.datetime | None = None
    last_seen_at: dt.datetime | None = None
    part_of: str | None = None
    merged_into: str | None = None
    score: float | None = None


class ArticleItem(msgspec.Struct, frozen=True, kw_only=True):
    """An article as searches return it; `excerpt` is the beginning of its text."""

    id: str
    at: dt.datetime | None = None
    title: str = ""
    excerpt: str = ""
    url: str = ""
    publisher: str = ""
    credit: str | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    feed: str = ""
    persons: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    place_names: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    image_url: str | None = None
    published_at: dt.datetime | None = None
    first_seen_at: dt.datetime | None = None
    score: float | None = None


class AlertItem(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as searches return it; `mark` is what a person said of it: ack, false or nothing."""

    id: str
    at: dt.datetime | None = None
    rule: str = ""
    about: str = ""
    occasion: str = ""
    headline: str = ""
    message: str = ""
    evidence: str = ""
    url: str = ""
    kind: str = ""
    kind_name: str = ""
    event_type: str = ""
    modality: str = ""
    confidence: float = 0.0
    countries: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    held: str = ""
    story_id: str = ""
    event_id: str = ""
    raised_at: dt.datetime | None = None
    mark: str | None = None
    marked_by: str = ""
    note: str = ""
    score: float | None = None


Item = EventItem | StoryItem | ArticleItem | AlertItem

TYPES: Final[Mapping[Resource, type[Item]]] = {
    "events": EventItem, "stories": StoryItem, "articles": ArticleItem, "alerts": AlertItem,
}  # fmt: skip

HIDDEN: Final = ("news.search", "news.recipient_search", "news.track", "news.text", "news.vector")
"""The parts of documents that lists do not show; they are most of the bytes."""


# --- from documents --------------------------------------------------------------------------------------------------


class _Named(msgspec.Struct, gc=False):
    text: str = ""
    name: str | None = None
    country: str | None = None
    country_name: str | None = None


class _Party(_Named, gc=False):
    sector: str | None = None


class _Place(_Named, gc=False):
    lat: float | None = None
    lon: float | None = None
    location: HitPoint | UnsetType = UNSET


class _Money(msgspec.Struct, gc=False):
    text: str = ""
    value: float = 0.0
    low: float | None = None
    currency: str = ""
    usd: float | None = None


class _Report(msgspec.Struct, gc=False):
    evidence: str = ""
    publisher: str = ""


def _filled_in(item: type[Item], **extra: Any) -> Any:
    """Return a type with the fields of an item that can be decoded from `news` and then be filled in.

    It is encoded as the item is: in the same order, and without `extra`, once these are unset.
    """
    parts = {"actors": list[_Party], "recipients": list[_Party], "places": list[_Place], "money": list[_Money]}
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(item):
        default = "" if field.name == "id" else field.default
        fields.append((field.name, parts.get(field.name, field.type), default))
    fields += [(name, kind | UnsetType, UNSET) for name, kind in extra.items()]
    return msgspec.defstruct(f"{item.__name__}News", fields, kw_only=True, gc=False)


class ItemSource(msgspec.Struct, Generic[News], gc=False, kw_only=True):
    """A document, as far as its item needs it."""

    news: News
    at: dt.datetime | None = msgspec.field(default=None, name="@timestamp")
    url: HitUrl = HitUrl()
    rule: HitRule = HitRule()
    message: str = ""


class ItemHit(msgspec.Struct, Generic[News], gc=False, kw_only=True):
    """A hit of a search, as far as its item needs it."""

    id: str = msgspec.field(name="_id")
    source: ItemSource[News] = msgspec.field(name="_source")
    score: float | None = msgspec.field(default=None, name="_score")
    sort: Sequence[Any] = ()


_NEWS: Final[Mapping[Resource, Any]] = {
    "events": _filled_in(EventItem, export=HitExport, location=list[HitPoint]),
    "stories": _filled_in(StoryItem, reports=list[_Report], location=list[HitPoint]),
    "articles": _filled_in(ArticleItem, text=str),
    "alerts": _filled_in(AlertItem),
}

HITS: Final[Mapping[Resource, Any]] = {resource: ItemHit[news] for resource, news in _NEWS.items()}  # type: ignore[valid-type]  # made above
"""What the hits of a resource are decoded into, to be given to `encodable`."""


def item(resource: Resource, hit: Mapping[str, Any]) -> Item:
    """Return the item of a hit."""
    shown = encodable(resource, msgspec.convert(hit, HITS[resource], strict=False))
    return msgspec.convert(shown, TYPES[resource], from_attributes=True)


def encodable(resource: Resource, hit: ItemHit[Any]) -> Any:
    """Return what is encoded as the item of a hit is; it is made of the hit, which is of no use afterwards."""
    source, news = hit.source, hit.source.news
    news.id, news.at, news.score, news.url = hit.id, source.at, hit.score, source.url.full or ""
    if resource != "articles":
        news.kind_name = kind_name(news.kind)
    if resource in ("events", "stories"):
        _name_parts(news)
    _ADDED[resource](news, source)
    return news


def _name_parts(news: Any) -> None:
    for party in news.actors:
        party.country_name = country_name(party.country) if party.country else None
    for party in news.recipients:
        party.country_name = country_name(party.country) if party.country else None
    for place in news.places:
        place.country_name = country_name(place.country) if place.country else None
        if place.location is not UNSET:
            place.lat, place.lon, place.location = place.location.lat, place.location.lon, UNSET
    news.location = UNSET
    for one in news.money:
        one.usd = rates.in_currency(one.value, one.currency, "USD")


def _event(news: Any, _source: ItemSource[Any]) -> None:
    if news.export is not UNSET:
        news.plover, news.cameo, news.export = news.export.plover or "", news.export.cameo or "", UNSET


def _story(news: Any, _source: ItemSource[Any]) -> None:
    if news.reports is not UNSET:
        if news.reports:
            news.evidence = news.evidence or news.reports[0].evidence
            news.publisher = news.publisher or news.reports[0].publisher
        news.reports = UNSET


def _article(news: Any, _source: ItemSource[Any]) -> None:
    if news.text is not UNSET:
        news.excerpt, news.text = news.text[:EXCERPT_CHARACTERS], UNSET


def _alert(news: Any, source: ItemSource[Any]) -> None:
    news.rule, news.message = source.rule.name or "", source.message


_ADDED: Final = {"events": _event, "stories": _story, "articles": _article, "alerts": _alert}


def kind_name(kind: str) -> str:
    """Return the name of a kind as people read it: aid package."""
    return kind.replace("_", " ")
