"""What is told only to say who or what is meant, and what only counts victims: no events of their own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pipeline.detect import parties
from pipeline.detect.forms import verb_forms, words
from pipeline.detect.matching import MISHAPS, Candidate
from pipeline.detect.modality import Reading
from pipeline.detect.persons import OFFICIAL, known
from pipeline.detect.syntax import FINITE, Tree, agent_of, subject_of

if TYPE_CHECKING:
    from pipeline.detect.drafts import Scene
    from pipeline.detect.parties import Cast
    from pipeline.detect.reader import Reader

VICTIM_VERBS: Final = words(
    "kill kills killed killing injure injures injured injuring wound wounds wounded wounding die dies died dying hurt"
)
BEING: Final = words("is are was were be been")
LONG: Final = words("year years decade decades months century centuries")
YEAR: Final = re.compile(r"(?:19|20)\d\d")
ACCIDENTS: Final = frozenset().union(
    *(
        verb_forms(verb)
        for verb in words("crash collide derail capsize sink collapse erupt overturn plunge skid flip tip")
    )
)
"""Verbs of mishaps: whoever is killed by one was not attacked."""

CRASHES: Final = frozenset().union(*(verb_forms(verb) for verb in words("crash collide derail capsize")))
PUBLIC: Final = OFFICIAL | {"REB", "PTY", "OPP", "REL"}
"""Sectors of those whose promises are politics."""

TRADE: Final = words(
    "acquire acquires acquiring acquisition merge merges merger merging takeover buyout buy buys buying purchase sell sells "
    "selling stake shares shareholder shareholders lawsuit lawsuits settle settles settlement fine privacy patent patents "
    "company companies firm firms corporation inc inc. subsidiary customers contract contracts union suspension album label "
    "publishing publisher licensing brand manufacture streaming retailer chain"
)

WORDS_ONLY: Final = frozenset(("REQUEST", "REJECT", "SUPPORT", "PROTEST", "CONSULT"))
"""Types of which a participle behind somebody's name only says what they were at."""


def only_victims(scene: Scene, candidate: Candidate, others: Sequence[Candidate]) -> bool:
    """Does the clause only count the victims of a mishap, or of what another candidate tells (`the raid left five dead`)."""
    if candidate.rule.type != "ASSAULT" or candidate.verb is None or scene.tree.low[candidate.verb] not in VICTIM_VERBS:
        return False
    if _of_mishap(scene.tree, candidate.verb):
        return True
    if any(scene.tree.low[k] in ACCIDENTS for k in scene.tree.children(candidate.verb, "advcl")):
        return True  # "three soldiers are killed when their lorry overturns"
    violent = [c for c in others if c.rule.type in ("ASSAULT", "PROTEST") and c.score >= candidate.score]
    subject = subject_of(scene.tree, candidate.verb)
    if any(subject in c.used for c in violent) if subject is not None else False:
        return True
    return bool(violent) and scene.tree.deps[candidate.verb] in ("advcl", "acl", "conj", "ccomp", "oprd", "dep")


def of_business(reader: Reader, candidate: Candidate) -> bool:
    """Is an agreement or a promise one of trade, sport or show: nobody in it acts for the public, and its words say so."""
    if candidate.rule.kind not in ("agreement", "pledge"):
        return False
    acting = parties.cast(reader, candidate).actors
    if any(p.sector in PUBLIC for p in acting):
        return False
    start, end = reader.tree.sentences[reader.tree.sentence_of[candidate.index]]
    return any(p.sector == "BUS" for p in acting) or not TRADE.isdisjoint(reader.tree.low[start:end])


def at_home(cast: Cast) -> bool:
    """Are all who are named of one country: a government that pays its own households helps nobody else."""
    giving = {p.country for p in cast.actors if p.country}
    return len(giving) == 1 and {p.country for p in cast.recipients if known(p)} == giving


def _of_mishap(tree: Tree, verb: int) -> bool:
    """Does a crash or a flood over the clause kill (`trains collide near Lyon, injuring`, `floods in Mali, which killed`)."""
    lost = tree.deps[verb] == "ROOT" and tree.tags[verb] == "VBG"
    if tree.deps[verb] not in ("advcl", "conj", "acl", "relcl") and not lost:
        return False
    first = tree.sentences[tree.sentence_of[verb]][0] if lost else tree.heads[verb]
    if not CRASHES.isdisjoint(tree.low[first:verb]):
        return True  # "a train and a bus collide near Lyon, killing": the parser read the verb as a noun
    for above in tree.ancestors(verb):
        if tree.low[above] in ACCIDENTS or tree.low[above] in MISHAPS:
            return True
        if tree.is_verb(above):
            return False
    return False


