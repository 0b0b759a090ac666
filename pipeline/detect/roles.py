"""Who to whom: a candidate in, its actors and recipients out, as the slots of its rule say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.detect.matching import Candidate
from pipeline.detect.persons import distinct, known, named
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import PASSIVE_SUBJECTS, SUBJECTS, doers_of, object_of, prep_objects, subject_of
from pipeline.records import Party

LETTING: Final = frozenset(("let", "allow", "permit", "have", "make", "see"))
"""Verbs whose object is the subject of the clause below."""

PAIR: Final = 2
"""Sides of a meeting or a clash."""


def fill(reader: Reader, candidate: Candidate) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
    """A candidate in, its actors and recipients out, as its rule's slots say; joint kinds list all sides as actors."""
    rule = candidate.rule
    actors: list[Party] = []
    for slot in rule.actor:
        parties = filled(reader, candidate, slot)
        actors.extend(parties)
        if parties and not rule.joint and any(known(p) for p in parties):
            break
    actors = actors or _told_by_the_noun(reader, candidate)
    acting = distinct(_named_first(actors, joint=rule.joint))
    recipients: tuple[Party, ...] = ()
    for slot in rule.to:
        parties = [p for p in filled(reader, candidate, slot) if not _same_as_any(p, acting)]
        if parties and (not recipients or any(known(p) for p in parties)):
            recipients = distinct(parties)
            if any(known(p) for p in recipients):
                break
    if rule.joint:
        return distinct([*acting, *recipients]), ()
    return acting, recipients


def _told_by_the_noun(reader: Reader, candidate: Candidate) -> list[Party]:
    """Whose doing it is where the verb has no doer: `the sale of jets by Belarus was completed`, `Greek frigates were sent`."""
    passive = candidate.verb is not None and reader.tree.passive(candidate.verb)
    happens = candidate.noun is not None and (passive or candidate.rule.trigger == "noun")
    if happens and "by" not in candidate.rule.actor and (found := filled(reader, candidate, "by")):
        return found
    if candidate.rule.type != "MOBILIZE" or not passive:
        return []
    return [p for p in filled(reader, candidate, "obj") if known(p) or p.sector in ("MIL", "COP")]


def _named_first(parties: list[Party], *, joint: bool) -> list[Party]:
    """When somebody is known, nameless ones are left out: `officials` beside France says nothing more.

    Of something joint a second side stays: `the government and leftist rebels`.
    """
    if not any(known(p) for p in parties) or (joint and len(distinct(parties)) == PAIR):
        return parties
    return [p for p in parties if named(p)]


def _same_as_any(party: Party, others: Sequence[Party]) -> bool:
    """Is it one of the others: by name and sector (Spain's leaders are not Spain), or by the same words."""
    return any(
        (party.name and party.name == o.name and party.sector == o.sector) or party.text.casefold() == o.text.casefold()
        for o in others
    )


def filled(reader: Reader, candidate: Candidate, slot: str) -> list[Party]:
    """A slot of a rule in (subj, obj, poss, comp or a preposition), the parties that stand in it out."""
    tree, verb, noun = reader.tree, candidate.verb, candidate.noun
    if slot == "subj":
        subject = subject_of(tree, verb) if verb is not None else None
        if subject is None and verb is not None and tree.low[verb] in ("engaged", "involved", "locked"):
            subject = object_of(tree, verb)
        if subject is None or subject == noun:
            return []
        found = list(reader.parties(subject))
        if not found and verb is not None:
            # "Assistant to the President Jake Sullivan hosted": the parser sees two subjects
            more = (reader.parties(k) for k in tree.children(verb, *SUBJECTS) if k not in (subject, noun))
            found = next((list(parties) for parties in more if parties), [])
        return found
    if slot in ("obj", "iobj"):
        return _object_slot(reader, candidate, slot)
    if slot == "poss":
        return _owners(reader, noun if noun is not None else candidate.index)
    if slot == "comp":
        return _complement_subjects(reader, candidate)
    if slot == "maker":
        return _makers(reader, candidate)
    return _behind(reader, candidate, slot)


def _behind(reader: Reader, candidate: Candidate, slot: str) -> list[Party]:
    """Who stands behind a preposition of the trigger, of its object, or of another word of it."""
    tree, verb, noun = reader.tree, candidate.verb, candidate.noun
    found: list[Party] = []
    own = slot.startswith("+")  # "+with": of the verb alone, not of its object (discussed cooperation with Kenya)
    slot = slot.removeprefix("+")
    places = [i for i in ((verb,) if own else (noun, verb)) if i is not None] or [candidate.index]
    if (
        verb is not None
        and not candidate.rule.joint
        and (target := object_of(tree, verb)) is not None
        and target not in places
    ):
        places.append(target)
    if not own:  # "says no to Washington", "pulled out of talks with Colombo": it hangs on another word of the trigger
        places += sorted(candidate.used.difference(places))
    if slot == "by":  # "a map drawn by the mediators": whoever made the object
        places += [k for place in places if tree.is_noun(place) for k in tree.children(place, "acl") if tree.passive(k)]
    for place in places:
        for index in doers_of(tree, place) if slot == "by" else prep_objects(tree, place, slot):
            if index not in candidate.used or slot in candidate.rule.prep:
                found.extend(reader.parties(index))
        if found:
            break
    return found


