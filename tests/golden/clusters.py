"""Compare groups of articles with a reader's groups: B-cubed, and a single pass over TF-IDF as the baseline.

Written here because B-cubed is one formula, and the packages that have it are untyped and unmaintained.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """Precision (how pure the groups are), recall (how complete), and their number of items."""

    precision: float
    recall: float
    items: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __str__(self) -> str:
        """Return the three figures in one line."""
        return f"P {self.precision:.3f} R {self.recall:.3f} F1 {self.f1:.3f} ({self.items})"


def b_cubed(found: Mapping[str, str], wanted: Mapping[str, str]) -> Agreement:
    """Return the mean, over the items, of the purity and the completeness of the item's group."""
    items = [item for item in wanted if item in found]
    ours, theirs = _groups(found, items), _groups(wanted, items)
    shared = {item: len(ours[found[item]] & theirs[wanted[item]]) for item in items}
    return Agreement(
        precision=sum(shared[item] / len(ours[found[item]]) for item in items) / len(items),
        recall=sum(shared[item] / len(theirs[wanted[item]]) for item in items) / len(items),
        items=len(items),
    )


def _groups(labels: Mapping[str, str], items: Iterable[str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for item in items:
        groups[labels[item]].add(item)
    return groups


def connected(stories: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return for each article the first one, in order of ids, with which it is connected over shared stories."""
    group = {article: article for article in stories}
    holder: dict[str, str] = {}

    def top(article: str) -> str:
        while group[article] != article:
            article = group[article]
        return article

    for article, ids in stories.items():
        for story_id in ids:
            first, second = sorted((top(holder.setdefault(story_id, article)), top(article)))
            group[second] = first
    return {article: top(article) for article in stories}


def single_pass(texts: Mapping[str, str], *, alike: float) -> dict[str, str]:
    """Return the first text of each text's group: that of the nearest centroid by TF-IDF, if the cosine is `alike` or more."""
    bags = {item: Counter(re.findall(r"\w{2,}", text.lower())) for item, text in texts.items()}
    rarity = {
        word: math.log(len(bags) / number) + 1
        for word, number in Counter(w for bag in bags.values() for w in bag).items()
    }
    centroids: dict[str, Counter[str]] = {}
    found = {}
    for item, bag in bags.items():
        vector = Counter({word: number * rarity[word] for word, number in bag.items()})
        scores = {first: _cosine(vector, centroid) for first, centroid in centroids.items()}
        best = max(scores, key=lambda first: scores[first], default=item)
        found[item] = best if scores.get(best, 0.0) >= alike else item
        centroids.setdefault(found[item], Counter()).update(vector)
    return found


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    product = sum(weight * other[word] for word, weight in one.items() if word in other)
    return product / math.sqrt(sum(w * w for w in one.values()) * sum(w * w for w in other.values()))
