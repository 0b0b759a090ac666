"""A record in, its document for Elasticsearch out: one function for each kind of record. Pure: no client, no clock, no network.

The mapping of each kind is in mappings/*.json. The common fields are ECS (`@timestamp`, `event.*`, `url.*`, `rule.*`,
`error.*`), our own are under `news.*`. PLOVER's types are never in `event.category` or `event.type`, which are closed lists for
security events.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.index.document_fields import (
    PARTS,
    Fields,
    cut,
    envelope,
    event_fields,
    iso,
    search_text,
    shown_at,
    unique,
    url_fields,
)
from pipeline.index.terms import search_terms
from pipeline.records import Alert, Document, Event, Failure, Feedback, Happening, Story

RAW_BYTES: Final = 4_000
"""How many bytes of a failed record are indexed; the quarantine topic has all of them."""


def document(record: Document) -> Fields:
    """Return an article's document: its text, and the names in it without their offsets."""
    names = {label: [e.name or e.text for e in record.entities if e.label in labels] for label, labels in _LABELS}
    return {
        **envelope(
            record.id,
            "documents",
            at=shown_at(record.published_at, record.first_seen_at),
            created=record.first_seen_at,
        ),
        "url": url_fields(record.url),
        "news": {
            "title": cut(record.title),
            "text": cut(record.text),
            "search": search_terms(record.title),
            **{label: unique(found) for label, found in names.items()},
            "countries": unique(e.country for e in record.entities),
            "feed": record.feed_id,
            "publisher": record.publisher,
            "credit": record.credit,
            "authors": unique(record.authors),
            "language": record.language,
            "image_url": record.image_url,
            "content_hash": record.content_hash,
            "truncated": record.truncated,
            "published_at": iso(record.published_at),
            "updated_at": iso(record.updated_at),
            "first_seen_at": iso(record.first_seen_at),
            "fetched_at": iso(record.fetched_at),
        },
    }


_LABELS: Final = (
    ("persons", frozenset({"PERSON"})),
    ("organizations", frozenset({"ORG"})),
    ("place_names", frozenset({"GPE", "LOC", "FAC"})),
)


def event(record: Event) -> Fields:
    """Return the document of an event."""
    at = shown_at(record.published_at, record.first_seen_at)
    return {
        **envelope(record.id, "events", at=at, created=record.first_seen_at, when=record.date),
        "url": url_fields(record.article_url),
        "news": {
            **event_fields(record),
            "evidence": cut(record.evidence),
            "section": record.section,
            "start": record.start,
            "end": record.end,
            "trigger": record.trigger,
            "event_mode": record.event_mode,
            "contexts": unique(record.contexts),
            "export": msgspec.to_builtins(record.export),
            "attributed_to": record.attributed_to,
            "rule": record.rule,
            "mentions": msgspec.to_builtins(record.mentions[:PARTS]),
            "article_id": record.article_id,
            "title": cut(record.article_title),
            "publisher": record.publisher,
            "credit": record.credit,
            "language": record.language,
            "published_at": iso(record.published_at),
            "first_seen_at": iso(record.first_seen_at),
            "fetched_at": iso(record.fetched_at),
            "search": search_text(record, record.evidence, record.article_title),
            # Not searched. Tracking needs it when past events are read again (see history.py).
            "track": {"fingerprint": list(record.fingerprint), "subject": record.subject},
        },
    }


def story(record: Story) -> Fields:
    """Return the document of a story at its current revision."""
    return {
        **envelope(record.id, "stories", at=record.last_seen_at, created=record.first_seen_at, when=record.date),
        "url": url_fields(record.reports[0].article_url if record.reports else ""),
        "news": {
            **event_fields(record),
            "headline": cut(record.headline),
            "revision": record.revision,
            "phase": record.phase,
            "phases": list(record.phases),
            "change": record.change,
            "occasions": list(record.occasions),
            "publishers": unique(record.publishers),
            "source_count": record.source_count,
            "article_count": record.article_count,
            "event_ids": list(record.event_ids),
            "article_ids": list(record.article_ids),
            "subject_ids": list(record.subject_ids),
            "part_of": record.part_of or None,
            "merged_into": record.merged_into or None,
            "merged_ids": unique(record.merged_ids),
            "split_from": record.split_from or None,
            "title": cut(record.title),
            "publisher": record.publisher or None,
            "central_article": record.central_article or None,
            "line": record.line or None,
            "kinds": unique((record.kind, *(one.kind for one in record.happenings))),
            "titles": unique(one.title for one in record.articles),
            "articles": [_without_fingerprint(msgspec.to_builtins(one)) for one in record.articles],
            "happenings": [_happening(one) for one in record.happenings[:PARTS]],
            "differences": msgspec.to_builtins(record.differences),
            "related": msgspec.to_builtins(record.related),
            "reports": [_without_fingerprint(msgspec.to_builtins(report)) for report in record.reports],
            "timeline": msgspec.to_builtins(record.timeline),
            "first_seen_at": iso(record.first_seen_at),
            "last_seen_at": iso(record.last_seen_at),
            "search": search_text(record, record.headline, *(one.title for one in record.articles)),
        },
    }