def _makers(reader: Reader, candidate: Candidate) -> list[Party]:
    """Whose deed the object is: `hailed the decision by Georgia`, and of a passive `the move by Georgia was hailed`."""
    tree, verb = reader.tree, candidate.verb
    target = object_of(tree, verb) if verb is not None else None
    if target is None or not tree.is_noun(target):
        return []
    return [p for noun in prep_objects(tree, target, "by") for p in reader.parties(noun)]


def _object_slot(reader: Reader, candidate: Candidate, slot: str) -> list[Party]:
    tree, verb = reader.tree, candidate.verb
    if verb is None:
        return []
    if slot == "iobj":
        return [p for kid in tree.children(verb, "dative") for p in reader.parties(kid)] or _lost_dative(reader, verb)
    target = object_of(tree, verb)
    if target is None and candidate.surface:
        target = candidate.noun
    if target is None or (
        target == candidate.noun and candidate.rule.trigger == "noun" and target == subject_of(tree, verb)
    ):
        return []
    if target == candidate.noun and candidate.rule.object.forms and (owners := _owners(reader, target)):
        return owners
    return list(reader.parties(target))


def _lost_dative(reader: Reader, verb: int) -> list[Party]:
    """`sold Angola thirty tanks`: the parser takes the receiver for a part of the object's name."""
    target = object_of(reader.tree, verb)
    if target is None:
        return []
    for mention in reader.inside(max(verb + 1, reader.tree.left_edge(target)), target):
        if reader.tree.tags[mention.end] in ("CD", "DT", "$", "PRP$") and known(mention.party):
            return [reader.place(mention.party, mention.text, mention.start)]
    return []


def _owners(reader: Reader, noun: int) -> list[Party]:
    """Whose a noun is: its possessor, a name before it (`Israeli strike`), or `of X` behind it."""
    tree = reader.tree
    for kid in tree.kids[noun]:
        if tree.deps[kid] == "poss":
            return list(reader.parties(kid))
    inside = [m for m in reader.inside(tree.left_edge(noun), noun) if known(m.party)]
    if inside:
        joined = inside if reader.joined(inside) else inside[:1]
        return [reader.place(m.party, m.text, m.start) for m in joined]
    return []


def _complement_subjects(reader: Reader, candidate: Candidate) -> list[Party]:
    """Who is to do it: the subject of the clause that the verb governs (`demanded that China stop`), or its object."""
    tree, verb = reader.tree, candidate.verb
    if candidate.rule.trigger == "noun" and candidate.noun is not None:
        # "a threat to crush the rebels": who is crushed
        for kid in tree.children(candidate.noun, "acl", "ccomp"):
            subject = next(iter(tree.children(kid, *SUBJECTS)), None)  # "the demand that Georgia free them"
            target = subject or (object_of(tree, kid) if tree.tags[kid] == "VB" else None)
            if target is not None and any(known(p) for p in reader.parties(target)):
                return list(reader.parties(target))
            if tree.tags[kid] == "VB" and (below := _clause_parties(reader, kid)):
                return below
    if verb is None:
        return []
    for kid in tree.children(verb, "ccomp", "xcomp", "advcl", "pcomp"):
        if found := _clause_parties(reader, kid):
            return found
    for prep in tree.children(verb, "prep"):
        for noun in tree.children(prep, "pcomp", "pobj"):
            for subject in tree.children(noun, *SUBJECTS):
                if parties := reader.parties(subject):
                    return list(parties)
    return []


def _clause_parties(reader: Reader, verb: int) -> list[Party]:
    """The subject of a clause, else its object, else the first name behind a preposition of it."""
    tree = reader.tree
    for subject in tree.children(verb, *SUBJECTS, *PASSIVE_SUBJECTS):
        if parties := reader.parties(subject):
            return list(parties)
    target = object_of(tree, verb)
    if target is not None and (parties := reader.parties(target)):
        return list(parties)
    if tree.low[verb] in LETTING:  # "refused to let the inspectors enter"
        for kid in tree.children(verb, "ccomp", "xcomp"):
            if below := _clause_parties(reader, kid):
                return below
    for noun in prep_objects(tree, verb):
        if known_parties := [p for p in reader.parties(noun) if known(p)]:
            return known_parties
    return []


def nearest(reader: Reader, index: int, *, before: bool) -> list[Party]:
    """The nearest known name before or after a word, in its sentence: where the arcs lead nowhere."""
    start, end = reader.tree.sentences[reader.tree.sentence_of[index]]
    mentions = [m for m in reader.mentions if start <= m.start and m.end <= end and known(m.party)]
    side = [m for m in mentions if m.end <= index] if before else [m for m in mentions if m.start > index]
    if not side:
        return []
    mention = side[-1] if before else side[0]
    return list(reader.parties(mention.end - 1))[:4]
