"""Which words of a report tell it from others, and how alike two reports are worded. Pure."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from pipeline.annotate import groups

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


GENERIC_TEXT: Final = """
kill killed dead death deaths die died injure injured wound wounded hurt casualties people person civilian civilians
man men woman women child children soldier soldiers troops troop force forces military militant militants militia
rebel rebels gunmen fighters army police officer officers attack attacks attacked attacker strike strikes struck hit
hits bomb bombing bombed missile missiles rocket rockets drone drones shell shelling airstrike airstrikes air fire
fired clash clashes fight fighting battle war invasion offensive suspected several least dozens hundreds thousands
including meet meets met meeting talk talks visit visits visited summit leader leaders hold holds held call called
speak spoke discuss sanction sanctions impose imposes imposed announce announces package aid assistance support send
sends provide billion million accuse accuses accused condemn condemns urge urges urged calls reject rejects rejected
deny denies threaten threatens warn warns arrest arrests arrested charge charged court protest protests protesters
protested demonstration agree agrees agreed agreement deal sign signed response claim claims report reports statement
country countries region city town capital
"""
GENERIC: Final = frozenset(map(stem, GENERIC_TEXT.split()))
"""What the family of the event says already: words that two reports share because both are about a strike, not about one."""

COMMON: Final = 0.3
"""The weight of such a word, and of a country's name, which is compared as a party."""


@cache
def lands() -> frozenset[str]:
    """Stems of the names of countries and of what is theirs: Russia, Russian."""
    return frozenset(stem(word) for text in groups.country_words() for word in text.lower().split() if len(word) > 3)


def wording(evidence: str, title: str) -> dict[str, float]:
    """The telling words in: stems with their weights out. Names and numbers weigh more, words of the title less."""
    weights: dict[str, float] = {}
    for text, factor in ((title, 0.5), (evidence, 1.0)):
        for number, word in enumerate(re.findall(r"[^\W_]+(?:[-’'][^\W_]+)*", text)):
            low = word.lower().removesuffix("’s").removesuffix("'s")
            if low in STOP or (len(low) < 3 and not low.isdigit()):
                continue
            telling = (number > 0 and word[0].isupper()) or word[0].isdigit()
            key = stem(low)
            weight = factor * (COMMON if key in GENERIC or key in lands() else TELLING if telling else 1.0)
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
