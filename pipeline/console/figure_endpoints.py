"""Figures of a search: counts by value and over time, places on a map, who acts towards whom, sums."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from pipeline.console.api import Call, Endpoint
from pipeline.console.desk import Desk
from pipeline.console.search_endpoints import RESOURCES, query_of
from pipeline.index import figures, happenings
from pipeline.index.figures import FacetValue, GroupSum, Interval
from pipeline.index.filters import INDEX, Filters, Resource, SearchError

Count = Literal["items", "happenings"]
"""What the figures of stories count: the stories, or each of their happenings once."""

Counted = Literal["reports", "happenings", "stories", "articles", "alerts"]
"""What a figure counts. A report is an event as one article tells it: an event that three articles tell has three."""

Size = Annotated[int, Meta(ge=1, le=200)]


class FacetQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and which values of its items to count."""

    field: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    size: Size = 20
    count: Count = "items"


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """The most frequent values of each field."""

    total: int
    counted: Counted
    facets: dict[str, list[FacetValue]]


class HistogramQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and how to count it over time."""

    interval: Interval = "auto"
    by: Literal["none", "kind", "type", "country", "feed"] = "none"
    count: Count = "items"


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A step of time and what was reported in it."""

    at: str
    count: int
    parts: dict[str, int] = msgspec.field(default_factory=dict)


class HistogramAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over time."""

    interval: Interval
    by: str
    counted: Counted
    buckets: list[Bar]


class MapQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and the zoom of the map (0: the world on one tile)."""

    zoom: Annotated[int, Meta(ge=0, le=12)] = 2


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Items at about one place: the middle, the box around them (west, south, east, north), and some of their ids."""

    lat: float
    lon: float
    count: int
    box: tuple[float, float, float, float]
    ids: list[str]


class MapAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The places of a search."""

    total: int
    clusters: list[Cluster]
    without_place: int


class RelationsQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and by what to relate actors and recipients."""

    by: Literal["country", "name"] = "country"
    size: Annotated[int, Meta(ge=1, le=50)] = 20
    interval: Literal["day", "week", "month"] = "week"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What one actor did towards one recipient."""

    actor: str
    recipient: str
    count: int
    types: dict[str, int]
    amount_usd: float
    buckets: list[Bar]


class RelationsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts towards whom."""

    actors: list[FacetValue]
    recipients: list[FacetValue]
    cells: list[Cell]
    interval: str
    counted: Counted


class SumsQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and by what to sum it up."""

    by: Literal["country", "actor_country", "recipient_country", "place_country", "day", "kind", "type", "source", "actor",
                "recipient", "place"] = "kind"  # fmt: skip
    size: Size = 50


class SumsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of items."""

    total: int
    counted: Counted
    groups: list[GroupSum]


def _counted(resource: Resource, count: Count) -> Counted:
    """Return what is counted.

    Raises:
        SearchError: happenings of anything but stories.
    """
    if count == "happenings":
        if resource != "stories":
            raise SearchError(f"count: {resource} have no happenings, stories do")
        return "happenings"
    return "reports" if resource == "events" else resource


def _ask(desk: Desk, resource: Resource, asked: Filters, aggs: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    matching = {"bool": {"filter": [query_of(desk, resource, asked)]}}  # counted, so no item needs a score
    answer = desk.searcher.search(INDEX[resource], query=matching, size=0, aggs=aggs, track_total_hits=True)
    return int(answer["hits"]["total"]["value"]), answer.get("aggregations", {})


def _ask_about(
    desk: Desk, resource: Resource, counted: Counted, asked: Filters, aggs: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Return how many there are of what is counted, and the answer."""
    if counted != "happenings":
        return _ask(desk, resource, asked, aggs)
    query, inside = happenings.search(query_of(desk, resource, asked), aggs)
    found = desk.searcher.search(INDEX[resource], query=query, size=0, aggs=inside)
    return happenings.answer(found.get("aggregations", {}))


def _of_events(resource: Resource) -> Counted:
    """Return what figures of events count: among stories each happening once."""
    return "happenings" if resource == "stories" else "reports"


def facets(resource: Resource) -> Any:
    """Return the call that counts values."""

    def call(desk: Desk, call: Call) -> Facets:
        names = call.query.field or figures.DEFAULT[resource]
        counted = _counted(resource, call.query.count)
        aggs = figures.facets(resource, names, call.query.size)
        total, found = _ask_about(desk, resource, counted, call.query, aggs)
        return Facets(
            total=total, counted=counted, facets={name: figures.counted(name, found.get(name, {})) for name in names}
        )

    return call


def histogram(resource: Resource) -> Any:
    """Return the call that counts over time."""

    def call(desk: Desk, call: Call) -> HistogramAnswer:
        asked: HistogramQuery = call.query
        counted = _counted(resource, asked.count)
        interval: Interval = asked.interval
        if interval == "auto":
            ends = {"first": {"min": {"field": "@timestamp"}}, "last": {"max": {"field": "@timestamp"}}}
            _, found = _ask_about(desk, resource, counted, asked, ends)
            interval = figures.fitting_interval(_time(found.get("first")), _time(found.get("last")))
        field = figures.facet_field(resource, asked.by) if asked.by != "none" else None
        _, found = _ask_about(desk, resource, counted, asked, {"bars": figures.histogram(interval, field)})
        return HistogramAnswer(interval=interval, by=asked.by, counted=counted, buckets=_bars(found.get("bars", {})))

    return call


