"""The cast of an event: its slots filled, and what is missing looked for in the sentence.

A small parser loses one arc in ten, and news leaves out what every reader knows: that the police who arrest a man in Lagos
are Nigeria's. What is filled in that way is counted as a guess and lowers the confidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pipeline.annotate.parse import Mention
from pipeline.detect import roles
from pipeline.detect.forms import words
from pipeline.detect.lexicon import LexiconRule
from pipeline.detect.matching import Candidate
from pipeline.detect.persons import CALENDAR, PERSONS, PLACE_NOUNS, PRONOUNS, SECTORS, distinct, known, named
from pipeline.detect.reader import Reader
from pipeline.detect.sides import refine, stands_in_place, telling
from pipeline.detect.syntax import Tree, object_of, prep_objects, subject_of
from pipeline.records import Party, Place

DOMESTIC: Final = frozenset(
    (
        "PROTEST",
        "COERCE",
        "CONCEDE",
        "RETREAT",
        "ASSAULT",
        "MOBILIZE",
        "ACCUSE",
        "REQUEST",
        "REJECT",
        "THREATEN",
        "AGREE",
    )
)
"""Types whose nameless side is of the country where it happens, or of the other side's."""


AT_HOME: Final = frozenset(("PROTEST", "COERCE", "CONCEDE", "RETREAT", "REJECT", "THREATEN", "REQUEST"))
"""Types whose two sides are often of one country: a government and its opposition."""


ABROAD: Final = frozenset(("strike", "invasion"))
"""Kinds whose victims are hardly ever of the doer's own country."""

REACH: Final = 8
"""How many words behind a passive its doer is looked for."""

AGAINST: Final = frozenset(("PROTEST", "THREATEN", "SANCTION", "MOBILIZE", "ASSAULT", "COERCE"))
"""Types whose recipient is whoever stands behind `against`."""


class Cast(msgspec.Struct, frozen=True):
    """Actors, recipients, how many of them were guessed, and which recipients were."""

    actors: tuple[Party, ...]
    recipients: tuple[Party, ...]
    guesses: int = 0
    near: tuple[Party, ...] = ()


def cast(reader: Reader, candidate: Candidate) -> Cast:
    """A candidate in, who does it to whom out: as the rule's slots say, or else the nearest names."""
    found = reader.casts.get(candidate)
    if found is None:
        found = reader.casts[candidate] = _cast(reader, candidate)
    return found


def _cast(reader: Reader, candidate: Candidate) -> Cast:
    actors, recipients = roles.fill(reader, candidate)
    guesses = 0
    if candidate.verb is not None and not any(known(p) for p in actors) and candidate.rule.party:
        near = _missing_actor(reader, candidate, recipients)
        if near and not actors:
            actors, guesses = near, guesses + 1
    if candidate.rule.joint and len([p for p in actors if known(p)]) < 2:
        actors, guesses = _other_sides(reader, candidate, actors, guesses)
    if candidate.rule.type == "CONSULT" and candidate.rule.joint and candidate.verb is not None:
        actors = distinct([*actors, *_listed(reader, candidate)])
    if candidate.rule.joint:
        return Cast(actors, recipients, guesses)
    if not any(known(p) for p in recipients) and candidate.rule.to and candidate.rule.trigger == "verb":
        near = _missing_recipient(reader, candidate, actors)
        if near:
            recipients, guesses = distinct([*near, *recipients]), guesses + 1
            return Cast(actors, recipients, guesses, near)
    return Cast(actors, recipients, guesses)


def _other_sides(
    reader: Reader, candidate: Candidate, actors: tuple[Party, ...], guesses: int
) -> tuple[tuple[Party, ...], int]:
    """Sides of something joint that the arcs do not show: names side by side before the verb, or the clause's subject."""
    tree = reader.tree
    pair = _pair_before(reader, candidate.verb) if candidate.verb is not None else ()
    sides = [p for p in pair if known(p)]
    if len(sides) >= 2:
        return distinct([*sides, *actors]), guesses + 1
    if candidate.rule.type == "CONSULT" and not any(known(p) for p in actors):
        for above in tree.ancestors(candidate.index):
            subject = subject_of(tree, above) if tree.is_verb(above) else None
            sides = [p for p in reader.parties(subject) if known(p)] if subject is not None else []
            if sides:
                return distinct([*actors, *sides]), guesses + 1
    return actors, guesses


