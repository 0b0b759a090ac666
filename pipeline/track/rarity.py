"""How rare a word is: in how many texts of news it stood before, and in how many open stories it is now. Pure.

The counts of before are in rarity.txt (made by `python -m train.stories.rarity`), so that the first articles are not judged by
chance, and a word of the day weighs less while many stories have it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.annotate.wording import stems_of

FILE: Final = Path(__file__).with_name("rarity.txt")
PRIOR: Final = 1000
"""The counts of before weigh as so many open stories. B-cubed of a single pass over ECB+ with 50, 300, 1,000 and 5,000 at the
best threshold of each: .866 .872 .875 .869 (development)."""


@cache
def expected() -> tuple[dict[str, float], float]:
    """Return how many of `PRIOR` stories have each word, and the number for a word that stood in no text: as if in one."""
    first, *rows = FILE.read_text("utf-8").splitlines()
    share = PRIOR / int(first)
    return {word: int(number) * share for number, *words in map(str.split, rows) for word in words}, share


def rarity_of(name: str, of_word: Callable[[str], float]) -> float:
    """Return the weight of a word or name by that of each word; a country's code is as rare as its most frequent word."""
    return min(map(of_word, stems_of(name)), default=0.0) if name.isupper() else of_word(name)


def rarity(word: str, with_it: int, stories: int) -> float:
    """Return the weight of a word that `with_it` of the open `stories` have: its inverse document frequency."""
    counts, unknown = expected()
    return math.log((PRIOR + stories + 1) / (counts.get(word, unknown) + with_it + 0.5))
