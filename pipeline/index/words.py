"""Words for searching, pure: no case, accents, stop words or English endings.

Done here and not by an analyzer of the server, for the index and for the query alike: so the same search finds the same
things on every Elasticsearch, with or without its language plug-ins.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from pipeline.annotate.names import GAZETTEER

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_STOP_TEXT: Final = """
a an and are as at be been by for from had has have he her his in into is it its of on or she that the their them they this
to was were which who will with would
"""
_STOP: Final = frozenset(_STOP_TEXT.split())


def folded(text: str) -> str:
    """A text in, its words as they are searched out."""
    return " ".join(stem(word) for word in words(text) if word not in _STOP)


def words(text: str) -> list[str]:
    """A text in, its words in lower case without accents and without a possessive ending out."""
    plain = _decomposed(_decomposed(text).casefold()).replace("’", "'")
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return [word.removesuffix("'s").replace("'", "") for word in _WORD.findall(plain)]


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


def stem(word: str) -> str:
    """A lower-case word in, what its inflected forms have in common out: sanctions, sanctioned, sanctioning -> sanction."""
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    whole = word
    for endings in (_PLURALS, _VERB_ENDINGS):
        word = _without(word, endings)
    if word != whole and word[-1] == word[-2] and word[-1] in "bdgmnprt":
        return word[:-1]  # banned, planning
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _without(word: str, endings: tuple[tuple[str, int, str], ...]) -> str:
    for ending, least, instead in endings:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: len(word) - len(ending)] + instead
    return word


# What a word ends in, how many letters must be left before it, and what is put there; the first that fits.
_PLURALS: Final = (
    ("ies", 2, "y"), ("sses", 1, "ss"), ("shes", 2, "sh"), ("ches", 2, "ch"), ("xes", 2, "x"), ("ss", 1, "ss"),
    ("us", 2, "us"), ("is", 2, "is"), ("s", 3, ""),
)  # fmt: skip
_VERB_ENDINGS: Final = (("ied", 2, "y"), ("eed", 3, "ee"), ("ing", 3, ""), ("ed", 3, ""))


def country_words(code: str) -> tuple[str, ...]:
    """A country's code in, what it and its people are called out: RUS -> Russia, Russian Federation, Russian, Russians."""
    return _countries().get(code, ())


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """Code -> names. The gazetteer's columns: code, name, other names, adjectives, peoples, and what is no name of it."""
    rows = [
        line.split("\t")
        for line in (GAZETTEER / "countries.tsv").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    return {
        row[0]: tuple(name.strip() for cell in row[1:5] for name in cell.split(";") if name.strip()) for row in rows
    }