def _listed(reader: Reader, candidate: Candidate) -> list[Party]:
    """People in a long list, which a small parser loses: `with Macron of France, Scholz of Germany, and Johnson of Britain`."""
    tree, verb = reader.tree, candidate.verb
    assert verb is not None
    start, end = tree.sentences[tree.sentence_of[verb]]
    opening = ("with", "by") if tree.passive(verb) else ("with",)
    withs = [
        i
        for i in range(verb + 1, min(verb + 12, end))
        if tree.low[i] in opening and tree.tags[i] == "IN" and not _inside_topic(tree, i, verb)
    ]
    ahead = _people(reader, range(withs[0] + 1, end)) if withs else []
    subject = subject_of(tree, verb)
    behind: list[Party] = []
    if subject is not None and subject < verb:
        mention = reader.mention_at(subject)
        behind = _people(reader, range(start, verb)) if mention is not None and mention.label == "PERSON" else []
    return [p for p in (*behind, *ahead) if known(p)]


def _inside_topic(tree: Tree, prep: int, verb: int) -> bool:
    """`briefed leaders on his call with Mr Putin`: what hangs on a topic names nobody who was there."""
    over = tree.heads[prep]
    return over > verb and tree.deps[over] == "pobj" and tree.low[tree.heads[over]] in ABOUT


def _people(reader: Reader, span: range) -> list[Party]:
    """The people named one after the other in a stretch of words, up to the first word that ends a list."""
    tree = reader.tree
    found: list[Party] = []
    for index in span:
        mention = reader.mention_at(index)
        if mention is None and (tree.is_verb(index) or (tree.low[index] in LIST_ENDS and not _in_title(tree, index))):
            break
        if mention is not None and index == mention.end - 1 and _is_person(tree, mention):
            found.extend(reader.parties(index)[:1])
        elif (
            mention is None and tree.low[index] in PERSONS and tree.tags[index] == "NNP" and _in_title(tree, index + 1)
        ):
            found.extend(p for p in reader.parties(index)[:1] if known(p))  # Saudi Ambassador to the United States
    return found


def _in_title(tree: Tree, index: int) -> bool:
    """`Counselor to the President`, `Minister for Europe`: a preposition inside somebody's title ends no list."""
    if index + 1 >= len(tree.low) or tree.low[index] not in ("to", "for"):
        return False
    behind = index + 2 if tree.tags[index + 1] == "DT" and index + 2 < len(tree.low) else index + 1
    return tree.tags[behind] in ("NNP", "NNPS") and tree.tags[index - 1] in ("NNP", "NNPS")


def _is_person(tree: Tree, mention: Mention) -> bool:
    """Somebody by the model's word, or by the title right before the name, which the model may split."""
    return mention.label == "PERSON" or (bool(mention.party.sector) and _titled(tree, mention.start))


def _titled(tree: Tree, start: int) -> bool:
    """Does a title stand right before a name, given names between them aside: `President Andry Nirina Rajoelina`."""
    first = start
    while first > 0 and start - first < 3 and tree.tags[first - 1] in ("NNP", "NNPS"):
        first -= 1
        if tree.low[first] in PERSONS:
            return True
    return False


def _pair_before(reader: Reader, verb: int) -> tuple[Party, ...]:
    """`... Putin and Xi meet`, `Putin, Xi meet`: names that stand side by side right before a verb."""
    tree = reader.tree
    start, _ = tree.sentences[tree.sentence_of[verb]]
    found: list[Party] = []
    index = verb - 1
    while index >= start:
        mention = reader.mention_at(index)
        if mention is not None:
            found.extend(reader.parties(mention.end - 1)[:1])
            index = mention.start - 1
            while index >= start and tree.deps[index] in ("compound", "det", "amod") and tree.heads[index] > index:
                index -= 1
        elif found and tree.low[index] in ("and", ",", "&"):
            index -= 1
        else:
            break
    return distinct(found[::-1])


