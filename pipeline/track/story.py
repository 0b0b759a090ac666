"""A story and its reports: an event opens a story, each further event is merged in. Pure, in event time only.

Where reports disagree (sums, tolls), every value is kept. Copies of one text count as one source. What an alert rule may react
to is written down once, as an *occasion*, so a story raises the same alerts however often it is evaluated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from pipeline.records import (
    Event,
    Modality,
    Moment,
    Money,
    Party,
    Phase,
    Place,
    Quantity,
    Report,
    Story,
    Trigger,
    When,
    content_id,
)
from pipeline.track import subjects
from pipeline.track.headline import headline, in_words
from pipeline.track.sources import MOST_SURE, confidence, one_source, report_of, seen_at, without_one

PARTIES_KEPT: Final = 12
PLACES_KEPT: Final = 8
AMOUNTS_KEPT: Final = 8
ITEMS_KEPT: Final = 20
PUBLISHERS_KEPT: Final = 200
TIMELINE_KEPT: Final = 40
EVENTS_KEPT: Final = 2000
"""A story with so many events takes a further one only if it changes the phase: each revision carries all ids."""

SPIKES: Final = (10, 30, 100)
"""Numbers of publishers at which a story is an occasion for `spike` rules, if it is not older than `SPIKE_WITHIN`."""
SPIKE_WITHIN: Final = dt.timedelta(days=2)

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
"""Kinds from the most specific to the least: a story has the most specific kind of its reports."""


def phase_of(event: Event) -> Phase:
    """Return the phase of an event (planned, happened or ended) by its modality and the words of its evidence."""
    if event.modality == "planned":
        return "planned"
    text = event.evidence.lower()
    if event.event_type == "CONSULT" and any(f" {word}" in text for word in ENDINGS):
        return "ended"
    return "happened"


def begin(event: Event, *, part_of: str = "", split_from: str = "") -> Story:
    """Return the story that an event opens: a main story, or part of the story `part_of` that its article is about."""
    moment = seen_at(event)
    report = report_of(event, ())
    story = Story(
        id=content_id(event.id),
        revision=1,
        headline="",
        kind=event.kind,
        event_type=event.event_type,
        modality=event.modality,
        phase=phase_of(event),
        first_seen_at=moment,
        last_seen_at=moment,
        opened_at=moment,
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
        subject={} if part_of else event.subject,
        subject_ids=() if part_of else (event.article_id,),
        part_of=part_of,
        split_from=split_from,
    )
    return msgspec.structs.replace(story, headline=headline(story))


def is_full(story: Story, event: Event) -> bool:
    """Return whether the story is so large that this event is not taken."""
    return len(story.event_ids) >= EVENTS_KEPT and PHASES.index(phase_of(event)) <= PHASES.index(story.phase)


def merge(story: Story, event: Event, *, reports_kept: int = 50) -> Story:
    """Return the next revision of a story with a further report of it; a known event changes nothing."""
    if event.id in story.event_ids:
        return story
    report = report_of(event, story.reports)
    phase = max(story.phase, phase_of(event), key=PHASES.index)
    publishers = _added(story.publishers, (report.publisher,), PUBLISHERS_KEPT)
    reports = without_one((*story.reports, report), reports_kept)
    grown = msgspec.structs.replace(
        story,
        revision=story.revision + 1,
        kind=_kind(story, event),
        event_type=event.event_type if _kind(story, event) == event.kind else story.event_type,
        modality=_modality(story.modality, event.modality),
        phase=phase,
        first_seen_at=min(story.first_seen_at, seen_at(event)),
        last_seen_at=max(story.last_seen_at, seen_at(event)),
        subtype=story.subtype or event.subtype,
        actors=_parties(story.actors, event.actors),
        recipients=_parties(story.recipients, event.recipients),
        places=_places(story.places, event.places),
        date=_date(story, event),
        money=_money(story.money, event.money),
        quantities=_quantities(story.quantities, event.quantities),
        items=_added(story.items, event.items, ITEMS_KEPT),
        publishers=publishers,
        source_count=max(story.source_count, len({r.source for r in reports})),
        article_count=story.article_count + (event.article_id not in story.article_ids),
        confidence=confidence(reports),
        event_ids=(*story.event_ids, event.id),
        article_ids=_added(story.article_ids, (event.article_id,), EVENTS_KEPT),
        reports=reports,
        phases=story.phases if phase in story.phases else (*story.phases, phase),
    )
    return _with_news(story, msgspec.structs.replace(grown, headline=headline(grown)), report)


def count_article(story: Story, event: Event) -> Story:
    """Return the story with the article of `event` counted among those that are about the story.

    The event itself need not be a report of the story: it may be the condemnation of what the story is about.
    """
    if event.article_id in story.subject_ids or len(story.subject_ids) >= EVENTS_KEPT:
        return story
    return msgspec.structs.replace(
        story,
        last_seen_at=max(story.last_seen_at, seen_at(event)),
        subject=subjects.added(story.subject, event.subject),
        subject_ids=(*story.subject_ids, event.article_id),
    )


def revised(story: Story) -> Story:
    """Return the next revision of a story without anything new for alert rules."""
    return msgspec.structs.replace(story, revision=story.revision + 1, change="update")


def fit_in_one(story: Story, other: Story) -> bool:
    """Return whether two stories together stay within `EVENTS_KEPT` events."""
    return len(story.event_ids) + len(other.event_ids) <= EVENTS_KEPT


def absorb(story: Story, other: Story, *, reports_kept: int = 50) -> Story:
    """Return the next revision of `story` with everything that is in `other`, a story of the same real-world event."""
    sources: list[Report] = list(story.reports)
    for report in other.reports:
        original = next((known for known in sources if one_source(known, report)), None)
        sources.append(msgspec.structs.replace(report, source=original.source if original else report.source))
    reports = tuple(sources)
    while len(reports) > reports_kept:
        reports = without_one(reports, reports_kept)
    phase = max(story.phase, other.phase, key=PHASES.index)
    article_ids = _added(story.article_ids, other.article_ids, EVENTS_KEPT)
    grown = msgspec.structs.replace(
        story,
        revision=story.revision + 1,
        modality=_modality(story.modality, other.modality),
        phase=phase,
        first_seen_at=min(story.first_seen_at, other.first_seen_at),
        last_seen_at=max(story.last_seen_at, other.last_seen_at),
        subtype=story.subtype or other.subtype,
        actors=_parties(story.actors, other.actors),
        recipients=_parties(story.recipients, other.recipients),
        places=_places(story.places, other.places),
        date=story.date or other.date,
        money=_money(story.money, other.money),
        quantities=_quantities(story.quantities, other.quantities),
        items=_added(story.items, other.items, ITEMS_KEPT),
        publishers=_added(story.publishers, other.publishers, PUBLISHERS_KEPT),
        source_count=max(story.source_count, other.source_count, len({r.source for r in reports})),
        article_count=max(len(article_ids), story.article_count, other.article_count),
        confidence=confidence(reports),
        event_ids=_added(story.event_ids, other.event_ids, 2 * EVENTS_KEPT),
        article_ids=article_ids,
        reports=reports,
        phases=story.phases if phase in story.phases else (*story.phases, phase),
        subject=subjects.added(story.subject, other.subject),
        subject_ids=_added(story.subject_ids, other.subject_ids, EVENTS_KEPT),
        part_of="" if story.part_of == other.id else story.part_of,
        merged_ids=(*story.merged_ids, other.id, *other.merged_ids),
    )
    what = Moment(at=other.last_seen_at, what=f"one with the story {other.id}")
    grown = msgspec.structs.replace(grown, headline=headline(grown), timeline=(*story.timeline, what)[:TIMELINE_KEPT])
    before = msgspec.structs.replace(story, timeline=grown.timeline)
    return _with_news(before, grown, other.reports[0]) if other.reports else grown


def absorbed(other: Story, into: Story) -> Story:
    """Return the last revision of a story that was merged into another."""
    return msgspec.structs.replace(
        other,
        revision=other.revision + 1,
        change="update",
        merged_into=into.id,
        timeline=(*other.timeline, Moment(at=into.last_seen_at, what=f"merged into {into.id}"))[:TIMELINE_KEPT],
    )


def _with_news(before: Story, after: Story, report: Report) -> Story:
    """Return the revision `after` with its change, new occasions and new lines of the timeline."""
    news: list[tuple[str, str]] = []
    if after.phase != before.phase:
        news.append((f"phase:{after.phase}", f"{after.phase}: {report.publisher}"))
    crossed = [n for n in SPIKES if len(before.publishers) < n <= len(after.publishers)]
    if crossed and after.last_seen_at - after.first_seen_at <= SPIKE_WITHIN:
        news.append((f"spike:{crossed[-1]}", f"told by {crossed[-1]} publishers"))
    if (what := _material(before, after)) is not None:
        number = 1 + sum(occasion.startswith("update:") for occasion in before.occasions)
        news.append((f"update:{number}", f"{what} ({report.publisher})"))
    lines = [Moment(at=report.seen_at, what=what) for _, what in news]
    change: Trigger = "update"
    for occasion, _ in news[:1]:
        change = "phase" if occasion.startswith("phase") else "spike" if occasion.startswith("spike") else "update"
    return msgspec.structs.replace(
        after,
        change=change,
        occasions=(*before.occasions, *(occasion for occasion, _ in news if occasion not in before.occasions)),
        timeline=(*before.timeline, *lines)[:TIMELINE_KEPT],
    )


def _material(before: Story, after: Story) -> str | None:
    """Return in words what a revision adds beyond one more report; None if it adds nothing."""
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


def _added(ours: tuple[T, ...], theirs: Iterable[T], most: int) -> tuple[T, ...]:
    fresh = [item for item in dict.fromkeys(theirs) if item not in ours]
    return (*ours, *fresh)[:most]


def _parties(ours: tuple[Party, ...], theirs: tuple[Party, ...]) -> tuple[Party, ...]:
    known = {_party_key(party) for party in ours}
    fresh = []
    for party in theirs:
        if _party_key(party) not in known:
            known.add(_party_key(party))
            fresh.append(party)
    return (*ours, *fresh)[:PARTIES_KEPT]


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


def _kind(story: Story, event: Event) -> str:
    rank = {kind: number for number, kind in enumerate(SPECIFIC)}
    return min((story.kind, event.kind), key=lambda kind: rank.get(kind, len(rank)))


_FINE: Final = ("instant", "day", "week", "month", "season", "year", "unknown")


def _date(story: Story, event: Event) -> When | None:
    """Return the better date: that of the event rather than of the plan, then the more exact, then the first."""
    if story.date is None or event.date is None:
        return story.date or event.date
    if story.modality == "planned" and event.modality == "asserted":
        return event.date
    if story.modality == "asserted" and event.modality == "planned":
        return story.date
    return min((story.date, event.date), key=lambda when: _FINE.index(when.precision))
