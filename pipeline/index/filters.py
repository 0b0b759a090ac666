"""What a search asks for in, the query for Elasticsearch out. Pure. The command, the console and the exports share it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from pipeline.annotate import groups
from pipeline.index.terms import search_terms
from pipeline.records import EventType, Modality, Phase

Resource = Literal["events", "stories", "articles", "alerts"]
"""What can be searched. Articles are in the index `documents`, the others in the index of their name."""

INDEX: Final[Mapping[Resource, str]] = {
    "events": "events", "stories": "stories", "articles": "documents", "alerts": "alerts",
}  # fmt: skip
"""The index of each resource."""

Mark = Literal["ack", "false", "none"]
"""What a person said of an alert: that it was right, that it was a false alarm, or nothing."""

Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=50)]
Least = Annotated[float, Meta(ge=0, le=1e15)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
Moment = Annotated[str, Meta(max_length=40)]
Identifier = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]

UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
RECENT_DAYS: Final = 7
"""The age at which an item has half of the score for being new."""

_AGO: Final = re.compile(r"(\d{1,6})\s*([mhdw])", re.IGNORECASE)
_TARGET: Final = re.compile(r"\b(?:on|against|to|for|towards?|at)\s+(?:the\s+)?(.+)", re.IGNORECASE)
_PHRASE: Final = re.compile(r'"([^"]+)"')


class SearchError(ValueError):
    """A search that cannot be understood; the message names the filter and says what is allowed."""


class Filters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The conditions of a search; all that are given must hold. Of several values of one filter, one must.

    Parties and places are ISO 3166 codes, names of countries, groups of groups.toml or other names. Money is in US dollars at
    the rates of rates.toml. `since` and `until` are about when an item was reported, `happened_*` about the event itself.
    `with_events` keeps the stories that tell an event, or with false those that tell none, as a recipe or a match.
    """

    q: Annotated[str, Meta(max_length=1000)] = ""
    like: Identifier = ""
    kind: Names = ()
    type: tuple[EventType, ...] = ()
    subtype: Names = ()
    modality: tuple[Modality, ...] = ()
    phase: tuple[Phase, ...] = ()
    with_events: bool | None = None
    actor: Names = ()
    recipient: Names = ()
    party: Names = ()
    place: Names = ()
    country: Names = ()
    group: Names = ()
    currency: Names = ()
    money_at_least: Least | None = None
    money_at_most: Least | None = None
    dead_at_least: Count | None = None
    injured_at_least: Count | None = None
    casualties_at_least: Count | None = None
    source: Names = ()
    domain: Names = ()
    language: Names = ()
    feed: Names = ()
    item: Names = ()
    rule: Names = ()
    held: bool | None = None
    mark: tuple[Mark, ...] = ()
    confidence_at_least: Annotated[float, Meta(ge=0, le=1)] | None = None
    sources_at_least: Count | None = None
    since: Moment = ""
    until: Moment = ""
    happened_since: Moment = ""
    happened_until: Moment = ""
    box: Annotated[str, Meta(max_length=100)] = ""
    story_id: Identifier = ""
    article_id: Identifier = ""


TERMS: Final[Mapping[str, Mapping[Resource, str]]] = {
    "kind": {"events": "news.kind", "stories": "news.kind", "alerts": "news.kind"},
    "type": {"events": "news.event_type", "stories": "news.event_type", "alerts": "news.event_type"},
    "subtype": {"events": "news.subtype", "stories": "news.subtype"},
    "modality": {"events": "news.modality", "stories": "news.modality", "alerts": "news.modality"},
    "phase": {"stories": "news.phase"},
    "currency": {"events": "news.currencies", "stories": "news.currencies"},
    "item": {"events": "news.items", "stories": "news.items"},
    "source": {
        "events": "news.publisher", "stories": "news.publishers", "articles": "news.publisher", "alerts": "news.publishers",
    },
    "domain": dict.fromkeys(("events", "stories", "articles", "alerts"), "url.domain"),
    "language": {"events": "news.language", "articles": "news.language"},
    "feed": {"articles": "news.feed"},
    "rule": {"alerts": "rule.name", "events": "news.rule"},
}  # fmt: skip
"""The filters that ask for one of several exact values, and the field of each resource that they are about."""

