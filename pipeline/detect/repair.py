"""A small tagger errs: it reads the verb of a headline as a noun. A tree in, the same with the verb that it lost."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from pipeline.detect.forms import PASTS, verb_forms, words
from pipeline.detect.syntax import CLAUSES, FINITE, NOUN_TAGS, PASSIVE_SUBJECTS, SUBJECTS, Tree

FINITE_DEPS: Final = frozenset(
    ("ROOT", "ccomp", "advcl", "relcl", "conj", "parataxis", "aux", "auxpass", "csubj", "acl")
)
NEVER_NOUNS: Final = words(
    "meet agree sign urge condemn withdraw retake expel accuse warn reject arrest impose kill announce seize "
    "detain deny deploy execute abduct kidnap invade bombard deport bury destroy injure recapture"
)
"""Verbs in the plural of the present that are hardly ever nouns."""

NEVER_PLURALS: Final = words(
    "bombards kills wounds injures deports seizes detains accuses denies urges condemns expels invades imposes rejects "
    "announces withdraws abducts kidnaps executes deploys arrests captures recaptures storms shells"
)
"""Verbs in the singular of the present: behind `as` and a noun, none of them is a noun."""

SUFFERED: Final = words("killed injured wounded arrested detained kidnapped abducted hurt displaced evacuated")
"""What a headline says of those who suffered it, without `were`."""

BEHIND_SUFFERED: Final = words("in by during after as when near at on and amid following . ;")
RELATIVES: Final = words("who which that")
OPENERS: Final = words("as after before since until while")

UTTERED: Final = frozenset().union(
    *(
        verb_forms(verb)
        for verb in words(
            "condemn denounce urge demand accuse blame criticise criticize reject warn threaten praise welcome vow "
            "pledge promise appeal"
        )
    )
)
"""Verbs of what only a speaker does: behind `denied that its army fired and condemned` it is the denier who condemns."""

Wanted = tuple[frozenset[str], Container[int], frozenset[str]]
"""What a lost verb is looked for with: forms of the present, words that are part of a name, forms of the past."""


def repair(tree: Tree, verbs: frozenset[str], named: Container[int] = (), pasts: frozenset[str] = frozenset()) -> None:
    """Give a sentence without a finite verb one back: `A court sentences the man` is read as nouns by a small tagger.

    `verbs` are the forms of the present that are looked for, `pasts` those of the past, `named` the words that are part
    of a name (the United *States*). Only main clauses without a finite verb are touched.
    """
    _lost_arcs(tree)
    _behind_modals(tree, verbs)
    _joined_clauses(tree)
    wanted = (verbs, named, pasts)
    for start, end in tree.sentences:
        root = tree.root(start, end)
        if (tree.tags[root] in ("VBZ", "VBP") or _bare_participle(tree, root)) and (
            _misread_root(tree, root, start, end, wanted) or _noun_as_root(tree, root, start, end, verbs)
        ):
            continue
        if _first_of_two(tree, root, start, end, wanted) or _subject_as_noun(tree, root, start, end, wanted):
            continue
        if not _has_finite(tree, root, start, end):
            index = next(
                (i for i in range(start + 1, end - 1) if _hidden_verb(tree, i, start, wanted)),
                None,
            )
            if index is not None:
                _promote(tree, index, start, end)


def _has_finite(tree: Tree, root: int, start: int, end: int) -> bool:
    """Whether the main clause has a finite verb. One inside a relative clause makes no sentence."""
    for index in range(start, end):
        if tree.tags[index] not in FINITE or tree.deps[index] not in FINITE_DEPS:
            continue
        if not any(tree.deps[i] in ("relcl", "advcl", "acl") for i in (index, *tree.ancestors(index))):
            return True
    return tree.tags[root] == "VB" and not any(tree.low[k] == "to" for k in tree.kids[root])


def _misread_root(tree: Tree, root: int, start: int, end: int, verbs: Wanted) -> bool:
    """`The president rejects calls`, `Houthi forces strike`: the parser took the wrong one of two words for the verb."""
    if root - 1 > start and _hidden_verb(tree, root - 1, start, verbs):
        verb = root - 1
    elif (
        tree.low[root] in ("forces", "states", "nations")
        and root + 2 < end
        and _hidden_verb(tree, root + 1, start, verbs)
    ):
        verb = root + 1
    else:
        return False
    target = next(iter(tree.children(root, "dobj")), None) if tree.tags[root] == "VBG" else None
    tree.tags[root] = "NNS"
    _promote(tree, verb, start, end)
    if target is not None:  # "fires warning shots": what was read as the verb only describes them
        tree.heads[root], tree.deps[root] = target, "amod"
        tree.heads[target], tree.deps[target] = verb, "dobj"
        tree.link()
    return True


def _bare_participle(tree: Tree, root: int) -> bool:
    """`fires warning shots`: a participle without an auxiliary is no main verb."""
    return tree.tags[root] == "VBG" and not tree.children(root, "aux", "auxpass")


def _noun_as_root(tree: Tree, root: int, start: int, end: int, verbs: frozenset[str]) -> bool:
    """`airstrikes on the city of Idlib kill 26`: what is read as a verb has no subject, and no `and` leads to the verb."""
    if tree.children(root, *SUBJECTS, *PASSIVE_SUBJECTS, "cc") or tree.low[root] in verbs:
        return False
    verb = next((k for k in tree.children(root, "conj", "ccomp", "dep") if k > root and tree.low[k] in verbs), None)
    if verb is None:
        return False
    tree.tags[root] = "NNS"
    _promote(tree, verb, start, end)
    return True


def _first_of_two(tree: Tree, root: int, start: int, end: int, verbs: Wanted) -> bool:
    """`Myanmar deports and blacklists an actress`: of two verbs the first is read as a noun, the second hangs on it."""
    if tree.tags[root] != "NNS" or tree.low[root] not in verbs[0] or root == start or root - 1 not in tree.kids[root]:
        return False
    second = next((k for k in tree.children(root, "conj") if tree.tags[k] == "VBZ"), None)
    if second is None or not tree.children(root, "cc"):
        return False
    _promote(tree, root, start, end)
    return True


def _subject_as_noun(tree: Tree, root: int, start: int, end: int, verbs: Wanted) -> bool:
    """`Soldiers fire tear gas to break up rallies held in Nablus`: a later participle is read as the verb of the sentence."""
    if tree.tags[root] not in ("VBD", "VBN"):
        return False
    verb = next(iter(tree.children(root, "nsubj", "nsubjpass")), root)
    if not start < verb < root - 1 or tree.tags[verb - 1] not in ("NNS", "NNPS") or tree.low[verb].endswith("s"):
        return False
    if tree.tags[verb + 1] not in (*NOUN_TAGS, "DT", "JJ", "CD", "PRP$") or not _hidden_verb(tree, verb, start, verbs):
        return False
    _promote(tree, verb, start, end)
    return True


def _hidden_verb(tree: Tree, index: int, start: int, verbs: Wanted) -> bool:
    """Might a word that is read as a noun or a modifier be the verb: behind a noun, before its object."""
    low, tag, before = tree.low[index], tree.tags[index], tree.tags[index - 1]
    forms, named, pasts = verbs
    modifier = tree.deps[index] not in FINITE_DEPS
    if index in named:
        return False
    if low in pasts:  # `the army retook the pass`, `Norway funded demining`
        if tag not in NOUN_TAGS and not (modifier and tag in ("VBN", "VBD", "JJ") and index - 1 in named):
            return False
    else:
        lost = tag in ("VBZ", "VBP") and modifier
        if low not in forms or (tag not in NOUN_TAGS and not lost):
            return False
        plural = before in ("NNS", "NNPS") or (index - 1 in named and (lost or _names_plural(tree, index)))
        if not low.endswith("s") and not plural and low not in NEVER_NOUNS:
            return False
    follows = (*NOUN_TAGS, "DT", "JJ", "CD", "PRP$", "IN", "TO", "RP", "$", "JJR", "RB", "PRP", "VBZ", "VBN")
    adverb = before == "RB" and index - 1 in named  # a name is none: USAID
    return (
        (before in (*NOUN_TAGS, "VBZ", "''", ",", "-RRB-") or adverb)
        and (tree.tags[index + 1] in follows or tree.low[index + 1] == "warning")
        and any(i in named or tree.tags[i] in NOUN_TAGS for i in range(start, index))
    )


def _names_plural(tree: Tree, index: int) -> bool:
    """`The Houthis storm the office`: a name in the plural that is tagged as one in the singular, then what it acts on."""
    return tree.low[index - 1].endswith("s") and tree.tags[index + 1] in ("DT", "PRP$", "PRP")


def _promote(tree: Tree, verb: int, start: int, end: int) -> None:
    """Make a noun the verb of its sentence: what stands before is the subject, the first noun after it the object."""
    old = next((i for i in range(start, end) if tree.heads[i] == i), verb)
    past = tree.tags[verb] in ("VBD", "VBN") or tree.low[verb] in PASTS or tree.low[verb].endswith("ed")
    tree.tags[verb], tree.deps[verb], tree.heads[verb] = "VBD" if past else "VBZ", "ROOT", verb
    subject = old if old < verb else _noun_before(tree, verb, start)
    for index in range(start, end):
        if index == verb:
            continue
        head = tree.heads[index]
        crosses = (index < verb) != (head < verb) or head in (verb, index)
        if index == subject:
            tree.heads[index], tree.deps[index] = verb, "nsubj"
        elif index < verb and crosses:
            left = index - 1
            free = left >= start and index not in (left, *tree.ancestors(left))  # no word hangs on itself
            if free and tree.tags[left] == "IN" and tree.tags[index] in NOUN_TAGS:
                tree.heads[index], tree.deps[index] = left, "pobj"
            elif subject is not None:
                tree.heads[index] = subject
        elif index > verb and crosses:
            tree.heads[index] = verb
            if tree.tags[index] in ("IN", "TO"):
                tree.deps[index] = "prep"
    if old > verb:
        tree.deps[old] = "xcomp" if any(tree.low[k] == "to" for k in tree.kids[old]) else tree.deps[old]
    objects = [i for i in range(verb + 1, end) if tree.heads[i] == verb and tree.tags[i] in (*NOUN_TAGS, "CD", "PRP")]
    for number, index in enumerate(objects):
        tree.deps[index] = "dobj" if number == 0 else "dep"
    tree.link()


def _noun_before(tree: Tree, verb: int, start: int) -> int | None:
    """The head of the phrase that ends before a verb: the court of `the Court of Human Rights orders`."""
    noun = next((i for i in range(verb - 1, start - 1, -1) if tree.tags[i] in NOUN_TAGS), None)
    for above in tree.ancestors(noun) if noun is not None else ():
        if not start <= above < verb:
            break
        noun = above if tree.tags[above] in NOUN_TAGS else noun
    return noun


def _lost_arcs(tree: Tree) -> None:
    """Arcs that are wrong in one way only: subjects read as auxiliaries, verbs read as descriptions or nouns."""
    moved = False
    for index, dep in enumerate(tree.deps):
        if dep in ("aux", "auxpass"):
            _lost_subject(tree, index)
            moved |= dep == "auxpass" and _reduced(tree, tree.heads[index])
        elif dep in ("acl", "amod") and tree.tags[index] == "VBN":
            moved |= _elided(tree, index)
        elif tree.tags[index] == "VBD" and tree.low[index] in SUFFERED:
            _headline_passive(tree, index)
        elif dep == "pobj" and tree.low[index] in NEVER_PLURALS:
            moved |= _behind_opener(tree, index)
    if moved:
        tree.link()


def _lost_subject(tree: Tree, index: int) -> None:
    """`Boko Haram militants attack`: a noun that is read as the auxiliary of the verb behind it is its subject."""
    head = tree.heads[index]
    if tree.tags[index] not in NOUN_TAGS or index > head:
        return
    if not any(tree.deps[k] in SUBJECTS | PASSIVE_SUBJECTS for k in tree.kids[head]):
        tree.deps[index] = "nsubj"


def _elided(tree: Tree, index: int) -> bool:
    """`Nine were killed and 54 injured after rebels attacked`: the second verb has lost its `were`, and is no description."""
    count = tree.heads[index]
    verb = tree.heads[count]
    if tree.tags[count] != "CD" or tree.deps[count] != "conj" or index != count + 1:
        return False
    if tree.tags[verb] not in ("VBN", "VBD") or tree.low[verb] not in SUFFERED:
        return False
    tree.heads[index], tree.deps[index] = verb, "conj"
    tree.heads[count], tree.deps[count] = index, "nsubjpass"
    return True


def _headline_passive(tree: Tree, index: int) -> None:
    """`Two militants killed in a raid`: what has no object was suffered."""
    if any(tree.deps[k] in ("dobj", "aux", "ccomp", "xcomp", "dative") for k in tree.kids[index]):
        return
    subjects = [k for k in tree.children(index, "nsubj") if tree.low[k] not in RELATIVES]
    if subjects and index + 1 < len(tree.low) and tree.low[index + 1] in BEHIND_SUFFERED:
        tree.tags[index] = "VBN"
        tree.deps[subjects[0]] = "nsubjpass"


def _reduced(tree: Tree, second: int) -> bool:
    """`Soldiers detained for days have been released`: of two verbs the second has the auxiliaries, the first describes."""
    if any(tree.deps[k] in SUBJECTS | PASSIVE_SUBJECTS | {"cc"} for k in tree.kids[second]):
        return False
    over = tree.heads[second]
    first = over if _bare(tree, over) else next((k for k in tree.kids[over] if k < second and _bare(tree, k)), None)
    if first is None or tree.children(first, "cc") or tree.deps[second] not in ("conj", "ccomp", "dep", "advcl"):
        return False
    if "," in tree.low[first:second] or not any(tree.deps[k] == "aux" for k in tree.kids[second]):
        return False
    subject = next(iter(tree.children(first, "nsubj", "nsubjpass")))
    tree.heads[second] = second if tree.heads[first] == first else tree.heads[first]
    tree.deps[second] = tree.deps[first]
    tree.heads[subject], tree.deps[subject] = second, "nsubjpass"
    tree.heads[first], tree.deps[first], tree.tags[first] = subject, "acl", "VBN"
    return True


def _bare(tree: Tree, verb: int) -> bool:
    """Is it a participle or a past that has a subject and no auxiliary."""
    if tree.tags[verb] not in ("VBN", "VBD") or tree.children(verb, "aux", "auxpass", "dobj"):
        return False
    return bool(tree.children(verb, "nsubj", "nsubjpass"))


def _behind_opener(tree: Tree, index: int) -> bool:
    """`as the army bombards the town`: what is read as a noun behind a preposition is the verb of a clause."""
    opener, subject = tree.heads[index], index - 1
    if tree.low[opener] not in OPENERS or tree.tags[subject] not in NOUN_TAGS or tree.heads[subject] != index:
        return False
    tree.tags[index], tree.deps[index], tree.heads[index] = "VBZ", "advcl", tree.heads[opener]
    tree.heads[opener], tree.deps[opener] = index, "mark"
    tree.deps[subject] = "nsubj"
    for kid in tree.kids[index]:
        if kid < subject:
            tree.heads[kid] = subject
        elif kid > index and tree.deps[kid] == "appos":
            tree.deps[kid] = "dobj"
    return True


def _behind_modals(tree: Tree, verbs: frozenset[str]) -> None:
    """`Qatar will once more mediate`: what a modal leads to is a verb, whatever the tagger calls it."""
    for index in [i for i, tag in enumerate(tree.tags) if tag == "MD"]:
        head = tree.heads[index]
        if head <= index or tree.is_verb(head) or tree.low[head] not in verbs:
            continue
        tree.tags[head] = "VB"
        if tree.deps[head] not in CLAUSES:
            tree.deps[head] = "ccomp"


def _joined_clauses(tree: Tree) -> None:
    """What `and` joins to the main clause is no content of it, though the parser hangs it there.

    `Peru condemned the raid and Chile urged talks`: two clauses, each with a subject. `denied that its army fired and
    condemned the coup`: the second verb has the subject of the first, where nobody but a speaker can do it.
    """
    moved = False
    for index, dep in enumerate(tree.deps):
        head = tree.heads[index]
        if dep == "ccomp" and head < index and _with_its_own_subject(tree, index) and tree.children(head, "dobj"):
            tree.deps[index] = "conj"
        elif dep == "conj" and tree.low[index] in UTTERED and tree.deps[head] == "ccomp":
            above = tree.heads[head]
            finite = tree.tags[index] in ("VBD", "VBZ") and tree.tags[index] == tree.tags[above]
            if finite and above < head and not tree.children(index, *SUBJECTS) and tree.low[head] not in UTTERED:
                tree.heads[index], moved = above, True
    if moved:
        tree.link()


def _with_its_own_subject(tree: Tree, verb: int) -> bool:
    """Does a clause begin behind `and` or `but`, with its subject and no `that`."""
    first = tree.left_edge(verb)
    if tree.low[first] in ("and", "but", "while"):
        first += 1
    marked = any(tree.deps[k] == "mark" for k in tree.kids[verb])
    return bool(tree.children(verb, *SUBJECTS)) and not marked and tree.low[first - 1] in ("and", "but", "while")
