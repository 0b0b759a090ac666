"""One happening, one event: drafts of an article in, those that tell the same thing folded into one out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.detect.drafts import Draft
from pipeline.detect.persons import distinct, known
from pipeline.records import Evidence, Party

CONTACT: Final = frozenset(("meeting", "visit", "summit", "call", "mediation"))
"""Kinds of one contact: a visit is told as talks, a summit as a meeting."""

FORCE: Final = frozenset(("strike", "attack", "assassination"))
ARMS: Final = frozenset(("aid_package", "arms_deal", "arms_procurement"))
FACT: Final = frozenset(("asserted", "historical"))


def merge(drafts: Sequence[Draft]) -> list[Draft]:
    """Drafts in the order of the article in, merged ones out; the surest telling leads, the others are its mentions."""
    kept: list[Draft] = []
    for one in drafts:
        same = next((other for other in kept if _same(other, one)), None)
        if same is None:
            kept.append(one)
        else:
            kept[kept.index(same)] = _fold(same, one)
    return _without_bare(kept)


def _without_bare(drafts: list[Draft]) -> list[Draft]:
    """What names no party, place or sum is the one such thing of the article told again: "The guns fell silent at noon".

    The type may differ: a truce is agreed to in one sentence, and begins in the next.
    """
    kept = list(drafts)
    for one in [draft for draft in drafts if _bare(draft)]:
        told = [d for d in kept if d is not one and d.rule.kind == one.rule.kind and not _bare(d)]
        if len(told) == 1 and _modalities(told[0], one) and _dates(told[0], one):
            kept.remove(one)
            kept[kept.index(told[0])] = _told_again(told[0], one)
    return kept


def _bare(draft: Draft) -> bool:
    return not (draft.actors or draft.recipients or draft.places or draft.money)


def _told_again(full: Draft, bare: Draft) -> Draft:
    """The one that names somebody leads, however sure the other is."""
    full.mentions = _mentions(full, bare)
    full.date = full.date or bare.date
    full.quantities = full.quantities or bare.quantities
    _retold(full)
    return full


def _same(a: Draft, b: Draft) -> bool:
    if a.rule.type != b.rule.type or _family(a) != _family(b) or not _modalities(a, b):
        return False
    if a.section == b.section and a.start == b.start and a.rule.kind == b.rule.kind:
        return _compatible(a, b)
    return _compatible(a, b) and _dates(a, b) and _places(a, b) and _sums(a, b)


def _family(draft: Draft) -> str:
    kind = draft.rule.kind
    return "contact" if kind in CONTACT else "force" if kind in FORCE else kind


def _modalities(a: Draft, b: Draft) -> bool:
    return a.modality == b.modality or {a.modality, b.modality} <= FACT


def _keys(parties: Sequence[Party]) -> set[str]:
    return {p.country or p.name or "" for p in parties if known(p)}


def _compatible(a: Draft, b: Draft) -> bool:
    """Do the parties of one contain those of the other? Two events with nobody known need the same place or sentence."""
    mine, theirs = _keys((*a.actors, *a.recipients)), _keys((*b.actors, *b.recipients))
    if not mine or not theirs:
        if a.section == b.section and a.start == b.start:
            return True
        return bool({p.name for p in a.places} & {p.name for p in b.places}) or (
            not mine and not theirs and a.trigger.casefold() == b.trigger.casefold()
        )
    if not (mine <= theirs or theirs <= mine):
        return False
    acting, others = _keys(a.actors), _keys(b.actors)
    return not acting or not others or bool(acting & others)


def _dates(a: Draft, b: Draft) -> bool:
    if a.date is None or b.date is None:
        return True
    return a.date.start <= b.date.end and b.date.start <= a.date.end


def _places(a: Draft, b: Draft) -> bool:
    if _family(a) not in ("force", "protest", "contact", "clash", "offensive") or not a.places or not b.places:
        return True
    mine, theirs = {p.name for p in a.places}, {p.name for p in b.places}
    return bool(mine & theirs) or bool(
        {p.name for p in (*a.places, *b.places)} & {p.country for p in (*a.places, *b.places)}
    )


def _sums(a: Draft, b: Draft) -> bool:
    if not a.money or not b.money or _family(a) not in ARMS:
        return True
    return bool({m.value for m in a.money} & {m.value for m in b.money})


def _fold(first: Draft, second: Draft) -> Draft:
    """Two tellings of one event in, one draft out: the surer leads, and takes from the other what it lacks."""
    lead, other = (
        (second, first)
        if (second.confidence > first.confidence + 0.02 and first.section != "title")
        or (first.section == "title" and second.section == "text" and second.confidence >= first.confidence - 0.1)
        else (first, second)
    )
    lead.mentions = _mentions(lead, other)
    lead.actors = _richer(lead.actors, other.actors)
    lead.recipients = _richer(lead.recipients, other.recipients)
    lead.places = lead.places or other.places
    lead.date = lead.date or other.date
    lead.money = lead.money or other.money
    lead.quantities = lead.quantities or other.quantities
    lead.items = lead.items or other.items
    lead.attributed_to = lead.attributed_to or other.attributed_to
    _retold(lead)
    return lead


def _retold(lead: Draft) -> None:
    lead.scores["retold"] = min(0.1, lead.scores.get("retold", 0.0) + 0.04)


def _mentions(lead: Draft, other: Draft) -> list[Evidence]:
    told = {(lead.section, lead.start)}
    kept = []
    for evidence in (
        *lead.mentions,
        *other.mentions,
        Evidence(text=other.evidence, start=other.start, end=other.end, section=other.section),
    ):
        if (evidence.section, evidence.start) not in told:
            told.add((evidence.section, evidence.start))
            kept.append(evidence)
    return kept


def _richer(mine: tuple[Party, ...], theirs: tuple[Party, ...]) -> tuple[Party, ...]:
    """The parties of the surer telling, completed by others of the same country that are named more fully."""
    if not any(known(p) for p in mine):
        return theirs or mine
    if not any(known(p) for p in theirs):
        return mine
    if _keys(mine) < _keys(theirs):
        return theirs
    return distinct(mine)
