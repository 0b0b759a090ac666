"""Real or not: a trigger in its clause in, its modality and who says so out.

The way up from the trigger to the root of the sentence is read word by word: auxiliaries, negation, conditions, and the
verbs, nouns and adjectives that govern it (plan to, threat of, unlikely to). Which words do what stands in the lexicon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.detect.syntax import SUBJECTS, Tree
from pipeline.records import Modality

WILL: Final = frozenset(("will", "'ll", "shall", "wo"))
PAST_WILL: Final = frozenset(("would", "'d"))
MAYBE: Final = frozenset(("could", "may", "might", "should", "must", "can", "ca", "ought", "need"))
NOT: Final = frozenset(("not", "n't", "never", "no", "neither", "nor", "hardly", "cannot"))
CONDITIONS: Final = frozenset(
    ("if", "unless", "whether", "lest", "once", "until", "till", "before", "provided", "should")
)
SOON: Final = frozenset(
    ("tomorrow", "upcoming", "forthcoming", "planned", "scheduled", "next", "future", "proposed", "later")
)
UNREAL: Final = frozenset(("possible", "potential", "hypothetical", "alleged", "feared", "threatened", "eventual", "would-be", "proposed", "prospective"))  # fmt: skip
PAST_TAGS: Final = frozenset(("VBD", "VBN"))
ORDER: Final = {"asserted": 0, "historical": 1, "planned": 2, "hypothetical": 3, "denied": 4}


@dataclass(slots=True)
class Reading:
    """How a clause is to be taken. `by` is the word of whoever says it, `commitment` that the planned thing was agreed to,
    `background` that it stands in a side clause, `governor` the word that made it unreal.
    """

    modality: Modality = "asserted"
    by: int | None = None
    commitment: bool = False
    background: bool = False
    side: int = 0
    relative: bool = False
    quoted: bool = False
    governor: int | None = None

    def weaken(self, to: Modality, governor: int | None = None) -> None:
        """Take the less real of what is known and `to`."""
        if ORDER[to] > ORDER[self.modality]:
            self.modality = to
            self.governor = governor if governor is not None else self.governor


Vocabulary = Mapping[str, frozenset[str]]


def read(tree: Tree, index: int, words: Vocabulary, *, title: bool = False) -> Reading:
    """The trigger's word in, how its clause is to be taken out."""
    reading = Reading()
    current, below, steps = index, -1, 0
    clausal = False
    own(tree, current, words, reading)
    while tree.deps[current] != "ROOT" and tree.heads[current] != current and steps < 25:
        steps += 1
        dep, head = tree.deps[current], tree.heads[current]
        if dep == "pcomp":
            clausal = True
        elif dep == "prep" and clausal:  # "suspected of testing": the clause behind the preposition is the complement
            dep, clausal = "pcomp", False
        if dep in ("relcl", "acl", "advcl"):
            reading.side += 1
            reading.relative = reading.relative or dep != "advcl"
        if tree.is_verb(head) or (tree.deps[head] in ("ROOT", "ccomp") and not tree.is_noun(head)):
            stop = _under_verb(tree, current, dep, head, words, reading)
        elif tree.is_noun(head) or tree.tags[head].startswith(("JJ", "CD", "PRP", "DT")):
            stop = _under_noun(tree, current, dep, head, words, reading)
        else:
            stop = False
        if stop:
            break
        below, current = current, head
        if tree.is_verb(current):
            own(tree, current, words, reading, through=below)
    _quoted(tree, index, reading)
    if title and reading.modality == "asserted" and _headline_infinitive(tree, index):
        reading.weaken("planned")
    return reading


