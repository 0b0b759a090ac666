"""Two drafts of an article in, whether both tell one happening out: contradictions, and a learnt score of the rest.

The score is a logistic model over named features; train/reader/pairs.py fits it on labelled articles, and its weights are in
pairs.json.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.annotate.vocabulary import FUNCTION_WORDS, WORD, stem, without_possessive
from pipeline.detect.details import OFF_MAP
from pipeline.detect.drafts import Draft
from pipeline.detect.persons import SECTORS, is_person
from pipeline.records import Party

FILE: Final = Path(__file__).with_name("pairs.json")
FAMILIES: Final = {
    **dict.fromkeys(("meeting", "visit", "summit", "call", "mediation"), "contact"),
    **dict.fromkeys(("strike", "attack", "assassination", "offensive", "clash", "invasion"), "force"),
    **dict.fromkeys(("aid_package", "arms_deal", "arms_procurement"), "arms"),
}
"""Kinds of one type that tell one happening in other words: a visit is told as talks, a summit as a meeting."""
STATEMENTS: Final = frozenset(("appeal", "proposal", "accusation", "rejection", "support", "threat", "pledge"))
"""Kinds of which one party tells several in an article."""
POSSESSIVE: Final = re.compile(r"['’]s?\b")
FACT: Final = frozenset(("asserted", "historical"))
FAR: Final = 12
"""Sentences; from there on all are equally far."""
SURE: Final = 5.0
"""The most that the log-odds of the reader's vectors count."""


def family(draft: Draft) -> str:
    """The kind, or the family of kinds that tell one happening."""
    return FAMILIES.get(draft.kind.kind, draft.kind.kind)


def keys(parties: Sequence[Party]) -> set[str]:
    """What parties are told apart by: the name without a possessive, else the country and the sort of party there."""
    return names(parties) | {f"{p.country} {p.sector or ''}" for p in parties if p.country and not p.name}


def names(parties: Sequence[Party]) -> set[str]:
    """The names of parties, without a possessive."""
    return {POSSESSIVE.sub("", p.name) for p in parties if p.name}


def alike(one: Party, other: Party) -> bool | None:
    """Whether two parties are one; None where that cannot be said, as of a name and `the rebels`."""
    if one.country and other.country and one.country != other.country:
        return False
    if not one.name or not other.name:
        if one.name or other.name or not (one.country and other.country):
            return None
        return one.sector == other.sector
    mine, theirs = _words(one.name), _words(other.name)
    if mine == theirs or (mine and theirs and (mine <= theirs or theirs <= mine)):
        return True
    if not mine or not theirs:
        return None  # `Libyan commander` describes whom another telling names
    same_country = one.country is not None and one.country == other.country
    bare = [p for p in (one, other) if p.country and p.name == country_name(p.country)]
    return bool(same_country and bare and all(p.sector in (None, "GOV", "MIL") for p in (one, other)))


def _words(name: str) -> frozenset[str]:
    """The capitalised words of a name that say who it is."""
    parts = re.findall(r"[^\W_][\w-]*", POSSESSIVE.sub("", name))
    return frozenset(
        low for part in parts if part != part.lower() and (low := part.casefold()) not in SECTORS and len(low) > 1
    )


def meet(mine: Sequence[Party], theirs: Sequence[Party]) -> bool | None:
    """Whether two lists of parties share one; None where either knows nobody."""
    said = [alike(one, other) for one in mine for other in theirs]
    if any(said):
        return True
    return False if said and None not in said else None


def contradict(a: Draft, b: Draft) -> bool:
    """Whether the two cannot be one: another type or family, reality, day, place or sum, or other persons on one side."""
    return (
        a.kind.type != b.kind.type
        or family(a) != family(b)
        or not _as_real(a, b)
        or (a.kind.kind == "election" and a.modality != b.modality)  # the one before is history
        or _days_differ(a, b)
        or places(a, b) is False
        or (a.kind.type in ("ACCUSE", "REJECT") and _benches(a) != _benches(b) and all((_benches(a), _benches(b))))
        or (family(a) == "arms" and _shared((m.value for m in a.money), (m.value for m in b.money)) is False)
        or (
            a.kind.kind != "election" and any(_persons_differ(*side) for side in _sides(a, b)) and not _told_short(a, b)
        )
    )


def _benches(draft: Draft) -> set[str]:
    """`JUD`, `LEG`, if courts alone or parliaments alone act: what one rules the other has not."""
    sorts = {party.sector or "" for party in draft.actors}
    return sorts if len(sorts) == 1 and sorts <= {"JUD", "LEG"} else set()


def _told_short(a: Draft, b: Draft) -> bool:
    """Whether one is a title with a single party, of which the other telling speaks: `Ex-sheriff sentenced`."""
    title, text = (a, b) if a.section == "title" else (b, a)
    parties = (*title.actors, *title.recipients)
    if title.section == text.section or len(parties) != 1 or len(text.actors) + len(text.recipients) < 2:
        return False
    words = _words(parties[0].name or "")
    return bool(words) and words <= {word.casefold() for word in WORD.findall(text.evidence)}


