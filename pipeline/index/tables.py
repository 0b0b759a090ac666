"""A hit of Elasticsearch in, rows of a table out: of our own columns, or as PLOVER, CAMEO and ACLED write events. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import msgspec

from pipeline.annotate.groups import country_name
from pipeline.index.filters import Resource
from pipeline.index.hits import (
    AlertNews,
    ArticleNews,
    CodedNews,
    EventNews,
    HitAmount,
    HitParty,
    HitPoint,
    SharedNews,
    StoryNews,
    TableHit,
    Texts,
)

Cell = str | int | float | None
Kind = Literal["text", "number", "count", "time"]
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TableForm:
    """The columns of a table with their types, the rows that hits give, and the type of `news` that these are decoded with."""

    columns: tuple[tuple[str, Kind], ...]
    rows: Callable[[Iterable[TableHit[Any]]], Iterable[Row]]
    news: type[Any]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self.columns]

    @property
    def hit(self) -> Any:
        """The type of hits that `rows` takes."""
        return TableHit[self.news]  # type: ignore[name-defined]  # known only here

    def of(self, found: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
        """Return the rows of hits that are decoded already."""
        return self.rows(msgspec.convert(hit, self.hit) for hit in found)


def _joined(values: Iterable[str | None]) -> str | None:
    return "; ".join(value for value in values if value) or None


def _all(values: Texts) -> str | None:
    if not values:
        return None
    return values[0] or None if len(values) == 1 else _joined(values)


def _first(points: Sequence[HitPoint]) -> tuple[float | None, float | None]:
    return (points[0].lat, points[0].lon) if points else (None, None)


def _amounts(values: Sequence[HitAmount]) -> str | None:
    return _joined(f"{one.value:.15g} {one.currency or one.unit}" for one in values) if values else None


# --- our own columns -------------------------------------------------------------------------------------------------

_EVENT_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("id", "text"), ("reported_at", "time"), ("kind", "text"), ("event_type", "text"), ("subtype", "text"),
    ("modality", "text"), ("confidence", "number"), ("actors", "text"), ("actor_countries", "text"), ("recipients", "text"),
    ("recipient_countries", "text"), ("places", "text"), ("place_countries", "text"), ("latitude", "number"),
    ("longitude", "number"), ("date_start", "text"), ("date_end", "text"), ("date_precision", "text"), ("amount_usd", "number"),
    ("money", "text"), ("dead", "count"), ("injured", "count"), ("quantities", "text"), ("items", "text"),
)  # fmt: skip
"""The columns that events and stories share."""


def _shared(hit: TableHit[Any]) -> Row:
    source = hit.source
    news: SharedNews = source.news
    lat, lon = _first(news.location)
    date = news.date
    return (
        hit.id, source.at, news.kind, news.event_type, news.subtype, news.modality, news.confidence, _all(news.actor_names),
        _all(news.actor_countries), _all(news.recipient_names), _all(news.recipient_countries), _all(news.place_names),
        _all(news.place_countries), lat, lon, date.start, date.end, date.precision, news.amount_usd, _amounts(news.money),
        news.dead, news.injured, _amounts(news.quantities), _all(news.items),
    )  # fmt: skip


def _event(hit: TableHit[EventNews]) -> Row:
    news = hit.source.news
    return (
        *_shared(hit), news.evidence, news.attributed_to, news.title, hit.source.url.full, news.publisher, news.language,
        news.article_id, news.published_at,
    )  # fmt: skip


def _story(hit: TableHit[StoryNews]) -> Row:
    news = hit.source.news
    return (
        *_shared(hit), news.headline, news.line, news.phase, _all(news.publishers), news.source_count, news.article_count,
        hit.source.url.full, news.first_seen_at, news.last_seen_at,
    )  # fmt: skip


def _article(hit: TableHit[ArticleNews]) -> Row:
    source, news = hit.source, hit.source.news
    return (
        hit.id, source.at, news.title, source.url.full, news.publisher, news.credit, _all(news.authors), news.language,
        news.feed, _all(news.persons), _all(news.organizations), _all(news.place_names), _all(news.countries),
        news.published_at, news.text,
    )  # fmt: skip


def _alert(hit: TableHit[AlertNews]) -> Row:
    source, news = hit.source, hit.source.news
    return (
        hit.id, news.raised_at, source.rule.name, news.about, news.occasion, news.headline, news.kind, news.modality,
        news.confidence, _all(news.countries), _all(news.publishers), news.held, news.evidence, source.url.full,
        news.story_id, news.event_id,
    )  # fmt: skip


OWN: Final[Mapping[Resource, TableForm]] = {
    "events": TableForm(
        (*_EVENT_COLUMNS, ("evidence", "text"), ("attributed_to", "text"), ("title", "text"), ("url", "text"),
         ("publisher", "text"), ("language", "text"), ("article_id", "text"), ("published_at", "time")),
        partial(map, _event), EventNews),
    "stories": TableForm(
        (*_EVENT_COLUMNS, ("headline", "text"), ("line", "text"), ("phase", "text"), ("publishers", "text"),
         ("source_count", "count"), ("article_count", "count"), ("url", "text"), ("first_seen_at", "time"),
         ("last_seen_at", "time")),
        partial(map, _story), StoryNews),
    "articles": TableForm(
        (("id", "text"), ("reported_at", "time"), ("title", "text"), ("url", "text"), ("publisher", "text"), ("credit", "text"),
         ("authors", "text"), ("language", "text"), ("feed", "text"), ("persons", "text"), ("organizations", "text"),
         ("places", "text"), ("countries", "text"), ("published_at", "time"), ("text", "text")),
        partial(map, _article), ArticleNews),
    "alerts": TableForm(
        (("id", "text"), ("raised_at", "time"), ("rule", "text"), ("about", "text"), ("occasion", "text"), ("headline", "text"),
         ("kind", "text"), ("modality", "text"), ("confidence", "number"), ("countries", "text"), ("publishers", "text"),
         ("held", "text"), ("evidence", "text"), ("url", "text"), ("story_id", "text"), ("event_id", "text")),
        partial(map, _alert), AlertNews),
}  # fmt: skip


# --- the columns of others -------------------------------------------------------------------------------------------


def _day(news: EventNews) -> str:
    """Return the day when an event happened, else that of its publication, or nothing."""
    return news.date.start or (news.published_at or "")[:10]


def _plover(hit: TableHit[CodedNews]) -> Row:
    """Return one row; several actors or recipients are separated by semicolons, as in POLECAT."""
    news = hit.source.news
    lat, lon = _first(news.location)
    plover = news.export.plover or news.event_type
    return (
        hit.id, _day(news), plover, news.event_mode, _all(news.contexts), _QUAD.get(plover or ""), _all(news.actor_names),
        _all(news.actor_countries), _joined(part.sector for part in news.actors), _all(news.recipient_names),
        _all(news.recipient_countries), _joined(part.sector for part in news.recipients), _all(news.place_names),
        _all(news.place_countries), lat, lon, news.dead, news.injured, news.amount_usd, news.title,
        (news.published_at or "")[:10] or None, news.publisher, news.language, hit.source.url.full, news.evidence,
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


def _cameo(found: Iterable[TableHit[CodedNews]]) -> Iterator[Row]:
    """Yield one row for each pair of actor and recipient, as CAMEO codes dyads."""
    for hit in found:
        news = hit.source.news
        lat, lon = _first(news.location)
        date = (news.date.start or news.published_at or "")[:10].replace("-", "")
        root = news.export.cameo or ""
        for actor in news.actors or (HitParty(),):
            for recipient in news.recipients or (HitParty(),):
                yield (
                    hit.id, date or None, _cameo_code(actor), actor.name or actor.text, _cameo_code(recipient),
                    recipient.name or recipient.text, root, _cameo_quad(root), _all(news.place_names),
                    _all(news.place_countries), lat, lon, hit.source.url.full, news.publisher,
                )  # fmt: skip


def _cameo_code(party: HitParty) -> str | None:
    """Return country and role as CAMEO writes an actor: USAGOV."""
    return f"{party.country or ''}{party.sector or ''}" or None


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


def _acled(found: Iterable[TableHit[EventNews]]) -> Iterator[Row]:
    """Yield a row for each event that happened and is of a kind that ACLED records; none for others."""
    for hit in found:
        news = hit.source.news
        types = _ACLED.get(news.kind or "")
        if types is None or news.modality not in ("asserted", "historical"):
            continue
        lat, lon = _first(news.location)
        day = _day(news)
        countries = news.place_countries or news.recipient_countries or news.actor_countries
        precision = {"day": 1, "instant": 1, "week": 2}.get(news.date.precision or "", 3)
        yield (
            hit.id, day or None, day[:4] or None, precision, *types, _all(news.actor_names), _all(news.recipient_names),
            country_name(countries[0]) if countries else None, countries[0] if countries else None,
            news.place_names[0] if news.place_names else None, lat, lon, news.publisher, news.evidence, news.dead or 0,
            hit.source.url.full,
        )  # fmt: skip


_ACLED_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("event_id", "text"), ("event_date", "text"), ("year", "text"), ("time_precision", "count"), ("disorder_type", "text"),
    ("event_type", "text"), ("sub_event_type", "text"), ("actor1", "text"), ("actor2", "text"), ("country", "text"),
    ("iso3", "text"), ("location", "text"), ("latitude", "number"), ("longitude", "number"), ("source", "text"),
    ("notes", "text"), ("fatalities", "count"), ("url", "text"),
)  # fmt: skip

OTHERS: Final[Mapping[str, TableForm]] = {
    "plover": TableForm(_PLOVER_COLUMNS, partial(map, _plover), CodedNews),
    "cameo": TableForm(_CAMEO_COLUMNS, _cameo, CodedNews),
    "acled": TableForm(_ACLED_COLUMNS, _acled, EventNews),
}
"""The tables of events as other projects code them."""
