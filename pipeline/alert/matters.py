"""A story in, what a rule is checked against out: each happening that its last revision changed, and the story itself. Pure.

A matter is the story with the fields of one happening in place of those of the main one. Rules ring for happenings, so that an
announcement in a long story is not missed; only a spike of publishers is an occasion of the story itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from pipeline.records import Happening, Story

SHARED: Final = tuple(name for name in Happening.__struct_fields__ if name in Story.__struct_fields__ and name != "id")


@dataclass(frozen=True, slots=True)
class Matter:
    """What a rule is checked against: `id` is the happening's (of the story as a whole, the story's own)."""

    id: str
    story: Story

    @property
    def ids(self) -> tuple[str, ...]:
        """The id, and those of what was merged into it."""
        return (self.id, *self.story.merged_ids)


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
            yield Matter(one.id, msgspec.structs.replace(story, **fields))
