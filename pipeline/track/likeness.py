"""Are two reports about the same happening? Pure: a Story and an Event in, a likeness out.

A `Happening` is what can be compared of either: who, where, when, in which words. Something that cannot be (another city on
the same night, other parties, dates too far apart) makes the likeness 0; otherwise who, where, when and wording are weighed
as the family of the event needs it: a strike is known by its place, a meeting by those who meet, an accusation by its words.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.annotate.wording import STOP, dice, plain, wording
from pipeline.records import Event, Party, Place, Story, When


@dataclass(frozen=True, slots=True)
class Family:
    """How reports of one kind of happening are compared. The weights sum to 1; `need` is the likeness that makes one story.

    `days` is how far apart two dates of one happening may be told; `plan_days` the same between a plan and the event itself.
    """

    who: float
    where: float
    when: float
    words: float
    need: float
    days: int
    plan_days: int
    directed: bool = True


FAMILIES: Final[dict[str, Family]] = {
    "talks": Family(0.40, 0.15, 0.15, 0.30, need=0.55, days=3, plan_days=14, directed=False),
    "accords": Family(0.35, 0.10, 0.15, 0.40, need=0.55, days=4, plan_days=21, directed=False),
    "supply": Family(0.35, 0.05, 0.20, 0.40, need=0.58, days=5, plan_days=21),
    "sanctions": Family(0.40, 0.05, 0.20, 0.35, need=0.58, days=5, plan_days=14),
    "fighting": Family(0.15, 0.30, 0.15, 0.40, need=0.76, days=1, plan_days=3),
    "force": Family(0.30, 0.20, 0.15, 0.35, need=0.65, days=4, plan_days=14),
    "coercion": Family(0.30, 0.15, 0.15, 0.40, need=0.55, days=3, plan_days=7),
    "protest": Family(0.15, 0.30, 0.15, 0.40, need=0.58, days=1, plan_days=7),
    "statements": Family(0.30, 0.05, 0.15, 0.50, need=0.60, days=2, plan_days=7),
    "politics": Family(0.40, 0.15, 0.15, 0.30, need=0.55, days=4, plan_days=21, directed=False),
    "concessions": Family(0.30, 0.15, 0.15, 0.40, need=0.55, days=4, plan_days=14),
    "cooperation": Family(0.35, 0.15, 0.15, 0.35, need=0.55, days=4, plan_days=21, directed=False),
}

TYPE_FAMILY: Final = {
    "CONSULT": "talks",
    "AGREE": "accords",
    "AID": "supply",
    "SANCTION": "sanctions",
    "ASSAULT": "fighting",
    "MOBILIZE": "force",
    "COERCE": "coercion",
    "PROTEST": "protest",
    "SUPPORT": "statements",
    "REQUEST": "statements",
    "ACCUSE": "statements",
    "REJECT": "statements",
    "THREATEN": "statements",
    "CONCEDE": "concessions",
    "RETREAT": "concessions",
    "COOPERATE": "cooperation",
}

KIND_FAMILY: Final = {
    "ceasefire": "accords",
    "arms_deal": "supply",
    "arms_procurement": "supply",
    "pledge": "supply",
    "expulsion": "sanctions",
    "rupture": "sanctions",
    "coup": "coercion",
    "election": "politics",
    "appointment": "politics",
    "resignation": "politics",
    "legal_action": "coercion",
    "arrest": "coercion",
    "cyber_attack": "coercion",
}
"""Kinds whose reports are coded with more than one event type, or that are told apart badly from another type's kinds."""

ALIKE: Final = (
    frozenset({"meeting", "summit", "visit", "mediation", "call"}),
    frozenset({"strike", "attack", "assassination"}),
    frozenset({"clash", "offensive", "invasion"}),
    frozenset({"attack", "clash"}),
    frozenset({"arms_deal", "arms_procurement"}),
    frozenset({"aid_package", "pledge"}),
    frozenset({"ceasefire", "agreement"}),
    frozenset({"arrest", "legal_action"}),
    frozenset({"expulsion", "rupture"}),
    frozenset({"accusation", "rejection"}),
    frozenset({"accusation", "threat"}),
    frozenset({"appeal", "proposal"}),
    frozenset({"withdrawal", "concession"}),
)
"""Kinds that two reporters may well use of one happening."""

LASTING: Final = frozenset({"clash", "offensive", "invasion", "blockade", "protest"})
"""What goes on for days: its reports follow one another, so the story's end moves with them."""