def own(tree: Tree, index: int, words: Vocabulary, reading: Reading, through: int = -1) -> None:
    """Auxiliaries, negation and conditions that hang on a verb itself."""
    dep = tree.deps[through] if through >= 0 else ""
    if dep in ("relcl", "advcl", "conj", "parataxis"):
        return  # what is said of the main clause is not said of a side clause
    noun = tree.is_noun(index)
    for kid in tree.kids[index]:
        low, kid_dep = tree.low[kid], tree.deps[kid]
        if kid_dep in ("aux", "auxpass") and not noun:
            if low in WILL:
                reading.weaken("planned", kid)
            elif low in PAST_WILL:
                reading.weaken("planned" if _reported(tree, index, words) else "hypothetical", kid)
            elif low in MAYBE:
                reading.weaken("hypothetical", kid)
            elif low == "had" and tree.tags[index] == "VBN" and through < 0 and dep_of(tree, index) in ("ROOT", "conj"):
                reading.weaken("historical", kid)
        elif kid_dep == "neg" or (low in NOT and kid_dep in ("det", "preconj", "advmod", "cc") and kid < index):
            reading.weaken("denied", kid)
        elif kid_dep == "mark" and low in CONDITIONS and tree.deps[index] != "ROOT":
            reading.weaken("hypothetical" if low not in ("before", "until", "till") else "planned", kid)
        elif noun and kid_dep in ("amod", "compound", "advmod"):
            if low in SOON:
                reading.weaken("planned", kid)
            elif low in UNREAL and low != "alleged":
                reading.weaken("hypothetical", kid)
        elif kid_dep == "advmod" and low in ("tomorrow", "soon", "shortly") and tree.tags[index] not in PAST_TAGS:
            reading.weaken("planned", kid)
        elif kid_dep in SUBJECTS or kid_dep == "nsubjpass":
            if any(
                tree.low[k] in ("no", "neither") and tree.deps[k] in ("det", "preconj", "cc") for k in tree.kids[kid]
            ):
                reading.weaken("denied", kid)
    if (
        not noun
        and tree.low[index] in words["negative_verbs"]
        and through >= 0
        and tree.deps[through] in ("dobj", "attr", "pobj", "nsubjpass")
    ):
        reading.weaken("denied", index)


def dep_of(tree: Tree, index: int) -> str:
    """The arc by which a word hangs."""
    return tree.deps[index]


def _reported(tree: Tree, verb: int, words: Vocabulary) -> bool:
    """Is `would` the past of `will`, as in `said it would impose`?"""
    seen = verb
    for above in tree.ancestors(verb):
        if (
            tree.deps[seen] in ("ccomp", "xcomp")
            and tree.tags[above] in PAST_TAGS
            and tree.low[above] in words["saying_verbs"]
        ):
            return True
        seen = above
    return False


def _under_verb(tree: Tree, current: int, dep: str, head: int, words: Vocabulary, reading: Reading) -> bool:
    """One step up, to a verb. True when nothing above can matter any more."""
    low = tree.low[head]
    to = any(tree.deps[k] == "aux" and tree.low[k] == "to" for k in tree.kids[current])
    if dep in (
        "xcomp",
        "ccomp",
        "acl",
        "prep",
        "pcomp",
        "dobj",
        "attr",
        "nsubjpass",
        "oprd",
        "pobj",
        "dative",
        "nsubj",
        "acomp",
        "csubj",
        "intj",
        "dep",
    ):
        complement = dep in ("xcomp", "ccomp", "pcomp", "oprd", "csubj", "acomp", "dep")
        if complement and low in words["denying_verbs"]:
            reading.weaken("denied", head)
        elif complement and low in words["hypothetical_verbs"]:
            reading.weaken("hypothetical", head)
        elif (
            complement
            and (low in words["planning_verbs"])
            and (to or dep != "ccomp" or low in words["planning_that_verbs"])
        ):
            reading.weaken("planned", head)
            reading.commitment = reading.commitment or low in words["commitment_verbs"]
        elif complement and to and low in words["saying_verbs"]:
            reading.weaken("planned", head)
        elif (
            not complement
            and dep in ("dobj", "nsubjpass", "pobj", "prep")
            and low in words["hypothetical_object_verbs"]
        ):
            reading.weaken("hypothetical", head)
        elif not complement and dep in ("dobj", "nsubjpass", "attr", "oprd") and low in words["planning_object_verbs"]:
            reading.weaken("planned", head)
        elif not complement and dep in ("dobj", "nsubjpass") and low in words["denying_object_verbs"]:
            reading.weaken("denied", head)
        if dep == "ccomp" and low in words["saying_verbs"]:
            _attribute(tree, head, current, reading)
        if to and complement and low in ("be", "is", "are", "was", "were", "'s"):
            reading.weaken("planned", head)
        return False
    if dep == "advcl":
        return _adverbial(tree, current, head, to, reading)
    if dep == "conj":
        own_subject = any(tree.deps[k] in SUBJECTS or tree.deps[k] == "nsubjpass" for k in tree.kids[current])
        own_aux = any(tree.deps[k] == "aux" for k in tree.kids[current])
        if own_subject or (tree.tags[current] in ("VBD", "VBZ", "VBP") and not own_aux):
            # a clause of its own; what governs both still counts
            return tree.deps[head] == "ROOT"
        for kid in tree.kids[head]:  # "will meet and sign": the second verb shares the auxiliary
            if tree.deps[kid] == "aux" and not own_aux:
                if tree.low[kid] in WILL:
                    reading.weaken("planned", kid)
                elif tree.low[kid] in MAYBE:
                    reading.weaken("hypothetical", kid)
        return False
    return dep in ("relcl", "parataxis")


