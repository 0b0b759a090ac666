"""A parsed text as plain lists: words, tags, arcs, and the few questions that detection asks of a clause.

It is made of lists, so that the rules are quick, and a test can write a tree by hand.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Final

import msgspec

from pipeline.annotate.plain import Plain
from pipeline.detect.forms import verb_forms, words

SUBJECTS: Final = frozenset(("nsubj", "csubj", "expl"))
PASSIVE_SUBJECTS: Final = frozenset(("nsubjpass", "csubjpass"))
OBJECTS: Final = frozenset(("dobj", "obj", "dative", "attr", "oprd"))
VERB_TAGS: Final = frozenset(("VB", "VBD", "VBG", "VBN", "VBP", "VBZ"))
NOUN_TAGS: Final = frozenset(("NN", "NNS", "NNP", "NNPS"))
FINITE: Final = frozenset(("VBD", "VBZ", "VBP", "MD"))

BE: Final = frozenset(
    ("be", "is", "are", "was", "were", "been", "being", "am", "'s", "’s", "'re", "’re", "get", "gets", "got")
)
CLAUSES: Final = frozenset(
    ("ROOT", "ccomp", "xcomp", "advcl", "relcl", "acl", "conj", "pcomp", "parataxis", "csubj", "csubjpass")
)
LEFT: Final = frozenset(
    ("compound", "amod", "nmod", "poss", "det", "nummod", "quantmod", "case", "advmod", "punct", "predet", "npadvmod")
)


class Tree(msgspec.Struct, eq=False):
    """Words with their tags and arcs; `kids[i]` are the dependents of `i` in order, `sentence[i]` is (start, end)."""

    text: str
    words: list[str]
    low: list[str]
    tags: list[str]
    deps: list[str]
    heads: list[int]
    offsets: list[int]
    sentences: list[tuple[int, int]]
    kids: list[list[int]] = msgspec.field(default_factory=list)
    sentence_of: list[int] = msgspec.field(default_factory=list)
    subjects: dict[int, int | None] = msgspec.field(default_factory=dict)
    objects: dict[int, int | None] = msgspec.field(default_factory=dict)
    passives: dict[int, bool] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.link()
        for number, (start, end) in enumerate(self.sentences):
            self.sentence_of += [number] * (end - start)

    def link(self) -> None:
        """Make `kids` anew of the heads."""
        self.subjects.clear()  # what many rules ask of one verb is remembered
        self.objects.clear()
        self.passives.clear()
        kids: list[list[int]] = [[] for _ in self.words]
        for index, head in enumerate(self.heads):
            if head != index:
                kids[head].append(index)
        self.kids = kids

    @classmethod
    def of(cls, read: Plain) -> Tree:
        """A parsed text in, its tree out: tags and arcs are copies, for they may be repaired."""
        return cls(
            text=read.text,
            words=read.words,
            low=read.low,
            tags=read.tags.copy(),
            deps=read.deps.copy(),
            heads=read.heads.copy(),
            offsets=read.offsets,
            sentences=read.sentences,
        )

    def root(self, start: int, end: int) -> int:
        """The first word of a sentence that hangs on no other; the first word where all do."""
        heads = self.heads
        for index in range(start, end):
            if heads[index] == index:
                return index
        return start

    def end_offset(self, index: int) -> int:
        """The character after the word."""
        return self.offsets[index] + len(self.words[index])

    def span(self, start: int, end: int) -> str:
        """The text from word `start` up to, not including, word `end`."""
        return self.text[self.offsets[start] : self.end_offset(end - 1)] if end > start else ""

    def words_between(self, start: int, end: int) -> Iterator[int]:
        """The words that begin between two characters of the text."""
        first = bisect.bisect_left(self.offsets, start)
        while first < len(self.offsets) and self.offsets[first] < end:
            yield first
            first += 1

    def children(self, index: int, *deps: str) -> list[int]:
        """The dependents of a word that hang on it by one of `deps`."""
        arcs = self.deps
        return [kid for kid in self.kids[index] if arcs[kid] in deps]

    def ancestors(self, index: int) -> Iterator[int]:
        """The heads above a word, nearest first."""
        seen = 0
        while self.heads[index] != index and seen < 60:
            index = self.heads[index]
            seen += 1
            yield index

    def is_verb(self, index: int) -> bool:
        """Whether the word stands as a verb."""
        return self.tags[index] in VERB_TAGS

    def is_noun(self, index: int) -> bool:
        """Whether the word stands as a noun."""
        return self.tags[index] in NOUN_TAGS

    def subtree(self, index: int) -> Iterator[int]:
        """A word and all below it, in no special order."""
        stack = [index]
        while stack:
            top = stack.pop()
            yield top
            stack.extend(self.kids[top])

    def conjuncts(self, index: int) -> list[int]:
        """A word and those coordinated with it."""
        found, frontier = [index], [index]
        while frontier:
            top = frontier.pop()
            for kid in self.kids[top]:
                if self.deps[kid] == "conj" and kid not in found:
                    found.append(kid)
                    frontier.append(kid)
        return sorted(found)

    def left_edge(self, index: int) -> int:
        """The first word of what hangs on `index` to its left as modifier (not a clause)."""
        edge = index
        for kid in self.kids[index]:
            if kid < index and self.deps[kid] in LEFT:
                edge = min(edge, self.left_edge(kid))
        return edge

    def passive(self, verb: int) -> bool:
        """Is the verb a passive? A participle under a noun (`a missile fired by`) counts as one."""
        known = self.passives.get(verb)
        if known is None:
            known = (self.tags[verb] == "VBN" and self.deps[verb] == "acl") or any(
                self.deps[kid] in ("auxpass", "nsubjpass", "agent") for kid in self.kids[verb]
            )
            self.passives[verb] = known
        return known

    def clause(self, index: int) -> int:
        """The verb that governs a word, or the root of the sentence."""
        if self.is_verb(index) and self.deps[index] in CLAUSES:
            return index
        for above in self.ancestors(index):
            if self.is_verb(above) or self.deps[above] == "ROOT":
                return above
        return index


def subject_of(tree: Tree, verb: int, depth: int = 0) -> int | None:
    """The word that does it: own subject, the agent of a passive, or the one shared through conjunction, control, relative."""
    if depth:
        return _subject_of(tree, verb, depth)
    if verb not in tree.subjects:
        tree.subjects[verb] = _subject_of(tree, verb, 0)
    return tree.subjects[verb]


def _subject_of(tree: Tree, verb: int, depth: int) -> int | None:
    kids = tree.kids[verb]
    if tree.passive(verb):
        agent = agent_of(tree, verb)
        if agent is not None or any(tree.deps[kid] in PASSIVE_SUBJECTS for kid in kids) or tree.deps[verb] == "acl":
            return agent
        if tree.deps[verb] == "conj" and depth < 5:  # "was seized and taken": the agent, if any, is with the first
            return None
    for kid in kids:
        if tree.deps[kid] in SUBJECTS:
            return _relative(tree, verb, kid)
    if tree.deps[verb] == "advcl" and tree.tags[verb] == "VBG" and _absolute(tree, verb - 1):
        return verb - 1
    return _shared_subject(tree, verb, depth) if depth < 6 else None


def _absolute(tree: Tree, noun: int) -> bool:
    """Does a participle's doer stand right before it: `despite Peru recalling its envoy`."""
    return tree.deps[noun] == "pobj" and tree.low[tree.heads[noun]] in ("despite", "with", "without")