PARTIES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "actor": (("news.actor_countries", "news.actor_names"),),
    "recipient": (("news.recipient_countries", "news.recipient_names"),),
    "party": (("news.actor_countries", "news.actor_names"), ("news.recipient_countries", "news.recipient_names")),
    "place": (("news.place_countries", "news.place_names"),),
}
"""The filters for parties and places: the fields of country codes and of names, in one of which a value must be."""

RANGES: Final = {
    "money_at_least": ("news.amount_usd", "gte"), "money_at_most": ("news.amount_usd", "lte"),
    "dead_at_least": ("news.dead", "gte"), "injured_at_least": ("news.injured", "gte"),
    "confidence_at_least": ("news.confidence", "gte"), "sources_at_least": ("news.source_count", "gte"),
}  # fmt: skip

NOT_FOR: Final[Mapping[Resource, frozenset[str]]] = {
    "events": frozenset({"story_id", "phase", "with_events", "feed", "held", "mark", "sources_at_least"}),
    "stories": frozenset({"language", "feed", "rule", "held", "mark"}),
    "articles": frozenset(
        {"story_id", "kind", "type", "subtype", "modality", "phase", "with_events", "actor", "recipient", "currency", "item",
         "rule", "held", "mark", "confidence_at_least", "sources_at_least", "happened_since", "happened_until", "box", *RANGES,
         "casualties_at_least"}
    ),
    "alerts": frozenset(
        {"subtype", "phase", "with_events", "actor", "recipient", "party", "place", "currency", "item", "language", "feed",
         "sources_at_least", "happened_since", "happened_until", "box", "article_id", *RANGES, "casualties_at_least"}
        - {"confidence_at_least"}
    ),
}  # fmt: skip
"""The filters that make no sense for a resource: its items have no such field. Events and articles of a story are found by the
ids that the story has, see the console's `query_of`."""


def parse_since(text: str, *, now: dt.datetime, where: str = "since") -> dt.datetime:
    """Return the time of `7d`, `12h`, `30m`, `2w` (ago), or of an ISO 8601 date or time. A date begins at midnight UTC.

    Raises:
        SearchError: the text is none of these.
    """
    if ago := _AGO.fullmatch(text.strip()):
        try:
            return now - dt.timedelta(**{UNITS[ago[2].lower()]: int(ago[1])})
        except OverflowError:
            return dt.datetime.min.replace(tzinfo=dt.UTC)
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise SearchError(f"{where}: {text!r} is neither like 30m, 12h, 7d or 2w nor a date like 2026-11-24") from None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def query(resource: Resource, filters: Filters, *, now: dt.datetime, like: str = "") -> dict[str, Any]:
    """Return the query of a search; `like` is the text of the item that `filters.like` names.

    With words, most must match, and a phrase in quotes must occur. An item ranks higher if it has the whole phrase, if the
    text names its recipient, more so after `on`, `against`, `to` ..., or if it is new.

    Raises:
        SearchError: a filter cannot be understood, or the resource has no such field.
    """
    now = now.replace(
        second=0, microsecond=0
    )  # the same question within a minute is answered from Elasticsearch's cache
    for name in NOT_FOR[resource]:
        if getattr(filters, name) not in ((), "", None):
            raise SearchError(f"{name}: {resource} have no such field")
    clauses: dict[str, Any] = {"filter": _filter(resource, filters, now)}
    text = filters.q
    if text.strip():
        clauses |= _words(resource, text)
        recent = {"field": "@timestamp", "origin": now.isoformat(), "pivot": f"{RECENT_DAYS}d", "boost": 2.0}
        clauses.setdefault("should", []).append({"distance_feature": recent})
    if filters.like:
        clauses.setdefault("must", []).append(_like(resource, like))
        clauses["must_not"] = [{"term": {"event.id": filters.like}}]
    return {"bool": clauses}


