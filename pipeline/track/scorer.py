"""A story and an article in, how sure it is that both are on one piece of news out: a logistic model over named features. Pure.

The weights are in scorer.json, learnt from labelled articles by `python -m train.stories.fit`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from pipeline.records import Brief, Story

FILE: Final = Path(__file__).with_name("scorer.json")

FEATURES: Final = (
    "words", "lead", "names", "rarest", "days", "story_names", "other_names", "agrees", "contradicts",
)  # fmt: skip
"""In the order of `features`, which says what each is."""

CORE: Final = 0.34
"""A name is one of a story's own if this share of its articles has it in title or lead: a third."""
EMPTY: Final = 0.5
"""The share of names in common where one side has none: neither for nor against."""

Rarity = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared of a story: its words, those of titles and leads, and in how many articles each name is in the lead."""

    words: Mapping[str, float]
    lead: Mapping[str, float]
    names: Mapping[str, int]
    articles: int


def side(story: Story) -> Side:
    """Return what is compared of a story."""
    return Side(story.subject, story.lead_words, story.lead_names, max(1, len(story.article_ids)))


def as_brief(story: Story) -> Brief:
    """Return a story as if it were one article, to compare it with another story."""
    number = max(1, len(story.article_ids))
    names = tuple(name for name, count in story.lead_names.items() if count >= CORE * number)
    return Brief(
        id=story.id, url="", title=story.title, first_seen_at=story.first_seen_at, words=story.subject, lead=story.lead_words,
        names=tuple(name for name in story.lead_names if name in story.subject), lead_names=names,
    )  # fmt: skip


def features(
    story: Side, brief: Brief, rarity: Rarity, *, days: float, agrees: float, contradicts: bool
) -> list[float]:
    """Return the features of a story and an article.

    words, lead: cosines by TF-IDF of all words, and of those of titles and leads. names: the share, by rarity, of the
    article's names that the story has. rarest: the rarity of the rarest lead word in both, in tens. days: the logarithm of the
    days between them, plus one. story_names: the share of the story's own names (see `CORE`) that the article has.
    other_names: the rarity of what stands against it, a name of the story that the article lacks and one of the article that
    the story lacks. agrees: how like a happening of the story an event of the article is. contradicts: an event is of the
    kind of the story's main happening and cannot be the same (another city, day or party).
    """
    core = {name: count / story.articles for name, count in story.names.items() if count >= CORE * story.articles}
    lacking = max((share * rarity(name) for name, share in core.items() if name not in brief.words), default=0.0)
    strange = max((rarity(name) for name in brief.lead_names if name not in story.words), default=0.0)
    return [
        alike(story.words, brief.words, rarity),
        alike(story.lead, brief.lead, rarity),
        _covered(dict.fromkeys(brief.names, 1.0), story.words, rarity),
        max((rarity(word) for word in brief.lead if word in story.lead), default=0.0) / 10,
        math.log1p(days),
        _covered(core, brief.words, rarity),
        min(lacking, strange) / 10,
        agrees,
        float(contradicts),
    ]


def log_odds(values: list[float]) -> float:
    """Return the log-odds that an article with these features is on the news of the story."""
    weights, bias = model()
    return bias + sum(weight * value for weight, value in zip(weights, values, strict=True))


@cache
def model() -> tuple[tuple[float, ...], float]:
    """Return the weights in the order of `FEATURES`, and the bias."""
    table: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return tuple(float(table["weights"][name]) for name in FEATURES), float(table["bias"])


def alike(ours: Mapping[str, float], theirs: Mapping[str, float], rarity: Rarity) -> float:
    """Return the cosine of two bags of words by TF-IDF, 0 to 1."""
    product = theirs_square = 0.0
    for key, weight in theirs.items():
        square = rarity(key) ** 2
        theirs_square += weight * weight * square
        if key in ours:
            product += ours[key] * weight * square
    return product / math.sqrt(_square(ours, rarity) * theirs_square) if product else 0.0


def _square(words: Mapping[str, float], rarity: Rarity) -> float:
    return sum((weight * rarity(key)) ** 2 for key, weight in words.items())


def _covered(names: Mapping[str, float], words: Mapping[str, float], rarity: Rarity) -> float:
    total = sum(share * rarity(name) for name, share in names.items())
    return sum(share * rarity(name) for name, share in names.items() if name in words) / total if total else EMPTY
