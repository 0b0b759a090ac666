"""Nouns that trigger: a strike, talks, a protest. Where one stands, and the verb over it, make it an event."""

from __future__ import annotations

from typing import Final

from pipeline.detect.forms import verb_forms, words
from pipeline.detect.lexicon import LexiconRule, Words
from pipeline.detect.matching import CONTAINERS, Candidate, Test, matches, subject_fits
from pipeline.detect.modality import REASONS
from pipeline.detect.syntax import LEFT, PASSIVE_SUBJECTS, SUBJECTS, Tree, doers_of, prep_objects, subject_of

SCHEDULED: Final = words("scheduled planned expected slated due set")
MANNER: Final = words("protest")
"""Nouns that say how something is done where they stand bare behind `in`: `recalled its envoy in protest` is no march."""

CALLING: Final = verb_forms("call")
BACKDROPS: Final = words(
    "role roles suspect suspects suspected part involvement connection relation trial investigation inquiry probe anniversary "
    "survivor survivors convicted"
)
"""Words that lead back to what was told long before: a suspect in the bombing, a role in the attacks."""

WARDS: Final = frozenset().union(*(verb_forms(verb) for verb in words("protect shield shelter defend guard")))
"""Verbs behind which `from` names what shall not happen."""


def noun_candidate(tree: Tree, index: int, rule: LexiconRule, test: Test) -> Candidate | None:
    """A noun that a rule names in, the candidate out if it stands where the rule allows."""
    if tree.deps[index] in ("compound", "amod", "nmod") and not _coordinated_compound(tree, index):
        head = tree.heads[index]
        if not (tree.low[head] in CONTAINERS or tree.low[head] == "attack"):
            return None
        anchor = head
    else:
        anchor = index
    if rule.modifier and not any(
        _modifies(tree, k, anchor, rule.modifier, test) for k in range(max(0, anchor - 8), anchor)
    ):
        return None
    if rule.not_modifier and any(
        _modifies(tree, k, anchor, rule.not_modifier, test) for k in range(max(0, anchor - 8), anchor)
    ):
        return None
    if rule.prep:
        behind = prep_objects(tree, anchor, *rule.prep) or (doers_of(tree, anchor) if "by" in rule.prep else [])
        if not any(not rule.prep_object or matches(tree, n, rule.prep_object, test) for n in behind):
            return None
    placed = _position(tree, anchor, rule)
    if placed is None or _called_off(tree, placed[0]):
        return None
    verb, used, bonus = placed
    if not used and not REASONS.isdisjoint(tree.low[max(0, anchor - 4) : anchor]):
        verb = None  # "cannot return because of shelling": what the verb says is not said of the shelling
    if verb is not None and rule.asks_subject and not subject_fits(tree, subject_of(tree, verb), rule, test):
        return None
    score = rule.weight + bonus + (0.1 if rule.modifier else 0) + (0.1 if rule.prep else 0)
    return Candidate(rule, index, verb, anchor, frozenset({index, anchor, *used}), score)


def _coordinated_compound(tree: Tree, index: int) -> bool:
    """The parser hangs a noun as compound on a verb or on a number at times: that is no compound."""
    return not tree.is_noun(tree.heads[index])


def _modifies(tree: Tree, kid: int, noun: int, words: Words, test: Test) -> bool:
    """Whether the word modifies the noun, directly or through another modifier."""
    if tree.low[kid] not in words.forms and not any(test(name, kid) for name in words.tests):
        return False
    for _ in range(4):
        if kid == noun:
            return True
        if tree.deps[kid] not in LEFT:
            return False
        kid = tree.heads[kid]
    return kid == noun


def _position(tree: Tree, noun: int, rule: LexiconRule) -> tuple[int | None, set[int], float] | None:
    """Where a noun stands in (as subject, object, after a preposition), and the verb that makes it happen."""
    anchor = noun
    for _ in range(4):  # a coordinated noun stands where the first one does; "a series of strikes" where "series" does
        head = tree.heads[anchor]
        if tree.deps[anchor] == "conj" and tree.is_noun(head):
            anchor = head
        elif tree.deps[anchor] == "pobj" and tree.low[head] == "of" and tree.low[tree.heads[head]] in CONTAINERS:
            anchor = tree.heads[head]
        else:
            break
    dep, head = tree.deps[anchor], tree.heads[anchor]
    planned = next((k for k in tree.children(noun, "acl") if tree.low[k] in SCHEDULED), None)
    if planned is not None:
        return planned, {planned}, 0.3
    if dep in SUBJECTS and "subj" in rule.place and _happens(tree, head, rule.happen):
        return head, {head}, 0.2
    if dep in PASSIVE_SUBJECTS and "obj" in rule.place and tree.low[head] in rule.light:
        return head, {head}, 0.25
    if (
        dep in ("dobj", "obj", "attr", "nsubj", "oprd", "dative")
        and "obj" in rule.place
        and tree.low[head] in rule.light
    ):
        return head, {head}, 0.25
    if dep in ("pobj", "pcomp"):
        if tree.low[head] == "in" and tree.low[noun] in MANNER and noun == head + 1:
            return (tree.clause(head), {noun}, 0.0) if rule.not_subject else None
        return _after_preposition(tree, head, rule)
    if dep == "ROOT" and "root" in rule.place:
        return None, set(), 0.1
    if "any" in rule.place:
        return (head if tree.is_verb(head) else None), set(), 0.0
    return None


def _called_off(tree: Tree, verb: int | None) -> bool:
    """`called off a strike`: the verb that would make it happen undoes it."""
    return (
        verb is not None and tree.low[verb] in CALLING and any(tree.low[k] == "off" for k in tree.children(verb, "prt"))
    )


def _happens(tree: Tree, verb: int, happen: frozenset[str]) -> bool:
    if tree.low[verb] in happen:
        return True
    comp = [k for k in tree.kids[verb] if tree.deps[k] == "xcomp"]
    return any(tree.low[k] in happen for k in comp)


def _after_preposition(tree: Tree, prep: int, rule: LexiconRule) -> tuple[int | None, set[int], float] | None:
    low, governor = tree.low[prep], tree.heads[prep]
    if tree.low[governor] in BACKDROPS:
        return None
    if low in ("during", "on", "after", "following") and tree.deps[governor] in ("acl", "relcl"):
        return None  # "building on the steps announced during the visit": that only says which steps
    if low == "from" and not WARDS.isdisjoint((tree.low[governor], tree.low[tree.heads[governor]])):
        return None
    if low in rule.place or "any" in rule.place:
        if tree.is_verb(governor) and (tree.low[governor] in rule.happen or tree.low[governor] in rule.light):
            return governor, {governor}, 0.2
        return (governor if tree.is_verb(governor) else None), set(), 0.0
    if low in ("in", "at", "by", "with", "as", "during") and "subj" in rule.place and tree.is_verb(governor):
        if tree.low[governor] in rule.happen:  # "killed in an airstrike"
            return governor, {governor}, 0.2
        if tree.low[governor] in rule.light:  # "responded with", "took part in"
            return governor, {governor}, 0.1
    return None