LULL_DAYS: Final = 2
"""How many days of quiet such a story bears."""

REGION: Final = re.compile(
    r"\b(?:region|province|governorate|oblast|state|district|county|strip|border|coast|sea|valley)\b", re.IGNORECASE
)
"""Places in which more than one thing can happen in a day."""

NEAR_KM: Final = 30.0
FAR_KM: Final = 120.0
WIDE_DAYS: Final = 45
"""A date less exact than this tells nothing; it is cut to the weeks around its report."""


def family(record: Event | Story) -> str:
    """An event or story in, the family of its happening out.

    It hangs on the kind and type alone, since that is all that every report of one happening shares: one names the place,
    the next only one of the two leaders.
    """
    return KIND_FAMILY.get(record.kind) or TYPE_FAMILY[record.event_type]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place finer than a country."""

    name: str
    country: str | None
    lat: float | None
    lon: float | None
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """What two reports can be compared by. Days are ordinals."""

    family: str
    kind: str
    actors: frozenset[str]
    recipients: frozenset[str]
    names: frozenset[str]
    lands: frozenset[str]
    spots: tuple[Spot, ...]
    first: int
    last: int
    dated: bool
    exact: bool
    planned: bool
    words: tuple[dict[str, float], ...]
    texts: frozenset[str]
    money: tuple[tuple[str, float], ...]
    counts: tuple[tuple[str, float], ...]
    countries: frozenset[str]


def of_event(event: Event) -> Happening:
    """An event in, what can be compared of it out."""
    reported = _day(event.published_at or event.first_seen_at)
    planned = event.modality == "planned"
    first, last = _span(event.date, reported, planned=planned)
    actors, recipients = _countries(event.actors), _countries(event.recipients)
    return Happening(
        family=family(event),
        kind=event.kind,
        actors=actors,
        recipients=recipients,
        countries=actors | recipients,
        names=_names((*event.actors, *event.recipients)),
        lands=frozenset(p.country for p in event.places if p.country),
        spots=_spots(event.places),
        first=first,
        last=last,
        dated=event.date is not None,
        exact=event.date is not None and event.date.precision in ("instant", "day"),
        planned=planned,
        words=(wording(event.evidence, event.article_title),),
        texts=frozenset((plain(event.evidence),)),
        money=tuple((m.currency, m.value) for m in event.money),
        counts=tuple((q.unit, q.value) for q in event.quantities),
    )


def of_story(story: Story) -> Happening:
    """A story in, what can be compared of it out. A plan and its outcome count as one stretch of days."""
    reported = (
        _day(story.reports[0].published_at or story.first_seen_at) if story.reports else _day(story.first_seen_at)
    )
    planned = story.phase == "planned"
    first, last = _span(story.date, reported, planned=planned)
    if story.kind in LASTING:
        last = max(last, max((_day(r.seen_at) for r in story.reports), default=last))
    reports = story.reports[:REPORTS_COMPARED]
    actors, recipients = _countries(story.actors), _countries(story.recipients)
    return Happening(
        family=family(story),
        kind=story.kind,
        actors=actors,
        recipients=recipients,
        countries=actors | recipients,
        names=_names((*story.actors[:ANCHORS], *story.recipients[:ANCHORS])),
        lands=frozenset(p.country for p in story.places if p.country),
        spots=_spots(story.places[:ANCHORS]),
        first=first,
        last=last,
        dated=story.date is not None,
        exact=story.date is not None and story.date.precision in ("instant", "day"),
        planned=planned,
        words=tuple(wording(r.evidence, r.title) for r in reports),
        texts=frozenset(plain(r.evidence) for r in reports),
        money=tuple((m.currency, m.value) for m in story.money),
        counts=tuple((q.unit, q.value) for q in story.quantities),
    )


ANCHORS: Final = 3
"""A story is where, and about whom, its first reports said: places and names that come later do not draw others in."""

REPORTS_COMPARED: Final = 8
"""The wording of a story is that of its first reports: later ones stray, and each costs a comparison."""


def likeness(story: Happening, event: Happening) -> float:
    """Two happenings in, how alike they are (0 to 1) out; 0 when they cannot be the same."""
    if story.family != event.family:
        return 0.0
    rules = FAMILIES[event.family]
    when = _when(story, event, rules)
    if when is None:
        return 0.0
    if story.texts & event.texts:
        return 1.0
    who = _who(story, event, directed=rules.directed)
    where = _where(story, event) if who is not None else None
    if who is None or where is None:
        return 0.0
    total = rules.who * who + rules.where * where + rules.when * when
    total += _numbers(story, event) - _kind_penalty(story.kind, event.kind)
    if total + rules.words < rules.need:
        return max(0.0, total)  # no wording could make them one, and comparing words is what takes time
    words = max((dice(w, event.words[0]) for w in story.words), default=0.0)
    return max(0.0, min(1.0, total + rules.words * min(1.0, 2.0 * words)))


PARTED: Final = frozenset({"talks", "accords", "supply", "sanctions", "politics"})
"""Families whose happenings are told apart by their parties above all."""


def others(story: Happening, event: Happening) -> bool:
    """Whether two happenings of one kind are two because other parties take part."""
    rules = FAMILIES[event.family]
    return event.family in PARTED and _who(story, event, directed=rules.directed) is None


def same(event: Happening, score: float) -> bool:
    """Whether that likeness makes an event a report of the story."""
    return score >= FAMILIES[event.family].need


ONE_SHARED: Final = 0.8
"""One country in common, and a second one that only one report names: Xi in Moscow, Putin and Xi in Moscow."""

WIDE: Final = 0.6
"""What the same province, sea or border says."""

ON_THE_DAY: Final = 0.85
"""What it says that a report without a date comes on the day that the other names."""

NAMED_ONLY: Final = 0.5
"""How much of a shared name counts where the countries differ: a president meets many."""

UNKNOWN: Final = 0.4
"""What is not told neither speaks for nor against."""


def _who(story: Happening, event: Happening, *, directed: bool) -> float | None:
    """Who takes part: None when they cannot be the same parties."""
    named = (
        len(story.names & event.names) / min(len(story.names), len(event.names)) if story.names and event.names else 0.0
    )
    ours, theirs = story.countries, event.countries
    if not ours or not theirs:
        return max(UNKNOWN, named)
    shared = ours & theirs
    if not shared:
        lands = (ours | story.lands) & (theirs | event.lands)
        return 0.2 if lands or named else None
    if directed and _other_side(story, event):
        return None
    if not ours <= theirs and not theirs <= ours and len(shared) < 2:
        # Russia and China, Russia and India: one in common, each with another partner.
        return None if not directed else 0.3
    overlap = len(shared) / math.sqrt(len(ours) * len(theirs))
    if ours != theirs:
        named *= NAMED_ONLY
    return max(named, overlap if len(shared) > 1 or len(ours | theirs) == 1 else ONE_SHARED * overlap)


def _other_side(story: Happening, event: Happening) -> bool:
    """Both name who did it (or to whom), and it is not the same country; swapped sides are a reader's slip, not a clash."""
    if story.actors == event.recipients and story.recipients == event.actors:
        return False
    actors = bool(story.actors and event.actors and not story.actors & event.actors)
    recipients = bool(story.recipients and event.recipients and not story.recipients & event.recipients)
    return actors or recipients


