"""Tellings of an article in, drafts of events out: parties, place, date and sums resolved, not yet merged."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from pipeline.annotate.parse import Parsed, is_bare
from pipeline.detect import details
from pipeline.detect.details import Found
from pipeline.detect.encoder import Floats
from pipeline.detect.home import apart, in_office, within_name
from pipeline.detect.kinds import Kind
from pipeline.detect.models import Models
from pipeline.detect.parties import SectionNames
from pipeline.detect.persons import GROUND, is_state, known, lent, settle
from pipeline.detect.phrases import last_word
from pipeline.detect.reality import reality
from pipeline.detect.referents import names_of
from pipeline.detect.telling import Telling
from pipeline.records import Document, Evidence, Modality, Money, Party, Place, Quantity, When
from pipeline.records import Section as SectionName

LONGEST_EVIDENCE: Final = 600
"""Characters; of a longer sentence the part around the trigger is the evidence."""

LEANING: Final = 3
"""So many sentences back a date is looked for on which `the next day` leans."""
SPOKEN: Final = frozenset(("REQUEST", "SUPPORT", "REJECT", "THREATEN", "AID", "CONSULT"))
"""Types of what one state says to or gives another one's government or army, rather than does to its own."""

_NO_COMMENT: Final = re.compile(
    r"(?:declin|refus)\w*\s+to\s+(?:comment|elaborate|speculate|be\s+named|give\s+(?:(?:any|further)\s+)?details)\b",
    re.IGNORECASE,
)
"""What is said where nothing is: no rejection."""
_HYPHENED: Final = re.compile(r"-\w+")


