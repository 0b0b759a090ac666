"""How a story grows: its first event makes it, each further one is merged in. Pure; Event time only.

What reports disagree on stays side by side (sums, tolls), prints of one text count as one source, and what a rule may ring
for is written down once as an *occasion*, so that the same story rings the same alert_state however often it is looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from pipeline.annotate import copies
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

PARTIES_KEPT: Final = 12
PLACES_KEPT: Final = 8
AMOUNTS_KEPT: Final = 8
ITEMS_KEPT: Final = 20
PUBLISHERS_KEPT: Final = 200
TIMELINE_KEPT: Final = 40
EVENTS_KEPT: Final = 2000
"""A story that has grown this large takes a further event only when it moves its phase: each revision carries all ids."""

SPIKES: Final = (10, 30, 100)
"""Independent publishers at which a story is widely told, when it is not older than `SPIKE_WITHIN`."""
SPIKE_WITHIN: Final = dt.timedelta(days=2)

SECOND_SOURCE: Final = 0.5
"""How much of the doubt that is left each further independent source takes away, times its own confidence."""
MOST_SURE: Final = 0.99

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
"""Of the kinds that reports of one happening use, the one that says most gives the story its kind."""


def seen_at(event: Event) -> dt.datetime:
    """The event's own clock: when its article was first met, so that a replay tells the same time."""
    moment = event.first_seen_at or event.published_at
    return moment if moment is not None else dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def phase_of(event: Event) -> Phase:
    """Planned, happened, or ended: from the modality and the words of the evidence."""
    if event.modality == "planned":
        return "planned"
    text = event.evidence.lower()
    if event.event_type == "CONSULT" and any(f" {word}" in text for word in ENDINGS):
        return "ended"
    return "happened"


def begin(event: Event, *, part_of: str = "", split_from: str = "") -> Story:
    """The first event of a happening in, its story out: a main story, or part of the one that its article is about."""
    moment = seen_at(event)
    report = _report(event, ())
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
    """Whether the story is so large that this event is let go by."""
    return len(story.event_ids) >= EVENTS_KEPT and PHASES.index(phase_of(event)) <= PHASES.index(story.phase)


def merge(story: Story, event: Event, *, reports_kept: int = 50) -> Story:
    """A story and a further event of the same happening in, the story's next revision out; a known event changes nothing."""
    if event.id in story.event_ids:
        return story
    report = _report(event, story.reports)
    phase = max(story.phase, phase_of(event), key=PHASES.index)
    publishers = _added(story.publishers, (report.publisher,), PUBLISHERS_KEPT)
    reports = _bounded((*story.reports, report), reports_kept)
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
    return _told(story, msgspec.structs.replace(grown, headline=headline(grown)), report)


def about(story: Story, event: Event) -> Story:
    """A story and an event of an article that is about it in, the story with that article counted out.

    Whether the event is one of the story's is another matter: it may tell of those who condemned what the story is about.
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
    """A story of which nobody learns anything new in, its next revision out."""
    return msgspec.structs.replace(story, revision=story.revision + 1, change="update")


def absorb(story: Story, other: Story, *, reports_kept: int = 50) -> Story:
    """Two stories of one happening in, the first with all that the second knows out: its next revision."""
    sources: list[Report] = list(story.reports)
    for report in other.reports:
        original = next((known for known in sources if _one_source(known, report)), None)
        sources.append(msgspec.structs.replace(report, source=original.source if original else report.source))
    reports = tuple(sources)
    while len(reports) > reports_kept:
        reports = _bounded(reports, reports_kept)
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
    return _told(before, grown, other.reports[0]) if other.reports else grown


def absorbed(other: Story, into: Story) -> Story:
    """The last revision of a story that proved to be another one's."""
    return msgspec.structs.replace(
        other,
        revision=other.revision + 1,
        change="update",
        merged_into=into.id,
        timeline=(*other.timeline, Moment(at=into.last_seen_at, what=f"merged into {into.id}"))[:TIMELINE_KEPT],
    )


