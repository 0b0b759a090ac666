"""What rules are matched with: a candidate, and whether a word of the tree fits the words of a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from pipeline.detect.forms import words
from pipeline.detect.lexicon import LexiconRule, Words
from pipeline.detect.persons import SECTORS
from pipeline.detect.syntax import Tree

CONTAINERS: Final = words(
    "package series number round wave barrage volley dozens hundreds thousands raft set slew part kind type "
    "amount worth deal lot order couple pair string state ton tonne tonnes tons pounds mission effort efforts "
    "session process deployment contingent load truckload spate flurry tranche batch half majority group spree "
    "type form sort salvo hail campaign plethora incident incidents case"
)
"""Nouns that stand for what follows `of`: a barrage of rockets, a package of sanctions."""

PERSONISH: Final = words(
    "worker workers official officials chief chiefs group groups agency agencies organization organisation "
    "organisations centre center minister ministry committee company companies expert activist activists site "
    "convoy-driver distribution worker's adviser analyst dealer maker manufacturer producer producers industry "
    "factory programme-manager camp"
)
"""Heads that a modifier does not stand for: an aid worker is no aid."""

MISHAPS: Final = words(
    "shooting shootings stabbing stabbings fire fires blaze crash crashes accident collision "
    "rockslide landslide landslides mudslide mudslides avalanche outbreak storm storms flood floods flooding earthquake "
    "earthquakes quake tornado hurricane cyclone typhoon stampede derailment eruption leak "
    "rain rains drought heatwave explosion explosions blast blasts "
    "bus buses train trains ferry ferries lorry lorries minibus minibuses coach tram trams airliner truck trucks"
)
"""What happens is nobody, wherever it happens: `a rockslide in Canada` is not Canada."""

MODIFIERS: Final = frozenset(("compound", "amod", "nmod", "nummod"))
DOERS: Final = (
    "er",
    "ers",
    "or",
    "ors",
    "ist",
    "ists",
    "man",
    "men",
    "gang",
    "gangs",
    "tribe",
    "tribes",
    "cartel",
    "cartels",
)
"""How the names of those end who act."""

Test = Callable[[str, int], bool]
"""A test of meaning ($party) and a word in, whether it passes out."""


class Candidate(msgspec.Struct, eq=False):
    """A rule that fits: the word that triggered it, the verb and the noun it stands on, and all words used.

    Each is equal to itself alone, so that what is worked out for one is quickly found again.
    """

    rule: LexiconRule
    index: int
    verb: int | None
    noun: int | None
    used: frozenset[int]
    score: float
    surface: bool = False


def matches(tree: Tree, index: int, words: Words, test: Test, depth: int = 0) -> bool:
    """Whether a noun fits the words: itself, a modifier, what it holds (`a barrage of rockets`), or one coordinated with it."""
    low, forms = tree.low[index], words.forms
    if low in forms:
        return True
    for name in words.tests:
        if test(name, index):
            return True
    if depth > 3:
        return False
    for kid in tree.kids[index]:
        dep = tree.deps[kid]
        if dep in MODIFIERS:
            if tree.low[kid] in forms and low not in PERSONISH:
                return True
        elif dep == "conj":
            if kid > index and matches(tree, kid, words, test, depth + 1):
                return True
        elif dep == "prep" and (low in CONTAINERS or tree.tags[index] in ("CD", "$")):
            held = tree.children(kid, "pobj") if tree.low[kid] in ("of", "in", "worth") else ()
            if any(matches(tree, k, words, test, depth + 1) for k in held):
                return True
    return False


def subject_fits(tree: Tree, subject: int | None, rule: LexiconRule, test: Test) -> bool:
    """Whether a verb's subject is one that the rule asks for, and none that it refuses."""
    if not rule.asks_subject:
        return True
    if subject is None:
        return not rule.subject
    if tree.low[subject] in MISHAPS:
        test = _nobody
    if rule.subject and not matches(tree, subject, rule.subject, test):
        return False
    if rule.not_subject and matches(tree, subject, rule.not_subject, test):
        return False
    if rule.type != "ASSAULT" or not rule.subject or not _thing(tree, subject):
        return True
    return matches(tree, subject, rule.subject, _nobody)


def _thing(tree: Tree, subject: int) -> bool:
    """Is it a thing that only stands somewhere: `a mill in China` is not China, and no attacker."""
    low = tree.low[subject]
    if tree.tags[subject] not in ("NN", "NNS") or low in SECTORS or low.endswith(DOERS):
        return False
    if any(kid < subject and tree.words[kid][:1].isupper() and tree.tags[kid] != "DT" for kid in tree.kids[subject]):
        return False
    return any(tree.low[kid] in ("in", "at", "near", "from", "on") for kid in tree.children(subject, "prep"))


def _nobody(name: str, index: int) -> bool:
    """The test that nothing passes."""
    del name, index
    return False
