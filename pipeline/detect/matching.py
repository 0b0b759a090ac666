"""What rules are matched with: a candidate, and whether a word of the tree fits the words of a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pipeline.detect.forms import words
from pipeline.detect.lexicon import Rule, Words
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
    "earthquakes quake tornado hurricane cyclone typhoon stampede derailment eruption leak explosion explosions blast blasts "
    "bus buses train trains ferry ferries lorry lorries minibus minibuses coach tram trams airliner truck trucks"
)
"""What happens is nobody, wherever it happens: `a rockslide in Canada` is not Canada."""

Test = Callable[[str, int], bool]
"""A test of meaning ($party) and a word in, whether it passes out."""


@dataclass(slots=True, eq=False)
class Candidate:
    """A rule that fits: the word that triggered it, the verb and the noun it stands on, and all words used.

    Each is equal to itself alone, so that what is worked out for one is quickly found again.
    """

    rule: Rule
    index: int
    verb: int | None
    noun: int | None
    used: frozenset[int]
    score: float
    surface: bool = False


def matches(tree: Tree, index: int, words: Words, test: Test, depth: int = 0) -> bool:
    """Whether a noun fits the words: itself, a modifier, what it holds (`a barrage of rockets`), or one coordinated with it."""
    if tree.low[index] in words.forms or (words.tests and any(test(name, index) for name in words.tests)):
        return True
    if depth > 3:
        return False
    for kid in tree.kids[index]:
        dep, low = tree.deps[kid], tree.low[kid]
        if dep in ("compound", "amod", "nmod", "nummod") and low in words.forms and tree.low[index] not in PERSONISH:
            return True
        if dep == "conj" and kid > index and matches(tree, kid, words, test, depth + 1):
            return True
        holds = tree.low[index] in CONTAINERS or tree.tags[index] in ("CD", "$")
        if (
            holds
            and dep == "prep"
            and low in ("of", "in", "worth")
            and any(matches(tree, k, words, test, depth + 1) for k in tree.children(kid, "pobj"))
        ):
            return True
    return False


def general(rule: Rule, words: frozenset[str]) -> bool:
    """Whether the sentence has the words that the rule cannot do without, wherever they stand, and none that it forbids."""
    for wanted in rule.wanted:
        if wanted.isdisjoint(words):
            return False
    return rule.veto.forms.isdisjoint(words)


def subject_fits(tree: Tree, subject: int | None, rule: Rule, test: Test) -> bool:
    """Whether a verb's subject is one that the rule asks for, and none that it refuses."""
    if not rule.subject and not rule.not_subject:
        return True
    if subject is None:
        return not rule.subject
    if tree.low[subject] in MISHAPS:
        test = _nobody
    if rule.subject and not matches(tree, subject, rule.subject, test):
        return False
    return not (rule.not_subject and matches(tree, subject, rule.not_subject, test))


def _nobody(name: str, index: int) -> bool:
    """The test that nothing passes."""
    del name, index
    return False
