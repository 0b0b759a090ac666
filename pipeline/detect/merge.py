"""One happening, one event: drafts of an article in, those that tell the same thing folded into one out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.detect.drafts import Draft
from pipeline.detect.encoder import Encoder
from pipeline.detect.persons import distinct, is_person, known
from pipeline.records import Evidence, Party

CONTACT: Final = frozenset(("meeting", "visit", "summit", "call", "mediation"))
"""Kinds of one contact: a visit is told as talks, a summit as a meeting."""
FORCE: Final = frozenset(("strike", "attack", "assassination", "offensive", "clash"))
ARMS: Final = frozenset(("aid_package", "arms_deal", "arms_procurement"))
STATEMENTS: Final = frozenset(("appeal", "proposal", "accusation", "rejection", "support"))
"""Kinds of which one party tells several in an article."""
LEAD: Final = 2
"""The first so many sentences of a text tell what its title tells."""
DEEDS: Final = frozenset((("agreement", "ceasefire"), ("pledge", "aid_package")))
"""A saying and the deed that it says: told in one sentence by the same parties they are one event, of the deed's kind."""
ALIKE: Final = 0.1
"""The least probability of one happening at which what names nobody is folded into the only fuller telling of such a kind."""
POSSESSIVE: Final = re.compile(r"['’]s?\b")
FACT: Final = frozenset(("asserted", "historical"))
RETOLD: Final = 0.15
"""The share of the remaining doubt that each further telling takes away, twice at the most."""


def merge(drafts: Sequence[Draft], encoder: Encoder) -> list[Draft]:
    """Drafts in the order of the article in, merged ones out; the surest telling leads, the others are its mentions."""
    kept: list[Draft] = []
    for one in drafts:
        same = max(
            (
                (encoder.same(other.vector, one.vector), -number)
                for number, other in enumerate(kept)
                if _may(other, one)
            ),
            default=None,
        )
        other = kept[-same[1]] if same is not None else None
        if same is not None and other is not None and (same[0] >= encoder.facts["same_least"] or _surely(other, one)):
            kept[-same[1]] = _fold(other, one)
        else:
            kept.append(one)
    return _without_sayings(_without_bare(kept, encoder))


def _without_sayings(drafts: list[Draft]) -> list[Draft]:
    """Fold a saying into the deed that it says: `Armenia and Azerbaijan agreed to a ceasefire` is one event."""
    kept = list(drafts)
    for one in drafts:
        for deed in kept:
            same_parties = keys(one.actors) and keys(one.actors) == keys(deed.actors)
            if (one.kind.kind, deed.kind.kind) in DEEDS and same_parties and _told_in(one) & _told_in(deed):
                kept.remove(one)
                deed.mentions = _mentions(deed, one)
                break
    return kept


def _told_in(draft: Draft) -> set[tuple[str, int]]:
    """The sentences that tell a draft: their section and start."""
    return {(draft.section, draft.start), *((m.section, m.start) for m in draft.mentions)}


def _without_bare(drafts: list[Draft], encoder: Encoder) -> list[Draft]:
    """Fold what names no side, place or sum into the one fuller telling of such a kind: `The guns fell silent at noon`."""
    kept = list(drafts)
    for one in [draft for draft in drafts if _bare(draft)]:
        fuller = [d for d in kept if d is not one and not _bare(d) and _may(d, one)]
        if len(fuller) == 1 and encoder.same(fuller[0].vector, one.vector) >= ALIKE:
            kept.remove(one)
            kept[kept.index(fuller[0])] = _fold(fuller[0], one)
    return kept


def _bare(draft: Draft) -> bool:
    return not (_names(draft.actors) or _names(draft.recipients) or draft.places or draft.money)


def _may(a: Draft, b: Draft) -> bool:
    """Whether nothing that both tell speaks against their being one: type, reality, sides, dates, places, sums."""
    return (
        a.kind.type == b.kind.type
        and _family(a) == _family(b)
        and (a.modality == b.modality or {a.modality, b.modality} <= FACT or _decided(a, b))
        and _sides_agree(a, b)
        and (a.date is None or b.date is None or (a.date.start <= b.date.end and b.date.start <= a.date.end))
        and _places_agree(a, b)
        and (not a.money or not b.money or _family(a) != "arms" or _sums(a) & _sums(b) != set())
    )  # fmt: skip


def _decided(a: Draft, b: Draft) -> bool:
    """Aid that the title gives as a plan, `Washington to send`, and the text as decided: the decision is the news."""
    title, text = (a, b) if a.section == "title" else (b, a)
    return (
        title.section != text.section
        and _family(a) == "arms"
        and (title.modality, text.modality) == ("planned", "asserted")
        and bool(keys(a.actors) & keys(b.actors))
    )


def _family(draft: Draft) -> str:
    kind = draft.kind.kind
    return "contact" if kind in CONTACT else "force" if kind in FORCE else "arms" if kind in ARMS else kind


def keys(parties: Sequence[Party]) -> set[str]:
    """What parties are told apart by: the name without a possessive, else the country and the sort of party there."""
    return _names(parties) | {f"{p.country} {p.sector or ''}" for p in parties if p.country and not p.name}