def _where(story: Happening, event: Happening) -> float | None:
    """Where: None when both name a place and the places are far apart."""
    if story.spots and event.spots:
        return _spots_alike(story.spots, event.spots)
    ours = story.lands | (story.countries if not story.lands else frozenset())
    theirs = event.lands | (event.countries if not event.lands else frozenset())
    if not story.lands and not event.lands:
        return UNKNOWN
    return 0.5 if ours & theirs or not ours or not theirs else 0.15


def _spots_alike(ours: tuple[Spot, ...], theirs: tuple[Spot, ...]) -> float | None:
    shared = {s.name for s in theirs} & {s.name for s in ours}
    if shared:
        return WIDE if all(s.wide for s in theirs if s.name in shared) else 1.0
    known = [d for a in ours for b in theirs if (d := _distance_km(a, b)) is not None]
    nearest = min(known, default=None)
    if nearest is None:
        return 0.3 if {s.country for s in ours} & {s.country for s in theirs} else None
    if nearest <= NEAR_KM:
        return 0.9
    return 0.4 if nearest <= FAR_KM else None


def _distance_km(a: Spot, b: Spot) -> float | None:
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return None
    half_lat, half_lon = math.radians(b.lat - a.lat) / 2, math.radians(b.lon - a.lon) / 2
    chord = (
        math.sin(half_lat) ** 2
        + math.cos(math.radians(a.lat)) * math.cos(math.radians(b.lat)) * math.sin(half_lon) ** 2
    )
    return 12742.0 * math.asin(min(1.0, math.sqrt(chord)))  # the Earth's mean diameter


