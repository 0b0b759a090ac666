"""A story in, what a rule is checked against out: each happening that its last revision changed, and the story itself. Pure.

A matter is the story with the fields of one happening in place of those of the main one. Rules ring for happenings, so that an
announcement in a long story is not missed; only a spike of publishers is an occasion of the story itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from pipeline.records import Happening, Story
from pipeline.track.families import family, kinds_alike
from pipeline.track.likeness import same_days
from pipeline.track.profile import profile_of_happening

SHARED: Final = tuple(name for name in Happening.__struct_fields__ if name in Story.__struct_fields__ and name != "id")


MET: Final = frozenset({"talks", "accords"})
"""Families of which a visit and the meeting there are told side by side."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a rule is checked against: `id` is the happening's (of the story as a whole, the story's own).

    `twins` are the happenings of the story that a reader takes for the same: Xi's visit to Moscow and his meeting there.
    """

    id: str
    story: Story
    twins: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The id, those of what was merged into it, and those of its twins."""
        return (self.id, *self.story.merged_ids, *self.twins)


def matters(story: Story, *, every: bool = False) -> Iterator[Matter]:
    """Yield the matters of a story's latest revision; with `every`, all its happenings. Background is none."""
    if not story.happenings:
        yield Matter(story.id, story)
        return
    spikes = tuple(one for one in story.occasions if one.startswith("spike"))
    yield Matter(story.id, msgspec.structs.replace(story, occasions=spikes))
    for one in story.happenings:
        if not one.background and (every or one.id in story.touched):
            fields = {name: getattr(one, name) for name in SHARED}
            yield Matter(one.id, msgspec.structs.replace(story, **fields), _twins(one, story.happenings))


def _twins(one: Happening, others: Sequence[Happening]) -> tuple[str, ...]:
    """Return the ids of the happenings of like kinds with the same countries on the same days.

    Only of talks and accords, which their parties tell apart: two strikes of one day are in two cities.
    """
    if family(one) not in MET:
        return ()
    countries = _countries(one)
    alike = (
        other
        for other in others
        if other is not one and not other.background and len(countries) > 1 and countries == _countries(other)
    )
    return tuple(
        id_
        for other in alike
        if kinds_alike(one.kind, other.kind) and same_days(profile_of_happening(one), profile_of_happening(other))
        for id_ in (other.id, *other.merged_ids)
    )


def _countries(one: Happening) -> set[str]:
    return {party.country for party in (*one.actors, *one.recipients) if party.country}
