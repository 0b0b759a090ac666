"""What to count in, the aggregation for Elasticsearch out; its answer in, the counts out. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from pipeline.annotate.groups import country_name
from pipeline.index.filters import TERMS, Resource, SearchError
from pipeline.index.items import kind_name

Interval = Literal["auto", "hour", "day", "week", "month"]
BUCKETS: Final = 60
"""About how many bars an automatic histogram has."""

PARTS: Final = 60
"""The most parts of a bar: as many feeds as the page lists without scrolling far; kinds and types are fewer."""

_BOTH: Final[tuple[Resource, ...]] = ("events", "stories")
FACETS: Final[Mapping[str, Mapping[Resource, str]]] = {
    **TERMS,
    "actor": dict.fromkeys(_BOTH, "news.actor_names"),
    "recipient": dict.fromkeys(_BOTH, "news.recipient_names"),
    "place": {**dict.fromkeys(_BOTH, "news.place_names"), "articles": "news.place_names"},
    "country": {**dict.fromkeys(_BOTH, "news.countries"), "articles": "news.countries", "alerts": "news.countries"},
    "actor_country": dict.fromkeys(_BOTH, "news.actor_countries"),
    "recipient_country": dict.fromkeys(_BOTH, "news.recipient_countries"),
    "place_country": dict.fromkeys(_BOTH, "news.place_countries"),
    "person": {"articles": "news.persons"},
    "organization": {"articles": "news.organizations"},
}
"""What can be counted by value, and the field of each resource."""

DEFAULT: Final[Mapping[Resource, tuple[str, ...]]] = {
    "events": ("kind", "modality", "actor", "recipient", "place", "country", "source", "language"),
    "stories": ("kind", "phase", "actor", "recipient", "place", "country", "source"),
    "articles": ("source", "country", "person", "organization", "place", "language", "feed"),
    "alerts": ("rule", "kind", "country", "source"),
}


class FacetValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value and the number of items that have it."""

    value: str
    label: str
    count: int


def label(name: str, value: str) -> str:
    """Return a value as people read it: countries by name, kinds with spaces."""
    if name.endswith("country"):
        return country_name(value)
    return kind_name(value) if name in ("kind", "subtype", "modality", "phase") else value


def facet_field(resource: Resource, name: str) -> str:
    """Return the field that a facet counts.

    Raises:
        SearchError: the resource has no such facet.
    """
    field = FACETS.get(name, {}).get(resource)
    if field is None:
        known = [one for one, fields in FACETS.items() if resource in fields]
        raise SearchError(f"field: {resource} have no {name!r}; known here: {', '.join(known)}")
    return field


def facets(resource: Resource, names: Iterable[str], size: int) -> dict[str, Any]:
    """Return the aggregations that count values."""
    return {name: {"terms": {"field": facet_field(resource, name), "size": size}} for name in names}


def counted(name: str, aggregation: Mapping[str, Any]) -> list[FacetValue]:
    """Return the values of an answered facet."""
    return [
        FacetValue(value=str(bucket["key"]), label=label(name, str(bucket["key"])), count=int(bucket["doc_count"]))
        for bucket in aggregation.get("buckets", ())
    ]


def histogram(interval: Interval, field: str | None) -> dict[str, Any]:
    """Return the aggregation of counts over time, with the largest parts of each bar by `field`."""
    step = "day" if interval == "auto" else interval
    found: dict[str, Any] = {"date_histogram": {"field": "@timestamp", "calendar_interval": step, "min_doc_count": 1}}
    if field is not None:
        found["aggs"] = {"parts": {"terms": {"field": field, "size": PARTS}}}
    return found


def fitting_interval(first: dt.datetime | None, last: dt.datetime | None) -> Interval:
    """Return the interval that gives at most about `BUCKETS` bars between two times."""
    if first is None or last is None:
        return "day"
    days = (last - first).total_seconds() / 86_400
    steps: tuple[tuple[float, Interval], ...] = ((1 / 24, "hour"), (1, "day"), (7, "week"))
    return next((name for size, name in steps if days / size <= BUCKETS), "month")


def clusters(zoom: int) -> dict[str, Any]:
    """Return the aggregations of places as clusters for a map of this zoom, and of items without a place."""
    return {
        "without": {"missing": {"field": "news.location"}},
        "tiles": {
            # a tile of the map is 256 pixels; four levels deeper a cell is 16 pixels, about a marker's size
            "geotile_grid": {"field": "news.location", "precision": min(zoom + 4, 29), "size": 500},
            "aggs": {
                "middle": {"geo_centroid": {"field": "news.location"}},
                "around": {"geo_bounds": {"field": "news.location"}},
                "some": {"top_hits": {"size": 5, "_source": False}},
            },
        },
    }


def relations(by: str, size: int, interval: Interval) -> dict[str, Any]:
    """Return the aggregations of who acts towards whom, with types, sums and change over time."""
    ending = "countries" if by == "country" else "names"
    inner = {
        "types": {"terms": {"field": "news.event_type", "size": 16}},
        "usd": {"sum": {"field": "news.amount_usd"}},
        "over_time": {"date_histogram": {"field": "@timestamp", "calendar_interval": interval, "min_doc_count": 1}},
    }
    recipients = {"terms": {"field": f"news.recipient_{ending}", "size": size}}
    return {
        "actors": {
            "terms": {"field": f"news.actor_{ending}", "size": size},
            "aggs": {"recipients": {**recipients, "aggs": inner}},
        },
        "recipients": recipients,
    }


class GroupSum(msgspec.Struct, frozen=True, kw_only=True):
    """A group of events: how many, their money in US dollars, their casualties.

    Among events each report counts; among stories each happening counts once, however many report it.
    """

    value: str
    label: str
    count: int
    amount_usd: float
    dead: int
    injured: int


def summed(by: str, aggregations: Mapping[str, Any]) -> list[GroupSum]:
    """Return the groups of an answer to `sums`."""
    return [_group(by, bucket) for bucket in aggregations.get("groups", {}).get("buckets", ())]


def _group(by: str, bucket: Mapping[str, Any]) -> GroupSum:
    value = str(bucket.get("key_as_string", bucket["key"]))[: 10 if by == "day" else None]
    money, dead, injured = (bucket[name]["value"] or 0.0 for name in ("amount_usd", "dead", "injured"))
    return GroupSum(
        value=value,
        label=label(by, value),
        count=bucket["doc_count"],
        amount_usd=money,
        dead=int(dead),
        injured=int(injured),
    )


def sums(resource: Resource, by: str, size: int) -> dict[str, Any]:
    """Return the aggregation of counts, money and casualties per value of a field, or per day."""
    inner = {name: {"sum": {"field": f"news.{name}"}} for name in ("amount_usd", "dead", "injured")}
    if by == "day":
        grouping: dict[str, Any] = {
            "date_histogram": {"field": "@timestamp", "calendar_interval": "day", "min_doc_count": 1}
        }
    else:
        grouping = {"terms": {"field": facet_field(resource, by), "size": size}}
    return {"groups": {**grouping, "aggs": inner}}