def alert(record: Alert) -> Fields:
    """Return the document of an alert."""
    fields = envelope(record.id, "alerts", at=record.raised_at)
    fields["event"] |= {"kind": "alert"}
    return {
        **fields,
        "message": cut(record.message),
        "rule": {"name": record.rule},
        "url": url_fields(record.url),
        "news": {
            "about": record.about,
            "story_id": record.story_id,
            "story_revision": record.story_revision,
            "occasion": record.occasion,
            "headline": cut(record.headline),
            "evidence": cut(record.evidence),
            "kind": record.kind,
            "event_type": record.event_type,
            "modality": record.modality,
            "confidence": record.confidence,
            "countries": unique(record.countries),
            "publishers": unique(record.publishers),
            "channels": unique(record.channels),
            "held": record.held,
            "gathers": list(record.gathers),
            "event_id": record.event_id,
            "first_seen_at": iso(record.first_seen_at),
            "raised_at": iso(record.raised_at),
        },
    }


def failure(record: Failure) -> Fields:
    """Return the document of a failure. The raw bytes are cut; the quarantine topic has all of them."""
    fields = envelope(record.id, "failures", at=record.failed_at)
    fields["event"] |= {"kind": "pipeline_error"}
    return {
        **fields,
        "service": {"name": "dateline", "version": record.version},
        "error": {
            "type": record.error_type,
            "message": cut(record.error),
            "stack_trace": cut(record.traceback, 20_000),
        },
        "news": {
            "stage": record.stage,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": None if record.key is None else cut(record.key.decode("utf-8", "replace"), 512),
            "raw": record.raw[:RAW_BYTES].decode("utf-8", "replace"),
            "raw_bytes": record.raw_size or len(record.raw),
            "failed_at": iso(record.failed_at),
        },
    }


def feedback(record: Feedback) -> Fields:
    """Return the document of a mark on an alert, or of a mute. The event itself is only on the topic."""
    marked = record.event
    return {
        **envelope(record.id, "feedback", at=record.at),
        "rule": {"name": record.rule},
        "news": {
            "verdict": record.verdict,
            "target": record.target,
            "name": record.name,
            "until": iso(record.until),
            "story_id": record.story_id,
            "headline": cut(record.headline),
            "evidence": cut(record.evidence),
            "note": cut(record.note),
            "by": record.by,
            "event_id": marked.id if marked else None,
            "kind": marked.kind if marked else None,
            "event_type": marked.event_type if marked else None,
        },
    }


def _happening(record: Happening) -> Fields:
    """Return a happening of a story: what is searched as fields, everything that its page shows under `details`."""
    details = msgspec.to_builtins(record)
    details["reports"] = [_without_fingerprint(report) for report in details["reports"]]
    summed = event_fields(record)
    shown = ("id", "line", "kind", "event_type", "subtype", "modality", "phase", "background", "confidence", "source_count",
             "date", "first_seen_at", "last_seen_at")  # fmt: skip
    searched = {name: details.pop(name) for name in shown}
    searched |= {"first_seen_at": iso(record.first_seen_at), "last_seen_at": iso(record.last_seen_at)}
    searched |= {name: summed[name] for name in _SUMMED}
    return {**searched, "publishers": unique(record.publishers), "details": details}


_SUMMED: Final = (
    "actor_countries", "actor_names", "amount_usd", "countries", "dead", "injured", "place_countries", "place_names",
    "recipient_countries", "recipient_names",
)  # fmt: skip
"""What is counted and summed over happenings, see happenings.py."""


def _without_fingerprint(report: Fields) -> Fields:
    return {key: value for key, value in report.items() if key != "fingerprint"}
