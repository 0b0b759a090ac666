"""Which words of a report tell it from others, and how alike two reports are worded. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

TELLING: Final = 1.5
"""The weight of a name or number in the evidence."""

STOP: Final = frozenset(
    """a about after again against ago all also amid among an and announced any are around as at be been before being between
    both but by can could day days did do does during each following for from had has have he her his hours how if in into is
    it its itself just last later least least made make many may more most mr mrs ms near new next no nor not now of off on
    one only or other our out over own per president prime minister foreign said same say says she should since so some such
    than that the their them then there these they this those through time to today told tomorrow too two under until up was
    we were what when where which while who whose will with within would yesterday year years week weeks month months monday
    tuesday wednesday thursday friday saturday sunday government officials official ministry reported according state""".split()  # noqa: SIM905 - one word a line is no list to read
)
"""Words that any report may have; names of office and of weekdays among them."""


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A lower-case word in, its stem out: crude, and the same for "sanction", "sanctions" and "sanctioned"."""
    for ending, least in (("ations", 4), ("ation", 4), ("ing", 4), ("ies", 3), ("ed", 3), ("es", 4), ("s", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: -len(ending)]
    return word


def wording(evidence: str, title: str) -> dict[str, float]:
    """The telling words in: stems with their weights out. Names and numbers weigh more, words of the title less."""
    weights: dict[str, float] = {}
    for text, factor in ((title, 0.5), (evidence, 1.0)):
        for number, word in enumerate(re.findall(r"[^\W_]+(?:[-’'][^\W_]+)*", text)):
            low = word.lower().removesuffix("’s").removesuffix("'s")
            if low in STOP or (len(low) < 3 and not low.isdigit()):
                continue
            telling = (number > 0 and word[0].isupper()) or word[0].isdigit()
            weight = factor * (TELLING if telling else 1.0)
            key = stem(low)
            weights[key] = max(weights.get(key, 0.0), weight)
    return weights


def dice(ours: dict[str, float], theirs: dict[str, float]) -> float:
    """Two wordings in, their likeness out: twice the shared weight over the whole."""
    shared = ours.keys() & theirs.keys()
    if not shared:
        return 0.0
    return 2 * sum(min(ours[word], theirs[word]) for word in shared) / (sum(ours.values()) + sum(theirs.values()))


def plain(text: str) -> str:
    """A sentence in, its words alone out: what stays the same when a wire text is set by another paper."""
    return " ".join(re.findall(r"\w+", text.lower()))
