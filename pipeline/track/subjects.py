"""The words of the open stories: an article's words in, the stories that may be about the same news out. Pure.

Every story is listed under its words. An article is compared in full only with the few stories that share its rarest words.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Collection, Mapping
from typing import Final

from pipeline.annotate.subject import heaviest
from pipeline.track.rarity import rarity, rarity_of

WORDS_KEPT: Final = 160
"""Words kept of one story; it is cut back to so many when it has half as many more."""
LEAD_KEPT: Final = 60
"""The same for the words of its titles and leads."""
SEARCHED: Final = 400
"""A word in more stories than this is not used to find stories."""
COMPARED: Final = 8
"""Only so many stories are compared in full: those that share most with the article."""


def added(ours: Mapping[str, float], theirs: Mapping[str, float], kept: int = WORDS_KEPT) -> dict[str, float]:
    """Return the sum of a story's words and a further article's, bounded."""
    total = dict(ours)
    for key, weight in theirs.items():
        total[key] = round(total.get(key, 0.0) + weight, 5)
    return heaviest(total, kept) if 2 * len(total) > 3 * kept else total


class Subjects:
    """The words of the open stories, indexed. A story has a number here, which another takes when it is gone."""

    def __init__(self) -> None:
        """Begin with none."""
        self._words: dict[str, tuple[str, ...]] = {}
        self._numbers: dict[str, int] = {}
        self._ids: list[str] = []
        self._free: list[int] = []
        self._stories_with: dict[str, array[int]] = {}
        self._rarities: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._words)

    def keep(self, story_id: str, words: Collection[str]) -> None:
        """Keep a story's words; they replace those kept before."""
        before, after = set(self._words.get(story_id, ())), set(words)
        number = self._number(story_id)
        for key in before - after:
            self._forget(key, number)
        for key in after - before:
            self._stories_with.setdefault(key, array("I")).append(number)
        self._words[story_id] = tuple(words)
        self._rarities = {}

    def drop(self, story_id: str) -> None:
        """Forget a story."""
        if (number := self._numbers.pop(story_id, None)) is None:
            return
        for key in self._words.pop(story_id):
            self._forget(key, number)
        self._free.append(number)
        self._rarities = {}

    def _number(self, story_id: str) -> int:
        if story_id not in self._numbers:
            number = self._free.pop() if self._free else len(self._ids)
            if number == len(self._ids):
                self._ids.append(story_id)
            self._ids[number] = story_id
            self._numbers[story_id] = number
        return self._numbers[story_id]

    def _forget(self, key: str, number: int) -> None:
        listed = self._stories_with[key]
        listed.remove(number)
        if not listed:
            del self._stories_with[key]

    def rarity(self, key: str) -> float:
        """Return how rare a word or name is: the weight that it has in every comparison."""
        found = self._rarities.get(key)
        if found is None:
            found = rarity_of(key, self._rarity_of_word)
            self._rarities[key] = found
        return found

    def _rarity_of_word(self, word: str) -> float:
        return rarity(word, len(self._stories_with.get(word, ())), len(self._words))

    def candidates(self, words: Mapping[str, float]) -> list[str]:
        """Return the stories that share most with an article, at most `COMPARED`, the nearest first."""
        sums: dict[int, float] = {}
        for key, weight in words.items():
            listed = self._stories_with.get(key, ())
            if 0 < len(listed) <= SEARCHED:
                share = self.rarity(key) ** 2 * weight
                for number in listed:
                    # Not weighted by the story's own weight: a large story has more of every word.
                    sums[number] = sums.get(number, 0.0) + share
        best = heapq.nlargest(COMPARED, sums, key=lambda one: (sums[one], self._ids[one]))
        return [self._ids[number] for number in best]
