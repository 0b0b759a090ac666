"""The open stories, kept small: the last revision of a story in, the story out, and what comparing needs without unpacking it.

Of 100,000 open stories a few hundred get an article in an hour. Those are kept as they are, the others as compressed bytes with
only what every comparison needs beside them.
"""

from __future__ import annotations

import datetime as dt
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Final

import msgspec

from pipeline.records import Story
from pipeline.track import happenings
from pipeline.track.profile import Profile

HOT: Final = 500
"""So many stories, those asked for last, are kept unpacked: some 60 kB each."""
FAST: Final = 1
"""The level of compression: 6 saves another 7 % of our own stories and takes three times as long."""

_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(Story)


class Bag:
    """Words with weights, as small as they can be: each word is one object for all stories, a weight has four bytes."""

    __slots__ = ("keys", "weights")

    def __init__(self, words: Mapping[str, float]) -> None:
        """Keep words and their weights, in their order."""
        self.keys = tuple(map(intern, words))
        self.weights = array("f", words.values())

    def __len__(self) -> int:
        return len(self.keys)

    def items(self) -> Iterator[tuple[str, float]]:
        """Return the words with their weights."""
        return zip(self.keys, self.weights, strict=True)


@dataclass(frozen=True, slots=True)
class Card:
    """What is compared of a story without unpacking it."""

    words: Bag
    names: Bag
    articles: int
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    headline: str
    years: Mapping[int, int]


class Shelf:
    """The open stories by their ids."""

    def __init__(self) -> None:
        """Begin with none."""
        self._cards: dict[str, Card] = {}
        self._packed: dict[str, bytes] = {}
        self._hot: OrderedDict[str, Story] = OrderedDict()
        self._profiles: dict[str, tuple[Profile, ...]] = {}

    def __len__(self) -> int:
        return len(self._cards)

    def __contains__(self, story_id: str) -> bool:
        return story_id in self._cards

    def __iter__(self) -> Iterator[Story]:
        return (self._hot.get(one) or _unpacked(self._packed[one]) for one in self._cards)

    def keep(self, story: Story) -> None:
        """Keep a story, in place of its earlier revision."""
        self._cards[story.id] = Card(
            Bag(story.subject),
            Bag(story.lead_names),
            max(1, len(story.article_ids)),
            story.first_seen_at,
            story.last_seen_at,
            story.headline,
            story.years,
        )
        self._packed.pop(story.id, None)
        self._profiles.pop(story.id, None)
        self._warm(story)

    def drop(self, story_id: str) -> Story:
        """Forget a story and return it.

        Raises:
            KeyError: there is no such story.
        """
        story = self[story_id]
        for table in (self._cards, self._packed, self._hot, self._profiles):
            table.pop(story_id, None)
        return story

    def get(self, story_id: str) -> Story | None:
        """Return a story, or None."""
        return self[story_id] if story_id in self._cards else None

    def __getitem__(self, story_id: str) -> Story:
        found = self._hot.get(story_id) or _unpacked(self._packed[story_id])
        self._warm(found)
        return found

    def card(self, story_id: str) -> Card:
        """Return what is compared of a story."""
        return self._cards[story_id]

    def profiles(self, story_id: str) -> Sequence[Profile]:
        """Return the profiles of the happenings that are compared of a story."""
        found = self._profiles.get(story_id)
        if found is None:
            found = happenings.compared(self[story_id].happenings)
            self._profiles[story_id] = found
        return found

    def _warm(self, story: Story) -> None:
        """Keep a story unpacked; the one that nobody asked for the longest is packed."""
        self._hot[story.id] = story
        self._hot.move_to_end(story.id)
        while len(self._hot) > HOT:
            cold, one = self._hot.popitem(last=False)
            self._profiles.pop(cold, None)
            if cold not in self._packed:
                self._packed[cold] = zlib.compress(_PACK.encode(one), FAST)


def _unpacked(packed: bytes) -> Story:
    return _UNPACK.decode(zlib.decompress(packed))
