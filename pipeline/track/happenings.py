"""A story's happenings and a further event in, its happenings with the event placed out. Pure.

For each event one question is asked: *which real-world event is it?* Kind, parties, place, date and wording decide
(likeness.py), and only among the happenings of its own story: an announcement, the meeting and its outcome are phases of
one, a second meeting is another.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pipeline.records import Event, Happening, Party, Place
from pipeline.track import likeness
from pipeline.track.claims import lead_articles
from pipeline.track.families import family, kinds_alike
from pipeline.track.happening import absorb, begin, fit_in_one, is_full, merge
from pipeline.track.line import line
from pipeline.track.profile import Profile, profile_of_event, profile_of_happening

TOLD: Final = frozenset({"asserted", "planned"})
"""Only events of these modalities are reports. A hypothetical, denied or historical event changes no happening."""
KEPT: Final = 30
"""At most so many happenings of one story. Beyond that a background one gives way, and further ones are not kept."""
BACKGROUND_REPORTS: Final = 3
"""Reports kept of a happening that is only background: it raises no alert, and its page shows the main ones."""
TOGETHER: Final = 0.06
"""Added to the likeness of two reports whose articles are on one piece of news. B-cubed of the 207 bullets of
tests/golden/stream_labels.tsv: .917 with it, .905 without."""
AGAIN: Final = 0.1
"""Added where the same article tells it again in other words and without a day of its own: `the first visit by a head of
government` behind the summit that it announces."""
MERGING: Final = 0.08
"""How much more alike two happenings must be to become one than an event and a happening: joining is not taken back."""
COMPARED: Final = 3
"""So many happenings of a story are compared with an article's events to find the story."""


def place(
    known: Sequence[Happening], event: Event, *, floor: float, reports_kept: int
) -> tuple[tuple[Happening, ...], str]:
    """Return a story's happenings with the event placed, and the id of the happening that changed; empty if none did."""
    if event.modality not in TOLD or any(event.id in one.event_ids for one in known):
        return tuple(known), ""
    alike = [one for one in known if family(one) == family(event)]
    if not alike:
        return _opened(known, event, floor)
    profile = profile_of_event(event)
    rated = {one.id: likeness.likeness(profile_of_happening(one), profile) for one in alike}
    rated = {one.id: rated[one.id] + TOGETHER + AGAIN * _again(one, event) for one in alike if rated[one.id] > 0}
    matching = [one for one in alike if likeness.is_match(profile, rated.get(one.id, 0.0))]
    if not matching:
        return _opened(known, event, floor)
    best = min(matching, key=lambda one: (-rated[one.id], one.first_seen_at, one.id))
    if is_full(best, event):
        return tuple(known), ""
    limit = reports_kept if not best.background else BACKGROUND_REPORTS
    grown = merge(best, event, reports_kept=limit)
    others = [one for one in matching if one.id != best.id]
    for other in others:
        if _are_one(grown, other, profile, rated[other.id] - TOGETHER):
            first, second = sorted((grown, other), key=lambda one: (one.first_seen_at, one.id))
            whole = with_line(absorb(first, second, reports_kept=reports_kept), floor)
            return tuple(whole if one.id == first.id else one for one in known if one.id != second.id), whole.id
    grown = with_line(grown, floor)
    return tuple(grown if one.id == best.id else one for one in known), grown.id


def _again(one: Happening, event: Event) -> bool:
    """Return whether an article tells a happening again, under a kind like its own and without another day."""
    return event.date is None and event.article_id in one.article_ids and kinds_alike(one.kind, event.kind)


def _opened(known: Sequence[Happening], event: Event, floor: float) -> tuple[tuple[Happening, ...], str]:
    """Return the happenings with a new one; where there are too many, the least told background one gives way.

    What is background and says neither who nor where (`the leaders are to see each other at a dinner`) opens none.
    """
    fresh = with_line(begin(event), floor)
    named: tuple[Party | Place, ...] = (*event.actors, *event.recipients, *event.places)
    if fresh.background and not any(one.country or one.name for one in named):
        return tuple(known), ""
    if len(known) < KEPT:
        return (*known, fresh), fresh.id
    spare = [one for one in (*known, fresh) if one.background]
    if not spare:
        return tuple(known), ""
    gone = min(spare, key=lambda one: (one.article_count, -one.first_seen_at.timestamp(), one.id))
    kept = tuple(one for one in (*known, fresh) if one.id != gone.id)
    return kept, "" if gone.id == fresh.id else fresh.id


def _are_one(ours: Happening, other: Happening, profile: Profile, score: float) -> bool:
    """Return whether an event that was merged into `ours` shows that `other` is the same real-world event."""
    if ours.kind != other.kind or not likeness.is_match(profile, score - MERGING) or not fit_in_one(ours, other):
        return False
    mine, theirs = profile_of_happening(ours), profile_of_happening(other)
    return likeness.is_match(theirs, likeness.likeness(mine, theirs))


def joined(
    ours: Iterable[Happening], theirs: Iterable[Happening], *, floor: float, reports_kept: int
) -> tuple[Happening, ...]:
    """Return the happenings of two stories that turn out to be one: those of one real-world event are merged."""
    found = list(ours)
    for other in theirs:
        profile = profile_of_happening(other)
        alike = [
            (likeness.likeness(profile_of_happening(one), profile), one.id)
            for one in found
            if one.kind == other.kind and fit_in_one(one, other)
        ]
        score, best = max(alike, default=(0.0, ""))
        if best and likeness.is_match(profile, score):
            number = next(n for n, one in enumerate(found) if one.id == best)
            first, second = sorted((found[number], other), key=lambda one: (one.first_seen_at, one.id))
            found[number] = with_line(absorb(first, second, reports_kept=reports_kept), floor)
        else:
            found.append(other)
    return tuple(heapq.nsmallest(KEPT, found, key=lambda one: (one.background, one.first_seen_at, one.id)))


def with_line(happening: Happening, floor: float) -> Happening:
    """Return a happening with its structured line if it is sure, else without one."""
    return msgspec.structs.replace(happening, line=line(happening) if is_sure(happening, floor) else "")


def is_sure(happening: Happening, floor: float) -> bool:
    """Return whether a happening is sure enough to be told: by its confidence, or by a second independent source."""
    return happening.confidence >= floor or happening.source_count > 1


def main_of(known: Iterable[Happening], floor: float) -> Happening | None:
    """Return the main happening: sure, and most articles are about it; None if all is background.

    Of equals it is the one that most articles tell, then the surest, then the first.
    """
    return min(
        (one for one in known if not one.background),
        key=lambda h: (
            not is_sure(h, floor),
            -lead_articles(h),
            -h.article_count,
            -h.confidence,
            h.first_seen_at,
            h.id,
        ),
        default=None,
    )


def compared(known: Iterable[Happening]) -> tuple[Profile, ...]:
    """Return the profiles of the happenings by which an article's events are compared with a story."""
    lead = (one for one in known if not one.background)
    first = heapq.nsmallest(COMPARED, lead, key=lambda one: (-one.article_count, one.first_seen_at, one.id))
    return tuple(profile_of_happening(one) for one in first)