def _sides(a: Draft, b: Draft) -> list[tuple[Sequence[Party], Sequence[Party]]]:
    """What is compared with what: of joint kinds all parties, else actors and recipients each for themselves."""
    if a.kind.joint:
        return [((*a.actors, *a.recipients), (*b.actors, *b.recipients))]
    return [(a.actors, b.actors), (a.recipients, b.recipients)]


def _as_real(a: Draft, b: Draft) -> bool:
    if a.modality == b.modality or {a.modality, b.modality} <= FACT:
        return True
    # aid that the title gives as a plan, `Washington to send`, and the text as decided: the decision is the news
    title, text = (a, b) if a.section == "title" else (b, a)
    return (
        title.section != text.section
        and family(a) == "arms"
        and (title.modality, text.modality) == ("planned", "asserted")
    )


def _days_differ(a: Draft, b: Draft) -> bool:
    return a.date is not None and b.date is not None and (a.date.start > b.date.end or b.date.start > a.date.end)


def places(a: Draft, b: Draft) -> bool | None:
    """Whether the places agree: one of one name, or a country and a place in it. None where one is absent or not on the map."""
    if not a.places or not b.places:
        return None
    if {p.name for p in a.places} & {p.name for p in b.places}:
        return True
    if any(p.country is None for p in (*a.places, *b.places)):
        return None  # not on the map: it may lie in the other
    shared = {p.country for p in a.places} & {p.country for p in b.places}
    if shared and any(p.reason == OFF_MAP for p in (*a.places, *b.places)):
        return None
    coarse = any(p.country and p.name == country_name(p.country) for p in (*a.places, *b.places))
    return bool(shared and (coarse or a.section != b.section))


def _shared(mine: Iterable[object], theirs: Iterable[object]) -> bool | None:
    ours, others = set(mine), set(theirs)
    return bool(ours & others) if ours and others else None


def features(a: Draft, b: Draft, same: float) -> dict[str, float]:
    """Two drafts that do not contradict one another and the probability of the reader's vectors in, features by name out."""
    joint = a.kind.joint
    sides = _sides(a, b)
    said = [meet(*side) for side in sides]
    election = a.kind.kind == "election"
    if (
        election and said[0] is False
    ):  # the winners of one election are told one by one: only another country is another side
        said[0] = _shared(_countries(sides[0][0]), _countries(sides[0][1])) and None
    crossed = not joint and (meet(a.actors, b.recipients) or meet(a.recipients, b.actors))
    title = a.section != b.section
    gap = abs(a.telling.sentence - b.telling.sentence)
    lead = min(a.telling.sentence if a.section == "text" else 99, b.telling.sentence if b.section == "text" else 99) < 2
    words = _overlap(a.evidence, b.evidence)
    dated = a.date is not None and b.date is not None
    return {
        "always": 1.0,
        "vectors": max(-SURE, min(SURE, math.log(max(same, 1e-6) / max(1 - same, 1e-6)))),
        "kind": float(a.kind.kind == b.kind.kind),
        "trigger": float(stem(a.trigger.casefold()) == stem(b.trigger.casefold())),
        "first side": float(said[0] is True),
        "other first side": float(said[0] is False),
        "second side": float(not joint and said[1] is True),
        "other second side": float(not joint and said[1] is False),
        "joint side": float(joint and said[0] is True),
        "joint other side": float(joint and said[0] is False),
        "several sides": float(joint and len(keys((*a.actors, *a.recipients)) & keys((*b.actors, *b.recipients))) > 1),
        "crossed": float(bool(crossed)),
        "date": float(dated),
        "place": float(places(a, b) is True),
        "sum": float(_shared((m.value for m in a.money), (m.value for m in b.money)) is True),
        "title": float(title),
        "title and lead": float(title and lead),
        "distance": 0.0 if title else min(gap, FAR) / FAR,
        "one sentence": float(not title and gap == 0),
        "words": words,
        "statement": float(a.kind.kind in STATEMENTS),
        "election": float(election),
        "force": float(family(a) == "force"),
        "history": float(a.modality != b.modality),
        "nobody": float(any(not keys((*d.actors, *d.recipients)) for d in (a, b))),
    }


def _persons_differ(mine: Sequence[Party], theirs: Sequence[Party]) -> bool:
    return meet(mine, theirs) is False and all(map(is_person, (*mine, *theirs)))


def _countries(parties: Sequence[Party]) -> set[str]:
    return {p.country for p in parties if p.country}


def _overlap(one: str, other: str) -> float:
    mine, theirs = _content(one), _content(other)
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


@cache
def _model() -> tuple[dict[str, float], float]:
    found = json.loads(FILE.read_text("utf-8"))
    return found["weights"], float(found["least"])


def least() -> float:
    """Return the least mean log-odds at which two groups are joined."""
    return _model()[1]


def _content(text: str) -> set[str]:
    return {stem(low) for word in WORD.findall(text) if (low := without_possessive(word)) not in FUNCTION_WORDS}


def score(values: dict[str, float]) -> float:
    """Features in, the log-odds of one happening out."""
    weights, _ = _model()
    return sum(weights.get(name, 0.0) * value for name, value in values.items())