def _words(resource: Resource, text: str) -> dict[str, Any]:
    phrases = [found for phrase in _PHRASE.findall(text) if (found := search_terms(phrase))]
    words = search_terms(text.replace('"', " "))
    if not words:
        return {"must": [{"match_none": {}}]}
    if resource in ("articles", "alerts"):
        fields = (
            ["news.search^3", "news.text"]
            if resource == "articles"
            else ["news.headline^3", "news.evidence", "rule.name"]
        )
        plain = text.replace('"', " ")
        must: list[dict[str, Any]] = [
            {"multi_match": {"query": plain, "fields": fields, "type": "cross_fields", "minimum_should_match": "2<67%"}}
        ]
        if resource == "articles":
            must = [
                {
                    "bool": {
                        "should": [*must, {"match": {"news.search": {"query": words, "minimum_should_match": "2<67%"}}}]
                    }
                }
            ]
        must += [
            {"multi_match": {"query": phrase, "fields": [f.split("^")[0] for f in fields], "type": "phrase"}}
            for phrase in _PHRASE.findall(text)
        ]
        return {"must": must}
    must = [{"match": {"news.search": {"query": words, "minimum_should_match": "2<67%"}}}]
    must += [{"match_phrase": {"news.search": phrase}} for phrase in phrases]
    should: list[dict[str, Any]] = [{"match_phrase": {"news.search": {"query": words, "slop": 3, "boost": 1.5}}}]
    should.append({"match": {"news.recipient_search": {"query": words, "boost": 1.5}}})
    if target := _TARGET.search(text):
        should.append({"match": {"news.recipient_search": {"query": search_terms(target[1]), "boost": 5.0}}})
    return {"must": must, "should": should}


def _like(resource: Resource, text: str) -> dict[str, Any]:
    fields = {"articles": ["news.search", "news.text"], "alerts": ["news.headline", "news.evidence"]}
    return {
        "more_like_this": {
            "fields": fields.get(resource, ["news.search"]), "like": [text], "min_term_freq": 1, "min_doc_freq": 1,
            "max_query_terms": 40, "minimum_should_match": "30%",
        }
    }  # fmt: skip


def _filter(resource: Resource, filters: Filters, now: dt.datetime) -> list[dict[str, Any]]:
    """Return a clause for each filter that is given."""
    found: list[dict[str, Any]] = [
        {"terms": {fields[resource]: list(values)}}
        for name, fields in TERMS.items()
        if (values := getattr(filters, name)) and resource in fields
    ]
    for name, pairs in PARTIES.items():
        if values := getattr(filters, name):
            inside = _IN_ARTICLES if resource == "articles" else pairs
            found.append(_any(clause for value in values for clause in _party(value, inside)))
    found += [
        {"terms": {"news.countries": sorted(_codes(name, values))}}
        for name in ("country", "group")
        if (values := getattr(filters, name))
    ]
    found += [
        {"range": {field: {bound: value}}}
        for name, (field, bound) in RANGES.items()
        if (value := getattr(filters, name)) is not None
    ]
    if (least := filters.casualties_at_least) is not None:
        found.append(_any({"range": {field: {"gte": least}}} for field in ("news.dead", "news.injured")))
    if filters.held is not None:
        held = {"exists": {"field": "news.held"}}
        found.append(held if filters.held else _none(held))
    if filters.box:
        found.append({"geo_bounding_box": {"news.location": parse_box(filters.box)}})
    if resource == "stories":
        found += _stories(filters)
    return [*found, *_times(filters, now), *_ids(resource, filters)]


def _stories(filters: Filters) -> list[dict[str, Any]]:
    """Return the clauses that only stories need; one that was merged into another is told there, and found by its id alone."""
    merged, told = ({"exists": {"field": f"news.{name}"}} for name in ("merged_into", "kind"))
    found: list[dict[str, Any]] = [] if filters.story_id else [_none(merged)]
    if filters.with_events is not None:
        found.append(told if filters.with_events else _none(told))
    return found


