"""A document of Elasticsearch in, rows of a table out: of our own columns, or as PLOVER, CAMEO and ACLED write events. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pipeline.annotate.groups import country_name
from pipeline.index.filters import Resource

Cell = str | int | float | None
Kind = Literal["text", "number", "count", "time"]
Hit = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableForm:
    """The columns of a table with their types, the rows that an item gives, and the parts of its `news` that these read."""

    columns: tuple[tuple[str, Kind], ...]
    rows: Callable[[Hit], Iterator[tuple[Cell, ...]]]
    fields: tuple[str, ...]


def _joined(values: Iterable[Any]) -> str | None:
    return "; ".join(str(value) for value in values if value) or None


def _all(get: Callable[..., Any], name: str) -> str | None:
    values = get(name)
    if not values:
        return None
    return str(values[0]) or None if len(values) == 1 else _joined(values)


def _first_point(news: Mapping[str, Any]) -> tuple[float | None, float | None]:
    points = news.get("location") or ()
    return (points[0]["lat"], points[0]["lon"]) if points else (None, None)


# --- our own columns -------------------------------------------------------------------------------------------------

_EVENT_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("id", "text"), ("reported_at", "time"), ("kind", "text"), ("event_type", "text"), ("subtype", "text"),
    ("modality", "text"), ("confidence", "number"), ("actors", "text"), ("actor_countries", "text"), ("recipients", "text"),
    ("recipient_countries", "text"), ("places", "text"), ("place_countries", "text"), ("latitude", "number"),
    ("longitude", "number"), ("date_start", "text"), ("date_end", "text"), ("date_precision", "text"), ("amount_usd", "number"),
    ("money", "text"), ("dead", "count"), ("injured", "count"), ("quantities", "text"), ("items", "text"),
)  # fmt: skip
"""The columns that events and stories share."""


def _shared(hit: Hit) -> tuple[Cell, ...]:
    source = hit["_source"]
    news = source["news"]
    get = news.get
    lat, lon = _first_point(news)
    date = get("date") or {}
    return (
        hit["_id"], source.get("@timestamp"), get("kind"), get("event_type"), get("subtype"), get("modality"),
        get("confidence"), _all(get, "actor_names"), _all(get, "actor_countries"), _all(get, "recipient_names"),
        _all(get, "recipient_countries"), _all(get, "place_names"), _all(get, "place_countries"), lat, lon,
        date.get("start"), date.get("end"), date.get("precision"), get("amount_usd"),
        _joined(f"{m.get('value', 0):.15g} {m.get('currency', '')}" for m in get("money", ())), get("dead"), get("injured"),
        _joined(f"{q.get('value', 0):.15g} {q.get('unit', '')}" for q in get("quantities", ())), _all(get, "items"),
    )  # fmt: skip


def _event(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    source = hit["_source"]
    get = source["news"].get
    url = source.get("url", {}).get("full")
    yield (
        *_shared(hit), get("evidence"), get("attributed_to"), get("title"), url, get("publisher"), get("language"),
        get("article_id"), get("published_at"),
    )  # fmt: skip


def _story(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    source = hit["_source"]
    get = source["news"].get
    url = source.get("url", {}).get("full")
    yield (
        *_shared(hit), get("headline"), get("line"), get("phase"), _all(get, "publishers"), get("source_count"),
        get("article_count"), url, get("first_seen_at"), get("last_seen_at"),
    )  # fmt: skip


def _article(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    source = hit["_source"]
    get = source["news"].get
    yield (
        hit["_id"], source.get("@timestamp"), get("title"), source.get("url", {}).get("full"), get("publisher"), get("credit"),
        _all(get, "authors"), get("language"), get("feed"), _all(get, "persons"),
        _all(get, "organizations"), _all(get, "place_names"), _all(get, "countries"), get("published_at"), get("text"),
    )  # fmt: skip


def _alert(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    source = hit["_source"]
    get = source["news"].get
    yield (
        hit["_id"], get("raised_at"), source.get("rule", {}).get("name"), get("about"), get("occasion"), get("headline"),
        get("kind"), get("modality"), get("confidence"), _all(get, "countries"), _all(get, "publishers"),
        get("held"), get("evidence"), source.get("url", {}).get("full"), get("story_id"), get("event_id"),
    )  # fmt: skip


_COMMON: Final = (
    "actor_countries", "actor_names", "amount_usd", "date", "dead", "evidence", "event_type", "injured", "kind", "location",
    "modality", "place_countries", "place_names", "published_at", "publisher", "recipient_countries", "recipient_names",
)  # fmt: skip
_SHARED_FIELDS: Final = (*_COMMON, "confidence", "items", "money", "quantities", "subtype")

OWN: Final[Mapping[Resource, TableForm]] = {
    "events": TableForm(
        (*_EVENT_COLUMNS, ("evidence", "text"), ("attributed_to", "text"), ("title", "text"), ("url", "text"),
         ("publisher", "text"), ("language", "text"), ("article_id", "text"), ("published_at", "time")), _event,
        (*_SHARED_FIELDS, "article_id", "attributed_to", "language", "title")),
    "stories": TableForm(
        (*_EVENT_COLUMNS, ("headline", "text"), ("line", "text"), ("phase", "text"), ("publishers", "text"),
         ("source_count", "count"), ("article_count", "count"), ("url", "text"), ("first_seen_at", "time"),
         ("last_seen_at", "time")), _story,
        (*_SHARED_FIELDS, "article_count", "first_seen_at", "headline", "last_seen_at", "line", "phase", "publishers",
         "source_count")),
    "articles": TableForm(
        (("id", "text"), ("reported_at", "time"), ("title", "text"), ("url", "text"), ("publisher", "text"), ("credit", "text"),
         ("authors", "text"), ("language", "text"), ("feed", "text"), ("persons", "text"), ("organizations", "text"),
         ("places", "text"), ("countries", "text"), ("published_at", "time"), ("text", "text")), _article,
        ("authors", "countries", "credit", "feed", "language", "organizations", "persons", "place_names", "published_at",
         "publisher", "text", "title")),
    "alerts": TableForm(
        (("id", "text"), ("raised_at", "time"), ("rule", "text"), ("about", "text"), ("occasion", "text"), ("headline", "text"),
         ("kind", "text"), ("modality", "text"), ("confidence", "number"), ("countries", "text"), ("publishers", "text"),
         ("held", "text"), ("evidence", "text"), ("url", "text"), ("story_id", "text"), ("event_id", "text")), _alert,
        ("about", "confidence", "countries", "event_id", "evidence", "headline", "held", "kind", "modality", "occasion",
         "publishers", "raised_at", "story_id")),
}  # fmt: skip


# --- the columns of others -------------------------------------------------------------------------------------------


def _plover(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    """Yield one row; several actors or recipients are separated by semicolons, as in POLECAT."""
    source = hit["_source"]
    get = source["news"].get
    lat, lon = _first_point(source["news"])
    date = get("date") or {}
    actors, recipients = get("actors", ()), get("recipients", ())
    plover = (get("export") or {}).get("plover") or get("event_type")
    yield (
        hit["_id"], date.get("start") or (get("published_at") or "")[:10], plover, get("event_mode"),
        _all(get, "contexts"), _QUAD.get(plover or ""), _all(get, "actor_names"), _all(get, "actor_countries"),
        _joined(part.get("sector") for part in actors), _all(get, "recipient_names"),
        _all(get, "recipient_countries"), _joined(part.get("sector") for part in recipients),
        _all(get, "place_names"), _all(get, "place_countries"), lat, lon, get("dead"), get("injured"),
        get("amount_usd"), get("title"), (get("published_at") or "")[:10] or None, get("publisher"), get("language"),
        source.get("url", {}).get("full"), get("evidence"),
    )  # fmt: skip


_QUAD: Final = {
    **dict.fromkeys(("AGREE", "CONSULT", "SUPPORT", "CONCEDE"), "V-COOP"),
    **dict.fromkeys(("COOPERATE", "AID", "RETREAT"), "M-COOP"),
    **dict.fromkeys(("REQUEST", "ACCUSE", "REJECT", "THREATEN"), "V-CONF"),
    **dict.fromkeys(("PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"), "M-CONF"),
}
"""PLOVER's quad codes: verbal or material, cooperation or conflict."""

