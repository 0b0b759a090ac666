"""Force that is told twice in a few words: who was hit, then by whom. The drafts of a section in, one for each happening out.

`merge` folds what has the same sides; here the sides of one telling are what the other lacks, and only the arcs and the
words of the sentence show that both tell one thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.detect.background import VICTIM_VERBS
from pipeline.detect.forms import words
from pipeline.detect.persons import distinct, known
from pipeline.detect.syntax import Tree, subject_of
from pipeline.records import Evidence

if TYPE_CHECKING:
    from pipeline.detect.drafts import Draft

NEAR: Final = 300
"""So many characters behind a telling its second one may stand: the next sentence, or the one after."""

ANAPHORS: Final = words("attack attacks strike strikes blast blasts explosion explosions bombing bombings raid raids airstrike "
                        "airstrikes ambush shelling shooting assault clashes fighting violence")  # fmt: skip
"""Nouns which, with `the` before them, lead back to what was told: `The attack also wounded nine`."""

DOERS: Final = words(
    "attacker attackers assailant assailants gunman gunmen bomber bombers perpetrator perpetrators shooter militant militants"
)
"""Who did what was told before: that they were killed in the end is part of it."""

DEFINITE: Final = words("the this that these those both all")
AIMED: Final = words("targeting hitting striking destroying")
FACT: Final = frozenset(("asserted", "historical"))

Test = Callable[[Tree, "Draft", "Draft"], bool]


def fold(tree: Tree, drafts: Sequence[Draft]) -> list[Draft]:
    """Drafts of a section in the order of the text in, those that tell force told before folded into it out."""
    kept: list[Draft] = []
    for one in drafts:
        if one.modality == "denied" and _claims(tree, one, one):
            continue  # "no group has claimed responsibility" denies no attack
        first = None
        if one.rule.type == "ASSAULT" or one.rule.kind == "restriction":
            first = next((other for other in reversed(kept) if _again(tree, other, one)), None)
        if first is None:
            kept.append(one)
            continue
        lead, other = _ranked(first, one)
        _take(lead, other)
        kept[kept.index(first)] = lead
    return kept


def _ranked(first: Draft, second: Draft) -> tuple[Draft, Draft]:
    """Which of two tellings leads: within a sentence the one that names both sides, or the surer; else the earlier."""
    if first.start != second.start:
        return first, second
    better = (second.rule.joint, second.rule_confidence) > (first.rule.joint, first.rule_confidence)
    return (second, first) if better else (first, second)


def _again(tree: Tree, first: Draft, second: Draft) -> bool:
    """Is the second telling of force the first one told on."""
    if first.rule.type != "ASSAULT" or not {first.modality, second.modality} <= FACT:
        return False
    if second.start > first.end + NEAR or first.candidate is None or second.candidate is None:
        return False
    if second.rule.kind == "restriction":
        return _burned(second)
    if _acted_apart(first, second):
        return False
    tests: tuple[Test, ...] = (_counts_on, _aims, _claims) if first.start == second.start else (_claims, _leads_back)
    return any(test(tree, first, second) for test in tests)


def _burned(second: Draft) -> bool:
    """`... Many houses were burned`: what nobody in particular did beside an attack was part of it."""
    return second.rule.type == "PROTEST" and not any(known(p) for p in second.actors)


def _acted_apart(first: Draft, second: Draft) -> bool:
    """Have both a doer by name, and not the same."""
    mine, theirs = ({p.name or p.country for p in one.actors if known(p)} for one in (first, second))
    return bool(mine and theirs and not mine & theirs)


def _counts_on(tree: Tree, first: Draft, second: Draft) -> bool:
    """`Two soldiers are killed and five are injured in an ambush`: victims counted on, without a doer of their own before."""
    upper, lower = first.candidate.verb, second.candidate.verb  # type: ignore[union-attr]
    if upper is None or lower is None:
        return False
    above = tree.heads[lower] if tree.deps[lower] == "acl" else lower  # "nine killed and 54 injured in clashes"
    if tree.deps[above] != "conj" or tree.heads[above] != upper:
        return False
    return tree.low[upper] in VICTIM_VERBS and tree.low[lower] in VICTIM_VERBS and tree.passive(upper)


def _aims(tree: Tree, first: Draft, second: Draft) -> bool:
    """`killed in a drone strike on a van targeting militants`: a participle says whom the strike was meant for."""
    verb = second.candidate.verb  # type: ignore[union-attr]
    if verb is None or tree.low[verb] not in AIMED or tree.deps[verb] not in ("acl", "advcl"):
        return False
    return not first.candidate.used.isdisjoint(tree.ancestors(verb))  # type: ignore[union-attr]


def _claims(tree: Tree, first: Draft, second: Draft) -> bool:
    """`... The Islamic State claims responsibility`: who did what was told before."""
    del first
    return second.candidate is not None and "responsibility" in (tree.low[i] for i in second.candidate.used)


def _leads_back(tree: Tree, first: Draft, second: Draft) -> bool:
    """`The attack also wounded nine`: the subject, or what stands behind `in`, is what was told before."""
    del first
    verb = second.candidate.verb  # type: ignore[union-attr]
    if verb is None or any(known(p) for p in second.actors):
        return False
    victim = next(iter(tree.children(verb, "nsubjpass")), None)
    if victim is not None and tree.low[victim] in DOERS and any(tree.low[k] in DEFINITE for k in tree.kids[victim]):
        return True
    if tree.low[verb] not in VICTIM_VERBS:
        return False
    nouns = [subject_of(tree, verb), *(k for i in tree.children(verb, "prep") for k in tree.children(i, "pobj"))]
    return any(
        noun is not None and tree.low[noun] in ANAPHORS and any(tree.low[k] in DEFINITE for k in tree.kids[noun])
        for noun in nouns
    )


def _take(lead: Draft, other: Draft) -> None:
    """Give the leading telling what only the other says. Who is known beats who is not."""
    if not any(known(p) for p in lead.actors):
        lead.actors = other.actors or lead.actors
    if not any(known(p) for p in lead.recipients) and not lead.rule.joint:
        lead.recipients = distinct((*other.recipients, *lead.recipients))
    lead.places = lead.places or other.places
    lead.date = lead.date or other.date
    lead.quantities = lead.quantities or other.quantities
    lead.attributed_to = lead.attributed_to or other.attributed_to
    if other.start != lead.start:
        lead.mentions.append(Evidence(text=other.evidence, start=other.start, end=other.end, section=other.section))
