"""Two reports in, how alike they are worded out, by the words that distinguish one report from others. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from pipeline.annotate import groups
from pipeline.annotate.vocabulary import FAMILY_STEMS, FUNCTION_WORDS, WORD, stem, without_possessive

TELLING: Final = 1.5
"""The weight of a name or number in the evidence."""

COMMON: Final = 0.3
"""The weight of a word that the family of the event implies, and of a country's name, which is compared as a party."""


@cache
def country_stems() -> frozenset[str]:
    """Return the stems of the names of countries and of their adjectives: Russia, Russian."""
    return frozenset(stem(word) for text in groups.country_words() for word in text.lower().split() if len(word) > 3)


@cache
def countries() -> Mapping[str, str]:
    """Return the code of a country by the stem of its name, adjective, people or capital: `swedish`: SWE."""
    return {stem(word): code for code, words in groups.country_forms().items() for word in words if len(word) > 3}


@cache
def stems_of(name: str) -> tuple[str, ...]:
    """Return the stems under which a name of a lead stands in a text: all of a country's for its code, else the name itself."""
    return tuple(sorted(key for key, code in countries().items() if code == name)) if name.isupper() else (name,)


@lru_cache(maxsize=8192)
def wording(evidence: str, title: str) -> Mapping[str, float]:
    """Return the stems of a report's telling words with their weights: names and numbers weigh more, the title less.

    Kept, because every report of a happening is compared again with each further event.
    """
    weights: dict[str, float] = {}
    for text, factor in ((title, 0.5), (evidence, 1.0)):
        for number, word in enumerate(WORD.findall(text)):
            low = without_possessive(word)
            if low in FUNCTION_WORDS or (len(low) < 3 and not low.isdigit()):
                continue
            telling = (number > 0 and word[0].isupper()) or word[0].isdigit()
            key = stem(low)
            common = key in FAMILY_STEMS or key in country_stems()
            weight = factor * (COMMON if common else TELLING if telling else 1.0)
            weights[key] = max(weights.get(key, 0.0), weight)
    return weights


def dice(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """Return how alike two wordings are, 0 to 1: twice the shared weight over the total."""
    shared = ours.keys() & theirs.keys()
    if not shared:
        return 0.0
    return 2 * sum(min(ours[word], theirs[word]) for word in shared) / (sum(ours.values()) + sum(theirs.values()))


def words_alone(text: str) -> str:
    """Return a sentence's words in lower case without punctuation: the same for every copy of an agency text."""
    return " ".join(re.findall(r"\w+", text.lower()))
