"""An Event or a Happening in, its Profile out: what two of them are compared by. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.annotate.vocabulary import FUNCTION_WORDS
from pipeline.annotate.wording import wording, words_alone
from pipeline.records import Event, Happening, Party, Place, When
from pipeline.track.families import LASTING, family

REGION: Final = re.compile(
    r"\b(?:region|province|governorate|oblast|state|district|county|strip|border|coast|sea|valley)\b", re.IGNORECASE
)
"""Places so large that several events can happen there in a day."""

WIDE_DAYS: Final = 45
"""A date that spans more days than this is cut to so many days around its report."""

ANCHORS: Final = 3
"""Only the first so many names and places of a happening are compared: later ones would draw in unrelated events."""

REPORTS_COMPARED: Final = 8
"""Only the wording of a happening's first so many reports is compared: later ones digress, and each costs a comparison."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place finer than a country. `wide`: a region, not a town."""

    name: str
    country: str | None
    lat: float | None
    lon: float | None
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What two reports are compared by. `first` and `last` are days as ordinals, `people` the last names of whom it befell.

    `articles`: how many tell it.
    """

    family: str
    kind: str
    actors: frozenset[str]
    recipients: frozenset[str]
    names: frozenset[str]
    lands: frozenset[str]
    locations: tuple[Location, ...]
    first: int
    last: int
    dated: bool
    exact: bool
    planned: bool
    words: tuple[Mapping[str, float], ...]
    texts: frozenset[str]
    money: tuple[tuple[str, float], ...]
    counts: tuple[tuple[str, float], ...]
    countries: frozenset[str]
    people: frozenset[str]
    articles: int = 1


def profile_of_event(event: Event) -> Profile:
    """Return the profile of an event."""
    reported = _day(event.published_at or event.first_seen_at)
    planned = event.modality == "planned"
    first, last = _span(event.date, reported, planned=planned)
    actors, recipients = _countries(event.actors), _countries(event.recipients)
    return Profile(
        family=family(event),
        kind=event.kind,
        actors=actors,
        recipients=recipients,
        countries=actors | recipients,
        names=_names((*event.actors, *event.recipients)),
        people=_people(event.recipients),
        lands=frozenset(p.country for p in event.places if p.country),
        locations=_locations(event.places),
        first=first,
        last=last,
        dated=event.date is not None,
        exact=event.date is not None and event.date.precision in ("instant", "day"),
        planned=planned,
        words=(wording(event.evidence, event.article_title),),
        texts=frozenset((words_alone(event.evidence),)),
        money=tuple((m.currency, m.value) for m in event.money),
        counts=tuple((q.unit, q.value) for q in event.quantities),
    )


def profile_of_happening(happening: Happening) -> Profile:
    """Return the profile of a happening. A plan and what came of it count as one span of days."""
    reported = (
        _day(happening.reports[0].published_at or happening.first_seen_at)
        if happening.reports
        else _day(happening.first_seen_at)
    )
    planned = happening.phase == "planned"
    first, last = _span(happening.date, reported, planned=planned)
    if happening.kind in LASTING:
        last = max(last, max((_day(r.seen_at) for r in happening.reports), default=last))
    reports = happening.reports[:REPORTS_COMPARED]
    actors, recipients = _countries(happening.actors), _countries(happening.recipients)
    return Profile(
        family=family(happening),
        kind=happening.kind,
        actors=actors,
        recipients=recipients,
        countries=actors | recipients,
        names=_names((*happening.actors[:ANCHORS], *happening.recipients[:ANCHORS])),
        people=_people(happening.recipients[:ANCHORS]),
        articles=max(1, happening.article_count),
        lands=frozenset(p.country for p in happening.places if p.country),
        locations=_locations(happening.places[:ANCHORS]),
        first=first,
        last=last,
        dated=happening.date is not None,
        exact=happening.date is not None and happening.date.precision in ("instant", "day"),
        planned=planned,
        words=tuple(wording(r.evidence, r.title) for r in reports),
        texts=frozenset(words_alone(r.evidence) for r in reports),
        money=tuple((m.currency, m.value) for m in happening.money),
        counts=tuple((q.unit, q.value) for q in happening.quantities),
    )


def _countries(parties: Iterable[Party]) -> frozenset[str]:
    return frozenset(party.country or _union(party) for party in parties if party.country or _union(party))


def _union(party: Party) -> str:
    """Return the name of a party that acts like a country (the European Union, NATO), else an empty string."""
    return (party.name or party.text).lower() if party.sector == "IGO" else ""


def _names(parties: Iterable[Party]) -> frozenset[str]:
    """Return the single words of the parties' names, so that "Xi" and "Xi Jinping" share one."""
    words: set[str] = set()
    for party in parties:
        words.update(
            w for w in re.findall(r"\w+", (party.name or party.text).lower()) if len(w) > 1 and w not in FUNCTION_WORDS
        )
    return frozenset(words)


def _people(parties: Iterable[Party]) -> frozenset[str]:
    """Return the last words of the parties' names, without those of descriptions (`the player`, `police`)."""
    last = (re.findall(r"\w+", party.name or party.text)[-1:] for party in parties)
    return frozenset(word.lower() for words in last for word in words if word[0].isupper())


def _locations(places: Iterable[Place]) -> tuple[Location, ...]:
    """Return the places finer than a country: the name of a country or continent adds nothing to its code."""
    return tuple(
        Location((p.name or p.text).lower(), p.country, p.lat, p.lon, wide=bool(REGION.search(p.text)))
        for p in places
        if p.country and p.lat is not None and (p.name or p.text) != country_name(p.country)
    )


def _day(moment: dt.datetime | None) -> int:
    return moment.date().toordinal() if moment is not None else dt.date(1970, 1, 1).toordinal()


def _span(date: When | None, reported: int, *, planned: bool) -> tuple[int, int]:
    """Return the first and last day of a date; without a date, the day before the report, or two weeks after it for a plan."""
    if date is None:
        return (reported, reported + 14) if planned else (reported - 1, reported)
    first, last = date.start.toordinal(), date.end.toordinal()
    if last - first > WIDE_DAYS and first <= reported <= last:
        return max(first, reported - WIDE_DAYS), min(last, reported + WIDE_DAYS)
    return first, last
