"""The words of the open stories: an article's words in, the stories that may be about the same news out. Pure.

Every story is listed under its words. An article is compared in full only with the few stories that share its rarest words.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
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
    """The words of the open stories, indexed."""

    def __init__(self) -> None:
        self._words: dict[str, Mapping[str, float]] = {}
        self._stories_with: dict[str, dict[str, None]] = {}
        self._rarities: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._words)

    def keep(self, story_id: str, words: Mapping[str, float]) -> None:
        """Keep a story's words; they replace those kept before."""
        before = self._words.get(story_id, {})
        if before is words:
            return
        for key in before.keys() - words.keys():
            self._forget(key, story_id)
        for key in words.keys() - before.keys():
            self._stories_with.setdefault(key, {})[story_id] = None
        self._words[story_id] = words
        self._rarities = {}

    def drop(self, story_id: str) -> None:
        """Forget a story."""
        for key in self._words.pop(story_id, {}):
            self._forget(key, story_id)
        self._rarities = {}

    def _forget(self, key: str, story_id: str) -> None:
        listed = self._stories_with[key]
        del listed[story_id]
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
        sums: dict[str, float] = {}
        for key, weight in words.items():
            listed = self._stories_with.get(key, {})
            if 0 < len(listed) <= SEARCHED:
                share = self.rarity(key) ** 2 * weight
                for story_id in listed:
                    # Not weighted by the story's own weight: a large story has more of every word.
                    sums[story_id] = sums.get(story_id, 0.0) + share
        return heapq.nlargest(COMPARED, sums, key=lambda one: (sums[one], one))
