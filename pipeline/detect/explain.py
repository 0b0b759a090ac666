"""What `dateline explain` shows: a parsed article in, each sentence with its names and tellings, and why, out.

Tellings are shown before they are merged, the unsure ones too, so that one sees which sentence said what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.annotate.parse import Mention, Parsed
from pipeline.annotate.plain import Plain
from pipeline.detect.drafts import Draft
from pipeline.detect.events import read
from pipeline.detect.examples import Examples
from pipeline.detect.models import Models
from pipeline.records import Modality, Party, Section


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """A telling, whether it is kept or not.

    `shares` are the model's: event, type, kind, modality, main; `spans` each role with its words and share; `nearest` the most
    alike labelled examples: kind, modality, sentence, likeness.
    """

    kind: str
    subtype: str | None
    modality: Modality
    trigger: str
    shares: tuple[tuple[str, float], ...]
    spans: tuple[tuple[str, str, float], ...]
    actors: tuple[Party, ...]
    recipients: tuple[Party, ...]
    nearest: tuple[tuple[str, str, str, float], ...]
    confidence: float
    kept: bool


@dataclass(frozen=True, slots=True)
class ExplainedSentence:
    """A sentence: `spans` has its names as (text, label, who), `told` what it tells."""

    section: Section
    start: int
    end: int
    text: str
    spans: tuple[tuple[str, str, str], ...]
    told: tuple[ExplainedEvent, ...]


def explain(parsed: Parsed, models: Models) -> tuple[ExplainedSentence, ...]:
    """A parsed article in, its sentences with all that was seen in them out: the title's first."""
    made = read(parsed, models)
    examples = Examples(models.encoder.directory)
    found = []
    for sentence in sorted(parsed.document.sentences, key=lambda s: s.section != "title"):
        plain = parsed.title if sentence.section == "title" else parsed.text
        mentions = parsed.title_mentions if sentence.section == "title" else parsed.text_mentions
        if plain is None:
            continue
        here = [d for d in made if d.section == sentence.section and sentence.start <= d.at < sentence.end]
        found.append(
            ExplainedSentence(
                section=sentence.section,
                start=sentence.start,
                end=sentence.end,
                text=plain.text[sentence.start : sentence.end].strip(),
                spans=tuple(_spans(plain, mentions, sentence.start, sentence.end)),
                told=tuple(_told(one, plain.text, models.min_confidence, examples) for one in here),
            )
        )
    return tuple(found)


def _spans(plain: Plain, mentions: tuple[Mention, ...], start: int, end: int) -> Iterator[tuple[str, str, str]]:
    for mention in mentions:
        if start <= plain.offsets[mention.start] < end:
            party = mention.party
            who = " ".join(part for part in (party.name, party.country and f"[{party.country}]", party.sector) if part)
            yield mention.text, mention.label, who or "nobody known"


def _told(one: Draft, text: str, least: float, examples: Examples) -> ExplainedEvent:
    telling = one.telling
    return ExplainedEvent(
        kind=one.kind.kind,
        subtype=one.subtype,
        modality=one.modality,
        trigger=one.trigger,
        shares=(
            ("event", telling.event), ("type", telling.type_share), ("kind", telling.kind_share),
            (telling.modality, telling.modality_share), ("main", telling.main),
        ),
        spans=tuple(
            (role, "; ".join(text[a:b] for a, b in spans), telling.role_shares.get(role, 0.0))
            for role, spans in telling.spans.items() if spans
        ),
        actors=one.actors,
        recipients=one.recipients,
        nearest=tuple((e.kind, e.modality, e.text, likeness) for e, likeness in examples.nearest(telling.state)),
        confidence=one.confidence,
        kept=one.confidence >= least,
    )  # fmt: skip