class Draft(msgspec.Struct):
    """An event in the making: a telling with what its spans mean. `shares` are as in `Event`."""

    kind: Kind
    telling: Telling
    section: SectionName
    start: int
    end: int
    evidence: str
    trigger: str
    at: int
    modality: Modality
    commitment: bool = False
    subtype: str | None = None
    actors: tuple[Party, ...] = ()
    recipients: tuple[Party, ...] = ()
    places: tuple[Place, ...] = ()
    date: When | None = None
    money: tuple[Money, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    items: tuple[str, ...] = ()
    attributed_to: str | None = None
    confidence: float = 0.0
    rule: str = "reader"
    shares: dict[str, float] = msgspec.field(default_factory=dict)
    mentions: list[Evidence] = msgspec.field(default_factory=list)

    @property
    def vector(self) -> Floats:
        """What tells whether two triggers mean one happening."""
        return self.telling.vector


def drafts(parsed: Parsed, told: Sequence[Telling], models: Models) -> list[Draft]:
    """An article's tellings in, its drafts out: those of the title first, then in the order of the text."""
    document = parsed.document
    on = document.published_at.date() if document.published_at else None
    short: dict[str, Party] = {}
    sections: dict[SectionName, SectionNames] = {}
    for name, read, mentions in (
        ("text", parsed.text, parsed.text_mentions),
        ("title", parsed.title, parsed.title_mentions),
    ):  # the text first: a title says `Xi` and the text says who that is
        if read is not None:
            headline = names_of(parsed.title, parsed.title_mentions) if name == "text" and parsed.title else []
            section = SectionNames(read.text, names_of(read, mentions), models.names, on, short, headline)
            section.settle_home(sections.get("text"))
            section.introduce()
            sections[name] = section  # type: ignore[index]
    if sections.keys() == {"text", "title"}:
        sections["text"].headline = sections["title"].names
    bounds = sentences_of(parsed)
    found: dict[tuple[SectionName, int], Found] = {}
    made = []
    for one in sorted(told, key=lambda t: t.section == "title"):
        section = sections[one.section]
        sentence = bounds[one.sentence] if one.section == "text" else (0, len(document.title))
        key = (one.section, one.sentence)
        if key not in found:
            told_at = written_at(document, sentence[0]) if one.section == "text" else document.published_at
            found[key] = Found(section.text[slice(*sentence)], sentence[0], told_at)
        if one.own is None and _NO_COMMENT.match(section.text, one.start):
            continue
        beside = [t for t in told if t is not one and (t.section, t.sentence) == key]
        back = bounds[max(0, one.sentence - LEANING) : one.sentence][::-1] if one.section == "text" else []
        before = [Found(section.text[a:b], a, found[key].published) for a, b in back] if one.spans["date"] else []
        one = details.settled(one, section.text, sentence)  # noqa: PLW2901 - from here on it is what it is settled to be
        made.append(_draft(one, section, sentence, [found[key], *before], beside=beside, models=models))
    return sorted(made, key=lambda d: (d.section != "title", d.at))


def written_at(document: Document, position: int) -> dt.datetime | None:
    """A document and a place in its text in, when that place was written out: on a live page, with the update there."""
    before = [update.at for update in document.updates if update.start <= position]
    return before[-1] if before else document.published_at


def sentences_of(parsed: Parsed) -> list[tuple[int, int]]:
    """The sentences of the text, in characters."""
    return [(s.start, s.end) for s in parsed.document.sentences if s.section == "text"]


def _draft(
    one: Telling,
    section: SectionNames,
    sentence: tuple[int, int],
    sentences: Sequence[Found],
    *,
    beside: Sequence[Telling],
    models: Models,
) -> Draft:
    kind, found = models.kinds[one.kind], sentences[0]
    actors, recipients = section.parties(one.spans["actors"]), section.parties(one.spans["recipients"])
    actors, recipients = apart(actors, recipients, section.guessed), apart(recipients, actors, section.guessed)
    if kind.joint and not actors:
        actors, recipients = recipients, ()
    actors, recipients = _parted(actors, recipients, one.start, joint=kind.joint)
    if one.type == "ASSAULT":
        recipients = tuple(p for p in recipients if known(p) or last_word(p.text) not in GROUND)
    hints = [p.country for p in (*recipients, *actors) if p.country]
    inside = [(n.party.country, is_bare(n.party)) for n in section.names if sentence[0] <= n.start < sentence[1]]
    towns = [land for land, bare in inside if land and bare]  # a town alone says nothing of where it is itself
    hints += [land for land, bare in inside if land and not bare]
    hints += [*([section.firm] if section.firm else []), *(towns if len(towns) > 1 else [])]
    where = [span for span in one.spans["places"] if not within_name(section.text, section.names, models.names, *span)]
    sides = {details.country_of(side) for side in (actors, recipients)}
    land = sides.pop() if len(sides) == 1 and None not in sides else section.firm
    places = details.places_of(where, section.text, models.names, hints, land)
    there = {p.country for p in places if p.country}
    home = there.pop() if len(there) == 1 else None
    several = kind.joint and (one.kind != "clash" or any(map(known, actors)))  # those who meet are of several countries
    about = None if several else section.country_at(*sentence)
    theirs = details.country_of(actors) or about
    actors = settle(actors, home or lent(recipients, about, section.firm))
    if one.type in ("COERCE", "ACCUSE") and home:
        actors = tuple(in_office(section.text, actor, home) for actor in actors)
    if (one.type in SPOKEN or one.kind == "accusation") and any(
        map(is_state, actors)
    ):  # whose government does Kenya urge?
        recipients = settle(recipients, home or lent(actors, about, section.firm))
    elif one.type != "ASSAULT" or theirs not in {
        p.country for p in actors
    }:  # those attacked are seldom the attacker's own
        recipients = settle(recipients, home or theirs)
    elif home:
        recipients = settle(recipients, home)
    modality = reality(one, section.text, sentence, beside)
    date = details.date_of(one, found, modality, sentences[1:])
    modality = details.timed(modality, one, date, found.published)
    start, end = _evidence(section.text, sentence, one.start)
    evidence = section.text[start:end]
    money = details.money_of(one, found, alone=not any(t.type == "AID" for t in beside))
    if one.type not in details.MONEYED and one.kind != "pledge":
        money = ()
    said_by = one.spans["said_by"]
    return Draft(
        kind=kind,
        telling=one,
        section=one.section,
        start=start,
        end=end,
        evidence=evidence,
        trigger=_trigger(section.text, one.start, one.end),
        at=one.start,
        modality=modality,
        commitment=details.only_promised(section.text, sentence, one),
        subtype=details.subtype_of(one, evidence, money=bool(money)),
        actors=actors,
        recipients=recipients,
        places=places,
        date=date,
        money=money,
        quantities=details.quantities_of(one, found, alone=not any(t.type in details.COUNTED for t in beside)),
        items=details.items(evidence) if one.type == "AID" else (),
        attributed_to=next((words for span in said_by if (words := section.words(*span))), None),
        confidence=one.confidence,
        rule="reader" if one.own is None else one.kind,
        shares={"kind": one.kind_share, "modality": one.modality_share, **one.role_shares} if one.own is None else {},
    )


def _parted(
    actors: tuple[Party, ...], recipients: tuple[Party, ...], at: int, *, joint: bool
) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
    """Both sides without who stands on the other one too: an actor of a joint kind, else who is named nearer to the trigger."""

    def distance(party: Party) -> int:
        return abs((party.start or 0) - at)

    acting, acted = {p.name or p.text: p for p in actors}, {p.name or p.text: p for p in recipients}
    twice = acting.keys() & acted.keys()
    may_change = not joint and len(acting) > 1
    nearer = {name for name in twice if may_change and distance(acted[name]) < distance(acting[name])}
    return (
        tuple(p for p in actors if (p.name or p.text) not in nearer),
        tuple(p for p in recipients if (p.name or p.text) not in twice - nearer),
    )


def _trigger(text: str, start: int, end: int) -> str:
    """The trigger as it is written: `cease-fire` where the reader gives its first part."""
    while more := _HYPHENED.match(text, end):
        end = more.end()
    return text[start:end]


def _evidence(text: str, sentence: tuple[int, int], at: int) -> tuple[int, int]:
    """The sentence, or of a very long one the part around the trigger, without white space at its ends."""
    start, end = sentence
    if end - start > LONGEST_EVIDENCE:
        start, end = max(start, at - LONGEST_EVIDENCE // 2), min(end, at + LONGEST_EVIDENCE // 2)
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
