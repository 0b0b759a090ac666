"""The subjects of the open stories: an article's subject in, the stories about the same news out. Pure.

Papers report one real-world event with different kinds of events: one reports the strike, the next the mourning, the third who
condemned it. What they share is their subject: the names, numbers and rare words of title and text. Each article is compared
once with the subjects of the open stories, as a bag of words weighted by TF-IDF: the more stories use a word, the less it
weighs.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pipeline.annotate.subject import heaviest

SUBJECT_KEPT: Final = 160
"""Words kept of one story; it is cut back to so many when it has half as many more."""
PRIOR_STORIES: Final = 20
"""Added to the number of open stories in the rarity of a word, so that the first articles are not judged by chance."""
SEARCHED: Final = 400
"""A word in more stories than this is not used to find stories."""
COMPARED: Final = 8
"""Only so many stories are compared in full: those that share most with the article."""


def added(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    """Return the sum of a story's subject and a further article's, bounded."""
    total = dict(ours)
    for key, weight in theirs.items():
        total[key] = round(total.get(key, 0.0) + weight, 3)
    return heaviest(total, SUBJECT_KEPT) if 2 * len(total) > 3 * SUBJECT_KEPT else total


class Subjects:
    """The subjects of the open stories, indexed by their words."""

    def __init__(self) -> None:
        self._subjects: dict[str, Mapping[str, float]] = {}
        self._stories_with: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._subjects)

    def keep(self, story_id: str, words: Mapping[str, float]) -> None:
        """Keep a story's subject; it replaces the one kept before."""
        before = self._subjects.get(story_id, {})
        if before is words:
            return
        for key in before.keys() - words.keys():
            self._forget(key, story_id)
        for key in words.keys() - before.keys():
            self._stories_with.setdefault(key, {})[story_id] = None
        self._subjects[story_id] = words

    def drop(self, story_id: str) -> None:
        """Forget a story."""
        for key in self._subjects.pop(story_id, {}):
            self._forget(key, story_id)

    def _forget(self, key: str, story_id: str) -> None:
        listed = self._stories_with[key]
        del listed[story_id]
        if not listed:
            del self._stories_with[key]

    def alike(self, words: Mapping[str, float]) -> Iterator[tuple[str, float]]:
        """Yield the stories whose subject is most like an article's, each with the cosine of the two."""
        sums: dict[str, float] = {}
        for key, weight in words.items():
            listed = self._stories_with.get(key, {})
            if 0 < len(listed) <= SEARCHED:
                rarity = self._rarity(key) ** 2 * weight
                for story_id in listed:
                    # Not weighted by the story's own weight: a large story has more of every word.
                    sums[story_id] = sums.get(story_id, 0.0) + rarity
        for story_id in heapq.nlargest(COMPARED, sums, key=lambda one: (sums[one], one)):
            yield story_id, self.cosine(story_id, words)

    def cosine(self, story_id: str, words: Mapping[str, float]) -> float:
        """Return how alike a story's subject and an article's are, 0 to 1."""
        ours = self._subjects.get(story_id, {})
        product = sum(ours[key] * words[key] * self._rarity(key) ** 2 for key in words if key in ours)
        return product / (self._length(ours) * self._length(words)) if product else 0.0

    def _length(self, words: Mapping[str, float]) -> float:
        return math.sqrt(sum((weight * self._rarity(key)) ** 2 for key, weight in words.items()))

    def _rarity(self, key: str) -> float:
        return math.log((len(self._subjects) + PRIOR_STORIES) / (len(self._stories_with.get(key, ())) + 1))


def most(scores: Iterable[tuple[str, float]]) -> tuple[str, float] | None:
    """Return the story with the highest score, of equals the one whose id sorts first; None if there is none."""
    return min(scores, key=lambda one: (-one[1], one[0]), default=None)