_PLOVER_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("event_id", "text"), ("event_date", "text"), ("event_type", "text"), ("event_mode", "text"), ("contexts", "text"),
    ("quad_code", "text"), ("actor_name", "text"), ("actor_country", "text"), ("actor_sector", "text"),
    ("recipient_name", "text"), ("recipient_country", "text"), ("recipient_sector", "text"), ("placename", "text"),
    ("country", "text"),
    ("latitude", "number"), ("longitude", "number"), ("killed", "count"), ("injured", "count"), ("amount_usd", "number"),
    ("headline", "text"), ("publication_date", "text"), ("publisher", "text"), ("language", "text"), ("url", "text"),
    ("text", "text"),
)  # fmt: skip


def _cameo(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    """Yield one row for each pair of actor and recipient, as CAMEO codes dyads."""
    source = hit["_source"]
    get = source["news"].get
    lat, lon = _first_point(source["news"])
    date = ((get("date") or {}).get("start") or (get("published_at") or ""))[:10].replace("-", "")
    root = (get("export") or {}).get("cameo") or ""
    actors: Any = get("actors") or ({},)
    recipients: Any = get("recipients") or ({},)
    for actor in actors:
        for recipient in recipients:
            yield (
                hit["_id"], date or None, _cameo_code(actor), actor.get("name") or actor.get("text"), _cameo_code(recipient),
                recipient.get("name") or recipient.get("text"), root, _cameo_quad(root), _all(get, "place_names"),
                _all(get, "place_countries"), lat, lon, source.get("url", {}).get("full"), get("publisher"),
            )  # fmt: skip


def _cameo_code(party: Mapping[str, Any]) -> str | None:
    """Return country and role as CAMEO writes an actor: USAGOV."""
    return f"{party.get('country') or ''}{party.get('sector') or ''}" or None


def _cameo_quad(root: str) -> int | None:
    """Return 1 verbal cooperation, 2 material cooperation, 3 verbal conflict, 4 material conflict, by the root."""
    if not root.isdigit():
        return None
    return next(quad for quad, last in enumerate((5, 8, 13, 20), 1) if int(root) <= last)


_CAMEO_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("event_id", "text"), ("date", "text"), ("source_code", "text"), ("source_name", "text"), ("target_code", "text"),
    ("target_name", "text"), ("root_code", "text"), ("quad_class", "count"), ("place", "text"), ("place_country", "text"),
    ("latitude", "number"), ("longitude", "number"), ("url", "text"), ("publisher", "text"),
)  # fmt: skip