def _time(found: dict[str, Any] | None) -> dt.datetime | None:
    value = (found or {}).get("value")
    return None if value is None else dt.datetime.fromtimestamp(value / 1000, dt.UTC)


def _bars(found: dict[str, Any]) -> list[Bar]:
    return [
        Bar(
            at=bucket["key_as_string"],
            count=bucket["doc_count"],
            parts={str(part["key"]): part["doc_count"] for part in bucket.get("parts", {}).get("buckets", ())},
        )
        for bucket in found.get("buckets", ())
    ]


def places(resource: Resource) -> Any:
    """Return the call that puts a search on a map."""

    def call(desk: Desk, call: Call) -> MapAnswer:
        total, found = _ask(desk, resource, call.query, figures.clusters(call.query.zoom))
        return MapAnswer(
            total=total,
            clusters=[_cluster(tile) for tile in found.get("tiles", {}).get("buckets", ())],
            without_place=found.get("without", {}).get("doc_count", 0),
        )

    return call


def _cluster(tile: dict[str, Any]) -> Cluster:
    middle, around = tile["middle"]["location"], tile["around"]["bounds"]
    corner, other = around["top_left"], around["bottom_right"]
    return Cluster(
        lat=middle["lat"], lon=middle["lon"], count=tile["doc_count"],
        box=(corner["lon"], other["lat"], other["lon"], corner["lat"]),
        ids=[hit["_id"] for hit in tile["some"]["hits"]["hits"]],
    )  # fmt: skip


def relations(resource: Resource) -> Any:
    """Return the call that relates actors and recipients."""

    def call(desk: Desk, call: Call) -> RelationsAnswer:
        asked: RelationsQuery = call.query
        counted = _of_events(resource)
        aggs = figures.relations(asked.by, asked.size, asked.interval)
        _, found = _ask_about(desk, resource, counted, asked, aggs)
        name = "country" if asked.by == "country" else "actor"
        cells = [
            Cell(
                actor=actor["key"], recipient=one["key"], count=one["doc_count"],
                types={part["key"]: part["doc_count"] for part in one["types"]["buckets"]},
                amount_usd=one["usd"]["value"] or 0.0, buckets=_bars(one["over_time"]),
            )
            for actor in found.get("actors", {}).get("buckets", ())
            for one in actor["recipients"]["buckets"]
        ]  # fmt: skip
        actors, recipients = (figures.counted(name, found.get(key, {})) for key in ("actors", "recipients"))
        return RelationsAnswer(
            actors=actors, recipients=recipients, cells=cells, interval=asked.interval, counted=counted
        )

    return call


def sums(resource: Resource) -> Any:
    """Return the call that sums a search up."""

    def call(desk: Desk, call: Call) -> SumsAnswer:
        asked: SumsQuery = call.query
        counted = _of_events(resource)
        total, found = _ask_about(desk, resource, counted, asked, figures.sums(resource, asked.by, asked.size))
        return SumsAnswer(total=total, counted=counted, groups=figures.summed(asked.by, found))

    return call


_ABOUT_RELATIONS: Final = {
    "events": "Who acts towards whom, each report counted.",
    "stories": "Who acts towards whom, each happening of the stories counted once.",
}
_ABOUT_SUMS: Final = {
    "events": "Numbers, money and casualties by group, each report counted.",
    "stories": "Numbers, money and casualties by group, each happening of the stories counted once.",
}


def _endpoints(resource: Resource) -> list[Endpoint]:
    found = [
        Endpoint(method="GET", path=f"/{resource}/facets", about=f"The most frequent values among {resource}.",
                 call=facets(resource), query=FacetQuery, answer=Facets),
        Endpoint(method="GET", path=f"/{resource}/histogram", about=f"How many {resource} over time.",
                 call=histogram(resource), query=HistogramQuery, answer=HistogramAnswer),
    ]  # fmt: skip
    if resource in ("events", "stories"):
        found += [
            Endpoint(method="GET", path=f"/{resource}/map", about=f"Where {resource} happened, in clusters.",
                     call=places(resource), query=MapQuery, answer=MapAnswer),
            Endpoint(method="GET", path=f"/{resource}/relations", about=_ABOUT_RELATIONS[resource],
                     call=relations(resource), query=RelationsQuery, answer=RelationsAnswer),
            Endpoint(method="GET", path=f"/{resource}/sums", about=_ABOUT_SUMS[resource],
                     call=sums(resource), query=SumsQuery, answer=SumsAnswer),
        ]  # fmt: skip
    return found


ENDPOINTS: Final = tuple(endpoint for resource in RESOURCES for endpoint in _endpoints(resource))
