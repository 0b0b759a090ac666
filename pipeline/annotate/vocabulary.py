"""A word in, its stem out, and the lists of words that tell nothing. The only importer of snowballstemmer.

Search, wording and subjects share the stemmer and the base list of function words. The lists are in stop_words.toml.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Final

from snowballstemmer import EnglishStemmer

WORD: Final = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the stem of a lower-case English word: "sanction" for "sanctions" and "sanctioned"."""
    return str(
        EnglishStemmer().stemWord(word)
    )  # a new one for each word that is not cached: it is not safe for threads


def without_possessive(word: str) -> str:
    """Return a word in lower case and without a possessive ending."""
    return word.lower().removesuffix("’s").removesuffix("'s")


_LISTS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(Path(__file__).with_name("stop_words.toml").read_text("utf-8")).items()
}

FUNCTION_WORDS: Final = _LISTS["function"]
"""The base stop list: words of any English text."""

FAMILY_STEMS: Final = frozenset(map(stem, _LISTS["family"]))
"""Stems that reports of one family of events share because of the family."""

PROSE_STEMS: Final = frozenset(map(stem, _LISTS["prose"]))
"""Stems of words of any prose, of reporting and of web pages."""