_ACLED: Final[Mapping[str, tuple[str, str, str]]] = {
    "clash": ("Political violence", "Battles", "Armed clash"),
    "offensive": ("Political violence", "Battles", "Armed clash"),
    "invasion": ("Political violence", "Battles", "Armed clash"),
    "strike": ("Political violence", "Explosions/Remote violence", "Air/drone strike"),
    "attack": ("Political violence", "Violence against civilians", "Attack"),
    "assassination": ("Political violence", "Violence against civilians", "Attack"),
    "abduction": ("Political violence", "Violence against civilians", "Abduction/forced disappearance"),
    "protest": ("Demonstrations", "Protests", "Peaceful protest"),
    "arrest": ("Strategic developments", "Strategic developments", "Arrests"),
    "agreement": ("Strategic developments", "Strategic developments", "Agreement"),
    "ceasefire": ("Strategic developments", "Strategic developments", "Agreement"),
    "withdrawal": ("Strategic developments", "Strategic developments", "Non-violent transfer of territory"),
    "coup": ("Strategic developments", "Strategic developments", "Change to group/activity"),
    "mobilization": ("Strategic developments", "Strategic developments", "Change to group/activity"),
}
"""The nearest disorder, event and sub-event type of ACLED for our kinds; other kinds are not what ACLED records."""


def _acled(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for an event that happened and is of a kind that ACLED records; none for others."""
    source = hit["_source"]
    get = source["news"].get
    types = _ACLED.get(get("kind") or "")
    if types is None or get("modality") not in ("asserted", "historical"):
        return
    lat, lon = _first_point(source["news"])
    date = get("date") or {}
    day = date.get("start") or (get("published_at") or "")[:10]
    countries = get("place_countries") or get("recipient_countries") or get("actor_countries") or ()
    yield (
        hit["_id"], day or None, day[:4] or None, {"day": 1, "instant": 1, "week": 2}.get(date.get("precision", ""), 3), *types,
        _all(get, "actor_names"), _all(get, "recipient_names"), country_name(countries[0]) if countries else None,
        countries[0] if countries else None, (get("place_names") or (None,))[0], lat, lon, get("publisher"), get("evidence"),
        get("dead") or 0, source.get("url", {}).get("full"),
    )  # fmt: skip


_ACLED_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("event_id", "text"), ("event_date", "text"), ("year", "text"), ("time_precision", "count"), ("disorder_type", "text"),
    ("event_type", "text"), ("sub_event_type", "text"), ("actor1", "text"), ("actor2", "text"), ("country", "text"),
    ("iso3", "text"), ("location", "text"), ("latitude", "number"), ("longitude", "number"), ("source", "text"),
    ("notes", "text"), ("fatalities", "count"), ("url", "text"),
)  # fmt: skip

OTHERS: Final[Mapping[str, TableForm]] = {
    "plover": TableForm(
        _PLOVER_COLUMNS, _plover,
        (*_COMMON, "actors", "contexts", "event_mode", "export", "language", "recipients", "title"),
    ),
    "cameo": TableForm(_CAMEO_COLUMNS, _cameo, (*_COMMON, "actors", "export", "recipients")),
    "acled": TableForm(_ACLED_COLUMNS, _acled, _COMMON),
}  # fmt: skip
"""The tables of events as other projects code them."""


# --- spreadsheets ----------------------------------------------------------------------------------------------------

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(row: Iterable[Cell]) -> list[Cell]:
    """Return a row without formulas for spreadsheets: text that begins like one gets an apostrophe before it."""
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in row]
