"""A text in, its words as the index and queries have them out: without case, accents, stop words and endings. Pure.

Done here and not by an analyzer of the server, so that a search finds the same on every Elasticsearch, with or without language
plug-ins.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from pipeline.annotate.names import GAZETTEER
from pipeline.annotate.vocabulary import FUNCTION_WORDS, stem

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def search_terms(text: str) -> str:
    """Return the stems of a text's words without stop words, separated by spaces."""
    return " ".join(stem(word) for word in words(text) if word not in FUNCTION_WORDS)


def words(text: str) -> list[str]:
    """Return a text's words in lower case, without accents and possessive endings."""
    plain = _decomposed(_decomposed(text).casefold()).replace("’", "'")
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return [word.removesuffix("'s").replace("'", "") for word in _WORD.findall(plain)]


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


def country_words(code: str) -> tuple[str, ...]:
    """Return the names of a country and its people by its code: Russia, Russian Federation, Russian, Russians for RUS."""
    return _countries().get(code, ())


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """Return the names by code. The gazetteer has them in its first columns: code, name, other names, adjectives, peoples."""
    rows = [
        line.split("\t")
        for line in (GAZETTEER / "countries.tsv").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    return {
        row[0]: tuple(name.strip() for cell in row[1:5] for name in cell.split(";") if name.strip()) for row in rows
    }
