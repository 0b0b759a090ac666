"""An article's title and text in, what it is about out: its telling words and names, with weights. Pure."""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipeline.annotate.vocabulary import FAMILY_STEMS, FUNCTION_WORDS, PROSE_STEMS, WORD, stem, without_possessive
from pipeline.annotate.wording import countries, country_stems

TERMS_KEPT: Final = 140
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

DAYS: Final = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
"""Capitalised, but no subject: two short texts of one day are not alike because they name it."""

YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")

_SHORTENED: Final = re.compile(r"(?:n[’']t|[’'](?:re|ll|ve|d|m))$")


@dataclass(frozen=True, slots=True)
class About:
    """The telling words of an article and of its lead (title and first sentences), weighted, and which of them are names.

    Among the names of the lead, countries stand under their codes.
    """

    words: dict[str, float]
    lead: dict[str, float]
    names: tuple[str, ...]
    lead_names: tuple[str, ...]


def about(title: str, text: str) -> About:
    """Return what an article is about. A text that begins with its own title is read without it."""
    if title and text.startswith(title):
        text = text[len(title) :].lstrip()
    lead = text[:LEAD_CHARS]
    words, names = _weights(((title, TITLE), (lead, LEAD), (text[LEAD_CHARS:READ_CHARS], 1.0)))
    first, first_names = _weights(((title, LEAD), (lead, 1.0)))
    kept = heaviest(words, TERMS_KEPT)
    return About(
        words=kept,
        lead=first,
        names=tuple(sorted(name for name in names if name in kept and not name[0].isdigit())),
        lead_names=tuple(sorted(_with_codes(first, first_names))),
    )


def _with_codes(lead: Mapping[str, float], names: set[str]) -> set[str]:
    """Return the names of a lead, those of countries as their codes: Stockholm and Swedish are one name."""
    codes = countries()
    others = {name for name in names if name not in codes and name not in country_stems()}
    return others | {codes[key] for key in lead if key in codes}


def latest_year(title: str, text: str, *, until: int) -> int | None:
    """Return the latest year that an article names, of those up to `until` (later ones are plans); None if it names none."""
    years = map(int, YEAR.findall(f"{title}\n{text[:READ_CHARS]}"))
    return max((year for year in years if year <= until), default=None)


def subject(title: str, text: str) -> dict[str, float]:
    """Return the words that tell what an article is about, each with its weight."""
    return about(title, text).words


@lru_cache(maxsize=16384)
def lead_of(title: str) -> Mapping[str, float]:
    """Return the telling words of a title, weighted as in `About.lead`."""
    return _weights(((title, 1.0),))[0]


def _weights(parts: tuple[tuple[str, float], ...]) -> tuple[dict[str, float], set[str]]:
    """Return the telling words of texts, each text with its weight, and the words that are mostly names or numbers."""
    counts: dict[str, float] = {}
    names: dict[str, float] = {}
    for part, weight in parts:
        for number, word in enumerate(WORD.findall(part)):
            key = _key(word)
            if not key:
                continue
            counts[key] = counts.get(key, 0.0) + weight
            if (number > 0 and word[0].isupper()) or word[0].isdigit():
                names[key] = names.get(key, 0.0) + weight
    named = {key for key, count in names.items() if 2 * count > counts[key]}
    return {key: _weight(_factor(key), count, key in named) for key, count in counts.items()}, named


@lru_cache(maxsize=65536)
def _key(word: str) -> str:
    """Return the stem of a word; an empty string if it tells nothing about the subject."""
    low = without_possessive(word)
    if low in FUNCTION_WORDS or low in DAYS or len(low) < (2 if low.isdigit() else 3) or _SHORTENED.search(low):
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