def _adverbial(tree: Tree, current: int, head: int, to: bool, reading: Reading) -> bool:
    marks = {tree.low[k] for k in tree.kids[current] if tree.deps[k] in ("mark", "advmod", "prep")}
    if marks & CONDITIONS:
        reading.weaken("planned" if marks & {"before", "until", "till"} else "hypothetical", current)
        return True
    if to or "in order" in marks:
        reading.weaken("hypothetical", current)  # a purpose, not a fact
        return True
    reading.background = True
    # "after signing ...", "..., killing five": as real as the main clause when it is a participle
    return tree.tags[current] != "VBG"


def _under_noun(tree: Tree, current: int, dep: str, head: int, words: Vocabulary, reading: Reading) -> bool:
    """One step up, to a noun or adjective that governs: plan to, threat of, willing to."""
    low = tree.low[head]
    if dep == "relcl":
        reading.background = True
        return True
    if dep == "appos":
        return False
    governs = dep in ("acl", "prep", "ccomp", "xcomp", "compound", "pobj", "advcl", "relcl", "amod", "nmod", "pcomp")
    if governs:
        if low in words["denying_nouns"]:
            reading.weaken("denied", head)
        elif low in words["hypothetical_nouns"] or low in words["hypothetical_words"]:
            reading.weaken("hypothetical", head)
        elif low in words["planning_nouns"] or low in words["planning_words"]:
            reading.weaken("planned", head)
        elif low in words["denying_words"]:
            reading.weaken("denied", head)
        elif dep == "acl" and any(tree.deps[k] == "aux" and tree.low[k] == "to" for k in tree.kids[current]):
            reading.weaken("hypothetical", head)
    for kid in tree.kids[head]:
        if kid != current and tree.deps[kid] == "det" and tree.low[kid] == "no":
            reading.weaken("denied", kid)
    return False


def _attribute(tree: Tree, verb: int, current: int, reading: Reading) -> None:
    if reading.by is None:
        for kid in tree.kids[verb]:
            if tree.deps[kid] in SUBJECTS:
                reading.by = kid
                return
    del current


def _quoted(tree: Tree, index: int, reading: Reading) -> None:
    """Is the word inside quotation marks that opened in the same sentence?"""
    start, end = tree.sentences[tree.sentence_of[index]]
    opened = False
    for position in range(start, index):
        word = tree.words[position]
        if word in ("“", "``") or (word == '"' and not opened):
            opened = True
        elif word in ("”", "''") or (word == '"' and opened):
            opened = False
    reading.quoted = opened and any(tree.words[p] in ("”", '"', "''") for p in range(index + 1, end))


def _headline_infinitive(tree: Tree, index: int) -> bool:
    """`Putin to visit Beijing`: in a headline an infinitive with a subject is the future."""
    verb = tree.clause(index)
    return any(tree.deps[k] == "aux" and tree.low[k] == "to" for k in tree.kids[verb]) and tree.deps[verb] in (
        "ROOT",
        "relcl",
        "acl",
    )
