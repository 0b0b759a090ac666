"""Two profiles in, how alike they are out: whether a story and an event are about the same real-world event. Pure.

The likeness is 0 if the two cannot be the same: other cities on the same night, other parties, dates too far apart. Otherwise
it is the weighted sum of who, where, when and wording, with the weights of the family: a strike is recognised by its place, a
meeting by its participants, an accusation by its words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from pipeline.annotate.wording import dice
from pipeline.track.families import FAMILIES, LASTING, LULL_DAYS, NAMED, Family, kinds_alike
from pipeline.track.profile import Location, Profile

NEAR_KM: Final = 30.0
FAR_KM: Final = 120.0

ONE_SHARED: Final = 0.8
"""Factor for one common country when only one report names a second: Xi in Moscow, Putin and Xi in Moscow."""

WIDE: Final = 0.6
"""Likeness of place for the same province, sea or border."""

ON_THE_DAY: Final = 0.85
"""Likeness of time for a report without a date on the very day that the other names."""

NAMED_ONLY: Final = 0.5
"""Factor for a shared name if the countries differ: a president meets many."""

UNKNOWN: Final = 0.4
"""Likeness where one of the two says nothing: neither for nor against."""

PARTED: Final = frozenset({"talks", "accords", "supply", "sanctions", "politics"})
"""Families whose events are told apart by their parties above all."""

TOLLS: Final = frozenset({"dead", "injured", "missing"})


def likeness(story: Profile, event: Profile) -> float:
    """Return how alike the profiles of a story and an event are, 0 to 1; 0 if they cannot be the same event."""
    if story.family != event.family:
        return 0.0
    rules = FAMILIES[event.family]
    when = _when(story, event, rules)
    if when is None:
        return 0.0
    if story.texts & event.texts:
        return 1.0
    if {story.kind, event.kind} <= NAMED and _of_others(story, event):
        return 0.0
    who = _who(story, event, directed=rules.directed)
    where = _where(story, event) if who is not None else None
    if who is None or where is None:
        return 0.0
    total = rules.who * who + rules.where * where + rules.when * when
    total += _numbers(story, event) - _kind_penalty(story.kind, event.kind)
    if total + rules.words < rules.need:
        return max(0.0, total)  # even the same wording would not be enough, and comparing words is what takes time
    words = max((dice(w, event.words[0]) for w in story.words), default=0.0)
    return max(0.0, min(1.0, total + rules.words * min(1.0, 2.0 * words)))


def other_parties(story: Profile, event: Profile) -> bool:
    """Return whether two profiles of one family are two events because other parties take part."""
    rules = FAMILIES[event.family]
    return event.family in PARTED and _who(story, event, directed=rules.directed) is None


def same_days(ours: Profile, theirs: Profile) -> bool:
    """Return whether the days of two profiles of one family are near enough for one event."""
    return _when(ours, theirs, FAMILIES[ours.family]) is not None


def is_match(event: Profile, score: float) -> bool:
    """Return whether the likeness `score` makes an event a report of the story."""
    return score >= FAMILIES[event.family].need


def _of_others(story: Profile, event: Profile) -> bool:
    """Return whether both name whom it befell, and no last name of one is among the names of the other."""
    both = story.people and event.people
    return bool(both) and not story.people & event.names and not event.people & story.names


def _who(story: Profile, event: Profile, *, directed: bool) -> float | None:
    """Return how alike the parties are, 0 to 1; None if they cannot be the same."""
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
    if directed and _sides_differ(story, event):
        return None
    if not ours <= theirs and not theirs <= ours and len(shared) < 2:
        # Russia and China, Russia and India: one in common, each with another partner.
        return None if not directed else 0.3
    overlap = len(shared) / math.sqrt(len(ours) * len(theirs))
    if ours != theirs:
        named *= NAMED_ONLY
    return max(named, overlap if len(shared) > 1 or len(ours | theirs) == 1 else ONE_SHARED * overlap)


def _sides_differ(story: Profile, event: Profile) -> bool:
    """Return whether both name the actors, or both the recipients, and no country is in both.

    Actors and recipients that are exactly swapped are an error of detection, not two events, unless the kinds differ or one is
    a plan: Prague expels diplomats, Moscow will close a consulate.
    """
    if story.actors == event.recipients and story.recipients == event.actors:
        return story.kind != event.kind or story.planned != event.planned
    actors = bool(story.actors and event.actors and not story.actors & event.actors)
    recipients = bool(story.recipients and event.recipients and not story.recipients & event.recipients)
    return actors or recipients


def _where(story: Profile, event: Profile) -> float | None:
    """Return how alike the places are, 0 to 1; None if both name a place and the places are far apart."""
    if story.locations and event.locations:
        return _locations_alike(story.locations, event.locations)
    ours = story.lands | (story.countries if not story.lands else frozenset())
    theirs = event.lands | (event.countries if not event.lands else frozenset())
    if not story.lands and not event.lands:
        return UNKNOWN
    return 0.5 if ours & theirs or not ours or not theirs else 0.15


def _locations_alike(ours: tuple[Location, ...], theirs: tuple[Location, ...]) -> float | None:
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


def _distance_km(a: Location, b: Location) -> float | None:
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return None
    half_lat, half_lon = math.radians(b.lat - a.lat) / 2, math.radians(b.lon - a.lon) / 2
    chord = (
        math.sin(half_lat) ** 2
        + math.cos(math.radians(a.lat)) * math.cos(math.radians(b.lat)) * math.sin(half_lon) ** 2
    )
    return 12742.0 * math.asin(min(1.0, math.sqrt(chord)))  # the Earth's mean diameter


def _when(story: Profile, event: Profile, rules: Family) -> float | None:
    """Return how alike the days are, 0 to 1; None if they are too far apart for one event."""
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
            return 0.45  # reported on two days, and neither report has a date
        return 1.0 if story.exact and event.exact else ON_THE_DAY if story.exact or event.exact else 0.7
    return 0.7 * (1 - gap / (days + 1))


def _kind_penalty(ours: str, theirs: str) -> float:
    if ours == theirs:
        return 0.0
    return 0.05 if kinds_alike(ours, theirs) else 0.25


def _numbers(story: Profile, event: Profile) -> float:
    """Return what sums and counts add to the likeness; negative if they speak against it.

    Close sums are one sum reported twice, very different ones are two. A toll rises with time, so it counts against only when
    one toll is many times the other, or when the later report has the lower one.
    """
    if not (story.money and event.money) and not (story.counts and event.counts):
        return 0.0
    sums = _ratio(story.money, event.money)
    total = 0.0
    if sums is not None:
        total += 0.15 if sums <= 1.15 else 0.0 if sums <= 1.6 else -0.25
    for unit in {unit for unit, _ in story.counts} & {unit for unit, _ in event.counts}:
        ours, theirs = ([c for c in one.counts if c[0] == unit] for one in (story, event))
        ratio = _ratio(ours, theirs) or 1.0
        total += 0.10 if ratio <= 1.05 else 0.0 if ratio <= 2.5 else -0.15
        if event.last > story.last and unit in TOLLS and max(n for _, n in theirs) < min(n for _, n in ours):
            total -= 0.15
    return total


def _ratio(ours: Iterable[tuple[str, float]], theirs: Iterable[tuple[str, float]]) -> float | None:
    """Return the smallest ratio (1 or more) of two numbers of one unit; None if no unit is in both."""
    theirs = tuple(theirs)
    return min((max(a, b) / min(a, b) for c, a in ours for d, b in theirs if c == d and a > 0 and b > 0), default=None)
