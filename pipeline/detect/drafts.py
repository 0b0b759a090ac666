"""One section of an article to drafts: every candidate with its modality, parties, place, date and amounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from pipeline.annotate import Mention
from pipeline.detect import details, modality, roles, triggers
from pipeline.detect.amounts import find_money, find_quantities
from pipeline.detect.dates import find_dates
from pipeline.detect.details import Found
from pipeline.detect.lexicon import Rule
from pipeline.detect.mind import Mind
from pipeline.detect.reader import Reader, distinct, known
from pipeline.detect.syntax import Tree
from pipeline.detect.triggers import Candidate
from pipeline.records import Evidence, Modality, Money, Party, Place, Quantity, Section, When

OLD_DAYS: Final = 45
"""What happened this long before publication is told as history."""

LONGEST_EVIDENCE: Final = 500


Amount = TypeVar("Amount", Money, Quantity)


@dataclass(slots=True)
class Draft:
    """An event in the making. `scores` are the parts of its confidence by name, for `explain`."""

    rule: Rule
    section: Section
    start: int
    end: int
    evidence: str
    trigger: str
    at: int
    modality: Modality
    commitment: bool = False
    actors: tuple[Party, ...] = ()
    recipients: tuple[Party, ...] = ()
    places: tuple[Place, ...] = ()
    date: When | None = None
    money: tuple[Money, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    items: tuple[str, ...] = ()
    attributed_to: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    mentions: list[Evidence] = field(default_factory=list)

    @property
    def confidence(self) -> float:
        """How sure: the rule's weight and what speaks for and against, between 0.05 and 0.98."""
        return round(min(0.98, max(0.05, sum(self.scores.values()))), 3)


def draft(reader: Reader, mind: Mind, section: Section, published: dt.datetime | None) -> list[Draft]:
    """A section in, its drafts out in the order of the text."""
    tree = reader.tree
    made: list[Draft] = []
    for number, (start, end) in enumerate(tree.sentences):
        candidates = triggers.find(tree, start, end, mind.lexicon, reader.test)
        if not candidates:
            continue
        found = _found(tree, start, end, published)
        taken: set[int] = set().union(*(c.used for c in candidates))
        for candidate in candidates:
            one = _draft(reader, mind, candidate, found, section, published, number, taken)
            if one is not None:
                made.append(one)
    return made


def _found(tree: Tree, start: int, end: int, published: dt.datetime | None) -> Found:
    """Dates and amounts of one sentence, with offsets of the section."""
    base = tree.offsets[start]
    text = tree.text[base : tree.end_offset(end - 1)]
    return Found(
        money=[_shift(m, base) for m in find_money(text)],
        quantities=[_shift(q, base) for q in find_quantities(text)],
        dates=[(base + d.start, base + d.end, d.when) for d in find_dates(text, published)],
    )


def _shift(value: Amount, base: int) -> Amount:
    return msgspec.structs.replace(value, start=(value.start or 0) + base, end=(value.end or 0) + base)


def _draft(
    reader: Reader,
    mind: Mind,
    candidate: Candidate,
    found: Found,
    section: Section,
    published: dt.datetime | None,
    number: int,
    taken: set[int],
) -> Draft | None:
    tree, rule = reader.tree, candidate.rule
    anchor = candidate.verb if candidate.verb is not None else candidate.index
    reading = modality.read(tree, anchor, mind.vocabulary, title=section == "title")
    if candidate.noun is not None and candidate.noun != anchor:
        on_noun = modality.read(tree, candidate.noun, mind.vocabulary) if candidate.rule.trigger == "noun" else None
        if on_noun is not None:
            reading.weaken(on_noun.modality, on_noun.governor)
    if (
        reading.modality == "hypothetical"
        and reading.governor is not None
        and reading.governor in taken - candidate.used
    ):
        return None
    if reading.modality in ("hypothetical", "planned") and _governed(tree, anchor, taken - candidate.used):
        return None
    actors, recipients = roles.fill(reader, candidate)
    actors, recipients, guessed = _complete(reader, candidate, actors, recipients)
    if not _enough(rule, actors, recipients):
        return None
    sentence = tree.sentences[number]
    start, end = _evidence(tree, sentence, anchor)
    date = details.choose_date(
        found, tree.offsets[candidate.index], (tree.offsets[sentence[0]], tree.end_offset(sentence[1] - 1))
    )
    level = rule.modality if rule.modality and reading.modality == "asserted" else reading.modality
    level = _timed(level, date, published)
    made = Draft(
        rule=rule,
        section=section,
        start=start,
        end=end,
        evidence=tree.text[start:end],
        trigger=_trigger_text(tree, candidate),
        at=tree.offsets[candidate.index],
        modality=level,
        commitment=reading.commitment,
        actors=actors,
        recipients=recipients,
        places=_places(reader, mind, anchor, sentence, actors, recipients),
        date=date,
        attributed_to=_attribution(reader, reading.by, anchor, sentence),
        scores={
            "rule": candidate.score * 0.8,
            "actor": 0.1 if any(known(p) for p in actors) else -0.05,
            "recipient": 0.05 if any(known(p) for p in recipients) else 0.0,
            "background": -0.1 if reading.background else 0.0,
            "quoted": -0.15 if reading.quoted else 0.0,
            "surface": -0.1 if candidate.surface else 0.0,
            "guessed": -0.1 if guessed else 0.0,
        },
    )
    _amounts(made, found, tree.text[tree.offsets[sentence[0]] : tree.end_offset(sentence[1] - 1)])
    return made


