"""Names that nobody knows: what in a noun phrase shows that somebody is named there."""

from __future__ import annotations

from typing import Final

from pipeline.detect.persons import SECTORS
from pipeline.detect.syntax import Tree
from pipeline.records import Party

CODES: Final = frozenset(
    ("USD", "EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "JPY", "CAD", "AUD", "NZD", "PLN", "CZK", "HUF", "RON", "BGN", "ISK",
     "KRW", "INR", "CNY", "TWD", "TRY", "RUB", "UAH", "ILS", "AED", "SAR", "BRL", "MXN", "ZAR")
)  # fmt: skip
"""Codes of currencies, which a tagger takes for names."""


def written_as_name(tree: Tree, head: int) -> bool:
    """Is the word written as a name, by itself or beside one: `Ruritania and Borduria` at the start of a sentence."""
    if tree.words[head] in CODES:
        return False
    if tree.tags[head] in ("NNP", "NNPS"):
        return True
    return tree.words[head][:1].isupper() and any(tree.tags[k] == "NNP" for k in tree.children(head, "conj"))


def unknown_pair(tree: Tree, head: int) -> list[Party]:
    """`Ruritanian and Bordurian troops`: two peoples before one noun are two parties."""
    first = next((k for k in tree.kids[head] if k < head and tree.words[k][:1].isupper()), None)
    if first is None or first + 3 != head or tree.low[first + 1] != "and" or not tree.words[first + 2][:1].isupper():
        return []
    return [
        Party(
            text=f"{tree.words[people]} {tree.words[head]}",
            name=tree.words[people],
            sector=SECTORS[tree.low[head]],
            start=tree.offsets[people],
            end=tree.end_offset(people),
        )
        for people in (first, first + 2)
    ]
