"""Real or not: a trigger in its clause in, its modality and who says so out.

The way up from the trigger to the root of the sentence is walked word by word: auxiliaries, negation, conditions, and the
verbs, nouns and adjectives that govern it (plan to, threat of, unlikely to). Which words do what stands in the lexicon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from pipeline.detect.forms import words
from pipeline.detect.syntax import PASSIVE_SUBJECTS, SUBJECTS, Tree
from pipeline.records import Modality

WILL: Final = frozenset(("will", "'ll", "shall", "wo"))
PAST_WILL: Final = frozenset(("would", "'d"))
MAYBE: Final = words("could may might should must can ca ought need")
NOT: Final = words("not n't never no neither nor hardly cannot")
UNLESS: Final = words("if unless whether lest provided should")
NOT_YET: Final = words("until till once")
SOON: Final = words("tomorrow upcoming forthcoming planned scheduled next future later")
UNREAL: Final = words("possible potential hypothetical feared threatened eventual would-be proposed prospective")
COMPLEMENTS: Final = words("xcomp ccomp pcomp oprd csubj acomp dep")
"""Arcs by which a clause is the content of the verb above it."""

NOMINAL: Final = words("dobj nsubjpass pobj prep attr oprd")
"""Arcs by which a noun is the object of the verb above it."""

GOVERNED: Final = words("acl prep ccomp xcomp compound pobj advcl amod nmod pcomp")
"""Arcs by which something hangs on a noun or adjective that says how real it is."""

STRENGTH: Final = {"asserted": 0, "historical": 1, "planned": 2, "hypothetical": 3, "denied": 4}
BE: Final = words("be is are was were 's been")
BLAMING: Final = words("of for with over")
"""Prepositions behind which stands what somebody is blamed, tried or thanked for."""

BEFORE: Final = words("previously formerly originally")
REASONS: Final = words("because due despite amid owing thanks")
"""Prepositions of what is so in any case: `cannot return because of shelling`, `will stay despite an attack`."""

OCCASIONS: Final = words("at during after following")
"""Prepositions of what is not denied with the verb before them: `agreed to end the war at talks`."""

OWNED: Final = words("responsibility responsible credit known famous")
"""Words behind which `for` tells what was done, and no reason."""

REASON_ARCS: Final = frozenset(("prep", "pcomp", "advmod", "acomp"))
BREAK: Final = frozenset((";", "–", "—"))
STEPS: Final = 25
"""No sentence of news is nested deeper; a broken tree is left."""

Vocabulary = Mapping[str, frozenset[str]]


class Reading(msgspec.Struct):
    """How a clause is to be taken.

    `by` is the word of whoever says it, `commitment` that what is planned was agreed to, `governor` the word that made it
    unreal; `side` counts the side clauses it stands in, `relative` says that one of them describes a noun.
    """

    modality: Modality = "asserted"
    by: int | None = None
    commitment: bool = False
    quoted: bool = False
    governor: int | None = None
    side: int = 0
    relative: bool = False

    def weaken(self, to: Modality, governor: int | None = None) -> None:
        """Take the less real of what is known and `to`."""
        if STRENGTH[to] > STRENGTH[self.modality]:
            self.modality = to
            self.governor = governor if governor is not None else self.governor


def read(tree: Tree, index: int, vocabulary: Vocabulary, *, title: bool = False) -> Reading:
    """The trigger's word in, how its clause is to be taken out."""
    walk = _Walk(tree, vocabulary, Reading())
    own(tree, index, vocabulary, walk.reading)
    walk.up(index)
    walk.reading.quoted = _quoted(tree, index)
    if title and _headline_infinitive(tree, index):
        walk.reading.weaken("planned")
    return walk.reading


def own(tree: Tree, index: int, vocabulary: Vocabulary, reading: Reading, arc: str = "") -> None:
    """Auxiliaries, negation and conditions that hang on a word itself. `arc` is the one by which the trigger hangs below it."""
    if arc in ("relcl", "advcl", "conj", "parataxis"):
        return  # what is said of the main clause is not said of a side clause
    noun = tree.is_noun(index)
    if tree.deps[index] == "acl" and tree.low[index] in ("scheduled", "planned", "expected", "slated"):
        reading.weaken("planned", index)
    for kid in tree.kids[index]:
        dep, low = tree.deps[kid], tree.low[kid]
        if dep == "neg" or (low in NOT and dep in ("det", "preconj", "advmod", "cc") and kid < index):
            reading.weaken("denied", kid)
        elif noun and dep in ("amod", "compound", "advmod"):
            reading.weaken("planned" if low in SOON else "hypothetical" if low in UNREAL else "asserted", kid)
        elif dep in ("aux", "auxpass") and not noun:
            _auxiliary(tree, index, kid, vocabulary, reading)
        elif dep == "mark" and tree.deps[index] != "ROOT":
            reading.weaken("hypothetical" if low in UNLESS | NOT_YET else "asserted", kid)
        elif dep == "advmod":
            _adverb(tree, index, kid, vocabulary, reading)
        elif dep in SUBJECTS | PASSIVE_SUBJECTS and any(tree.low[k] in ("no", "neither") for k in tree.kids[kid]):
            reading.weaken("denied", kid)
    if not noun and arc in ("dobj", "attr", "pobj", "nsubjpass") and tree.low[index] in vocabulary["negative_verbs"]:
        reading.weaken("denied", index)


