"""What `dateline explain` shows: a parsed article in, each sentence with its arcs, its names, and why each event is one.

Drafts are told before they are merged, so that one sees which sentence said what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.annotate.parse import Mention, Parsed
from pipeline.detect import drafts, roles
from pipeline.detect.drafts import Draft
from pipeline.detect.events import reader_of, subtype_of
from pipeline.detect.matching import Candidate
from pipeline.detect.models import Models
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import Tree
from pipeline.records import Modality, Party, Section

UNSAID = frozenset(("punct", "det", "case", "aux", "auxpass"))
"""Arcs that say nothing about who does what."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event of one sentence: `frame` has each slot of its rule with what fills it, `parts` the sums of its confidence."""

    kind: str
    subtype: str | None
    modality: Modality
    cause: str
    rule: str
    trigger: str
    frame: tuple[tuple[str, str], ...]
    actors: tuple[Party, ...]
    recipients: tuple[Party, ...]
    parts: tuple[tuple[str, float], ...]
    opinion: float | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence: `arcs` has each word that others hang on, `spans` its names as (text, label, who)."""

    section: Section
    start: int
    end: int
    text: str
    arcs: tuple[str, ...]
    spans: tuple[tuple[str, str, str], ...]
    told: tuple[Told, ...]


def explain(parsed: Parsed, models: Models) -> tuple[Read, ...]:
    """A parsed article in, its sentences with all that was seen in them out: the title's first."""
    known: dict[str, Party] = {}
    read: dict[Section, list[Read]] = {}
    published = parsed.document.published_at
    sections: tuple[Section, ...] = ("text", "title")
    for section in sections:  # as detection reads them: a title's short names are told in the text
        doc = parsed.title if section == "title" else parsed.text
        mentions = parsed.title_mentions if section == "title" else parsed.text_mentions
        if doc is None or not len(doc):
            continue
        reader = reader_of(doc, mentions, models, known, published.date() if published else None)
        made = drafts.draft(reader, models, section, published)
        read[section] = [_read(reader, section, span, made) for span in reader.tree.sentences]
    return (*read.get("title", ()), *read.get("text", ()))


def _read(reader: Reader, section: Section, span: tuple[int, int], made: list[Draft]) -> Read:
    tree = reader.tree
    first, last = tree.offsets[span[0]], tree.end_offset(span[1] - 1)
    return Read(
        section=section,
        start=first,
        end=last,
        text=tree.text[first:last].strip(),
        arcs=tuple(_arcs(tree, span)),
        spans=tuple(_span(m) for m in reader.mentions if span[0] <= m.start < span[1]),
        told=tuple(_told(reader, one) for one in made if first <= one.at < last),
    )


def _arcs(tree: Tree, span: tuple[int, int]) -> Iterator[str]:
    """`expelled: Belgium nsubj, diplomat dobj`: each word with what hangs on it."""
    for head in range(*span):
        kids = [f"{tree.words[k]} {tree.deps[k]}" for k in tree.kids[head] if tree.deps[k] not in UNSAID]
        if kids:
            yield f"{tree.words[head]} {tree.tags[head]}: {', '.join(kids)}"


def _span(mention: Mention) -> tuple[str, str, str]:
    party = mention.party
    who = " ".join(part for part in (party.name, party.country and f"[{party.country}]", party.sector) if part)
    return mention.text, mention.label, who or "nobody known"


def _told(reader: Reader, one: Draft) -> Told:
    return Told(
        kind=one.rule.kind,
        subtype=subtype_of(one),
        modality=one.modality,
        cause=one.cause,
        rule=one.rule.id,
        trigger=one.trigger,
        frame=tuple(_frame(reader, one.candidate)) if one.candidate is not None else (),
        actors=one.actors,
        recipients=one.recipients,
        parts=tuple((name, round(value, 3)) for name, value in one.scores.items() if value),
        opinion=one.opinion,
        confidence=one.confidence,
    )


def _frame(reader: Reader, candidate: Candidate) -> Iterator[tuple[str, str]]:
    """Each slot of the rule with what it holds here: `subj` the Belgian government, `from` nothing."""
    for side, slots in (("actor", candidate.rule.actor), ("to", candidate.rule.to)):
        for slot in slots:
            held = ", ".join(party.text for party in roles.filled(reader, candidate, slot))
            yield f"{side} {slot}", held or "–"
