"""A word of a parsed section in, what a linear model may know of it out: names of features, and words to look up as vectors.

No feature names a person or a country: the model shall learn how news is told, not who does what.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final, NamedTuple

from pipeline.detect.forms import words
from pipeline.detect.persons import PRONOUNS, SECTORS
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import Tree, object_of, subject_of

WINDOW: Final = 6
"""How many words around the trigger count as its neighbours."""

NAMES: Final = frozenset(("NNP", "NNPS", "CD"))
"""Tags of words that are no ordinary ones: names and numbers."""

BESIDE: Final = ((-2, "n-2="), (-1, "n-1="), (1, "n+1="), (2, "n+2="))
LINKS: Final = words("prep agent dative prt")
AUXILIARY: Final = words("aux auxpass neg mark")
STOP: Final = words(
    "the a an of to in on at by for with from and or but that this these those it its his her their he she they who which "
    "is are was were be been has have had as after before ' '' `` \" , . ; : - – — ( ) 's ’s \n \n\n"
)


@dataclass(slots=True)
class Site:
    """What is known of one word: `names` of features, and the words whose vectors say what it is about."""

    names: tuple[str, ...]
    trigger: str
    object: str
    around: tuple[str, ...]


def site(reader: Reader, index: int) -> Site:
    """The word that may tell an event in, what the model may know of it out."""
    tree = reader.tree
    verb = tree.clause(index)
    thing = _object(tree, index, verb)
    setting = _setting(reader, index)
    first, last = index - WINDOW, index + WINDOW
    return Site(
        names=tuple(dict.fromkeys(_names(reader, index, verb, thing, setting))),
        trigger=tree.low[index],
        object=tree.low[thing] if thing is not None else "",
        around=tuple(tree.low[i] for i, _ in setting.ordinary if first <= i <= last and i != index),
    )


class Setting(NamedTuple):
    """What the words of one sentence share: its ordinary words with their features, and what its names come to."""

    ordinary: list[tuple[int, str]]
    named: list[str]


def _setting(reader: Reader, index: int) -> Setting:
    """A word in, what is known of its sentence out: worked out once, and then kept."""
    tree = reader.tree
    number = tree.sentence_of[index]
    found = reader.settings.get(number)
    if found is not None:
        return found
    start, end = tree.sentences[number]
    low, tags, at = tree.low, tree.tags, reader.at
    ordinary = [
        (i, feature)
        for i in range(start, end)
        if i not in at and tags[i] not in NAMES and (feature := _feature(low[i])) is not None
    ]
    mentions = [mention for i in range(start, end) if (mention := at.get(i)) is not None and mention.start == i]
    countries = {mention.party.country for mention in mentions if mention.party.country is not None}
    named = [
        f"countries={min(len(countries), 3)}",
        f"person={any(mention.label == 'PERSON' for mention in mentions)}",
        f"length={min((end - start) // 10, 5)}",
    ]
    found = reader.settings[number] = Setting(ordinary, named)
    return found


@functools.lru_cache(maxsize=20_000)
def _feature(low: str) -> str | None:
    """A word's feature as one of its sentence; none for a word that every sentence has."""
    return f"w:{stem(low)}" if low not in STOP and low.isalpha() else None


def _names(reader: Reader, index: int, verb: int, thing: int | None, setting: Setting) -> list[str]:
    tree = reader.tree
    low = tree.low[index]
    found = [f"t={low}", f"stem={stem(low)}", f"tag={tree.tags[index]}", f"dep={tree.deps[index]}"]
    if verb != index:
        found += [f"v={stem(tree.low[verb])}", f"v+t={stem(tree.low[verb])}+{stem(low)}"]
    found += _roles(reader, verb, thing)
    found += _links(reader, index, verb)
    found += _mood(tree, verb)
    found += _surroundings(reader, index, setting)
    return found


def _roles(reader: Reader, verb: int, thing: int | None) -> list[str]:
    tree = reader.tree
    subject = subject_of(tree, verb) if tree.is_verb(verb) else None
    acting, done_to, said = sort(reader, subject), sort(reader, thing), stem(tree.low[verb])
    found = [f"subj={acting}", f"passive={tree.passive(verb)}"]
    if subject is not None and _common(reader, subject):
        found.append(f"subj:{stem(tree.low[subject])}")
    found += [f"obj={done_to}", f"subj+obj={acting}+{done_to}", f"v+subj={said}+{acting}"]
    if thing is not None and thing != verb:
        if _common(reader, thing):
            found += [f"obj:{stem(tree.low[thing])}", f"v+obj={said}+{stem(tree.low[thing])}"]
        else:
            found.append(f"v+obj={said}+{done_to}")
        for kid in tree.kids[thing]:
            if tree.deps[kid] in ("compound", "amod", "nmod") and _common(reader, kid):
                found.append(f"mod:{stem(tree.low[kid])}")
    return found