def _adverb(tree: Tree, verb: int, kid: int, vocabulary: Vocabulary, reading: Reading) -> None:
    low, past = tree.low[kid], tree.tags[verb] in ("VBD", "VBN")
    if low in vocabulary["doubting_words"]:
        reading.weaken("hypothetical", kid)
    elif past and low in BEFORE:
        reading.weaken("historical", kid)
    elif not past and low in ("tomorrow", "soon", "shortly"):
        reading.weaken("planned", kid)


def _auxiliary(tree: Tree, verb: int, kid: int, vocabulary: Vocabulary, reading: Reading) -> None:
    low = tree.low[kid]
    if low in WILL:
        reading.weaken("planned", kid)
    elif low in PAST_WILL:
        reading.weaken("planned" if _reported(tree, verb, vocabulary) else "hypothetical", kid)
    elif low in MAYBE:
        reading.weaken("hypothetical", kid)
    elif low == "had" and tree.tags[verb] == "VBN" and tree.deps[verb] in ("ROOT", "conj"):
        reading.weaken("historical", kid)


def _reported(tree: Tree, verb: int, vocabulary: Vocabulary) -> bool:
    """Is `would` the past of `will`, as in `said it would impose`."""
    seen = verb
    for above in tree.ancestors(verb):
        if tree.deps[seen] in ("ccomp", "xcomp") and tree.low[above] in vocabulary["saying_verbs"]:
            return True
        seen = above
    return False


