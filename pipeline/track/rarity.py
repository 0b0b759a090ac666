"""How rare a word is: in how many texts of news it stood before, and in how many open stories it is now. Pure.

The counts of before are in rarity.txt (made by `python -m train.stories.rarity`), so that the first articles are not judged by
chance, and a word of the day weighs less while many stories have it.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("rarity.txt")
PRIOR: Final = 1000
"""The counts of before weigh as so many open stories. B-cubed of a single pass over ECB+ with 50, 300, 1,000 and 5,000 at the
best threshold of each: .866 .872 .875 .869 (development)."""


@cache
def shares() -> dict[str, float]:
    """Return the share of the texts of before that have each word."""
    first, *rows = FILE.read_text("utf-8").splitlines()
    texts = int(first)
    return {word: int(number) / texts for number, *words in map(str.split, rows) for word in words}


@cache
def unknown() -> float:
    """Return the share that counts for a word that stood in no text: one text."""
    return 1 / int(FILE.read_text("utf-8").split("\n", 1)[0])


def rarity(word: str, with_it: int, stories: int) -> float:
    """Return the weight of a word that `with_it` of the open `stories` have: its inverse document frequency."""
    expected = PRIOR * shares().get(word, unknown())
    return math.log((PRIOR + stories + 1) / (expected + with_it + 0.5))
