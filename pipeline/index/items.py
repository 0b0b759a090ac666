"""A document of Elasticsearch in, the item that the console, the command and the exports show out. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pipeline.alert import rates
from pipeline.annotate.groups import country_name
from pipeline.index.filters import Resource

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


def item(resource: Resource, hit: Mapping[str, Any]) -> Item:
    """Return the item of a hit."""
    source: Mapping[str, Any] = hit["_source"]
    news: dict[str, Any] = source["news"]
    table = {**news, "id": hit["_id"], "at": source.get("@timestamp"), "score": hit.get("_score")}
    table["url"] = source.get("url", {}).get("full", "")
    if "kind" in news:
        table["kind_name"] = kind_name(news["kind"])
    for key in ("actors", "recipients"):
        if key in news:
            table[key] = [_named(party) for party in news[key]]
    if "places" in news:
        table["places"] = [_named({**place, **place.get("location", {})}) for place in news["places"]]
    if "money" in news:
        table["money"] = [
            {**one, "usd": rates.in_currency(one.get("value", 0.0), one.get("currency", ""), "USD")}
            for one in news["money"]
        ]
    _ADDED[resource](table, source)
    return msgspec.convert(table, TYPES[resource], strict=False)


def _event(table: dict[str, Any], _source: Mapping[str, Any]) -> None:
    table |= table.get("export", {})


def _story(table: dict[str, Any], _source: Mapping[str, Any]) -> None:
    reports = table.get("reports", ())
    if reports:
        table.setdefault("evidence", reports[0].get("evidence", ""))
        table.setdefault("publisher", reports[0].get("publisher", ""))


def _article(table: dict[str, Any], _source: Mapping[str, Any]) -> None:
    table["excerpt"] = table.pop("text", "")[:EXCERPT_CHARACTERS]


def _alert(table: dict[str, Any], source: Mapping[str, Any]) -> None:
    table["rule"] = source.get("rule", {}).get("name", "")
    table["message"] = source.get("message", "")


_ADDED: Final = {"events": _event, "stories": _story, "articles": _article, "alerts": _alert}


def _named(part: dict[str, Any]) -> dict[str, Any]:
    code = part.get("country")
    return {**part, "country_name": country_name(code)} if code else part


def kind_name(kind: str) -> str:
    """Return the name of a kind as people read it: aid package."""
    return kind.replace("_", " ")
