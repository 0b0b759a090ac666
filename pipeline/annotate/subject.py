"""An article's title and text in, its subject out: the words that tell what it is about, with weights. Pure."""

from __future__ import annotations

import heapq
import math
import re
from functools import lru_cache
from typing import Final

from pipeline.annotate.vocabulary import FAMILY_STEMS, FUNCTION_WORDS, PROSE_STEMS, WORD, stem, without_possessive
from pipeline.annotate.wording import country_stems

TERMS_KEPT: Final = 80
"""At most so many words of one article: the rest of a long text repeats them or digresses."""
READ_CHARS: Final = 20_000
"""Only so many characters of a text are read."""
LEAD_CHARS: Final = 300
"""The first sentences of a text."""
TITLE: Final = 2.0
LEAD: Final = 1.5
"""How much more a word in the title, or in the first sentences, counts than one in the rest."""
NAME: Final = 1.5
FAMILY_WORD: Final = 0.5
COUNTRY: Final = 0.6
"""Factors: names and numbers tell more; the words of the family and countries, which are in many stories, tell less."""

_SHORTENED: Final = re.compile(r"(?:n[’']t|[’'](?:re|ll|ve|d|m))$")


def subject(title: str, text: str) -> dict[str, float]:
    """Return the words that tell what an article is about, each with its weight."""
    counts: dict[str, float] = {}
    names: dict[str, float] = {}
    for part, weight in ((title, TITLE), (text[:LEAD_CHARS], LEAD), (text[LEAD_CHARS:READ_CHARS], 1.0)):
        for number, word in enumerate(WORD.findall(part)):
            key = _key(word)
            if not key:
                continue
            counts[key] = counts.get(key, 0.0) + weight
            if (number > 0 and word[0].isupper()) or word[0].isdigit():
                names[key] = names.get(key, 0.0) + weight
    weights = {key: _weight(_factor(key), count, 2 * names.get(key, 0.0) > count) for key, count in counts.items()}
    return heaviest(weights, TERMS_KEPT)


@lru_cache(maxsize=65536)
def _key(word: str) -> str:
    """Return the stem of a word; an empty string if it tells nothing about the subject."""
    low = without_possessive(word)
    if low in FUNCTION_WORDS or len(low) < (2 if low.isdigit() else 3) or _SHORTENED.search(low):
        return ""
    key = stem(low)
    return "" if key in PROSE_STEMS else key


@lru_cache(maxsize=65536)
def _factor(key: str) -> float:
    return FAMILY_WORD if key in FAMILY_STEMS else COUNTRY if key in country_stems() else 1.0


@lru_cache(maxsize=4096)
def _weight(factor: float, count: float, named: bool) -> float:
    return round(factor * (NAME if named else 1.0) * (1 + math.log(max(1.0, count))), 3)


def heaviest(weights: dict[str, float], kept: int) -> dict[str, float]:
    """Return the `kept` heaviest words; of equal weights the word that sorts last."""
    if len(weights) <= kept:
        return weights
    return {key: weights[key] for key in heapq.nlargest(kept, weights, key=lambda k: (weights[k], k))}
