"""One happening, one event: drafts of an article in, those that tell the same thing folded into one out.

Drafts are joined from the surest pair on, two groups as long as their pairs' mean score (pairs.py) reaches the least and no
draft of one contradicts one of the other. So a day or a place that one telling names holds for all that are joined with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.detect import pairs
from pipeline.detect.drafts import Draft
from pipeline.detect.encoder import Encoder
from pipeline.detect.pairs import keys
from pipeline.detect.persons import distinct, known
from pipeline.records import Evidence, Party

DEEDS: Final = frozenset((("agreement", "ceasefire"), ("pledge", "aid_package")))
"""A saying and the deed that it says: told in one sentence by the same parties they are one event, of the deed's kind."""
RETOLD: Final = 0.15
"""The share of the remaining doubt that each further telling takes away, twice at the most."""


def merge(drafts: Sequence[Draft], encoder: Encoder) -> list[Draft]:
    """Drafts in the order of the article in, merged ones out; the surest telling leads, the others are its mentions."""
    groups: dict[str, list[int]] = {}
    for number, one in enumerate(drafts):
        groups.setdefault(f"{one.kind.type} {pairs.family(one)}", []).append(number)
    clusters = [members for alike in groups.values() for members in _clusters(drafts, alike, encoder)]
    return [_fold([drafts[number] for number in members]) for members in sorted(clusters)]


def _clusters(drafts: Sequence[Draft], numbers: Sequence[int], encoder: Encoder) -> list[list[int]]:
    """Drafts of one family by their numbers in, the groups that tell one happening out; average link, ties in reading order."""
    members = {number: [number] for number in numbers}
    scores: dict[tuple[int, int], float] = {}
    for index, a in enumerate(numbers):
        for b in numbers[index + 1 :]:
            first, second = drafts[a], drafts[b]
            if not pairs.contradict(first, second):
                same = encoder.same(first.vector, second.vector)
                scores[a, b] = pairs.score(pairs.features(first, second, same))
    while scores:
        best, (a, b) = max((score, (-one, -other)) for (one, other), score in scores.items())
        if best < pairs.least():
            break
        a, b = -a, -b
        for other in list(members):
            if other in (a, b):
                continue
            mine, theirs = (min(a, other), max(a, other)), (min(b, other), max(b, other))
            if mine in scores and theirs in scores:
                weight = len(members[a]), len(members[b])
                scores[mine] = (scores[mine] * weight[0] + scores[theirs] * weight[1]) / sum(weight)
            else:
                scores.pop(mine, None)
            scores.pop(theirs, None)
        del scores[a, b]
        members[a] += members.pop(b)
    return [sorted(each) for each in members.values()]


def without_sayings(drafts: Sequence[Draft]) -> list[Draft]:
    """Fold a saying into the deed that it says: `Armenia and Azerbaijan agreed to a ceasefire` is one event.

    Both have to be sure enough to be told: into a deed that is not, the saying would be lost with it.
    """
    kept = list(drafts)
    for one in drafts:
        for deed in kept:
            same_parties = keys(one.actors) and keys(one.actors) == keys(deed.actors)
            if (one.kind.kind, deed.kind.kind) in DEEDS and same_parties and _told_in(one) & _told_in(deed):
                kept.remove(one)
                deed.mentions = _mentions(deed, [one])
                break
    return kept


def _told_in(draft: Draft) -> set[tuple[str, int]]:
    """The sentences that tell a draft: their section and start."""
    return {(draft.section, draft.start), *((m.section, m.start) for m in draft.mentions)}


def _fold(tellings: Sequence[Draft]) -> Draft:
    """All tellings of one event in, one draft out: the fuller of the sure ones leads and takes what it lacks from the next."""
    lead, *others = sorted(tellings, key=_rank, reverse=True)
    if not others:
        return lead
    told = sorted(others, key=lambda one: (one.section != "title", one.at))
    lead.mentions = _mentions(lead, told)
    for other in others:
        lead.actors = _richer(lead.actors, other.actors, lead.recipients)
        lead.recipients = _richer(lead.recipients, other.recipients, lead.actors)
        lead.places = lead.places or other.places
        lead.date = lead.date or other.date
        lead.money = lead.money or other.money
        lead.quantities = lead.quantities or other.quantities
        lead.items = lead.items or other.items
        lead.attributed_to = lead.attributed_to or other.attributed_to
    shares = [one.shares for one in tellings]
    parts = dict.fromkeys(
        part for each in shares for part in each
    )  # in one order, so that a replay writes the same bytes
    lead.shares = {part: max(each.get(part, 0.0) for each in shares) for part in parts}
    if {"asserted", "planned"} <= {one.modality for one in tellings}:
        lead.modality = "asserted"
    sure = max(one.confidence for one in tellings)
    for _ in lead.mentions[:2]:
        sure += RETOLD * (1 - sure)
    lead.confidence = round(sure, 3)
    return lead


def _rank(draft: Draft) -> tuple[bool, float]:
    """A telling with known sides before one without; of these the surer; the title yields to the text."""
    fullness = len(keys(draft.actors)) + len(keys(draft.recipients)) + bool(draft.places) + bool(draft.date)
    return draft.confidence >= 0.5, round(
        min(draft.confidence, 0.9) + 0.08 * fullness - 0.05 * (draft.section == "title"), 3
    )


def _mentions(lead: Draft, others: Sequence[Draft]) -> list[Evidence]:
    told = {(lead.section, lead.start)}
    kept = []
    for evidence in (
        *lead.mentions,
        *(
            evidence
            for other in others
            for evidence in (
                *other.mentions,
                Evidence(text=other.evidence, start=other.start, end=other.end, section=other.section),
            )
        ),
    ):
        if (evidence.section, evidence.start) not in told:
            told.add((evidence.section, evidence.start))
            kept.append(evidence)
    return kept


def _richer(mine: tuple[Party, ...], theirs: tuple[Party, ...], across: tuple[Party, ...]) -> tuple[Party, ...]:
    """The leading telling's parties, unless it knows nobody or only some of the other's that are not on its other side."""
    theirs = tuple(party for party in theirs if not keys((party,)) & keys(across))
    if not any(known(p) for p in mine):
        return theirs if any(known(p) for p in theirs) else mine or theirs
    return theirs if keys(mine) < keys(theirs) else distinct(mine)