def enough(rule: LexiconRule, found: Cast) -> bool:
    """Does the event have the parties that its rule asks for."""
    acting, receiving = [p for p in found.actors if named(p)], [p for p in found.recipients if named(p)]
    if rule.party == "both":
        return len(acting) >= 2 if rule.joint else bool(acting and receiving)
    if rule.party == "actor":
        return bool(acting)
    if rule.party == "recipient":
        return bool(receiving)
    if rule.party == "any":
        return bool(acting or receiving)
    return True


def _missing_actor(reader: Reader, candidate: Candidate, recipients: Sequence[Party]) -> tuple[Party, ...]:
    """The nearest name before the verb, where the arcs show no subject at all (or only a pronoun that leads nowhere)."""
    assert candidate.verb is not None
    subject = subject_of(reader.tree, candidate.verb)
    if (
        subject is not None
        and reader.tree.low[subject] not in PRONOUNS
        and reader.tree.tags[subject] not in ("WDT", "WP")
    ):
        return ()
    if reader.tree.passive(candidate.verb):
        return _lost_agent(reader, candidate.verb)
    near = roles.nearest(reader, candidate.verb, before=True)
    return distinct([p for p in near if p.text not in {r.text for r in recipients}][:1])


def _lost_agent(reader: Reader, verb: int) -> tuple[Party, ...]:
    """`was threatened with sanctions by the Union`: the parser hangs the doer of a passive on the noun before it."""
    tree = reader.tree
    _, end = tree.sentences[tree.sentence_of[verb]]
    for index in range(verb + 1, min(verb + REACH, end)):
        if tree.low[index] == "by":
            return distinct([p for noun in tree.children(index, "pobj") for p in reader.parties(noun) if known(p)])
        if tree.tags[index] in ("VBD", "VBZ", "VBP", "MD", ","):
            break
    return ()


def _missing_recipient(reader: Reader, candidate: Candidate, actors: Sequence[Party]) -> tuple[Party, ...]:
    """The nearest name behind the trigger that is not the actor's own and not somebody who only tells it."""
    tree = reader.tree
    after = max(candidate.used)
    _, end = tree.sentences[tree.sentence_of[candidate.index]]
    own = {p.country for p in actors if p.country} | {p.name for p in actors if p.name}
    if candidate.rule.type in AGAINST and (aimed := _aimed_at(reader, candidate, range(after + 1, end))):
        return aimed
    target = object_of(tree, candidate.verb) if candidate.verb is not None else None
    if target is not None and (
        owned := [p for p in reader.parties(target) if known(p) and not {p.country, p.name} & own]
    ):
        return tuple(owned[:2])  # "closed the Chadian consulates in Oran"
    ahead = [m for m in reader.mentions if m.start > after and m.end <= end and known(m.party)]
    if candidate.rule.type in AGAINST:  # a place is taken only where nobody else is named
        ahead.sort(key=lambda m: stands_in_place(tree, m))
    for mention in ahead:
        at_home = (
            candidate.rule.type in AT_HOME
            and mention.label in ("PERSON", "ORG", "NORP")
            and mention.party.name not in own
        )
        if any(p.start is not None and p.start <= reader.tree.offsets[mention.start] < (p.end or 0) for p in actors):
            continue  # part of the actor's own name
        if (mention.party.country in own and not at_home) or mention.party.name in own or telling(reader, mention):
            continue
        if candidate.rule.type == "CONSULT" and _spoken_of(reader, candidate, mention):
            continue
        found = [p for p in reader.parties(mention.end - 1) if known(p) and (at_home or p.country not in own)]
        if found:
            return tuple(found[:2])
    if candidate.rule.type == "CONSULT" and not candidate.rule.prep and candidate.rule.kind != "visit":
        return ()  # what a talk is about stands there
    return _unknown_recipient(reader, candidate, actors)


