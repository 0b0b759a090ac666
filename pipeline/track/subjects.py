"""The subjects of the open stories: an article's subject in, the stories that are about the same news out. Pure.

Reports of one happening are coded in many ways: one paper tells the strike, the next the mourning, the third who condemned
it. What they share is their subject: the names, numbers and rare words of title and text. Each article is compared, once,
with the subjects of the open stories, as a bag of words in which a word weighs less the more stories use it (TF-IDF).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pipeline.annotate.subject import heaviest

SUBJECT_KEPT: Final = 160
"""Words of one story; cut back to this when it has grown by a half."""
PRIOR_STORIES: Final = 20
"""As if so many stories were open already: the first articles of an empty memory are not judged by chance."""
SEARCHED: Final = 400
"""A word that more stories use than this finds none of them; rarer ones do."""
COMPARED: Final = 8
"""Of all stories that share words, so many are compared in full: those that share most."""


def added(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    """A story's subject and a further article's in, the sum of both out, bounded."""
    total = dict(ours)
    for key, weight in theirs.items():
        total[key] = round(total.get(key, 0.0) + weight, 3)
    return heaviest(total, SUBJECT_KEPT) if 2 * len(total) > 3 * SUBJECT_KEPT else total


class Subjects:
    """The subjects of the open stories, found by their words."""

    def __init__(self) -> None:
        self._subjects: dict[str, Mapping[str, float]] = {}
        self._stories_with: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._subjects)

    def keep(self, story_id: str, words: Mapping[str, float]) -> None:
        """Hold a story's subject, in place of what was held of it."""
        before = self._subjects.get(story_id, {})
        if before is words:
            return
        for key in before.keys() - words.keys():
            self._forget(key, story_id)
        for key in words.keys() - before.keys():
            self._stories_with.setdefault(key, {})[story_id] = None
        self._subjects[story_id] = words

    def drop(self, story_id: str) -> None:
        """Let a story go."""
        for key in self._subjects.pop(story_id, {}):
            self._forget(key, story_id)

    def _forget(self, key: str, story_id: str) -> None:
        listed = self._stories_with[key]
        del listed[story_id]
        if not listed:
            del self._stories_with[key]

    def alike(self, words: Mapping[str, float]) -> Iterator[tuple[str, float]]:
        """An article's subject in, the stories whose subject is most like it out, each with the cosine of the two."""
        sums: dict[str, float] = {}
        for key, weight in words.items():
            listed = self._stories_with.get(key, {})
            if 0 < len(listed) <= SEARCHED:
                rarity = self._rarity(key) ** 2 * weight
                for story_id in listed:
                    sums[story_id] = (
                        sums.get(story_id, 0.0) + rarity
                    )  # whether it has the word: a large story has more of each
        for story_id in heapq.nlargest(COMPARED, sums, key=lambda one: (sums[one], one)):
            yield story_id, self.cosine(story_id, words)

    def cosine(self, story_id: str, words: Mapping[str, float]) -> float:
        """How alike a story's subject and an article's are, 0 to 1."""
        ours = self._subjects.get(story_id, {})
        product = sum(ours[key] * words[key] * self._rarity(key) ** 2 for key in words if key in ours)
        return product / (self._length(ours) * self._length(words)) if product else 0.0

    def _length(self, words: Mapping[str, float]) -> float:
        return math.sqrt(sum((weight * self._rarity(key)) ** 2 for key, weight in words.items()))

    def _rarity(self, key: str) -> float:
        return math.log((len(self._subjects) + PRIOR_STORIES) / (len(self._stories_with.get(key, ())) + 1))


def most(scores: Iterable[tuple[str, float]]) -> tuple[str, float] | None:
    """The best of stories with scores; of equals the one whose id comes first."""
    return min(scores, key=lambda one: (-one[1], one[0]), default=None)
