"""A parsed article in, its events out: the ones of the title first, then in the order of the text."""

from __future__ import annotations

import datetime as dt
from typing import Final

from pipeline.annotate.parse import Mention, Parsed
from pipeline.annotate.plain import Plain
from pipeline.annotate.subject import subject
from pipeline.detect import drafts
from pipeline.detect.drafts import Draft
from pipeline.detect.export import export
from pipeline.detect.forms import words
from pipeline.detect.merge import merge
from pipeline.detect.models import Models
from pipeline.detect.phrases import CODES
from pipeline.detect.reader import Reader
from pipeline.detect.repair import repair
from pipeline.detect.syntax import Tree
from pipeline.records import Document, Event, Party, Section, content_id

SECTIONS: Final[tuple[Section, ...]] = ("text", "title")


def detect(parsed: Parsed, models: Models) -> tuple[Event, ...]:
    """A parsed article in, its events out: the ones of the title first, then in the order of the text."""
    if parsed.title is None or parsed.text is None:
        return ()
    document = parsed.document
    known: dict[str, Party] = {}
    made: dict[Section, list[Draft]] = {}
    for section in SECTIONS:  # the text first: a title says `Xi` and the text says who that is
        read, mentions = (
            (parsed.title, parsed.title_mentions) if section == "title" else (parsed.text, parsed.text_mentions)
        )
        if not len(read):
            continue
        reader = reader_of(
            read, mentions, models, known, document.published_at.date() if document.published_at else None
        )
        made[section] = drafts.draft(reader, models, section, document.published_at or None)
    merged = merge([*made.get("title", ()), *made.get("text", ())])
    about = subject(document.title, document.text) if merged else {}
    events = (_event(one, document, about) for one in merged)
    return tuple(event for event in events if event.confidence >= models.min_confidence)


def reader_of(
    read: Plain, mentions: tuple[Mention, ...], models: Models, known: dict[str, Party], on: dt.date | None
) -> Reader:
    """A parsed section with its names in, the reader of that section out; `known` is filled as names are resolved."""
    tree = Tree.of(read)
    named = (index for mention in mentions for index in range(mention.start, mention.end))
    capital = {index for index in named if tree.words[index][:1].isupper()}
    repair(tree, models.present_forms, capital, models.past_forms)
    people = [mention for mention in mentions if mention.text not in CODES]
    return Reader(tree=tree, names=models.names, mentions=people, known=known, on=on)


def _event(one: Draft, document: Document, about: dict[str, float]) -> Event:
    rule = one.rule
    normalised = " ".join(one.evidence.casefold().split())
    return Event(
        id=content_id(document.id, rule.kind, one.modality, normalised, one.trigger.casefold()),
        event_type=rule.type,
        kind=rule.kind,
        modality=one.modality,
        evidence=one.evidence,
        start=one.start,
        end=one.end,
        section=one.section,
        trigger=one.trigger,
        export=export(rule.type, one.modality, cameo=rule.cameo, override=rule.export, commitment=one.commitment),
        event_mode=rule.mode or None,
        contexts=rule.contexts,
        subtype=subtype_of(one),
        actors=one.actors,
        recipients=one.recipients,
        places=one.places,
        date=one.date,
        money=one.money,
        quantities=one.quantities,
        items=one.items,
        attributed_to=one.attributed_to,
        confidence=one.confidence,
        rule_confidence=one.rule_confidence,
        opinion=None if one.opinion is None else round(one.opinion, 3),
        rule=rule.id,
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


MILITARY: Final = words(
    "military weapon weapons weaponry ammunition missile missiles tank tanks arms howitzers howitzer himars defense "
    "defence lethal artillery jets drones security patriot javelin stinger munitions drawdown armed army soldiers troops "
    "armoured armored launchers rifles grenades mines shells carriers helicopters f-16 leopard abrams guns anti-tank"
)
HUMANITARIAN: Final = words(
    "humanitarian food medical relief emergency refugees medicine shelter disaster flood earthquake victims "
    "tents blankets hunger famine displaced civilians vaccines water generators ambulances hospital hospitals"
)


def subtype_of(one: Draft) -> str | None:
    """Of aid: military, humanitarian or financial, by the rule or else by the words of its sentence."""
    if one.rule.type != "AID" or one.rule.subtype:
        return one.rule.subtype
    words = {word.strip(".,;:\"'“”()").casefold() for word in one.evidence.split()}
    if words & MILITARY and not {"humanitarian", "food"} & words:
        return "military"
    return "humanitarian" if words & HUMANITARIAN else "financial" if one.money else "humanitarian"
