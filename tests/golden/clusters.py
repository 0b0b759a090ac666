"""Groups of articles against a careful reader's groups: B-cubed, and the single pass over TF-IDF that anybody would try first.

Written here because the packages that offer it score sets of clusters, untyped and unmaintained; it is one formula.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """How pure the groups are, how complete, and both in one."""

    precision: float
    recall: float
    items: int

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __str__(self) -> str:
        """The three figures, as a report shows them."""
        return f"P {self.precision:.3f} R {self.recall:.3f} F1 {self.f1:.3f} ({self.items})"


def b_cubed(found: Mapping[str, str], wanted: Mapping[str, str]) -> Agreement:
    """For each item: how many of those it is put with belong with it, and how many of those that belong with it are there."""
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
    """Articles with their stories in, for each the least article that it is linked with over any stories they share out."""
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
    """Texts in order in, the first text of each one's group out: the nearest centroid by TF-IDF, if it is `alike` enough."""
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
