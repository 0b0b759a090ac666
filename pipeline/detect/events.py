"""A parsed article in, its events out: the ones of the title first, then in the order of the text."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.annotate.parse import Parsed
from pipeline.annotate.subject import subject
from pipeline.detect import drafts as drafting
from pipeline.detect import own_kinds, reader
from pipeline.detect.drafts import Draft
from pipeline.detect.export import export
from pipeline.detect.home import met
from pipeline.detect.merge import merge, without_sayings
from pipeline.detect.models import Models
from pipeline.records import Document, Event, content_id

TALKS: Final = frozenset({"meeting", "summit", "call"})
"""Kinds in which persons take part for their countries."""


def detect(parsed: Parsed, models: Models) -> tuple[Event, ...]:
    """A parsed article in, its events out; none for a text that is not read (another language)."""
    merged = merge(read(parsed, models), models.encoder)
    told = without_sayings([one for one in merged if one.confidence >= models.min_confidence])
    document = parsed.document
    about = subject(document.title, document.text) if told else {}
    found: list[Event] = []
    ids: set[str] = set()
    for one in told:
        event = _event(one, document, about)
        if event.id in ids:  # two arrests of one sentence
            event = msgspec.structs.replace(event, id=content_id(event.id, one.section, one.at))
        ids.add(event.id)
        found.append(event)
    return tuple(found)


def read(parsed: Parsed, models: Models) -> list[Draft]:
    """A parsed article in, every telling as a draft out, sure or not, before tellings of one happening are folded."""
    if parsed.title is None or parsed.text is None:
        return []
    document, encoder = parsed.document, models.encoder
    sentences = drafting.sentences_of(parsed)
    own = own_kinds.in_article(models.own, models.nlp, parsed.title, parsed.text)
    told = reader.read(encoder, document.title, document.text, sentences, own=own)
    return drafting.drafts(parsed, told, models)


def _event(one: Draft, document: Document, about: dict[str, float]) -> Event:
    kind = one.kind
    actors, recipients = one.actors, one.recipients
    if kind.kind in TALKS:
        actors, recipients = met(actors, recipients), met(recipients, actors)
    normalised = " ".join(one.evidence.casefold().split())
    return Event(
        id=content_id(document.id, kind.kind, one.modality, normalised, one.trigger.casefold()),
        event_type=kind.type,
        kind=kind.kind,
        modality=one.modality,
        evidence=one.evidence,
        start=one.start,
        end=one.end,
        section=one.section,
        trigger=one.trigger,
        export=export(kind.type, one.modality, cameo=kind.cameo, override=kind.export, commitment=one.commitment),
        event_mode=kind.mode,
        contexts=kind.contexts,
        subtype=one.subtype,
        actors=actors,
        recipients=recipients,
        places=one.places,
        date=one.date,
        money=one.money,
        quantities=one.quantities,
        items=one.items,
        attributed_to=one.attributed_to,
        confidence=one.confidence,
        rule=one.rule,
        shares=one.shares,
        mentions=tuple(one.mentions),
        article_id=document.id,
        article_url=document.url,
        article_title=document.title,
        publisher=document.publisher,
        credit=document.credit,
        language=document.language,
        published_at=document.published_at,
        first_seen_at=document.first_seen_at,
        fetched_at=document.fetched_at,
        fingerprint=document.fingerprint,
        subject=about,
    )
