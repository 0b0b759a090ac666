"""A happening and its reports: an event opens it, each further one of the same real-world event is merged in. Pure.

Where reports disagree (sums, tolls), every value is kept. Copies of one text count as one source. What an alert rule may react
to is written down once, as an *occasion*, so a happening raises the same alerts however often it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from pipeline.records import (
    Event,
    Happening,
    Modality,
    Moment,
    Money,
    Party,
    Phase,
    Place,
    Quantity,
    Report,
    Trigger,
    When,
    content_id,
)
from pipeline.track.claims import TOLLS
from pipeline.track.lead import is_about
from pipeline.track.line import in_words
from pipeline.track.sources import MOST_SURE, confidence, one_source, report_of, seen_at, without_one

__all__ = ["TOLLS", "absorb", "added", "begin", "fit_in_one", "is_full", "merge", "phase_of"]

PARTIES_KEPT: Final = 12
PLACES_KEPT: Final = 8
AMOUNTS_KEPT: Final = 8
ITEMS_KEPT: Final = 20
PUBLISHERS_KEPT: Final = 200
TIMELINE_KEPT: Final = 40
EVENTS_KEPT: Final = 2000
"""A happening with so many events takes a further one only if it changes the phase: each revision carries all ids."""

PHASES: Final[tuple[Phase, ...]] = ("planned", "happened", "ended")
ENDINGS: Final = (
    "ended",
    "ends",
    "concluded",
    "concludes",
    "wrapped up",
    "wraps up",
    "came to an end",
    "drew to a close",
)
SPECIFIC: Final = ("summit", "meeting", "visit", "talks", "ceasefire", "agreement", "aid_package", "offensive", "clash")
"""Kinds from the most specific to the least: a happening has the most specific kind of its reports."""


def phase_of(event: Event) -> Phase:
    """Return the phase of an event (planned, happened or ended) by its modality and the words of its evidence."""
    if event.modality == "planned":
        return "planned"
    text = event.evidence.lower()
    if event.event_type == "CONSULT" and any(f" {word}" in text for word in ENDINGS):
        return "ended"
    return "happened"


def begin(event: Event) -> Happening:
    """Return the happening that an event opens."""
    moment = seen_at(event)
    report = report_of(event, ())
    return Happening(
        id=content_id(event.id),
        kind=event.kind,
        event_type=event.event_type,
        modality=event.modality,
        phase=phase_of(event),
        first_seen_at=moment,
        last_seen_at=moment,
        subtype=event.subtype,
        actors=event.actors[:PARTIES_KEPT],
        recipients=event.recipients[:PARTIES_KEPT],
        places=event.places[:PLACES_KEPT],
        date=event.date,
        money=event.money[:AMOUNTS_KEPT],
        quantities=event.quantities[:AMOUNTS_KEPT],
        items=event.items[:ITEMS_KEPT],
        publishers=(report.publisher,),
        source_count=1,
        article_count=1,
        confidence=min(event.confidence, MOST_SURE),
        event_ids=(event.id,),
        article_ids=(event.article_id,),
        reports=(report,),
        timeline=(Moment(at=moment, what=f"first told by {report.publisher}"),),
        phases=(phase_of(event),),
        occasions=("new",),
        background=not is_about(event),
        shares=event.shares,
    )


def is_full(happening: Happening, event: Event) -> bool:
    """Return whether the happening is so large that this event is not taken."""
    return len(happening.event_ids) >= EVENTS_KEPT and PHASES.index(phase_of(event)) <= PHASES.index(happening.phase)


def merge(happening: Happening, event: Event, *, reports_kept: int = 50) -> Happening:
    """Return a happening with a further report of it; a known event changes nothing."""
    if event.id in happening.event_ids:
        return happening
    report = report_of(event, happening.reports)
    phase = max(happening.phase, phase_of(event), key=PHASES.index)
    reports = without_one((*happening.reports, report), reports_kept)
    grown = msgspec.structs.replace(
        happening,
        kind=_kind(happening, event),
        event_type=event.event_type if _kind(happening, event) == event.kind else happening.event_type,
        modality=_modality(happening.modality, event.modality),
        phase=phase,
        first_seen_at=min(happening.first_seen_at, seen_at(event)),
        last_seen_at=max(happening.last_seen_at, seen_at(event)),
        subtype=happening.subtype or event.subtype,
        actors=_parties(happening.actors, event.actors),
        recipients=_parties(happening.recipients, event.recipients),
        places=_places(happening.places, event.places),
        date=_date(happening, event),
        money=_money(happening.money, event.money),
        quantities=_quantities(happening.quantities, event.quantities),
        items=added(happening.items, event.items, ITEMS_KEPT),
        publishers=added(happening.publishers, (report.publisher,), PUBLISHERS_KEPT),
        source_count=max(happening.source_count, len({r.source for r in reports})),
        article_count=happening.article_count + (event.article_id not in happening.article_ids),
        confidence=confidence(reports),
        event_ids=(*happening.event_ids, event.id),
        article_ids=added(happening.article_ids, (event.article_id,), EVENTS_KEPT),
        reports=reports,
        shares=_shares(happening.shares, event.shares),
        phases=happening.phases if phase in happening.phases else (*happening.phases, phase),
        background=happening.background and not is_about(event),
    )
    return _with_news(happening, grown, report)


def fit_in_one(happening: Happening, other: Happening) -> bool:
    """Return whether two happenings together stay within `EVENTS_KEPT` events."""
    return len(happening.event_ids) + len(other.event_ids) <= EVENTS_KEPT


def absorb(happening: Happening, other: Happening, *, reports_kept: int = 50) -> Happening:
    """Return `happening` with everything that is in `other`, which is the same real-world event."""
    sources: list[Report] = list(happening.reports)
    for report in other.reports:
        original = next((known for known in sources if one_source(known, report)), None)
        sources.append(msgspec.structs.replace(report, source=original.source if original else report.source))
    reports = tuple(sources)
    while len(reports) > reports_kept:
        reports = without_one(reports, reports_kept)
    phase = max(happening.phase, other.phase, key=PHASES.index)
    article_ids = added(happening.article_ids, other.article_ids, EVENTS_KEPT)
    what = Moment(at=other.last_seen_at, what=f"one with {other.id}")
    grown = msgspec.structs.replace(
        happening,
        modality=_modality(happening.modality, other.modality),
        phase=phase,
        first_seen_at=min(happening.first_seen_at, other.first_seen_at),
        last_seen_at=max(happening.last_seen_at, other.last_seen_at),
        subtype=happening.subtype or other.subtype,
        actors=_parties(happening.actors, other.actors),
        recipients=_parties(happening.recipients, other.recipients),
        places=_places(happening.places, other.places),
        date=happening.date or other.date,
        money=_money(happening.money, other.money),
        quantities=_quantities(happening.quantities, other.quantities),
        items=added(happening.items, other.items, ITEMS_KEPT),
        publishers=added(happening.publishers, other.publishers, PUBLISHERS_KEPT),
        source_count=max(happening.source_count, other.source_count, len({r.source for r in reports})),
        article_count=max(len(article_ids), happening.article_count, other.article_count),
        confidence=confidence(reports),
        event_ids=added(happening.event_ids, other.event_ids, 2 * EVENTS_KEPT),
        article_ids=article_ids,
        reports=reports,
        shares=_shares(happening.shares, other.shares),
        phases=happening.phases if phase in happening.phases else (*happening.phases, phase),
        background=happening.background and other.background,
        merged_ids=added(happening.merged_ids, (other.id, *other.merged_ids), EVENTS_KEPT),
        timeline=(*happening.timeline, what)[:TIMELINE_KEPT],
    )
    before = msgspec.structs.replace(happening, timeline=grown.timeline)
    return _with_news(before, grown, other.reports[0]) if other.reports else grown


def _with_news(before: Happening, after: Happening, report: Report) -> Happening:
    """Return `after` with its change, new occasions and new lines of the timeline."""
    news: list[tuple[str, str]] = []
    if after.phase != before.phase:
        news.append((f"phase:{after.phase}", f"{after.phase}: {report.publisher}"))
    if (what := _material(before, after)) is not None:
        number = 1 + sum(occasion.startswith("update:") for occasion in before.occasions)
        news.append((f"update:{number}", f"{what} ({report.publisher})"))
    lines = [Moment(at=report.seen_at, what=what) for _, what in news]
    change: Trigger = "phase" if news and news[0][0].startswith("phase") else "update"
    return msgspec.structs.replace(
        after,
        change=change,
        occasions=(*before.occasions, *(occasion for occasion, _ in news if occasion not in before.occasions)),
        timeline=(*before.timeline, *lines)[:TIMELINE_KEPT],
    )


def _material(before: Happening, after: Happening) -> str | None:
    """Return in words what a report adds beyond one more report; None if it adds nothing."""
    fresh_money = [m for m in after.money if m not in before.money]
    if fresh_money:
        return f"sum: {in_words(fresh_money[0].value, fresh_money[0].currency)}"
    for quantity in after.quantities:
        if quantity not in before.quantities:
            return f"{quantity.unit}: {quantity.value:g}"
    if before.source_count < 2 <= after.source_count:
        return "confirmed by a second independent source"
    countries = {p.country for p in (*after.actors, *after.recipients)} - {
        p.country for p in (*before.actors, *before.recipients)
    }
    named = sorted(country for country in countries if country)
    return f"also takes part: {', '.join(named)}" if named else None


# --- what reports agree and differ on --------------------------------------------------------------------------------

T = TypeVar("T")


def added(ours: tuple[T, ...], theirs: Iterable[T], most: int) -> tuple[T, ...]:
    """Return a tuple with what is new in another, at most so many."""
    fresh = [item for item in dict.fromkeys(theirs) if item not in ours]
    return (*ours, *fresh)[:most]


def _parties(ours: tuple[Party, ...], theirs: tuple[Party, ...]) -> tuple[Party, ...]:
    """Return the parties of both; of those without a name only the ones whose country is new, not `ministers`."""
    known = {_party_key(party) for party in ours}
    lands = {party.country for party in ours}
    fresh = []
    for party in theirs:
        tells = party.name or not ours or (party.country and party.country not in lands)
        if tells and _party_key(party) not in known:
            known.add(_party_key(party))
            fresh.append(party)
    return (*ours, *fresh)[:PARTIES_KEPT]


def _shares(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    """Return the higher share of each part."""
    return {part: max(ours.get(part, 0.0), theirs.get(part, 0.0)) for part in sorted({*ours, *theirs})}


def _party_key(party: Party) -> tuple[str, str | None]:
    return (party.name or party.text).lower(), party.country


def _places(ours: tuple[Place, ...], theirs: tuple[Place, ...]) -> tuple[Place, ...]:
    known = {(p.name or p.text).lower() for p in ours}
    fresh = [p for p in theirs if (p.name or p.text).lower() not in known]
    return (*ours, *fresh)[:PLACES_KEPT]


def _money(ours: tuple[Money, ...], theirs: tuple[Money, ...]) -> tuple[Money, ...]:
    known = {(m.currency, m.value) for m in ours}
    fresh = {(m.currency, m.value): m for m in theirs if (m.currency, m.value) not in known}
    return (*ours, *fresh.values())[:AMOUNTS_KEPT]


def _quantities(ours: tuple[Quantity, ...], theirs: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
    known = {(q.unit, q.value) for q in ours}
    fresh = {(q.unit, q.value): q for q in theirs if (q.unit, q.value) not in known}
    return (*ours, *fresh.values())[:AMOUNTS_KEPT]


def _modality(ours: Modality, theirs: Modality) -> Modality:
    """Return the modality of two reports: asserted if one of them is."""
    return "asserted" if theirs == "asserted" else ours


def _kind(happening: Happening, event: Event) -> str:
    rank = {kind: number for number, kind in enumerate(SPECIFIC)}
    return min((happening.kind, event.kind), key=lambda kind: rank.get(kind, len(rank)))


_FINE: Final = ("instant", "day", "week", "month", "season", "year", "unknown")


def _date(happening: Happening, event: Event) -> When | None:
    """Return the better date: that of the event rather than of the plan, then the more exact, then the first."""
    if happening.date is None or event.date is None:
        return happening.date or event.date
    if happening.modality == "planned" and event.modality == "asserted":
        return event.date
    if happening.modality == "asserted" and event.modality == "planned":
        return happening.date
    return min((happening.date, event.date), key=lambda when: _FINE.index(when.precision))