def _governed(tree: Tree, anchor: int, others: set[int]) -> bool:
    """Does another trigger govern this clause as its complement: urged X to withdraw?"""
    current = anchor
    for above in tree.ancestors(anchor):
        if tree.deps[current] in ("relcl", "conj", "parataxis") or (tree.deps[current] == "advcl"):
            return False
        if above in others:
            return True
        current = above
    return False


def _complete(
    reader: Reader, candidate: Candidate, actors: tuple[Party, ...], recipients: tuple[Party, ...]
) -> tuple[tuple[Party, ...], tuple[Party, ...], bool]:
    """Where the arcs gave no known actor and the rule wants one, the nearest name before the verb."""
    rule = candidate.rule
    wanted = rule.party in ("actor", "both", "any")
    if not wanted or any(known(p) for p in actors) or candidate.verb is None:
        return actors, recipients, False
    if rule.party == "any" and any(known(p) for p in recipients):
        return actors, recipients, False
    near = roles.nearest(reader, candidate.verb, before=True)
    near = [p for p in near if p.text not in {r.text for r in recipients}]
    if not near or actors:
        return actors, recipients, False
    return distinct(near[:1]), recipients, True


def _enough(rule: Rule, actors: Sequence[Party], recipients: Sequence[Party]) -> bool:
    """Does the event have the parties that its rule asks for?"""
    acting, receiving = [p for p in actors if known(p)], [p for p in recipients if known(p)]
    if rule.party == "both":
        return len(acting) >= 2 if rule.joint else bool(acting and receiving)
    if rule.party == "actor":
        return bool(acting)
    if rule.party == "recipient":
        return bool(receiving)
    if rule.party == "any":
        return bool(acting or receiving)
    return True


def _evidence(tree: Tree, sentence: tuple[int, int], anchor: int) -> tuple[int, int]:
    """The sentence, or of a very long one the clause around the trigger."""
    first, last = sentence
    start, end = tree.offsets[first], tree.end_offset(last - 1)
    if end - start > LONGEST_EVIDENCE:
        below = sorted(tree.subtree(anchor))
        start, end = tree.offsets[below[0]], tree.end_offset(below[-1])
        if end - start > LONGEST_EVIDENCE:
            at = tree.offsets[anchor]
            start, end = max(start, at - LONGEST_EVIDENCE // 2), min(end, at + LONGEST_EVIDENCE // 2)
    while start < end and tree.text[start].isspace():
        start += 1
    while end > start and tree.text[end - 1].isspace():
        end -= 1
    return start, end


def _trigger_text(tree: Tree, candidate: Candidate) -> str:
    words = sorted(candidate.used) or [candidate.index]
    if words[-1] - words[0] <= 3:
        return tree.span(words[0], words[-1] + 1)
    return " … ".join(tree.words[index] for index in words)


def _timed(level: Modality, date: When | None, published: dt.datetime | None) -> Modality:
    if date is None or published is None or level not in ("asserted",):
        return level
    today = published.date()
    if date.start > today and date.precision in ("instant", "day", "week", "month", "season", "year"):
        return "planned"
    if (today - date.end).days > OLD_DAYS:
        return "historical"
    return level


def _places(
    reader: Reader,
    mind: Mind,
    anchor: int,
    sentence: tuple[int, int],
    actors: Sequence[Party],
    recipients: Sequence[Party],
) -> tuple[Place, ...]:
    hints = [p.country for p in (*recipients, *actors) if p.country]
    found: list[Place] = []
    for mention in details.place_mentions(reader, anchor, sentence)[:3]:
        start = reader.tree.offsets[mention.start]
        place = mind.names.place(mention.text, hints)
        if place is not None and place.name not in {p.name for p in found}:
            found.append(msgspec.structs.replace(place, text=mention.text, start=start, end=start + len(mention.text)))
    return tuple(found)


def _attribution(reader: Reader, by: int | None, anchor: int, sentence: tuple[int, int]) -> str | None:
    """Who says it: the subject of the reporting verb, or what stands behind `according to`."""
    tree = reader.tree
    if by is not None:
        parties = reader.parties(by)
        if parties and tree.low[by] in ("he", "she", "it", "they", "we", "i"):
            return parties[0].text
        return tree.span(_first_word(tree, by), by + 1)
    for index in range(*sentence):
        if tree.low[index] == "according":
            for kid in tree.kids[index]:
                for noun in tree.kids[kid]:
                    if tree.deps[noun] == "pobj":
                        return tree.span(_first_word(tree, noun), noun + 1)
    del anchor
    return None


def _first_word(tree: Tree, index: int) -> int:
    start = tree.left_edge(index)
    while start < index and tree.low[start] in ("the", "a", "an"):
        start += 1
    return start


MONEYED: Final = frozenset(("AID", "SANCTION", "AGREE", "COOPERATE"))
COUNTED: Final = frozenset(("ASSAULT", "AID", "MOBILIZE", "PROTEST", "COERCE", "RETREAT", "SANCTION", "ACCUSE"))


def _amounts(made: Draft, found: Found, sentence: str) -> None:
    """Sums and counts of the sentence go to the types that have them."""
    kind, event_type = made.rule.kind, made.rule.type
    if event_type in MONEYED or kind in ("pledge", "legal_action"):
        made.money = tuple(found.money)
    if event_type in COUNTED:
        made.quantities = tuple(found.quantities)
    if kind in ("aid_package", "arms_deal", "arms_procurement"):
        made.items = details.items(sentence)


def mentions_of(mentions: Sequence[Mention]) -> list[Mention]:
    """A section's names, as a list."""
    return list(mentions)
