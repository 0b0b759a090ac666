"""Words that are no event: said under a condition, given as the reason of a charge, spoken to one's own, or said twice.

That Chad would refuse if it were asked tells of no refusal; who is tried for urging soldiers to desert urged nobody now; and a
president who orders his army to withdraw withdraws it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.detect.forms import words
from pipeline.detect.matching import Candidate
from pipeline.detect.modality import Reading
from pipeline.detect.parties import Cast, cast
from pipeline.detect.persons import known
from pipeline.detect.syntax import Tree, subject_of
from pipeline.records import Party

if TYPE_CHECKING:
    from pipeline.detect.drafts import Scene

SPOKEN: Final = frozenset(("REQUEST", "ACCUSE", "REJECT", "THREATEN", "SUPPORT"))
"""Types that are words: anybody can utter them."""

JUDGED: Final = frozenset(("ACCUSE", "COERCE", "SANCTION", "SUPPORT"))
"""Types that have a reason: charged, held, punished or thanked for what one said."""

ORDERS: Final = words(
    "order orders ordered ordering instruct instructs instructed instructing direct directs directed directing "
    "command commands commanded commanding"
)
BREACHES: Final = words(
    "violate violates violated violating breach breaches breached breaching break breaks broke broken breaking"
)
SERVANTS: Final = frozenset(("GOV", "MIL", "COP", "SPY"))
"""Sectors of those who do what their country's head says."""


def idle(scene: Scene, candidate: Candidate, anchor: int, reading: Reading) -> bool:
    """Whether words are no event of their own."""
    rule = candidate.rule
    if rule.type not in SPOKEN or candidate.verb is None:
        return False
    if reading.modality == "hypothetical" and rule.kind != "legal_action":
        return not (_may(scene.tree, anchor, reading) or _purpose(scene, candidate, anchor))
    if rule.type == "THREATEN" and _by_nobody(scene, candidate):
        return True
    if _as_said(scene.tree, anchor):
        return True
    others = [c for c in scene.candidates if c is not candidate]
    return (
        _reason(scene.tree, anchor, others)
        or (rule.kind == "rejection" and _charged(scene.tree, anchor, others))
        or (rule.kind == "appeal" and _to_ones_own(scene, candidate))
        or any(_echo(scene, candidate, anchor, other) for other in others)
    )


def _may(tree: Tree, anchor: int, reading: Reading) -> bool:
    """`Berlin may reject the offer`: what its own auxiliary makes possible is news, no mere condition (`should it refuse`)."""
    by = reading.governor
    return by is not None and by in tree.kids[anchor] and tree.deps[by] == "aux" and tree.low[by] != "should"


def _purpose(scene: Scene, candidate: Candidate, anchor: int) -> bool:
    """`flew to Cairo to urge Egypt to wait`: a purpose that names both sides is what the sentence has to tell."""
    tree = scene.tree
    if tree.deps[anchor] not in ("advcl", "xcomp") or not any(tree.low[k] == "to" for k in tree.kids[anchor]):
        return False
    found = cast(scene.reader, candidate)
    acting = {_who(p) for p in found.actors if known(p)}
    return not found.guesses and bool(acting) and any(known(p) and _who(p) not in acting for p in found.recipients)


def _as_said(tree: Tree, anchor: int) -> bool:
    """`left the town, as Chad had demanded`: it only says whose words were followed."""
    if tree.deps[anchor] != "advcl" or not any(
        tree.low[k] == "as" and tree.deps[k] == "mark" for k in tree.kids[anchor]
    ):
        return False
    return not tree.children(anchor, "dobj", "ccomp", "xcomp", "prep", "dative")


def _by_nobody(scene: Scene, candidate: Candidate) -> bool:
    """`wolves threaten the flocks`: what has no tongue utters no threat."""
    subject = subject_of(scene.tree, candidate.verb) if candidate.verb is not None else None
    actors = cast(scene.reader, candidate).actors
    if subject is None or scene.tree.tags[subject] in ("NNP", "NNPS"):
        return False
    return not any(known(p) or p.sector for p in actors)


def _reason(tree: Tree, anchor: int, others: list[Candidate]) -> bool:
    """`opened an inquiry into two deputies for calling on soldiers to desert`: what somebody is blamed or thanked for."""
    if tree.tags[anchor] != "VBG" or tree.deps[anchor] != "pcomp" or tree.low[tree.heads[anchor]] != "for":
        return False
    judged = {i for c in others if c.rule.type in JUDGED for i in c.used}
    return not judged.isdisjoint(tree.ancestors(anchor))


def _charged(tree: Tree, anchor: int, others: list[Candidate]) -> bool:
    """`Chad said Sudan had violated the truce`: the breach is what Sudan is accused of."""
    if tree.low[anchor] not in BREACHES or tree.deps[anchor] != "ccomp":
        return False
    return any(c.rule.type == "ACCUSE" and c.verb == tree.heads[anchor] for c in others)


def _to_ones_own(scene: Scene, candidate: Candidate) -> bool:
    """Does a head of state order his own ministry or army to do something: then the deed is what is planned."""
    if scene.tree.low[candidate.index] not in ORDERS:
        return False
    found = cast(scene.reader, candidate)
    own = {p.country for p in found.actors if p.sector == "GOV" and p.country}
    return bool(own and found.recipients) and all(
        p.sector in SERVANTS and (p.country is None or p.country in own) for p in found.recipients
    )


def _echo(scene: Scene, candidate: Candidate, anchor: int, other: Candidate) -> bool:
    """`summoned the envoy to protest`, `condemned the raid, saying it was a crime`: the same words to the same side."""
    tree = scene.tree
    if other.rule.type != candidate.rule.type or other.verb is None or tree.deps[anchor] not in ("advcl", "xcomp"):
        return False
    if tree.heads[anchor] != other.verb or tree.tags[anchor] not in ("VB", "VBG"):
        return False
    return _sides(cast(scene.reader, candidate)) <= _sides(cast(scene.reader, other))


def _sides(found: Cast) -> set[str | None]:
    """By country or name, who takes part."""
    return {_who(p) for p in (*found.actors, *found.recipients) if known(p)}


def _who(party: Party) -> str | None:
    return party.country or party.name