def _links(reader: Reader, index: int, verb: int) -> list[str]:
    """Prepositions and particles that hang on the trigger or its verb, and what stands behind them."""
    tree = reader.tree
    found: list[str] = []
    for place in {index, verb}:
        for kid in tree.kids[place]:
            if tree.deps[kid] not in LINKS:
                continue
            link = tree.low[kid]
            found += [f"p={link}", f"t+p={stem(tree.low[place])}+{link}"]
            for noun in tree.children(kid, "pobj", "pcomp"):
                found.append(f"p={link}:{sort(reader, noun)}")
                if _common(reader, noun):
                    found.append(f"pobj:{stem(tree.low[noun])}")
    if tree.deps[index] == "pobj":
        found.append(f"under={tree.low[tree.heads[index]]}")
    return found


def _mood(tree: Tree, verb: int) -> list[str]:
    found: list[str] = []
    for kid in tree.kids[verb]:
        if tree.deps[kid] in AUXILIARY:
            found.append(f"aux={tree.low[kid]}")
        elif tree.deps[kid] in ("xcomp", "ccomp"):
            found += [f"comp={tree.deps[kid]}:{stem(tree.low[kid])}", f"comp={tree.deps[kid]}"]
    if tree.deps[verb] != "ROOT":
        found += [f"vdep={tree.deps[verb]}", f"gov={stem(tree.low[tree.heads[verb]])}"]
    return found


def _surroundings(reader: Reader, index: int, setting: Setting) -> list[str]:
    """Words right beside the trigger, and those of its sentence."""
    tree = reader.tree
    start, end = tree.sentences[tree.sentence_of[index]]
    found: list[str] = []
    for step, name in BESIDE:
        beside = index + step
        if start <= beside < end:
            found.append(name + (tree.low[beside] if _common(reader, beside) else sort(reader, beside)))
    found += [feature for i, feature in setting.ordinary if i != index]
    found += setting.named
    return found


def _object(tree: Tree, index: int, verb: int) -> int | None:
    """What it is done to: the verb's object, or for a noun what hangs on it by `of`."""
    thing = object_of(tree, verb) if tree.is_verb(verb) else None
    if thing in (None, index) and tree.is_noun(index):
        for kid in tree.kids[index]:
            if tree.deps[kid] == "prep":
                return next(iter(tree.children(kid, "pobj")), None)
    return thing


def _common(reader: Reader, index: int) -> bool:
    """Is it an ordinary word, no part of a name."""
    return index not in reader.at and reader.tree.tags[index] not in NAMES


def sort(reader: Reader, index: int | None) -> str:
    """What sort of thing a word stands for: a country, a person, a body, an army, nobody known."""
    if index is None:
        return "none"
    tree, mention = reader.tree, reader.at.get(index)
    if mention is not None:
        party = mention.party
        if mention.label == "PERSON":
            return "PERSON+" if party.country else "PERSON"
        return f"{party.sector or mention.label}{'+' if party.country else ''}"
    low = tree.low[index]
    if low in PRONOUNS:
        return "pronoun"
    if low in SECTORS:
        return f"a {SECTORS[low]}"
    if tree.is_verb(index):
        return "clause"
    return "name" if tree.tags[index] in ("NNP", "NNPS") else "thing"


ENDINGS: Final = ("ings", "ing", "ed", "es", "s", "e")


@functools.lru_cache(maxsize=20_000)
def stem(low: str) -> str:
    """A word without its ending: not a lemma, but the same for most forms of one."""
    if low.endswith(("ies", "ied")) and len(low) > 4:
        return f"{low[:-3]}y"
    for ending in ENDINGS:
        if low.endswith(ending) and len(low) - len(ending) >= 3:
            low = low[: -len(ending)]
            break
    if len(low) > 3 and low[-1] == low[-2] and low[-1] not in "sle":
        low = low[:-1]
    return low
