"""The parts that the documents of several records share. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from pipeline.alert import rates
from pipeline.index.terms import country_words, search_terms
from pipeline.records import Event, Happening, Money, Party, Place, Quantity, Story, When

ECS_VERSION: Final = "9.0.0"

TEXT_BYTES: Final = 1_000_000
"""The most bytes of an article's text: Elasticsearch highlights at most a million characters of a field."""

PARTS: Final = 200
"""The most actors, places, names ... of one record, far below Elasticsearch's limit of 10,000 nested objects."""

Fields = dict[str, Any]


def envelope(
    identifier: str,
    name: str,
    *,
    at: dt.datetime | None,
    created: dt.datetime | None = None,
    when: When | None = None,
) -> Fields:
    """Return the ECS fields that every document has."""
    return {
        "@timestamp": iso(at),
        "ecs": {"version": ECS_VERSION},
        "event": {
            "id": identifier,
            "kind": "event",
            "module": "dateline",
            "dataset": f"dateline.{name}",
            "provider": "dateline",
            "created": iso(created or at),
            "start": when.start.isoformat() if when else None,
            "end": when.end.isoformat() if when else None,
        },
    }


def event_fields(record: Event | Story | Happening) -> Fields:
    """Return the fields that an event, a story and a happening have in common."""
    countries = {
        "actor_countries": unique(party.country for party in record.actors),
        "recipient_countries": unique(party.country for party in record.recipients),
        "place_countries": unique(place.country for place in record.places),
    }
    points = [point for place in record.places[:PARTS] if (point := _point(place))]
    return {
        "kind": record.kind,
        "event_type": record.event_type,
        "subtype": record.subtype,
        "modality": record.modality,
        "confidence": record.confidence,
        "actors": [_party(party) for party in record.actors[:PARTS]],
        "recipients": [_party(party) for party in record.recipients[:PARTS]],
        "actor_names": unique(party.name or party.text for party in record.actors),
        "recipient_names": unique(party.name or party.text for party in record.recipients),
        **countries,
        "countries": unique(code for codes in countries.values() for code in codes),
        "places": [_place(place) for place in record.places[:PARTS]],
        "place_names": unique(place.name or place.text for place in record.places),
        "location": points,
        "date": msgspec.to_builtins(record.date),
        "money": [_amount(money) for money in record.money[:PARTS]],
        "amounts": [money.value for money in record.money[:PARTS]],
        "amount_usd": amount_usd(record.money),
        "currencies": unique(money.currency for money in record.money),
        "quantities": [_amount(quantity) for quantity in record.quantities[:PARTS]],
        "dead": _count(record.quantities, "dead"),
        "injured": _count(record.quantities, "injured"),
        "items": unique(record.items),
        "recipient_search": search_terms(" ".join(_names(record.recipients))),
    }


def search_text(record: Event | Story, *texts: str) -> str:
    """Return the search terms of an event or story: its texts, its kind, and the names behind its country codes."""
    names = _names((*record.actors, *record.recipients, *record.places))
    return search_terms(
        " ".join([*texts, *names, record.kind.replace("_", " "), record.event_type or "", *record.items])
    )


def _names(parts: Iterable[Party | Place]) -> list[str]:
    """Return the names of parties and places, and those of their countries and peoples (RUS: Russia, Russian)."""
    parts = tuple(parts)
    codes = unique(part.country for part in parts)
    countries = [word for code in codes for word in (code, *country_words(code))]
    return [*unique(part.name or part.text for part in parts), *countries]


def _party(party: Party) -> Fields:
    return {
        "text": party.text,
        "name": party.name,
        "country": party.country,
        "sector": party.sector,
        "identifier": party.identifier,
    }


def _place(place: Place) -> Fields:
    return {"text": place.text, "name": place.name, "country": place.country, "location": _point(place)}


def _point(place: Place) -> Fields | None:
    if place.lat is not None and place.lon is not None and abs(place.lat) <= 90 and abs(place.lon) <= 180:
        return {"lat": place.lat, "lon": place.lon}
    return None


def _amount(amount: Money | Quantity) -> Fields:
    fields: Fields = {"text": amount.text, "value": amount.value}
    if isinstance(amount, Money):
        return fields | {"low": amount.low, "currency": amount.currency}
    return fields | {"unit": amount.unit}


def amount_usd(money: Iterable[Money]) -> float | None:
    """Return the largest sum in US dollars at the rough rates of rates.toml; None without one whose rate is known."""
    worth = [rates.in_currency(one.value, one.currency, "USD") for one in money]
    return max((round(value, 2) for value in worth if value is not None), default=None)


def _count(quantities: Iterable[Quantity], unit: str) -> int | None:
    return max((int(one.value) for one in quantities if one.unit == unit), default=None)


def url_fields(url: str) -> Fields:
    """Return a URL and its domain (None if it has none)."""
    try:
        domain = urlsplit(url).hostname
    except ValueError:
        domain = None
    return {"full": url, "domain": domain}


def unique(values: Iterable[str | None]) -> list[str]:
    """Return the values without empty ones and repetitions, in order, at most `PARTS` of them."""
    return [value for value in dict.fromkeys(values) if value][:PARTS]


def utc(at: dt.datetime) -> dt.datetime:
    """Return a time in UTC; a time without a zone counts as UTC."""
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


def iso(at: dt.datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC."""
    return None if at is None else utc(at).isoformat()


def shown_at(published_at: dt.datetime | None, first_seen_at: dt.datetime | None) -> dt.datetime | None:
    """Return the time for the time line: the publication, but never later than the first sight (clocks of sites are wrong)."""
    times = [utc(at) for at in (published_at, first_seen_at) if at is not None]
    return min(times) if times else None


def clean(value: Any) -> Any:
    """Return a document without its empty parts, which would only take space."""
    if isinstance(value, dict):
        kept = {key: clean(part) if isinstance(part, _HOLDERS) else part for key, part in value.items()}
        return {key: part for key, part in kept.items() if part or part == 0}  # 0 and False say something
    return [clean(part) if isinstance(part, _HOLDERS) else part for part in value]


_HOLDERS: Final = (dict, list, tuple)


def cut(text: str, size: int = TEXT_BYTES) -> str:
    """Return the longest beginning of a text that has at most `size` bytes in UTF-8, without a broken character."""
    if len(text) * 4 <= size:
        return text
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
