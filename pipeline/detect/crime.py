"""Crime without a political or armed side, which is no event: a shooting in a bar. What police and courts do about it is one.

What tells it apart are words, and they need not stand in the sentence of the deed: `Two men had quarrelled over a girlfriend.
One opened fire.` So the sentences around are looked at too, and only for the few kinds that crime shares with politics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.detect import parties
from pipeline.detect.matching import Candidate
from pipeline.detect.syntax import Tree

if TYPE_CHECKING:
    from pipeline.detect.drafts import Scene

SEIZED: Final = "seize"
"""The mode of restrictions that take things away: drugs as well as newspapers."""

MARKS: Final[dict[str, tuple[str, ...]]] = {
    "restriction": ("common_crime", "ring"),
    "attack": ("common_crime", "civil_scene"),
    "assassination": ("common_crime",),
    "abduction": ("common_crime",),
    "clash": ("common_crime",),
}
"""Kinds that tell of crime as well as of politics, and the classes of words by which it is known.

A gang that attacks a town is a side.
"""

SIDES: Final = frozenset(("REB", "MIL", "OPP", "LEG", "IGO", "MED", "SPY", "NGO"))
"""Sectors of those with whom it is politics, whoever the other side is."""

NEAR: Final = 2
"""So many sentences before one tell what it is about, and one behind it."""


def private(scene: Scene, candidate: Candidate) -> bool:
    """Is it crime: a word of crime stands near it, none of politics or war, and no side is one."""
    rule = candidate.rule
    if rule.kind not in MARKS or (rule.kind == "restriction" and rule.mode != SEIZED):
        return False
    classes, around = scene.mind.lexicon.classes, _around(scene.tree, scene.sentence)
    if not any(not classes[name].forms.isdisjoint(around) for name in MARKS[rule.kind] if name in classes):
        return False
    if "public_side" not in classes or not classes["public_side"].forms.isdisjoint(around):
        return False
    cast = parties.cast(scene.reader, candidate)
    sides = (*cast.actors, *cast.recipients) if rule.type == "ASSAULT" else cast.recipients
    if any(p.name and p.sector in SIDES for p in sides):
        return False
    return not any("police" in p.text.casefold() for p in cast.recipients)


def _around(tree: Tree, sentence: tuple[int, int]) -> list[str]:
    """The words of a sentence and of those beside it."""
    number = tree.sentence_of[sentence[0]]
    first = tree.sentences[max(0, number - NEAR)][0]
    last = tree.sentences[min(len(tree.sentences) - 1, number + 1)][1]
    return tree.low[first:last]
