"""The last look at a cast: guesses that cannot be meant are left out, and a second side is looked for that no slot has shown.

Whether a sentence tells an event is decided before, so nothing here makes or drops one: it only says better who to whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.annotate.parse import Mention
from pipeline.detect.forms import words
from pipeline.detect.matching import Candidate
from pipeline.detect.persons import OFFICIAL, SECTORS, THINGS, distinct, known, named
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import SUBJECTS, Tree, object_of, subject_of
from pipeline.records import Party

if TYPE_CHECKING:
    from pipeline.detect.parties import Cast

FORCE: Final = frozenset(("ASSAULT", "COERCE"))
"""Types whose nameless victims are of the place: a name farther on is somebody else's."""

ASIDE: Final = words(
    "after following amid during since near pending until despite according because due over for via by from before "
    "beside between"
)
"""Prepositions behind which stands what happened besides, or where from: nobody to whom it is done."""

LOCATIVE: Final = words("in at near through across around outside inside throughout along off")
SIDE_CLAUSES: Final = frozenset(("advcl", "relcl", "parataxis"))
TELLING: Final = frozenset(
    ("said", "says", "reported", "reports", "announced", "told", "tells", "according", "added", "agency", "newspaper")
)
AT_HOME: Final = frozenset(("PROTEST", "REQUEST", "ACCUSE", "REJECT", "THREATEN", "CONCEDE", "RETREAT"))
"""Types whose two sides are often of one country: a government and its people."""

TALKS: Final = frozenset(("CONSULT", "AGREE"))
"""Types whose sides are all actors, however the sentence names them."""

ALONE: Final = frozenset(("MOBILIZE", "PROTEST", "CONSULT", "ASSAULT", "COERCE"))
"""Types of which the other side is no more than the place, where nothing names one."""

LEADING: Final = frozenset(
    (
        "AGREE",
        "REJECT",
        "REQUEST",
        "ACCUSE",
        "CONCEDE",
        "RETREAT",
        "THREATEN",
        "SUPPORT",
        "AID",
        "COOPERATE",
        "SANCTION",
    )
)
"""Types whose other side may be named before the verb: `To Peru's protest Chile replied with an apology`."""


def refine(reader: Reader, candidate: Candidate, found: Cast) -> Cast:
    """A cast in, the same without what cannot be meant, and with the other side where the sentence leaves no doubt of it."""
    actors = tuple(p for p in found.actors if not _thing(p))
    recipients = _without_strays(reader, candidate, found)
    if candidate.rule.joint and candidate.rule.type not in TALKS and not recipients:
        actors, recipients = _told_from_one_side(reader, candidate, actors)
    if not _complete(candidate, actors, recipients) and (other := _other_side(reader, candidate, actors)):
        recipients = distinct([*other, *recipients])
    return msgspec.structs.replace(found, actors=actors, recipients=recipients)


def _complete(candidate: Candidate, actors: Sequence[Party], recipients: Sequence[Party]) -> bool:
    """Is no other side to be looked for: it is there, or nobody is whose other side it would be."""
    if not actors or any(known(p) for p in recipients) or (candidate.rule.type in FORCE and recipients):
        return True
    return candidate.rule.joint and len([p for p in actors if named(p) or p.sector]) > 1


def _told_from_one_side(
    reader: Reader, candidate: Candidate, actors: tuple[Party, ...]
) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
    """`The army fought with rebels`, `Poland trained with Latvia`: the subject acts, the others are its recipients."""
    subject = subject_of(reader.tree, candidate.verb) if candidate.verb is not None else None
    own = {p.start for p in reader.parties(subject)} if subject is not None else set()
    acting = tuple(p for p in actors if p.start in own)
    others = tuple(p for p in actors if p.start not in own)
    return (acting, others) if acting and others else (actors, ())


def _thing(party: Party) -> bool:
    """Is it a weapon or a blow without an owner: `land mines`, `a car bomb in Basra`, `an operation in Oran`."""
    text = party.text.split()
    cut = next((n for n, word in enumerate(text) if word in LOCATIVE), len(text))
    if not text[:cut] or text[cut - 1].casefold() not in THINGS:
        return False
    return not known(party) or (cut < len(text) and not any(word[:1].isupper() for word in text[1:cut]))


def _without_strays(reader: Reader, candidate: Candidate, found: Cast) -> tuple[Party, ...]:
    """Guessed victims beside nameless ones, if they stand in another clause or phrase (`near the border with Chad`)."""
    if candidate.rule.type not in FORCE or not found.near:
        return found.recipients
    tree = reader.tree
    verb = candidate.verb if candidate.verb is not None else candidate.index
    spared, others = [], len(found.recipients)
    for party in found.recipients:
        near = party in found.near and party.start is not None and party.end is not None
        word = next(tree.words_between(party.start or 0, party.end or 0), None) if near else None
        if word is None or not _apart(tree, word, verb):
            spared.append(party)
        elif _acts_elsewhere(tree, word, verb):
            others -= 1
    return tuple(spared) if spared or not others else found.recipients


def _acts_elsewhere(tree: Tree, index: int, verb: int) -> bool:
    """Is a word the subject of a relative clause: `against the dam, which the observatory warns may break`."""
    for above in (index, *tree.ancestors(index)):
        if tree.deps[above] in SUBJECTS:
            over = tree.heads[above]
            return over != verb and tree.deps[over] == "relcl"
        if tree.is_verb(above):
            return False
    return False


