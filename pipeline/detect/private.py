"""What is no matter of states: quarrels, lawsuits, business, sport and health among private people.

`The brewer rejected the bid` and `the premier rejected the bid` have one verb. Who the sides are, and what else the sentence
speaks of, tells them apart; which words do is data (`public`, `private`, `harm` in classes.toml, crime in public_side.toml).

What tells crime apart need not stand in the sentence of the deed: `Two men had quarrelled over a girlfriend. One opened fire.`
So the sentences around are looked at too, and only for the few kinds that crime shares with politics. What police and courts
do about it is an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pipeline.annotate.parse import Mention
from pipeline.detect import parties
from pipeline.detect.matching import Candidate
from pipeline.detect.parties import Cast
from pipeline.detect.persons import known
from pipeline.detect.spoken import SPOKEN
from pipeline.detect.syntax import Tree
from pipeline.records import Party

if TYPE_CHECKING:
    from pipeline.detect.drafts import Scene

ADVICE: Final = frozenset(("REQUEST", "THREATEN"))
"""Those of them that a storm or an illness makes every mayor say to his people."""

PRIVATE: Final = frozenset((None, "BUS", "MED", "EDU", "CVL"))
"""Sectors of those who act for nobody but themselves."""

JUDGING: Final = frozenset(("JUD", "COP"))
"""Sectors of those who charge and judge everybody."""


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


def of_private_people(scene: Scene, candidate: Candidate, cast: Cast) -> bool:
    """Whether words or a verdict pass between private people only, or warn of the weather."""
    rule = candidate.rule
    sides = (*cast.actors, *cast.recipients)
    if rule.kind == "legal_action":
        if any(p.sector in JUDGING or p.sector == "GOV" for p in cast.actors) or not cast.actors:
            return False  # an act of state, whatever the crime
        return _has(scene, "private") and not _public_case(scene, sides)
    if rule.type not in SPOKEN or rule.kind in ("appointment", "diplomatic_ties"):
        return False
    if rule.type in ADVICE and _has(scene, "harm") and _own_people(cast):
        return True
    return _has(scene, "private") and not any(map(_public, sides)) and not _has(scene, "public")


def _public_case(scene: Scene, sides: Sequence[Party]) -> bool:
    """Does a court deal with somebody or something public: officials, armed groups, a policy, a crime of politics."""
    if _has(scene, "public"):
        return True
    named = scene.reader.named_in(*scene.sentence)
    places = {m.text for m in named if m.label in ("GPE", "LOC", "NORP")}
    if any(_public(p) and p.sector not in JUDGING and p.text not in places and not _mere_people(p) for p in sides):
        return True
    return any(map(_public_body, named))


def _public(party: Party) -> bool:
    """Does somebody act for a state, a body, a movement or a people."""
    return party.sector not in PRIVATE or _mere_people(party)


def _mere_people(party: Party) -> bool:
    """Is it people of a country by name, `Bulgarians`: what is named by the very words of the text may be anybody."""
    return party.sector == "CVL" and party.name is not None and not set(party.name.split()) <= set(party.text.split())


def _public_body(mention: Mention) -> bool:
    """A name of a body, an armed group or somebody in office; that of a country says only where."""
    sector = mention.party.sector
    if sector in PRIVATE or sector in JUDGING or not known(mention.party):
        return False
    return mention.label in ("ORG", "PERSON") or sector != "GOV"


def _own_people(cast: Cast) -> bool:
    """Is it said to mere people."""
    return bool(cast.recipients) and all(p.sector in PRIVATE for p in cast.recipients)


def _has(scene: Scene, name: str) -> bool:
    """Does the sentence hold a word of a class."""
    return scene.models.lexicon.speaks_of(name, scene.tree.low[slice(*scene.sentence)])


def crime(scene: Scene, candidate: Candidate) -> bool:
    """Is it crime without a political or armed side: words of crime are near, none of politics or war, and no side is one."""
    rule = candidate.rule
    if rule.kind not in MARKS or (rule.kind == "restriction" and rule.mode != SEIZED):
        return False
    lexicon, around = scene.models.lexicon, _around(scene.tree, scene.sentence)
    if not any(lexicon.speaks_of(name, around) for name in MARKS[rule.kind]):
        return False
    if "public_side" not in lexicon.classes or lexicon.speaks_of("public_side", around):
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
