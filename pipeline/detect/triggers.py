"""Sentences to candidates: which rules of the lexicon a clause fits, and on which words.

Arcs come first, but a small parser errs: where a rule wants an object or a preposition that the arcs do not show, the words
that follow the verb in the same clause are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.detect.forms import words
from pipeline.detect.lexicon import Lexicon, Rule, Words
from pipeline.detect.syntax import LEFT, PASSIVE_SUBJECTS, SUBJECTS, Tree, object_of, prep_objects, subject_of

REACH: Final = 9
"""How many words after a verb its object or preposition is looked for when the arcs do not show it."""

SCHEDULED: Final = words("scheduled planned expected slated due set")
NAMED_EVENTS: Final = words("summit conference offensive talks airstrike ceasefire")

CONTAINERS: Final = words(
    "package series number round wave barrage volley dozens hundreds thousands raft set slew part kind type "
    "amount worth deal lot order couple pair string state ton tonne tonnes tons pounds mission effort efforts session process deployment contingent load truckload spate flurry tranche batch half majority group spree "
    "type form sort salvo hail campaign"
)
"""Nouns that stand for what follows `of`: a barrage of rockets, a package of sanctions."""

PERSONISH: Final = words(
    "worker workers official officials chief chiefs group groups agency agencies organization organisation "
    "organisations centre center minister ministry committee company companies expert activist activists site "
    "convoy-driver distribution worker's adviser analyst dealer maker manufacturer producer producers industry "
    "factory programme-manager camp"
)
"""Heads that a modifier does not stand for: an aid worker is no aid."""

Test = Callable[[str, int], bool]
"""A test of meaning ($party) and a word in, whether it passes out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that fits: the word that triggered it, the verb and the noun it stands on, and all words used."""

    rule: Rule
    index: int
    verb: int | None
    noun: int | None
    used: frozenset[int]
    score: float
    surface: bool = False


def find(tree: Tree, start: int, end: int, lexicon: Lexicon, test: Test) -> list[Candidate]:
    """A sentence (its words from `start` up to `end`) in, its candidates out: at most one for a trigger, the best."""
    words = frozenset(tree.low[start:end])
    found: list[Candidate] = []
    for index in range(start, end):
        low = tree.low[index]
        for rule in lexicon.phrases.get(low, ()):
            if any(tuple(tree.low[index : index + len(p)]) == p for p in rule.phrases):
                found.extend(_phrase(tree, index, rule, words, test))
        if (
            tree.words[index][:1].isupper()
            and tree.tags[index] in ("NNP", "NNPS")
            and index > start
            and low not in NAMED_EVENTS
        ):
            continue  # part of a name: the Court of Appeal, the month of March
        if low in lexicon.verbs and _stands_as_verb(tree, index):
            found.extend(c for rule in lexicon.verbs[low] if (c := _verb(tree, index, rule, words, test)) is not None)
        if low in lexicon.nouns and (tree.is_noun(index) or tree.tags[index] in ("VBG", "VB", "JJ", "VBP")):
            found.extend(c for rule in lexicon.nouns[low] if (c := _noun(tree, index, rule, words, test)) is not None)
    return best(found)


def best(found: list[Candidate]) -> list[Candidate]:
    """Candidates in, those that share no word out, the best first; in the order of the text at the end."""
    taken: set[int] = set()
    kept = []
    for candidate in sorted(found, key=lambda c: (-c.score, c.index, c.rule.id)):
        if not candidate.used & taken:
            kept.append(candidate)
            taken |= candidate.used
    return sorted(kept, key=lambda c: c.index)


def _stands_as_verb(tree: Tree, index: int) -> bool:
    if tree.is_verb(index):
        return tree.deps[index] not in ("amod", "compound", "aux", "auxpass", "nmod", "case", "prep", "det")
    # a headline's verb that the tagger took for a noun still has a subject
    return tree.deps[index] in ("ROOT", "ccomp") and any(tree.deps[k] in SUBJECTS for k in tree.kids[index])


def matches(tree: Tree, index: int, words: Words, test: Test, depth: int = 0) -> bool:
    """Whether a noun fits the words: itself, a modifier, what it holds (`a barrage of rockets`), or one coordinated with it."""
    if tree.low[index] in words.forms or any(test(name, index) for name in words.tests):
        return True
    if depth > 3:
        return False
    for kid in tree.kids[index]:
        dep, low = tree.deps[kid], tree.low[kid]
        if dep in ("compound", "amod", "nmod", "nummod") and low in words.forms and tree.low[index] not in PERSONISH:
            return True
        if dep == "conj" and kid > index and matches(tree, kid, words, test, depth + 1):
            return True
        holds = tree.low[index] in CONTAINERS or tree.tags[index] in ("CD", "$")
        if (
            holds
            and dep == "prep"
            and low in ("of", "in", "worth")
            and any(matches(tree, k, words, test, depth + 1) for k in tree.children(kid, "pobj"))
        ):
            return True
    return False


def _general(rule: Rule, words: frozenset[str]) -> bool:
    return (not rule.need or bool(rule.need.forms & words)) and not rule.veto.forms & words


def _verb(tree: Tree, index: int, rule: Rule, words: frozenset[str], test: Test) -> Candidate | None:
    """A verb that a rule names in, the candidate out if everything that the rule wants around it is there."""
    if not _general(rule, words):
        return None
    fit = _Fit(used={index}, score=rule.weight)
    target = object_of(tree, index)
    if not (_particle_fits(tree, index, rule, fit) and _subject_fits(tree, index, rule, test)):
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


@dataclass(slots=True)
class _Fit:
    """What has been found so far: the words used, and how well the rule fits."""

    used: set[int]
    score: float
    surface: bool = False


def _particle_fits(tree: Tree, index: int, rule: Rule, fit: _Fit) -> bool:
    if rule.particle:
        if _particle(tree, index, rule.particle) is None:
            return False
        fit.score += 0.15
    return True


def _object_fits(tree: Tree, index: int, target: int | None, fit: _Fit, wanted: tuple[Rule, Test]) -> int | None:
    """The object that the rule wants: by the arcs, or else among the words behind the verb."""
    rule, test = wanted
    if target is None or not matches(tree, target, rule.object, test):
        target, fit.surface = _surface_object(tree, index, rule.object, target), True
        if target is None:
            return None
    if rule.object.forms:
        fit.used.add(_word_of(tree, target, rule.object))
    fit.score += 0.3 if rule.object.forms else 0.1
    return target


def _preposition_fits(tree: Tree, index: int, target: int | None, fit: _Fit, wanted: tuple[Rule, Test]) -> bool:
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


def _complement_fits(tree: Tree, index: int, rule: Rule, fit: _Fit) -> bool:
    if not rule.comp:
        return True
    clause = _complement(tree, index, rule.comp)
    if clause is None:
        return False
    fit.score += 0.1 if "*" in rule.comp else 0.25
    if "*" not in rule.comp:
        fit.used.add(clause)
    return True


def _complement(tree: Tree, index: int, words: frozenset[str]) -> int | None:
    """The clause that a verb governs, if its verb or an auxiliary of it is one of the words; `*` is any clause."""
    for kid in tree.kids[index]:
        if tree.deps[kid] not in ("xcomp", "ccomp", "advcl", "acl"):
            continue
        if "*" in words:
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
            if tree.tags[ahead] in ("VBD", "VBZ", "VBP", "VB", "MD", "WDT", "WP", ":") or tree.low[ahead] in (
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
                below = target is not None and target != ahead and target in tree.ancestors(ahead)
                return None if below or tree.deps[ahead] in ("compound", "poss") else ahead
    return None


def _subject_fits(tree: Tree, index: int, rule: Rule, test: Test) -> bool:
    if not rule.subject and not rule.not_subject:
        return True
    subject = subject_of(tree, index)
    if subject is None:
        return not rule.subject
    if rule.subject and not matches(tree, subject, rule.subject, test):
        return False
    return not (rule.not_subject and matches(tree, subject, rule.not_subject, test))


def _preposition(tree: Tree, index: int, target: int | None, rule: Rule, test: Test) -> int | None:
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


def _noun(tree: Tree, index: int, rule: Rule, words: frozenset[str], test: Test) -> Candidate | None:
    if not _general(rule, words):
        return None
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
    if rule.prep and not any(
        not rule.prep_object or matches(tree, n, rule.prep_object, test) for n in prep_objects(tree, anchor, *rule.prep)
    ):
        return None
    placed = _position(tree, anchor, rule)
    if placed is None:
        return None
    verb, used, bonus = placed
    if verb is not None and rule.subject and not _subject_fits(tree, verb, rule, test):
        return None
    if verb is not None and rule.not_subject and not _subject_fits(tree, verb, rule, test):
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


def _position(tree: Tree, noun: int, rule: Rule) -> tuple[int | None, set[int], float] | None:
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
    if dep == "pobj":
        return _after_preposition(tree, head, rule)
    if dep == "ROOT" and "root" in rule.place:
        return None, set(), 0.1
    if "any" in rule.place:
        return (head if tree.is_verb(head) else None), set(), 0.0
    return None


def _happens(tree: Tree, verb: int, happen: frozenset[str]) -> bool:
    if tree.low[verb] in happen:
        return True
    comp = [k for k in tree.kids[verb] if tree.deps[k] == "xcomp"]
    return any(tree.low[k] in happen for k in comp)


def _after_preposition(tree: Tree, prep: int, rule: Rule) -> tuple[int | None, set[int], float] | None:
    low, governor = tree.low[prep], tree.heads[prep]
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


def _phrase(tree: Tree, index: int, rule: Rule, words: frozenset[str], test: Test) -> Iterator[Candidate]:
    if not _general(rule, words):
        return
    length = next(len(p) for p in rule.phrases if tuple(tree.low[index : index + len(p)]) == p)
    span = range(index, index + length)
    anchor = next((i for i in span if tree.heads[i] not in span or tree.heads[i] == i), index)
    verb = anchor if tree.is_verb(anchor) else next((i for i in span if tree.is_verb(i)), None)
    if verb is not None and not _subject_fits(tree, verb, rule, test):
        return
    yield Candidate(rule, anchor, verb, anchor if verb is None else None, frozenset(span), rule.weight + 0.3)