@dataclass(slots=True)
class _Walk:
    """The way up: one step at a time, until nothing above can matter."""

    tree: Tree
    vocabulary: Vocabulary
    reading: Reading
    blamed: bool = False
    occasion: bool = False

    def up(self, index: int) -> None:
        """Walk from a word to the root of its sentence."""
        tree, current, clausal = self.tree, index, False
        for _ in range(STEPS):
            dep, head = tree.deps[current], tree.heads[current]
            if dep == "ROOT" or head == current:
                self._lost_side_clause(current)
                return
            if dep == "pcomp":
                clausal = True
            elif dep == "prep" and clausal:  # "suspected of testing": the clause behind the preposition is the content
                dep, clausal = "pcomp", False
            self.blamed = self.blamed or tree.low[current] in BLAMING
            self.occasion = self.occasion or tree.low[current] in OCCASIONS
            if dep in ("relcl", "acl", "advcl", "pcomp"):
                self.reading.side += 1
                self.reading.relative = self.reading.relative or dep in ("relcl", "acl")
            if self._stops(current, dep, head):
                return
            below, current = current, head
            if tree.is_verb(current):
                shared = dep == "advcl" and tree.tags[below] == "VBG"  # ", killing five": as real as the main clause
                own(tree, current, self.vocabulary, self.reading, "" if shared else dep)

    def _lost_side_clause(self, root: int) -> None:
        """`After sanctions were imposed, the rouble fell`: a parser that errs makes the side clause the main one."""
        marks = [
            k for k in self.tree.kids[root] if self.tree.deps[k] == "mark" and self.tree.low[k] in ("after", "since")
        ]
        self.reading.side += len(marks)

    def _stops(self, current: int, dep: str, head: int) -> bool:
        tree = self.tree
        if (dep == "ccomp" and self._beside(current, head)) or (tree.low[current] in REASONS and dep in REASON_ARCS):
            return True
        if dep == "pcomp" and tree.low[current] == "for" and tree.low[head] not in OWNED:
            self.reading.weaken("hypothetical", head)  # "sanctioned for supplying": the reason, told by whoever objects
        if tree.low[current] == "without" and dep in ("prep", "pcomp"):
            self.reading.weaken("denied", current)
        if tree.is_verb(head) or (tree.deps[head] in ("ROOT", "ccomp") and not tree.is_noun(head)):
            return self._verb(current, dep, head)
        if tree.is_noun(head) or tree.tags[head].startswith(("JJ", "CD", "PRP", "DT")):
            return self._noun(current, dep, head)
        return False

    def _verb(self, current: int, dep: str, head: int) -> bool:
        """One step up, to a verb. True when nothing above can matter any more."""
        clause, low = dep in ("ccomp", "xcomp"), self.tree.low[head]
        if (clause or self.blamed) and low in self.vocabulary["accusing_verbs"]:
            self.reading.weaken("hypothetical", head)  # the accusation, the trial or the thanks is what happened
        elif clause and low in self.vocabulary["depicting_verbs"]:
            self.reading.weaken("hypothetical", head)
        if dep == "advcl":
            return self._adverbial(current)
        if dep == "conj":
            return self._coordinated(current, head)
        if dep in COMPLEMENTS:
            self._content(current, dep, head)
        elif dep in NOMINAL:
            self._object(dep, head)
        return dep in ("relcl", "parataxis")

    def _content(self, current: int, dep: str, head: int) -> None:
        """A clause under the verb that governs it: plan to, refuse to, say that."""
        tree, reading, words_of = self.tree, self.reading, self.vocabulary
        low, to = tree.low[head], self._infinitive(current)
        if low in words_of["denying_verbs"]:
            if not self.occasion:
                reading.weaken("denied", head)
        elif low in words_of["hypothetical_verbs"]:
            reading.weaken("hypothetical", head)
        elif low in words_of["planning_verbs"] and (to or dep != "ccomp" or low in words_of["planning_that_verbs"]):
            reading.weaken("planned", head)
            reading.commitment = reading.commitment or low in words_of["commitment_verbs"]
        elif low in words_of["insisting_verbs"] and dep == "ccomp" and self._subjunctive(current, head):
            reading.weaken("hypothetical", head)
        elif low in words_of["deciding_verbs"]:
            reading.weaken("planned" if tree.low[current] == "strike" else "asserted", head)
        elif to and not self._told_of_now(current, head) and (low in words_of["saying_verbs"] or low in BE):
            reading.weaken("planned", head)
        if dep == "ccomp" and reading.by is None and low in words_of["saying_verbs"]:
            reading.by = next((k for k in tree.kids[head] if tree.deps[k] in SUBJECTS), None)

    def _object(self, dep: str, head: int) -> None:
        """A noun under the verb it is the object of: propose a truce, cancel a visit."""
        reading, low = self.reading, self.tree.low[head]
        if low in self.vocabulary["hypothetical_object_verbs"]:
            reading.weaken("hypothetical", head)
        elif dep != "prep" and low in self.vocabulary["planning_object_verbs"]:
            reading.weaken("planned", head)
        elif dep in ("dobj", "nsubjpass") and low in self.vocabulary["denying_object_verbs"]:
            reading.weaken("denied", head)

    def _adverbial(self, current: int) -> bool:
        """A side clause under its verb; True where the main clause says nothing of it."""
        stops = self._side_clause(current)
        if stops:  # told inside a relative clause (`refugees who fled after`) it only says who is meant
            above = [
                self.tree.deps[i] for i in (self.tree.heads[current], *self.tree.ancestors(self.tree.heads[current]))
            ]
            if "relcl" in above or "acl" in above:
                self.reading.side += 1
                self.reading.relative = True
        return stops

    def _side_clause(self, current: int) -> bool:
        tree = self.tree
        marks = {tree.low[k] for k in tree.kids[current] if tree.deps[k] in ("mark", "advmod", "prep")}
        if marks & (UNLESS | NOT_YET):
            self.reading.weaken("hypothetical", current)
            return True
        if "before" in marks and tree.tags[current] not in ("VBD", "VBN"):
            self.reading.weaken("planned", current)
            return True
        if self._infinitive(current):
            if tree.low[tree.heads[current]] not in self.vocabulary["deciding_verbs"]:
                self.reading.weaken("hypothetical", current)  # a purpose, not a fact
                return True
            return False
        if self._spoken(current) or not REASONS.isdisjoint(tree.low[max(0, current - 4) : current]):
            return True  # "cannot return because of continued shelling", "despite Peru recalling its envoy"
        return tree.tags[current] != "VBG"  # ", killing five" is as real as the main clause

    def _coordinated(self, current: int, head: int) -> bool:
        tree = self.tree
        own_subject = any(tree.deps[k] in SUBJECTS | PASSIVE_SUBJECTS for k in tree.kids[current])
        own_aux = any(tree.deps[k] == "aux" for k in tree.kids[current])
        if tree.tags[current] in ("VBD", "VBZ") and tree.tags[head] in ("VBG", "VB") and not own_aux:
            return (
                True  # "accuses it of helping and suspends ties": no participle has a finite partner, the main verb has
            )
        if tree.tags[current] == "VBG" and not own_aux and tree.low[head] in self.vocabulary["accusing_verbs"]:
            self.reading.weaken("hypothetical", head)  # "accuses it of breaking treaties and detaining sailors"
            return True
        if own_subject or (tree.tags[current] in ("VBD", "VBZ", "VBP") and not own_aux):
            return tree.deps[head] == "ROOT"  # a clause of its own; what governs both still counts
        if not own_aux:  # "will meet and sign": the second verb shares the auxiliary
            for kid in tree.kids[head]:
                if tree.deps[kid] == "aux" and tree.low[kid] in WILL | MAYBE:
                    self.reading.weaken("planned" if tree.low[kid] in WILL else "hypothetical", kid)
        return False

    def _noun(self, current: int, dep: str, head: int) -> bool:
        """One step up, to a noun or adjective that may govern: plan to, threat of, willing to."""
        tree, reading, words_of, low = self.tree, self.reading, self.vocabulary, self.tree.low[head]
        if dep == "relcl" or (dep == "advcl" and self.tree.tags[current] in ("VBD", "VBZ")):
            return True
        if dep == "ccomp" and low in words_of["accusing_verbs"]:
            reading.weaken("hypothetical", head)  # "Police allege that": a headline's verb read as a noun
        if dep in GOVERNED:
            if low in words_of["denying_nouns"] or low in words_of["denying_words"]:
                reading.weaken("denied", head)
            elif dep == "acl" and not self._infinitive(current) and low not in words_of["unreal_nouns"]:
                pass  # "a resolution condemning": the clause says what the noun does
            elif low in words_of["hypothetical_nouns"] or low in words_of["hypothetical_words"]:
                reading.weaken("hypothetical", head)
            elif low in words_of["planning_nouns"] or low in words_of["planning_words"]:
                reading.weaken("planned", head)
            elif dep == "acl" and self._infinitive(current):
                reading.weaken("hypothetical", head)
        if any(k != current and tree.deps[k] == "det" and tree.low[k] == "no" for k in tree.kids[head]):
            reading.weaken("denied", head)
        return False

    def _infinitive(self, verb: int) -> bool:
        return any(self.tree.deps[k] == "aux" and self.tree.low[k] == "to" for k in self.tree.kids[verb])

    def _subjunctive(self, verb: int, above: int) -> bool:
        """`insisted that troops withdraw`: the bare form where the past would have to follow a past."""
        if any(self.tree.deps[k] in ("aux", "auxpass") and self.tree.low[k] != "be" for k in self.tree.kids[verb]):
            return False
        if any(self.tree.low[k] == "be" for k in self.tree.kids[verb]):
            return True
        return self.tree.tags[verb] == "VB" or (
            self.tree.tags[verb] == "VBP" and self.tree.tags[above] in ("VBD", "VBN")
        )

    def _beside(self, current: int, head: int) -> bool:
        """`Troops fired; the ministers may meet`: the parser puts the first of two main clauses under the second."""
        tree = self.tree
        subject = next((k for k in tree.kids[head] if tree.deps[k] in SUBJECTS | PASSIVE_SUBJECTS), None)
        if (
            not current < head
            or subject is None
            or not any(tree.deps[k] in SUBJECTS | PASSIVE_SUBJECTS for k in tree.kids[current])
        ):
            return False
        between = tree.low[current + 1 : max(subject, current + 1)]
        if not BREAK.isdisjoint(between):
            return True
        return (
            subject > current
            and tree.low[head] not in self.vocabulary["saying_verbs"]
            and {"and", "but", "while"} & set(between) != set()
        )

    def _told_of_now(self, verb: int, above: int) -> bool:
        """Is the infinitive no plan: `claims to have executed`, `is confirmed to be held`."""
        auxiliaries = {self.tree.low[k] for k in self.tree.children(verb, "aux", "auxpass")}
        return "have" in auxiliaries or ("be" in auxiliaries and self.tree.passive(above))

    def _spoken(self, verb: int) -> bool:
        """`will close the border, accusing Chad of raids`: what is said beside a plan is said now."""
        low, words_of = self.tree.low[verb], self.vocabulary
        words_said = low in words_of["saying_verbs"] or low in words_of["accusing_verbs"]
        return words_said and self.tree.tags[verb] == "VBG" and self.tree.low[verb - 1] == ","


def _quoted(tree: Tree, index: int) -> bool:
    """Is the word inside quotation marks that open and close in its sentence."""
    start, end = tree.sentences[tree.sentence_of[index]]
    opened = False
    for position in range(start, index):
        word = tree.words[position]
        if word in ("“", "``") or (word == '"' and not opened):
            opened = True
        elif word in ("”", "''", '"'):
            opened = False
    return opened and any(tree.words[p] in ("”", '"', "''") for p in range(index + 1, end))


def _headline_infinitive(tree: Tree, index: int) -> bool:
    """`Putin to visit Beijing`: in a headline an infinitive with a subject is the future."""
    verb = tree.clause(index)
    to = any(tree.deps[k] == "aux" and tree.low[k] == "to" for k in tree.kids[verb])
    return to and tree.deps[verb] in ("ROOT", "relcl", "acl")
