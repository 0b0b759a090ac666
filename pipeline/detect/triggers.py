"""Sentences to candidates: which rules of the lexicon a clause fits, and on which words.

Arcs come first, but a small parser errs: where a rule wants an object or a preposition that the arcs do not show, the words
that follow the verb in the same clause are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from pipeline.detect.forms import words
from pipeline.detect.lexicon import OPEN_CLAUSES, Lexicon, LexiconRule, Words
from pipeline.detect.matching import Candidate, Test, matches, subject_fits
from pipeline.detect.nouns import noun_candidate
from pipeline.detect.syntax import SUBJECTS, Tree, object_of, prep_objects, subject_of

NAMED_EVENTS: Final = words("summit conference offensive talks airstrike ceasefire")
APART: Final = words("off out up away")
"""Small words that make a verb another one, without an object."""

REACH: Final = 9
"""How many words after a verb its object or preposition is looked for when the arcs do not show it."""


def find(
    tree: Tree, start: int, end: int, lexicon: Lexicon, test: Test, *, keep: Callable[[Candidate], bool] = bool
) -> list[Candidate]:
    """A sentence (its words from `start` up to `end`) in, its candidates out: at most one for a trigger, the best kept."""
    words = lexicon.asked.intersection(tree.low[start:end])
    verbs, nouns, phrases = lexicon.verbs, lexicon.nouns, lexicon.phrases
    found: list[Candidate] = []
    for index, low in enumerate(tree.low[start:end], start):
        if low in phrases:
            found.extend(_phrases(tree, index, phrases[low].near(words), test))
        verb, noun = verbs.get(low), nouns.get(low)
        if verb is None and noun is None:
            continue
        if (
            tree.words[index][:1].isupper()
            and tree.tags[index] in ("NNP", "NNPS")
            and index > start
            and low not in NAMED_EVENTS
        ):
            continue  # part of a name: the Court of Appeal, the month of March
        if verb is not None and _stands_as_verb(tree, index) and (rules := verb.near(words)):
            found.extend(_verbs(tree, index, rules, test))
        if noun is not None and _stands_as_noun(tree, index):
            placed = (noun_candidate(tree, index, rule, test) for rule in noun.near(words))
            found.extend(candidate for candidate in placed if candidate is not None)
    return best(found, keep)


def best(found: list[Candidate], keep: Callable[[Candidate], bool] = bool) -> list[Candidate]:
    """Candidates in, those that share no word out, the best first; in the order of the text at the end.

    One that is not kept (it lacks the parties that its rule asks for) does not stand in the way of the next best.
    """
    taken: set[int] = set()
    kept = []
    for candidate in sorted(found, key=lambda c: (-c.score, c.index, c.rule.id)):
        if not candidate.used & taken and keep(candidate):
            kept.append(candidate)
            taken |= candidate.used
    return sorted(kept, key=lambda c: c.index)


def _stands_as_noun(tree: Tree, index: int) -> bool:
    if tree.is_noun(index) or tree.tags[index] in ("VBG", "VB", "JJ", "VBP"):
        return True
    return tree.tags[index] == "VBZ" and tree.deps[index] in SUBJECTS  # "ceasefire talks between the two sides begin"


def _stands_as_verb(tree: Tree, index: int) -> bool:
    if tree.is_verb(index):
        if tree.tags[index] == "VBN" and tree.deps[index] == "pobj":
            return False  # "four of the detained"
        return tree.deps[index] not in ("amod", "compound", "aux", "auxpass", "nmod", "case", "prep", "det")
    # a headline's verb that the tagger took for a noun still has a subject
    return tree.deps[index] in ("ROOT", "ccomp") and any(tree.deps[k] in SUBJECTS for k in tree.kids[index])


def _verbs(tree: Tree, index: int, rules: list[LexiconRule], test: Test) -> Iterator[Candidate]:
    """A verb and the rules that name it in, the candidates out. Its subject and object are looked for once."""
    subject, target = subject_of(tree, index), object_of(tree, index)
    for rule in rules:
        if rule.asks_subject and not subject_fits(tree, subject, rule, test):
            continue
        if (candidate := _verb(tree, index, target, rule, test)) is not None:
            yield candidate


def _verb(tree: Tree, index: int, target: int | None, rule: LexiconRule, test: Test) -> Candidate | None:
    """A verb, its object and a rule in, the candidate out if everything that the rule wants around the verb is there."""
    fit = _Fit(used={index}, score=rule.weight)
    if not _particle_fits(tree, index, rule, fit):
        return None
    if rule.object:
        target = _object_fits(tree, index, target, fit, (rule, test))
        if target is None:
            return None
    if rule.not_object and target is not None and matches(tree, target, rule.not_object, test):
        return None
    if not (_preposition_fits(tree, index, target, fit, (rule, test)) and _complement_fits(tree, index, rule, fit)):
        return None
    fit.score += 0.1 if rule.subject else 0.0
    noun = target if rule.object.forms else None
    return Candidate(rule, index, index, noun, frozenset(fit.used), fit.score, fit.surface)


class _Fit(msgspec.Struct):
    """What has been found so far: the words used, and how well the rule fits."""

    used: set[int]
    score: float
    surface: bool = False


def _particle_fits(tree: Tree, index: int, rule: LexiconRule, fit: _Fit) -> bool:
    if rule.particle:
        if _particle(tree, index, rule.particle) is None:
            return False
        fit.score += 0.15
    return True


def _object_fits(tree: Tree, index: int, target: int | None, fit: _Fit, wanted: tuple[LexiconRule, Test]) -> int | None:
    """The object that the rule wants: by the arcs, or else among the words behind the verb."""
    rule, test = wanted
    if target is None or not matches(tree, target, rule.object, test):
        if not rule.particle and any(tree.low[k] in APART for k in tree.children(index, "prt")):
            return None  # "taking off from an airfield": what comes later is not taken
        target, fit.surface = _surface_object(tree, index, rule.object, target), True
        if target is None:
            return None
    if rule.object.forms:
        fit.used.add(_word_of(tree, target, rule.object))
    fit.score += 0.3 if rule.object.forms else 0.1
    return target


def _preposition_fits(tree: Tree, index: int, target: int | None, fit: _Fit, wanted: tuple[LexiconRule, Test]) -> bool:
    rule, test = wanted
    if not rule.prep:
        return True
    noun = _preposition(tree, index, target, rule, test)
    if noun is None:
        return False
    fit.score += 0.2 if rule.prep_object else 0.1
    if rule.prep_object.forms and not rule.prep_object.tests:
        fit.used.add(noun)
    return True


def _complement_fits(tree: Tree, index: int, rule: LexiconRule, fit: _Fit) -> bool:
    if not rule.comp:
        return True
    clause = _complement(tree, index, rule.comp)
    if clause is None:
        return False
    open_clause = rule.comp.intersection(OPEN_CLAUSES)
    fit.score += 0.1 if open_clause else 0.25
    if not open_clause and not any(tree.deps[k] == "aux" and tree.low[k] in rule.comp for k in tree.kids[clause]):
        fit.used.add(clause)  # `said it must leave` leaves the verb to others
    return True


def _complement(tree: Tree, index: int, words: frozenset[str]) -> int | None:
    """The clause that a verb governs, if its verb or an auxiliary of it is a word.

    `*` is any clause, `to` an infinitive, `bare` a bare verb.
    """
    for kid in tree.kids[index]:
        if tree.deps[kid] not in ("xcomp", "ccomp", "advcl", "acl"):
            continue
        if "to" in words:
            if any(tree.low[k] == "to" and tree.deps[k] == "aux" for k in tree.kids[kid]):
                return kid
            continue
        if "bare" in words:
            if tree.tags[kid] == "VB" and not tree.children(kid, "aux", "auxpass"):
                return kid
        elif "*" in words:
            if tree.deps[kid] != "advcl" or any(tree.low[k] == "to" and tree.deps[k] == "aux" for k in tree.kids[kid]):
                return kid
        elif tree.low[kid] in words or any(
            tree.low[k] in words for k in tree.kids[kid] if tree.deps[k] in ("aux", "neg")
        ):
            return kid
    return None


def _word_of(tree: Tree, index: int, words: Words) -> int:
    """The word under a noun that fitted."""
    if tree.low[index] in words.forms:
        return index
    return next((k for k in tree.subtree(index) if tree.low[k] in words.forms), index)


def _particle(tree: Tree, index: int, particles: frozenset[str]) -> int | None:
    for kid in tree.kids[index]:
        if tree.low[kid] in particles and tree.deps[kid] in (
            "prt",
            "prep",
            "advmod",
            "npadvmod",
            "acomp",
            "oprd",
            "xcomp",
        ):
            return kid
    for ahead in range(index + 1, min(index + 2, len(tree.low))):
        if tree.low[ahead] in particles:
            return ahead
    return None


def _surface_object(tree: Tree, index: int, words: Words, target: int | None) -> int | None:
    """The first noun after the verb that fits, unless another clause begins before it. A passive looks before the verb."""
    _, end = tree.sentences[tree.sentence_of[index]]
    if not words.forms:
        return None
    if not tree.passive(index):
        for ahead in range(index + 1, min(index + REACH, end)):
            ends = (
                tree.tags[ahead] in ("VBD", "VBZ", "VBP", "VB", "MD", "WDT", "WP", ":") and tree.low[ahead] not in "-–"
            )
            if ends or tree.low[ahead] in (
                "that",
                "against",
                "over",
                "by",
                "for",
                "after",
                "about",
            ):
                return None
            if tree.low[ahead] in words.forms and tree.is_noun(ahead):
                named = tree.words[ahead][0].isupper()
                if (
                    target is not None
                    and not named
                    and tree.deps[ahead] == "pobj"
                    and tree.low[tree.heads[ahead]] != "of"
                ):
                    return None  # "shut down its loudspeakers across the border": the verb has its object
                below = target is not None and target != ahead and target in tree.ancestors(ahead)
                below = below and not (named and tree.tags[target or 0] in ("NNP", "NNPS"))
                return None if below or tree.deps[ahead] in ("compound", "poss") else ahead
    return None


def _preposition(tree: Tree, index: int, target: int | None, rule: LexiconRule, test: Test) -> int | None:
    """The noun behind one of the rule's prepositions, if it fits."""
    places = [index] if target is None else [index, target]
    for place in places:
        for noun in prep_objects(tree, place, *rule.prep):
            if not rule.prep_object or matches(tree, noun, rule.prep_object, test):
                return noun
    _, end = tree.sentences[tree.sentence_of[index]]
    for ahead in range(index + 1, min(index + REACH, end)):
        if tree.tags[ahead] in ("VBD", "VBZ", "VBP", ":"):
            return None
        if tree.low[ahead] in rule.prep and tree.tags[ahead] in ("IN", "TO", "RP"):
            nouns = [k for k in tree.kids[ahead] if tree.deps[k] in ("pobj", "pcomp")]
            if nouns and (not rule.prep_object or matches(tree, nouns[0], rule.prep_object, test)):
                return nouns[0]
    return None


def _phrases(tree: Tree, index: int, rules: list[LexiconRule], test: Test) -> Iterator[Candidate]:
    """The first word of a phrase and the rules that it begins in, the candidates out."""
    for rule in rules:
        length = next((len(p) for p in rule.phrases if tuple(tree.low[index : index + len(p)]) == p), 0)
        if not length:
            continue
        span = range(index, index + length)
        anchor = next((i for i in span if tree.heads[i] not in span or tree.heads[i] == i), index)
        verb = anchor if tree.is_verb(anchor) else next((i for i in span if tree.is_verb(i)), None)
        if verb is None or subject_fits(tree, subject_of(tree, verb), rule, test):
            noun = anchor if verb is None else None
            yield Candidate(rule, anchor, verb, noun, frozenset(span), rule.weight + 0.3)