def mere_background(scene: Scene, candidate: Candidate, anchor: int, reading: Reading) -> bool:
    """Whether it is told only to say who or what is meant (tanks supplied last year, a man who had been accused)."""
    tree = scene.tree
    if (reading.side >= 2 and reading.relative) or _since(tree, anchor) or _past_beside_present(tree, anchor):
        return True
    if candidate.rule.trigger == "noun" and candidate.rule.type == "ASSAULT" and candidate.noun is not None:
        return _of_another_year(tree, candidate.noun, scene.published)
    if (
        candidate.verb is None
        or candidate.rule.trigger == "noun"
        or not any(tag in FINITE for tag in tree.tags[slice(*scene.sentence)])
    ):
        return False
    first = _first_conjunct(tree, anchor)  # "people who support one thing and oppose another"
    dep = tree.deps[first]
    if dep not in ("acl", "relcl") or _among(tree, tree.heads[first]):
        return False
    if _of_another_year(tree, tree.heads[first], scene.published):
        return True
    if dep == "acl" and (_says_which(scene, candidate, first) or _of_whom_more(scene, candidate, first)):
        return True
    if dep == "relcl" and not any(known(p) for p in parties.cast(scene.reader, candidate).actors):
        return True
    if tree.tags[anchor] == "VBN" and tree.passive(anchor) and agent_of(tree, anchor) is None:
        return True
    return any(tree.deps[k] == "aux" and tree.low[k] == "had" for k in tree.kids[anchor])


def _among(tree: Tree, noun: int) -> bool:
    """`two officials are among six people kidnapped`, `was one of those arrested`: that is what the sentence has to tell."""
    prep = tree.heads[noun]
    over = tree.heads[prep]
    if tree.low[prep] == "of" and tree.low[over] == "one":
        return tree.low[tree.heads[over]] in BEING
    return tree.low[prep] == "among" and tree.low[over] in BEING


def _says_which(scene: Scene, candidate: Candidate, verb: int) -> bool:
    """`killed Palestinians seeking aid`: a participle right behind the people it describes."""
    tree = scene.tree
    noun = tree.heads[verb]
    if candidate.rule.type not in WORDS_ONLY or tree.tags[verb] != "VBG" or tree.deps[noun] != "dobj":
        return False
    return verb == noun + 1 and any(known(p) for p in scene.reader.parties(noun))


def _of_whom_more(scene: Scene, candidate: Candidate, verb: int) -> bool:
    """`A reporter kidnapped by rebels is released`: beside what the sentence tells of somebody, it says who that is."""
    tree = scene.tree
    noun = tree.heads[verb]
    if tree.tags[verb] != "VBN" or tree.deps[noun] not in ("nsubj", "nsubjpass"):
        return False
    return any(c.verb == tree.heads[noun] and c.rule.type != candidate.rule.type for c in scene.candidates)


def _past_beside_present(tree: Tree, anchor: int) -> bool:
    """`goes on trial over a killing that sparked riots`: beside the present of news, a relative clause in the past is older."""
    verb = _first_conjunct(tree, tree.clause(anchor))
    if tree.deps[verb] != "relcl" or tree.tags[verb] != "VBD":
        return False
    start, end = tree.sentences[tree.sentence_of[verb]]
    root = next((i for i in range(start, end) if tree.heads[i] == i), verb)
    return tree.tags[root] in ("VBZ", "VBP") or any(  # "Documents are released about agents who kidnapped him"
        tree.tags[k] in ("VBZ", "VBP") for k in tree.children(root, "aux", "auxpass")
    )


def _since(tree: Tree, anchor: int) -> bool:
    """`the first since Russia invaded`: a clause that only says from when on."""
    return any(tree.low[k] == "since" for k in _marks(tree, anchor))


def long_ago(tree: Tree, anchor: int) -> bool:
    """`four years after soldiers took power`: a clause that says how long ago it was."""
    return any(tree.low[k] in ("after", "since") and k > 0 and tree.low[k - 1] in LONG for k in _marks(tree, anchor))


def _marks(tree: Tree, anchor: int) -> list[int]:
    """The words that open a side clause."""
    verb = _first_conjunct(tree, tree.clause(anchor))
    if tree.deps[verb] not in ("advcl", "pcomp", "acl"):
        return []
    opening = [tree.heads[verb]] if tree.deps[verb] == "pcomp" else []
    return opening + [k for k in tree.kids[verb] if tree.deps[k] == "mark"]


def _first_conjunct(tree: Tree, index: int) -> int:
    """The first of coordinated verbs of one form; where the forms differ, the parser may have joined what is apart."""
    while tree.deps[index] == "conj" and tree.tags[index] == tree.tags[tree.heads[index]]:
        index = tree.heads[index]
    return index


def _of_another_year(tree: Tree, noun: int, published: dt.datetime | None) -> bool:
    """`a 2013 riot that killed 42`: the year stands before what the clause describes."""
    years = [int(tree.low[k]) for k in tree.kids[noun] if k < noun and YEAR.fullmatch(tree.low[k])]
    return published is not None and any(year < published.year for year in years)