def _names(parties: Sequence[Party]) -> set[str]:
    """The names of parties, without a possessive."""
    return {POSSESSIVE.sub("", p.name) for p in parties if p.name}


def _countries(parties: Sequence[Party]) -> set[str]:
    return {p.country for p in parties if p.country}


def _sides_agree(a: Draft, b: Draft) -> bool:
    """Do known actors meet, and known recipients? Different persons of one country do not, a person and the country do."""
    pairs = [((*a.actors, *a.recipients), (*b.actors, *b.recipients))] if a.kind.joint else [
        (a.actors, b.actors), (a.recipients, b.recipients)
    ]  # fmt: skip
    for mine, theirs in pairs:
        ours, others = keys(mine), keys(theirs)
        if not ours or not others or ours & others or (a.section != b.section and _described(mine, theirs)):
            continue
        if not any(p.name for p in (*mine, *theirs)):
            return False  # soldiers and rebels, police and protesters
        shared = _countries(mine) & _countries(theirs)
        if not shared & {p.country for p in (*mine, *theirs) if not is_person(p)}:
            return False
        bare = {p.country for p in mine if p.name and p.country and p.sector in (None, "GOV")}
        if a.kind.joint and not bare:
            return False
    return True


def _described(mine: Sequence[Party], theirs: Sequence[Party]) -> bool:
    """Whether one telling describes whom the other names: `Libyan commander` in the title, `Khalid Marghani` in the text."""
    for described, named in ((mine, theirs), (theirs, mine)):
        words = all(p.name and p.name.split()[-1].islower() for p in described)
        if words and all(is_person(p) and p.country in (None, *_countries(described)) for p in named):
            return True
    return False


def _sums(draft: Draft) -> set[float]:
    return {one.value for one in draft.money}


def _places_agree(a: Draft, b: Draft) -> bool:
    if not a.places or not b.places:
        return True
    mine, theirs = {p.name for p in a.places}, {p.name for p in b.places}
    if mine & theirs:
        return True
    countries = {p.country for p in a.places} & {p.country for p in b.places}
    coarse = any(p.country and p.name == country_name(p.country) for p in (*a.places, *b.places))
    return bool(countries) and (coarse or a.section != b.section)


def _surely(a: Draft, b: Draft) -> bool:
    """The same kind, and the same two known sides, or the same side and place: told again, whatever the vectors say.

    A title tells what the text tells, so there one known side is enough.
    """
    if a.kind.kind != b.kind.kind:
        return False
    both = _names(a.actors) & _names(b.actors)
    if both and a.section != b.section:
        text = a if a.section == "text" else b
        if a.kind.kind not in STATEMENTS or text.telling.sentence < LEAD:
            return True
    lands = _countries((*a.actors, *a.recipients)) & _countries((*b.actors, *b.recipients))
    if a.kind.joint and len(lands) > 1 and a.section != b.section:
        return True
    return bool(both) and bool(
        _names(a.recipients) & _names(b.recipients)
        or (len(both) > 1 and a.kind.kind not in STATEMENTS)
        or (a.date is not None and b.date is not None and {p.name for p in a.places} & {p.name for p in b.places})
    )


def _fold(first: Draft, second: Draft) -> Draft:
    """Two tellings of one event in, one draft out: the fuller of the sure ones leads and takes the sides that it lacks.

    No date or place is carried over unless the leading telling names none and both name the same sides.
    """
    lead, other = (second, first) if _rank(second) > _rank(first) else (first, second)
    lead.mentions = _mentions(lead, other)
    lead.actors, lead.recipients = _richer(lead.actors, other.actors), _richer(lead.recipients, other.recipients)
    if keys((*lead.actors, *lead.recipients)) & keys((*other.actors, *other.recipients)):
        lead.places = lead.places or other.places
        lead.date = lead.date or other.date
    lead.money = lead.money or other.money
    lead.quantities = lead.quantities or other.quantities
    lead.items = lead.items or other.items
    lead.attributed_to = lead.attributed_to or other.attributed_to
    lead.shares = {part: max(lead.shares.get(part, 0.0), share) for part, share in (other.shares | lead.shares).items()}
    if "asserted" in (first.modality, second.modality) and "planned" in (first.modality, second.modality):
        lead.modality = "asserted"
    sure = max(first.confidence, second.confidence)
    lead.confidence = round(sure + RETOLD * (1 - sure), 3) if len(lead.mentions) <= 2 else sure
    return lead


def _rank(draft: Draft) -> tuple[bool, float]:
    """A telling with known sides before one without; of these the surer; the title yields to the text."""
    fullness = len(keys(draft.actors)) + len(keys(draft.recipients)) + bool(draft.places) + bool(draft.date)
    return draft.confidence >= 0.5, round(
        min(draft.confidence, 0.9) + 0.08 * fullness - 0.05 * (draft.section == "title"), 3
    )


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
    """The leading telling's parties, unless it knows nobody or only some of the other's."""
    if not any(known(p) for p in mine):
        return theirs if any(known(p) for p in theirs) else mine or theirs
    return theirs if keys(mine) < keys(theirs) else distinct(mine)