def _apart(tree: Tree, index: int, verb: int) -> bool:
    """Does a word stand in a side clause of the verb, behind a preposition of what is besides, or in no part of it."""
    current = index
    for above in (index, *tree.ancestors(index)):
        if above == verb:
            return tree.deps[current] in SIDE_CLAUSES
        if tree.low[above] in ASIDE or tree.deps[above] in SIDE_CLAUSES:
            return True
        current = above
    return True


def _besides(tree: Tree, index: int) -> bool:
    """Does a word stand behind a preposition of what is besides: `During a visit to Chad Peru's president said`."""
    for above in tree.ancestors(index):
        if tree.low[above] in ASIDE:
            return True
        if tree.is_verb(above):
            return False
    return False


def _other_side(reader: Reader, candidate: Candidate, actors: Sequence[Party]) -> tuple[Party, ...]:
    """Whoever else is named in the sentence: inside the object, behind the trigger, or (if nobody else is) before it."""
    tree, rule = reader.tree, candidate.rule
    start, end = tree.sentences[tree.sentence_of[candidate.index]]
    verb = candidate.verb if candidate.verb is not None else candidate.index
    free = [m for m in reader.named_in(start, end) if start <= m.start and _free(reader, m, actors, candidate)]
    last = max(candidate.used)
    target = object_of(tree, verb)
    inner = set(tree.subtree(target)) if target is not None and tree.is_noun(target) else set()
    groups = [[m for m in free if m.end - 1 in inner]]
    if rule.type not in FORCE:
        groups.append([m for m in free if m.start > last and not _apart(tree, m.end - 1, verb)])
    if rule.type not in ALONE and not tree.passive(verb):
        groups.append([m for m in free if m.start > last])
    if rule.type in LEADING:
        groups.append([m for m in free if m.start > last or not _besides(tree, m.end - 1)])
    for group in groups:
        if group and (parties := [p for p in reader.parties(_head(tree, group[0])) if known(p)]):
            return tuple(parties[:2])
    return ()


def _head(tree: Tree, mention: Mention) -> int:
    """The noun that a name belongs to, if it stands for people: the councillor of `the Spanish councillor`."""
    head = mention.end - 1
    while tree.deps[head] in ("amod", "compound", "nmod", "poss") and tree.low[tree.heads[head]] in SECTORS:
        head = tree.heads[head]
    return head


def _free(reader: Reader, mention: Mention, actors: Sequence[Party], candidate: Candidate) -> bool:
    """Is a name somebody who is not among the actors, does not merely tell, and is no mere place."""
    if not known(mention.party) or any(index in candidate.used for index in range(mention.start, mention.end)):
        return False
    party = mention.party
    home = candidate.rule.type in AT_HOME and (mention.label == "PERSON" or _official(reader.tree, mention))
    mine = any((party.name and party.name == a.name) or (party.country and party.country == a.country) for a in actors)
    if mine and not (home and all(a.sector not in OFFICIAL for a in actors)):
        return False
    first, last = reader.tree.offsets[mention.start], reader.tree.end_offset(mention.end - 1)
    if any(a.start is not None and a.start < last and first < (a.end or 0) for a in actors):
        return False
    return not _in_place(reader.tree, mention) and not telling(reader, mention)


def _official(tree: Tree, mention: Mention) -> bool:
    """Does a name stand with a government or its like: `the Algerian president`."""
    return SECTORS.get(tree.low[_head(tree, mention)]) in OFFICIAL


def _in_place(tree: Tree, mention: Mention) -> bool:
    """Does a name only say where something happened, or from where it is told."""
    return _placelike(mention) and _behind_locative(tree, mention)


def _placelike(mention: Mention) -> bool:
    """Might a name be that of a place, whatever the entity recogniser calls it."""
    party = mention.party
    return mention.label in ("GPE", "LOC", "FAC") or bool(mention.label == "ORG" and party.country and not party.sector)


def stands_in_place(tree: Tree, mention: Mention) -> bool:
    """Does a name only say where: `in Tbilisi`, `the streets of Mandalay`."""
    return mention.label in ("GPE", "LOC", "FAC") and _behind_locative(tree, mention)


def _behind_locative(tree: Tree, mention: Mention) -> bool:
    for above in tree.ancestors(mention.end - 1):
        if tree.low[above] in LOCATIVE:
            return True
        if tree.is_verb(above) or (tree.deps[above] == "prep" and tree.low[above] != "of"):
            return False
    return False


def telling(reader: Reader, mention: Mention) -> bool:
    """Does the name stand with who tells it: `, Poland's ministry said`, `according to Reuters`."""
    tree = reader.tree
    head = mention.end - 1
    for above in (head, *tree.ancestors(head)):
        if tree.low[above] in TELLING and (above != head or tree.low[head - 1] == "news"):
            # "the envoys, said to have paid spies, were expelled"
            return tree.low[min(above + 1, len(tree.low) - 1)] != "to"
        if tree.is_verb(above):
            break
    _, end = tree.sentences[tree.sentence_of[head]]
    # ", the World Food Program (WFP) said": whatever the arcs say
    for index in range(mention.end, min(mention.end + 6, end)):
        if tree.low[index] in ("said", "says", "added", "reported", "announced"):
            return True
        if tree.words[index].isalpha() and tree.tags[index] not in ("NNP", "NNPS"):
            return False
    return False
