"""Whom a pronoun stands for, or `the court` and `both sides`: somebody who was named before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.annotate.parse import Mention
from pipeline.detect.persons import (
    BACK,
    CLASS_OF,
    COLLECTIVES,
    FIRST_PRONOUNS,
    MEDIA,
    PERSON_PRONOUNS,
    PERSONS,
    PLURAL_PRONOUNS,
    PRONOUNS,
    THING_PRONOUNS,
    THINGS,
    distinct,
    known,
)
from pipeline.detect.syntax import PASSIVE_SUBJECTS, SUBJECTS, Tree, prep_objects
from pipeline.records import Party

if TYPE_CHECKING:
    from pipeline.detect.reader import Reader


def antecedents(reader: Reader, pronoun: int) -> tuple[Party, ...]:
    """A pronoun in, whom it stands for out: a subject above it or before it that fits in number and kind."""
    low = reader.tree.low[pronoun]
    if low in FIRST_PRONOUNS:
        return _speaker_of(reader, pronoun)
    for candidate in _earlier_subjects(reader, pronoun):
        if reader.tree.low[candidate] not in MEDIA and _fits(reader, candidate, low):
            parties = reader.parties(candidate)
            if parties and (low in PLURAL_PRONOUNS or len(parties) == 1):
                return parties
    if low in PLURAL_PRONOUNS:
        return _last_two(reader, pronoun) if low in ("both", "they") else ()
    want = "person" if low in PERSON_PRONOUNS else "thing"
    for mention in reversed([m for m in reader.mentions if m.end <= pronoun]):
        if known(mention.party) and (mention.label == "PERSON") == (want == "person"):
            return (_located(reader, mention),)
        if pronoun - mention.end > 120:
            break
    return ()


def _speaker_of(reader: Reader, pronoun: int) -> tuple[Party, ...]:
    for above in reader.tree.ancestors(pronoun):
        if reader.tree.is_verb(above):
            for kid in reader.tree.kids[above]:
                if reader.tree.deps[kid] in SUBJECTS and reader.tree.low[kid] not in PRONOUNS and kid != pronoun:
                    return reader.parties(kid)
    return reader.speaker


def _earlier_subjects(reader: Reader, pronoun: int) -> list[int]:
    tree = reader.tree
    found: list[int] = []
    for above in tree.ancestors(pronoun):
        if tree.is_verb(above):
            found.extend(
                kid
                for kid in tree.kids[above]
                if tree.deps[kid] in SUBJECTS | PASSIVE_SUBJECTS and kid < pronoun and pronoun not in _within(tree, kid)
            )
    number = tree.sentence_of[pronoun]
    start, _ = tree.sentences[number]
    found.extend(
        k
        for k in range(pronoun - 1, start - 1, -1)
        if tree.deps[k] in ("nsubj", "nsubjpass", "dobj", "pobj") and k not in found and k in reader.at
    )
    for earlier in range(number - 1, max(-1, number - 4), -1):
        first, last = tree.sentences[earlier]
        subjects = [
            k
            for k in range(first, last)
            if tree.deps[k] in ("nsubj", "nsubjpass") and tree.low[k] not in ("who", "which", "that")
        ]
        subjects.sort(key=lambda k: (tree.deps[tree.heads[k]] != "ROOT", k))
        found.extend(subjects)
    return found


def _fits(reader: Reader, candidate: int, low: str) -> bool:
    tree = reader.tree
    mention = reader.at.get(candidate)
    if tree.low[candidate] in PRONOUNS and mention is None:
        return tree.low[candidate] in CLASS_OF[low]
    if tree.low[candidate] in THINGS and mention is None:
        return False  # "an Iraqi strike killed three of its fighters": what happens owns nobody
    person = (mention is not None and mention.label == "PERSON") or tree.low[candidate] in PERSONS
    plural = tree.tags[candidate] in ("NNS", "NNPS") or len(tree.conjuncts(candidate)) > 1
    if low in PERSON_PRONOUNS:
        return person
    if low in THING_PRONOUNS:
        return not person and not plural
    return plural or not person


def definite(reader: Reader, head: int) -> tuple[Party, ...]:
    """`the court`, `the two leaders`: whom the article named before."""
    tree = reader.tree
    low = tree.low[head]
    if not any(tree.low[k] in ("the", "both", "two", "this", "its", "his") for k in tree.kids[head] if k < head):
        return ()
    if low in COLLECTIVES and not prep_objects(tree, head, "of", "from"):
        return _last_two(reader, head)
    sort = BACK.get(low)
    if sort is None:
        return ()
    for mention in reversed([m for m in reader.mentions if m.end <= head]):
        party = mention.party
        if not known(party):
            continue
        if (
            (sort == "person" and mention.label == "PERSON")
            or (sort == "country" and mention.label in ("GPE", "NORP") and party.country)
            or (sort == "JUD" and (party.sector == "JUD" or "court" in mention.text.casefold()))
            or (sort == "REB" and party.sector in ("REB", "MIL"))
            or (sort == "org" and mention.label == "ORG")
        ):
            return (_located(reader, mention),)
    return ()


def _located(reader: Reader, mention: Mention) -> Party:
    parties = reader.parties(mention.end - 1) if mention.end - 1 not in reader.resolving else ()
    return parties[0] if len(parties) == 1 else reader.place(mention.party, mention.text, mention.start)


def _last_two(reader: Reader, before: int) -> tuple[Party, ...]:
    """The sides that were last told of together: subject and `with` of a sentence before, else the last two people."""
    tree = reader.tree
    number = tree.sentence_of[before]
    for earlier in range(number - 1, max(-1, number - 5), -1):
        first, last = tree.sentences[earlier]
        for verb in (
            i for i in range(first, last) if tree.is_verb(i) and tree.deps[i] in ("ROOT", "conj", "relcl", "ccomp")
        ):
            sides = _sides(reader, verb)
            if len({p.country or p.name for p in sides}) >= 2:
                return sides
    found: list[Party] = []
    for mention in reversed([m for m in reader.mentions if m.end <= before and m.label == "PERSON"]):
        party = _located(reader, mention)
        if party.country and party.country not in {p.country for p in found}:
            found.append(party)
        if len(found) == 2:
            break
    return tuple(reversed(found)) if len(found) == 2 else ()


def _sides(reader: Reader, verb: int) -> tuple[Party, ...]:
    """Who takes part in what a verb says: its subject, its object, and whoever stands behind with, to, between."""
    tree = reader.tree
    heads = tree.children(verb, "nsubj", "nsubjpass")
    heads += [k for k in tree.children(verb, "dobj") if k in reader.at or tree.low[k] in PERSONS]
    heads += prep_objects(tree, verb, "with", "to", "between")
    free = [k for k in heads if tree.low[k] not in PLURAL_PRONOUNS and k not in reader.resolving]
    found = [p for k in free for p in reader.parties(k)]
    return distinct([p for p in found if known(p)])


def _within(tree: Tree, index: int) -> set[int]:
    return set(tree.subtree(index))