def agent_of(tree: Tree, verb: int) -> int | None:
    """The `by` phrase of a passive, if it names a doer."""
    for kid in tree.kids[verb]:
        if tree.deps[kid] == "agent" or (tree.deps[kid] == "prep" and tree.low[kid] == "by" and tree.passive(verb)):
            for grandkid in tree.kids[kid]:
                if tree.deps[grandkid] == "pobj":
                    return grandkid
    return None


def object_of(tree: Tree, verb: int, depth: int = 0) -> int | None:
    """The word that it is done to: direct object, or the subject of a passive."""
    if depth:
        return _object_of(tree, verb, depth)
    if verb not in tree.objects:
        tree.objects[verb] = _object_of(tree, verb, 0)
    return tree.objects[verb]


def _object_of(tree: Tree, verb: int, depth: int) -> int | None:
    if tree.passive(verb) and (found := _passive_object(tree, verb, depth)) is not None:
        return found
    for wanted in ("dobj", "obj", "attr", "oprd"):
        for kid in tree.children(verb, wanted):
            return kid
    for clause in tree.children(verb, "ccomp"):  # "allows trucks to enter": who is let is the object
        if _to(tree, clause) and (subjects := tree.children(clause, "nsubj")):
            return subjects[0]
    if tree.deps[verb] == "relcl" and not tree.children(verb, "prep"):
        # "the troops Russia sent": the antecedent is the object when the clause has a subject of its own and no object
        subject = next(iter(tree.children(verb, *SUBJECTS)), None)
        if subject is not None and tree.tags[subject] not in ("WDT", "WP"):
            return tree.heads[verb]
    if tree.deps[verb] == "conj" or depth > 1:
        return None
    # "captured and burned the village": the first verb shares the object of the second
    second = next((k for k in tree.children(verb, "conj") if tree.is_verb(k) and k - verb <= 3), None)
    return object_of(tree, second, depth + 1) if second is not None else None


def _passive_object(tree: Tree, verb: int, depth: int) -> int | None:
    for kid in tree.children(verb, *PASSIVE_SUBJECTS):
        return _relative(tree, verb, kid)
    head = tree.heads[verb]
    if tree.deps[verb] == "acl":
        return head
    if tree.deps[verb] in ("conj", "xcomp", "advcl") and depth < 5 and tree.is_verb(head) and tree.passive(head):
        return object_of(tree, head, depth + 1)
    return None


