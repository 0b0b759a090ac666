"""Two stories, or a story and an article, in; how sure it is that both are on one piece of news out. Pure.

A sum of a few named features. The weights are in scorer.json, learnt from labelled articles by `python -m train.stories.fit`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from pipeline.annotate.wording import stems_of
from pipeline.records import Brief, Story

FILE: Final = Path(__file__).with_name("scorer.json")

FEATURES: Final = ("words", "names", "days", "years", "agrees", "contradicts")
"""In the order of `features`, which says what each is."""

FLASH: Final = 20
"""Telling words of a flash of two sentences. With the full weight at any length (B-cubed F1 of the pairs of ECB+, the weights
learnt from our own sets): .900 in place of .910 (development)."""

Rarity = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Model:
    """The weights in the order of `FEATURES`, and the sum from which two sides are one piece of news."""

    weights: tuple[float, ...]
    least: float


class Words(Protocol):
    """Words with weights: a mapping, or the smaller form of open stories."""

    def __len__(self) -> int: ...

    def items(self) -> Iterable[tuple[str, float]]:
        """Return the words with their weights."""
        ...


class Compared(Protocol):
    """What is compared: a `Side`, or the card of an open story."""

    @property
    def words(self) -> Words:
        """The words of the articles."""
        ...

    @property
    def names(self) -> Words:
        """The names in their titles and leads."""
        ...

    @property
    def years(self) -> Mapping[int, int]:
        """How many of the articles name each year as their latest."""
        ...

    @property
    def articles(self) -> int:
        """Their number."""
        ...


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared: the sums of the articles' words, and of the names in their titles and leads, and their number.

    The words, and the names, of each article have length 1 by TF-IDF (see `unit`), so that a long article counts as much as
    a short one.
    """

    words: Mapping[str, float]
    names: Mapping[str, float]
    articles: int
    years: Mapping[int, int] = field(default_factory=dict)


def side(story: Story) -> Side:
    """Return what is compared of a story."""
    return Side(story.subject, story.lead_names, max(1, len(story.article_ids)), story.years)


def side_of(brief: Brief, rarity: Rarity) -> Side:
    """Return what is compared of an article."""
    lead = brief.lead
    names = {name: max((lead.get(key, 0.0) for key in stems_of(name)), default=0.0) for name in brief.lead_names}
    return Side(unit(brief.words, rarity), unit(names, rarity), 1, {brief.year: 1} if brief.year is not None else {})


def scaled(one: Side, rarity: Rarity) -> Side:
    """Return a side with what each word and name adds to a cosine where it has the weight 1 on the other side."""
    words, names = (
        {key: weight * rarity(key) ** 2 for key, weight in weights.items()} for weights in (one.words, one.names)
    )
    return Side(words, names, one.articles, one.years)


def unit(words: Mapping[str, float], rarity: Rarity) -> dict[str, float]:
    """Return words with the weights that give them length 1 by TF-IDF."""
    length = math.sqrt(_square(words, rarity))
    return {key: round(weight / length, 5) for key, weight in words.items()} if length else {}


def features(
    ours: Compared, theirs: Side, *, days: float, agrees: float = 0.0, contradicts: float = 0.0
) -> tuple[float, ...]:
    """Return the features of two sides, of which the second is `scaled`.

    words: the mean cosine by TF-IDF of each article of one with each of the other. A story's size does not change it, as it
    does a cosine with the sum. names: the same of the names and numbers in titles and leads. days: the logarithm of the days
    between, plus one. years: the same of the latest years that two articles without dates name, the mean over all pairs (0
    where one names none): a second earthquake, years later, is told with its own year. agrees: how like a happening of one an
    event of the other is. contradicts: the share of pairs of which an event of one is of the kind of the main happening of the
    other and cannot be the same (another city, day or party): in full between flashes, which tell one thing, and less the
    longer the shorter side is, which tells others too.
    """
    pairs, shorter = ours.articles * theirs.articles, min(len(ours.words), len(theirs.words))
    flash = min(1.0, FLASH / max(1, shorter))
    words, names = linked(ours.words, theirs.words) / pairs, linked(ours.names, theirs.names) / pairs
    years = sum(
        n * m * math.log1p(abs(one - other)) for one, n in ours.years.items() for other, m in theirs.years.items()
    )
    return words, names, math.log1p(days), years / pairs, agrees, contradicts * flash


def score(values: Sequence[float], model: Model) -> float:
    """Return how sure it is that two sides with these features are on one piece of news: they are from 0 on."""
    return sum(weight * value for weight, value in zip(model.weights, values, strict=True)) - model.least


@cache
def model() -> Model:
    """Return the learnt weights."""
    table: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return Model(tuple(float(table["weights"][name]) for name in FEATURES), float(table["least"]))


def linked(ours: Words, theirs: Mapping[str, float]) -> float:
    """Return the sum of the cosines of the articles of two sides, of which the second is `scaled`."""
    return sum([weight * theirs[key] for key, weight in ours.items() if key in theirs])


def alike(ours: Mapping[str, float], theirs: Mapping[str, float], rarity: Rarity) -> float:
    """Return the cosine of two bags of words by TF-IDF, 0 to 1."""
    product = sum(ours[key] * weight * rarity(key) ** 2 for key, weight in theirs.items() if key in ours)
    return product / math.sqrt(_square(ours, rarity) * _square(theirs, rarity)) if product else 0.0


def _square(words: Mapping[str, float], rarity: Rarity) -> float:
    return sum((weight * rarity(key)) ** 2 for key, weight in words.items())