def _when(story: Happening, event: Happening, rules: Family) -> float | None:
    """When: None when the dates are too far apart for one happening."""
    gap = max(0, event.first - story.last, story.first - event.last)
    days = rules.plan_days if story.planned != event.planned else rules.days
    if story.kind in LASTING:
        days += LULL_DAYS
    if days > 1 and not (story.dated and event.dated):
        days += 1  # the day of the report stands in for the date
    if gap > days:
        return None
    if gap == 0:
        if not story.dated and not event.dated and story.last != event.last:
            return 0.45  # told on two days, and neither says when
        return 1.0 if story.exact and event.exact else ON_THE_DAY if story.exact or event.exact else 0.7
    return 0.7 * (1 - gap / (days + 1))


def _kind_penalty(ours: str, theirs: str) -> float:
    if ours == theirs:
        return 0.0
    return 0.05 if alike(ours, theirs) else 0.25


def alike(ours: str, theirs: str) -> bool:
    """Whether two reporters may well use these two kinds of one happening."""
    return ours == theirs or any(ours in kinds and theirs in kinds for kinds in ALIKE)


def _numbers(story: Happening, event: Happening) -> float:
    """What sums and counts say: the same one is a strong sign, a quite different sum a sign against.

    Close sums are one sum told twice. A toll rises, so only the same toll speaks, one that is many times another, and one
    that is told on a later day and is lower.
    """
    if not (story.money and event.money) and not (story.counts and event.counts):
        return 0.0
    sums = _ratio(story.money, event.money)
    total = 0.0
    if sums is not None:
        total += 0.15 if sums <= 1.15 else 0.0 if sums <= 1.6 else -0.25
    for unit in {unit for unit, _ in story.counts} & {unit for unit, _ in event.counts}:
        ours, theirs = ([c for c in told.counts if c[0] == unit] for told in (story, event))
        ratio = _ratio(ours, theirs) or 1.0
        total += 0.10 if ratio <= 1.05 else 0.0 if ratio <= 2.5 else -0.15
        if event.last > story.last and unit in TOLLS and max(n for _, n in theirs) < min(n for _, n in ours):
            total -= 0.15
    return total


TOLLS: Final = frozenset({"dead", "injured", "missing"})


def _ratio(ours: Iterable[tuple[str, float]], theirs: Iterable[tuple[str, float]]) -> float | None:
    """How many times one is the other, of the two numbers of one unit that are closest."""
    theirs = tuple(theirs)
    return min((max(a, b) / min(a, b) for c, a in ours for d, b in theirs if c == d and a > 0 and b > 0), default=None)


def _countries(parties: Iterable[Party]) -> frozenset[str]:
    return frozenset(party.country or _union(party) for party in parties if party.country or _union(party))


def _union(party: Party) -> str:
    """A party without a country that acts as one: the European Union, NATO, the United Nations."""
    return (party.name or party.text).lower() if party.sector == "IGO" else ""


def _names(parties: Iterable[Party]) -> frozenset[str]:
    """The words of the names, so that "Xi" and "Xi Jinping" share one; country names are in `countries` already."""
    words: set[str] = set()
    for party in parties:
        words.update(w for w in re.findall(r"\w+", (party.name or party.text).lower()) if len(w) > 1 and w not in STOP)
    return frozenset(words)


def _spots(places: Iterable[Place]) -> tuple[Spot, ...]:
    """The places that are finer than a country: a country's own name, or a continent's, tells no more than its code."""
    return tuple(
        Spot((p.name or p.text).lower(), p.country, p.lat, p.lon, wide=bool(REGION.search(p.text)))
        for p in places
        if p.country and p.lat is not None and (p.name or p.text) != country_name(p.country)
    )


def _day(moment: dt.datetime | None) -> int:
    return moment.date().toordinal() if moment is not None else dt.date(1970, 1, 1).toordinal()


def _span(date: When | None, reported: int, *, planned: bool) -> tuple[int, int]:
    """A date in, its first and last day out. Without one: the days before the report, or after it for a plan."""
    if date is None:
        return (reported, reported + 14) if planned else (reported - 1, reported)
    first, last = date.start.toordinal(), date.end.toordinal()
    if last - first > WIDE_DAYS and first <= reported <= last:
        return max(first, reported - WIDE_DAYS), min(last, reported + WIDE_DAYS)
    return first, last