def _relative(tree: Tree, verb: int, subject: int) -> int:
    """`who`, `which` and `that` as a subject stand for the noun before the clause."""
    if tree.tags[subject] in ("WDT", "WP") and tree.deps[verb] == "relcl":
        return tree.heads[verb]
    return subject


OBJECT_CONTROL: Final = frozenset().union(
    *(
        verb_forms(verb)
        for verb in words(
            "urge force order allow ask persuade press invite authorize authorise enable help permit compel instruct direct "
            "warn encourage tell call lobby convince pressure beg"
        )
    )
)
"""Forms of verbs whose object does what the infinitive says: `urged China to press`."""


PAPERS: Final = words(
    "resolution statement letter report declaration communique note motion decree order bill petition text"
)
"""What somebody issues: its participle says what the issuer does."""

ISSUING: Final = frozenset().union(
    *(verb_forms(verb) for verb in words("pass adopt issue sign publish send release approve table submit write"))
)


def _shared_subject(tree: Tree, verb: int, depth: int) -> int | None:
    dep, head = tree.deps[verb], tree.heads[verb]
    if dep in ("acl", "relcl"):
        if tree.tags[verb] == "VBG" and tree.low[head] in PAPERS and tree.low[tree.heads[head]] in ISSUING:
            return subject_of(tree, tree.heads[head], depth + 1)  # "passed a resolution calling on Russia"
        if tree.tags[verb] == "VBG" or dep == "relcl":  # "protesters demanding": the noun does it
            return head
        owner = next((k for k in tree.kids[head] if tree.deps[k] == "poss"), None)  # "Russia's plan to withdraw"
        if owner is not None:
            return owner
        above = tree.heads[head]
        return subject_of(tree, above, depth + 1) if tree.is_verb(above) and tree.deps[head] in OBJECTS else None
    if head == verb or dep not in ("conj", "xcomp", "advcl", "ccomp", "pcomp", "dep", "prep"):
        return None
    if dep == "pcomp" or not tree.is_verb(head):
        for above in tree.ancestors(head):
            if tree.is_verb(above):
                return subject_of(tree, above, depth + 1) if not tree.passive(above) else object_of(tree, above)
        return None
    if dep == "xcomp" and tree.low[head] in OBJECT_CONTROL:
        target = object_of(tree, head)
        if target is not None and target != verb:
            return target
    if tree.passive(head) and dep != "conj":  # "is expected to visit": the passive subject goes on to act
        return object_of(tree, head)
    return subject_of(tree, head, depth + 1) if not tree.passive(head) else object_of(tree, head, depth + 1)


def prep_objects(tree: Tree, index: int, *prepositions: str) -> list[int]:
    """The nouns that hang on a word by one of the prepositions, through double ones (`out of`) as well."""
    found: list[int] = []
    for kid in tree.kids[index]:
        if tree.deps[kid] in ("prep", "agent", "dative", "prt") and (not prepositions or tree.low[kid] in prepositions):
            found.extend(_behind(tree, kid, 0))
    return found


def doers_of(tree: Tree, noun: int) -> list[int]:
    """Who stands behind `by` of a noun, or of what it is of: `the arrest of a lawmaker by police`."""
    return prep_objects(tree, noun, "by") or [
        doer for held in prep_objects(tree, noun, "of") for doer in prep_objects(tree, held, "by")
    ]


def _behind(tree: Tree, preposition: int, depth: int) -> list[int]:
    found: list[int] = []
    for kid in tree.kids[preposition]:
        dep = tree.deps[kid]
        if dep == "pcomp" and tree.is_verb(kid):
            # "spoke with the president to discuss": the parser made the person the subject of the infinitive
            subject = next((k for k in tree.kids[kid] if tree.deps[k] in SUBJECTS and k < kid), None)
            led = _to(tree, kid) or (
                tree.low[preposition] == "with" and tree.tags[kid] == "VBG"
            )  # "fought with men guarding"
            found.append(subject if subject is not None and led else kid)
        elif dep in ("pobj", "pcomp"):
            found.append(kid)
        elif dep == "prep" and not tree.is_noun(preposition) and depth < 2:
            found.extend(_behind(tree, kid, depth + 1))
    if not found and not tree.kids[preposition] and tree.tags[preposition] == "IN":
        found.extend(_next_noun(tree, preposition))
    return found


def _to(tree: Tree, verb: int) -> bool:
    return any(tree.low[k] == "to" and tree.deps[k] == "aux" for k in tree.kids[verb])


def _next_noun(tree: Tree, preposition: int) -> list[int]:
    """The noun whose phrase begins right behind a preposition that the parser left without an object."""
    _, end = tree.sentences[tree.sentence_of[preposition]]
    for index in range(preposition + 1, min(preposition + 7, end)):
        if (
            tree.is_noun(index)
            and tree.left_edge(index) == preposition + 1
            and tree.deps[index] not in ("compound", "poss")
        ):
            return [index]
    return []