_IN_ARTICLES: Final = (
    ("news.countries", "news.persons"),
    ("news.countries", "news.organizations"),
    ("news.countries", "news.place_names"),
)
"""The names in an article, whose roles are not known."""


def _times(filters: Filters, now: dt.datetime) -> list[dict[str, Any]]:
    bounds = (
        ("since", "@timestamp", "gte"), ("until", "@timestamp", "lte"),
        ("happened_since", "event.end", "gte"), ("happened_until", "event.start", "lte"),
    )  # fmt: skip
    return [
        {"range": {field: {bound: max(_EARLIEST, parse_since(text, now=now, where=name)).isoformat()}}}
        for name, field, bound in bounds
        if (text := getattr(filters, name))
    ]


_EARLIEST: Final = dt.datetime(1, 1, 2, tzinfo=dt.UTC)


def _ids(resource: Resource, filters: Filters) -> list[dict[str, Any]]:
    fields = {
        "story_id": {"stories": "event.id", "alerts": "news.story_id"},
        "article_id": {"events": "news.article_id", "articles": "event.id", "stories": "news.article_ids"},
    }
    return [
        {"term": {of_sort[resource]: value}}
        for name, of_sort in fields.items()
        if (value := getattr(filters, name)) and resource in of_sort
    ]


def _party(value: str, pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    codes = groups.codes(value)
    found: list[dict[str, Any]] = []
    for countries, names in pairs:
        if codes:
            found.append({"terms": {countries: sorted(codes)}})
            own = groups.known().group.get(value)
            if own is not None and own.names:
                found.append({"terms": {names: list(own.names)}})
        else:
            found.append({"match": {f"{names}.text": {"query": value, "operator": "and"}}})
    return found


def _codes(name: str, values: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for value in values:
        codes = groups.codes(value)
        if not codes:
            raise SearchError(f"{name}: no country or group is called {value!r}")
        found |= codes
    return frozenset(found)


def parse_box(text: str) -> dict[str, Any]:
    """Return the corners of `west,south,east,north` in degrees.

    Raises:
        SearchError: it is no such box.
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise SearchError(f"box: {text!r} is not west,south,east,north in degrees") from None
    if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
        raise SearchError(f"box: {text!r} is not on the earth: south <= north, latitudes to 90, longitudes to 180")
    return {"top_left": {"lat": north, "lon": west}, "bottom_right": {"lat": south, "lon": east}}


def _any(clauses: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _none(clause: dict[str, Any]) -> dict[str, Any]:
    return {"bool": {"must_not": [clause]}}


ORDERS: Final[Mapping[str, tuple[str, str]]] = {
    "newest": ("@timestamp", "desc"), "oldest": ("@timestamp", "asc"), "money": ("news.amount_usd", "desc"),
    "dead": ("news.dead", "desc"), "confidence": ("news.confidence", "desc"), "sources": ("news.source_count", "desc"),
}  # fmt: skip
Order = Literal["", "relevance", "newest", "oldest", "money", "dead", "confidence", "sources"]


def order(name: Order, filters: Filters) -> list[Any]:
    """Return the order of hits: the given one; by default by relevance if there are words, else the newest first."""
    name = name or ("relevance" if filters.q.strip() or filters.like else "newest")
    ties: list[Any] = [{"event.id": {"order": "asc", "unmapped_type": "keyword"}}]
    if name == "relevance":
        return ["_score", {"@timestamp": {"order": "desc", "unmapped_type": "date"}}, *ties]
    field, direction = ORDERS[name]
    kind = "date" if field == "@timestamp" else "double"
    first = {field: {"order": direction, "unmapped_type": kind, "missing": "_last"}}
    then = [] if field == "@timestamp" else [{"@timestamp": {"order": "desc", "unmapped_type": "date"}}]
    return [first, *then, *ties]
