"""The words of offices: which noun heads `secretary general`, and of which state an office is that hardly another has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from pipeline.annotate.names import WORD, fold, rows

GENERAL: Final = frozenset(
    ("secretary", "attorney", "director", "consul", "governor", "inspector", "prosecutor", "solicitor")
)
"""Offices whose second word is `general`: no soldiers."""


def noun(tokens: Sequence[tuple[str, int, int]], at: int) -> str:
    """Return the head noun at a token, in lower case; of `secretary general` the secretary."""
    head, before = tokens[at][0].lower(), tokens[at - 1][0].lower() if at else ""
    return before if head == "general" and before in GENERAL else head


def only_there(phrase: str) -> str | None:
    """Return the country that has an office, or has it in most news: `Assistant Attorney General`."""
    words = f" {' '.join(WORD.findall(fold(phrase))).lower()} ".replace("secretary general", "general")
    return next((country for title, country in _titles() if title in words), None)


@cache
def _titles() -> tuple[tuple[str, str], ...]:
    return tuple((f" {title} ", country) for title, country in rows("titles.tsv"))