def _told(before: Story, after: Story, report: Report) -> Story:
    """Write down what this revision brought: its change, the occasions for rules, and the lines of the timeline."""
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
    """What a reader of the story learns with this revision beyond one more report, in words; None for nothing."""
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


# --- sources ---------------------------------------------------------------------------------------------------------


def publisher_of(event: Event) -> str:
    """Who published it: the publisher's name, else the host of the article's address."""
    host = urlsplit(event.article_url).hostname or ""
    return event.publisher or host.removeprefix("www.") or "unknown"


def _report(event: Event, others: Iterable[Report]) -> Report:
    report = Report(
        event_id=event.id,
        article_id=event.article_id,
        article_url=event.article_url,
        publisher=publisher_of(event),
        evidence=event.evidence,
        modality=event.modality,
        confidence=event.confidence,
        seen_at=seen_at(event),
        published_at=event.published_at,
        credit=event.credit,
        fingerprint=event.fingerprint,
        title=event.article_title,
        attributed_to=event.attributed_to,
        language=event.language,
        trigger=event.trigger,
        event_mode=event.event_mode,
        contexts=event.contexts,
    )
    original = next((other for other in others if _one_source(other, report)), None)
    source = original.source if original is not None else (report.credit or report.publisher).lower()
    return msgspec.structs.replace(report, source=source)


def _one_source(a: Report, b: Report) -> bool:
    """Whether two reports count once: the same house, the same agency credited, or prints of one text."""
    if a.publisher == b.publisher or (a.credit and b.credit and a.credit.lower() == b.credit.lower()):
        return True
    if (a.credit or "").lower() == b.publisher.lower() or (b.credit or "").lower() == a.publisher.lower():
        return True
    return bool(a.fingerprint and b.fingerprint) and copies.similar(a.fingerprint, b.fingerprint) >= copies.COPY


def confidence(reports: Iterable[Report]) -> float:
    """Reports in, how sure the story is out: that of its surest source, and more with each independent one."""
    best: dict[str, float] = {}
    for report in reports:
        best[report.source] = max(best.get(report.source, 0.0), report.confidence)
    ranked = sorted(best.values(), reverse=True)
    total = ranked[0] if ranked else 0.0
    for further in ranked[1:]:
        total += (1 - total) * SECOND_SOURCE * further
    return round(min(total, MOST_SURE), 4)


def _bounded(reports: tuple[Report, ...], kept: int) -> tuple[Report, ...]:
    """One report less if there are more than `kept`: the first and last stay, of the others one whose source speaks often."""
    if len(reports) <= kept:
        return reports
    counts: dict[str, int] = {}
    for report in reports:
        counts[report.source] = counts.get(report.source, 0) + 1
    number = min(
        range(1, max(2, len(reports) - 1)),
        key=lambda n: (counts[reports[n].source] == 1, reports[n].confidence, -n),
    )
    return reports[:number] + reports[number + 1 :]


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
    """Asserted once is asserted."""
    return "asserted" if theirs == "asserted" else ours


def _kind(story: Story, event: Event) -> str:
    rank = {kind: number for number, kind in enumerate(SPECIFIC)}
    return min((story.kind, event.kind), key=lambda kind: rank.get(kind, len(rank)))


_FINE: Final = ("instant", "day", "week", "month", "season", "year", "unknown")


def _date(story: Story, event: Event) -> When | None:
    """The date that is worth more: of what happened rather than of what was planned, then the more exact, then the first."""
    if story.date is None or event.date is None:
        return story.date or event.date
    if story.modality == "planned" and event.modality == "asserted":
        return event.date
    if story.modality == "asserted" and event.modality == "planned":
        return story.date
    return min((story.date, event.date), key=lambda when: _FINE.index(when.precision))