def _aimed_at(reader: Reader, candidate: Candidate, ahead: range) -> tuple[Party, ...]:
    """Who stands behind `against`, wherever the parser hangs it; of a protest, also whom its purpose names (`to oust him`)."""
    tree = reader.tree
    for index in ahead:
        if tree.low[index] == "against":
            for noun in tree.children(index, "pobj"):
                if parties := [p for p in reader.parties(noun) if known(p) or p.sector]:
                    return tuple(parties[:2])
    if candidate.rule.type != "PROTEST" or candidate.verb is None:
        return ()
    for clause in tree.children(candidate.verb, "advcl", "xcomp"):
        target = object_of(tree, clause) if tree.tags[clause] == "VB" else None
        if target is not None and (parties := [p for p in reader.parties(target) if known(p) or p.sector]):
            return tuple(parties[:2])
    return ()


def _unknown_recipient(reader: Reader, candidate: Candidate, actors: Sequence[Party]) -> tuple[Party, ...]:
    """A name that the gazetteer does not know, inside what the verb is done to: `welcomed the return of Ruritania`."""
    tree, verb = reader.tree, candidate.verb
    if verb is None:
        return ()
    target = object_of(tree, verb)
    places = [target] if target is not None else prep_objects(tree, verb, *BEHIND)
    own = {p.text for p in actors}
    for index in sorted(i for place in places for i in tree.subtree(place)):
        if (
            index <= verb
            or tree.tags[index] not in ("NNP", "NNPS")
            or tree.deps[index] not in ("pobj", "conj", "appos", "dobj")
        ):
            continue
        found = [p for p in reader.parties(index) if named(p) and p.text not in own]
        if found and reader.tree.low[index] not in CALENDAR:
            return tuple(found[:2])
    return ()


def _spoken_of(reader: Reader, candidate: Candidate, mention: Mention) -> bool:
    """`discussed the latest developments in Gaza`, `spoke about Haiti`: whom a talk is about has no part in it."""
    tree = reader.tree
    for above in tree.ancestors(mention.end - 1):
        if above in candidate.used or tree.is_verb(above):
            return False
        low = tree.low[above]
        if tree.deps[above] == "prep" and low not in BESIDE and candidate.rule.kind != "visit":
            return True
        if low in ABOUT or (tree.tags[above] in ("NN", "NNS") and low not in SECTORS and low not in PLACE_NOUNS):
            return True
    return False


BESIDE: Final = words("with to between by from of alongside")
"""Prepositions behind which a side of a talk may stand."""

ABOUT: Final = words("about on regarding concerning over following after")
"""Prepositions behind which the subject of a talk stands, or another talk."""

BEHIND: Final = ("for", "over", "about", "on", "against", "of", "off", "into")
"""Prepositions of a verb without an object behind which a name that nobody knows may be the recipient."""

LIST_ENDS: Final = words(
    "to about regarding following during after before for on in at who which that as over where while"
)


def settle(reader: Reader, candidate: Candidate, found: Cast, places: Sequence[Place]) -> Cast:
    """The last look at who takes part; nameless sides of domestic kinds get a country, that of the place or the other side."""
    found = refine(reader, candidate, found)
    if candidate.rule.type not in DOMESTIC:
        return found
    where = next((p.country for p in places if p.country), None)
    acting = next((p.country for p in found.actors if p.country), None)
    receiving = next((p.country for p in found.recipients if p.country), None)
    only = _only_country(reader, candidate)
    actors = tuple(_placed(p, where or only or receiving) for p in found.actors)
    theirs = where or acting or only
    abroad = candidate.rule.kind in ABROAD and not where and theirs == acting
    # "an Iraqi air strike killed nine people": nothing says that they were Iraqis
    recipients = tuple(p if abroad and p.sector != "REB" else _placed(p, theirs) for p in found.recipients)
    return Cast(actors, recipients, found.guesses)


def _placed(party: Party, country: str | None) -> Party:
    if (
        party.country
        or party.sector == "IGO"
        or country is None
        or (party.name and party.sector in ("IGO", "NGO", "REB"))
    ):
        return party
    return msgspec.structs.replace(party, country=country)


def _only_country(reader: Reader, candidate: Candidate) -> str | None:
    """The country of the sentence, if it names just one."""
    start, end = reader.tree.sentences[reader.tree.sentence_of[candidate.index]]
    countries = {m.party.country for m in reader.mentions if start <= m.start < end and m.party.country}
    return next(iter(countries)) if len(countries) == 1 else None
