"""A record in, what Elasticsearch is told out. Pure: no client, no clock, no network.

The envelope is ECS (`@timestamp`, `event.*`, `url.*`, `rule.*`, `error.*`); what is ours stands under `news.*`. PLOVER's types
never go into `event.category` or `event.type`: those are closed lists of the security world.

An item's index is chosen by the month in which it was first seen, which never changes, so that an id never lands in two
indices. Its version is our own revision and not the offset on a topic, so that a replay, in whatever order, changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from pipeline.index.words import country_words, folded
from pipeline.records import (
    Alert,
    Document,
    Event,
    Failure,
    Feedback,
    Money,
    Party,
    Place,
    Quantity,
    Record,
    RecordError,
    Story,
    When,
)

ECS_VERSION: Final = "9.0.0"
MAPPING_VERSION: Final = 1
KINDS: Final = ("documents", "events", "stories", "alerts", "failures", "feedback")

TEXT_BYTES: Final = 1_000_000
"""Of an article's text: Elasticsearch highlights no more than a million characters of a field."""

RAW_BYTES: Final = 4_000
"""Of a failure's raw bytes: enough to see what it was; the whole is on the quarantine topic."""

PARTS: Final = 200
"""Of the actors, places, names ... of one record: far below Elasticsearch's 10,000 nested objects."""

_EARLIEST: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LEEWAY: Final = dt.timedelta(days=1)
_encode: Final = msgspec.json.Encoder().encode

Source = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """One line of a bulk request. `created` is when the article behind it was fetched, for the age of what is indexed."""

    name: str
    index: str
    id: str
    op: Literal["index", "create"]
    source: Source
    version: int | None = None
    version_type: Literal["external", "external_gte"] | None = None
    fetched_at: dt.datetime | None = None

    def lines(self) -> tuple[bytes, bytes]:
        """The two lines of NDJSON: what to do, and with what."""
        header: Source = {"_index": self.index, "_id": self.id}
        if self.version is not None:
            header |= {"version": self.version, "version_type": self.version_type}
        return _encode({self.op: header}), _encode(self.source)


def alias(prefix: str, name: str) -> str:
    """`news`, `events` in, `news-events` out: what one searches."""
    return f"{prefix}-{name}"


def pattern(prefix: str, name: str) -> str:
    """The indices behind an alias."""
    return f"{prefix}-{name}-v{MAPPING_VERSION}-*"


def index_of(prefix: str, name: str, first_seen_at: dt.datetime | None, *, now: dt.datetime) -> str:
    """The month an item was first seen in, its index out.

    Raises:
        RecordError: the time is absent or absurd; each month is an index, and a server has room for a bounded number.
    """
    if first_seen_at is None:
        raise RecordError("first_seen_at is absent, and the index is chosen by it")
    seen = _utc(first_seen_at)
    if not _EARLIEST < seen < now + _LEEWAY:
        raise RecordError(f"first_seen_at {seen.isoformat()} is not between the year 2000 and tomorrow")
    return f"{prefix}-{name}-v{MAPPING_VERSION}-{seen:%Y.%m}"


def action(record: Record, *, prefix: str, now: dt.datetime) -> Action:
    """A record in, its bulk action out.

    Documents and events carry the time of the fetch as their version: an older fetch never overwrites a newer one, and the
    same fetch read again by a better detector does overwrite. A story's revision must grow. What is only ever made once
    (alerts, failures) is created, and is there already the second time.

    Raises:
        RecordError: the record is of no kind that is indexed, or lacks what chooses its index.
    """

    def make(name: str, source: Source, seen: dt.datetime | None, **rest: Any) -> Action:
        rest.setdefault("op", "index")
        index = index_of(prefix, name, seen, now=now)
        return Action(name=name, index=index, id=str(source["event"]["id"]), source=clean(source), **rest)

    match record:
        case Document():
            version = _milliseconds(record.fetched_at)
            fetched_at = _utc(record.fetched_at)
            return make(
                "documents", document(record), record.first_seen_at,
                version=version, version_type="external_gte", fetched_at=fetched_at,
            )  # fmt: skip
        case Event():
            read_at = record.fetched_at or record.first_seen_at
            return make(
                "events", event(record), record.first_seen_at,
                version=_milliseconds(read_at), version_type="external_gte", fetched_at=read_at and _utc(read_at),
            )  # fmt: skip
        case Story():
            opened_at = record.opened_at or record.first_seen_at
            return make("stories", story(record), opened_at, version=record.revision, version_type="external")
        case Alert():
            return make("alerts", alert(record), record.opened_at or record.first_seen_at, op="create")
        case Failure():
            # A failure has no first sight, only the last: the one thing that is the same each time is its id.
            source = clean(failure(record))
            index = f"{prefix}-failures-v{MAPPING_VERSION}-all"
            return Action(name="failures", index=index, id=record.id, op="create", source=source)
        case Feedback():
            # A mark may be changed months later, and is one mark all the same; the later word counts.
            source = clean(feedback(record))
            index = f"{prefix}-feedback-v{MAPPING_VERSION}-all"
            version = _milliseconds(record.at)
            return Action("feedback", index, record.id, "index", source, version, "external_gte")
    raise RecordError(f"{type(record).__name__.lower()}: not a kind of record that is indexed")


# --- one function per noun -------------------------------------------------------------------------------------------


def document(record: Document) -> Source:
    """An article understood, as it is searched: its text, and the names in it without their offsets."""
    names = {label: [e.name or e.text for e in record.entities if e.label in labels] for label, labels in _LABELS}
    return {
        **_envelope(
            record.id,
            "documents",
            at=_shown_at(record.published_at, record.first_seen_at),
            created=record.first_seen_at,
        ),
        "url": _url(record.url),
        "news": {
            "title": cut(record.title),
            "text": cut(record.text),
            "search": folded(record.title),
            **{label: _some(found) for label, found in names.items()},
            "countries": _some(e.country for e in record.entities),
            "feed": record.feed_id,
            "publisher": record.publisher,
            "credit": record.credit,
            "authors": _some(record.authors),
            "language": record.language,
            "image_url": record.image_url,
            "content_hash": record.content_hash,
            "truncated": record.truncated,
            "published_at": _iso(record.published_at),
            "updated_at": _iso(record.updated_at),
            "first_seen_at": _iso(record.first_seen_at),
            "fetched_at": _iso(record.fetched_at),
        },
    }


_LABELS: Final = (
    ("persons", frozenset({"PERSON"})),
    ("organizations", frozenset({"ORG"})),
    ("place_names", frozenset({"GPE", "LOC", "FAC"})),
)


def event(record: Event) -> Source:
    """Something that an article says, as it is searched."""
    at = _shown_at(record.published_at, record.first_seen_at)
    return {
        **_envelope(record.id, "events", at=at, created=record.first_seen_at, when=record.date),
        "url": _url(record.article_url),
        "news": {
            **_what(record),
            "evidence": cut(record.evidence),
            "section": record.section,
            "start": record.start,
            "end": record.end,
            "trigger": record.trigger,
            "event_mode": record.event_mode,
            "contexts": _some(record.contexts),
            "export": msgspec.to_builtins(record.export),
            "attributed_to": record.attributed_to,
            "rule": record.rule,
            "mentions": msgspec.to_builtins(record.mentions[:PARTS]),
            "article_id": record.article_id,
            "title": cut(record.article_title),
            "publisher": record.publisher,
            "credit": record.credit,
            "language": record.language,
            "published_at": _iso(record.published_at),
            "first_seen_at": _iso(record.first_seen_at),
            "fetched_at": _iso(record.fetched_at),
            "search": _search(record, record.evidence, record.article_title),
            # Not searched: what tracking needs beside the rest when history is read again (see history.py).
            "track": {"fingerprint": list(record.fingerprint), "subject": record.subject},
        },
    }


def story(record: Story) -> Source:
    """A happening and its reports, as it stands at this revision."""
    return {
        **_envelope(record.id, "stories", at=record.last_seen_at, created=record.first_seen_at, when=record.date),
        "url": _url(record.reports[0].article_url if record.reports else ""),
        "news": {
            **_what(record),
            "headline": cut(record.headline),
            "revision": record.revision,
            "phase": record.phase,
            "phases": list(record.phases),
            "change": record.change,
            "occasions": list(record.occasions),
            "publishers": _some(record.publishers),
            "source_count": record.source_count,
            "article_count": record.article_count,
            "event_ids": list(record.event_ids),
            "article_ids": list(record.article_ids),
            "subject_ids": list(record.subject_ids),
            "part_of": record.part_of or None,
            "merged_into": record.merged_into or None,
            "merged_ids": _some(record.merged_ids),
            "split_from": record.split_from or None,
            "reports": [_without_fingerprint(msgspec.to_builtins(report)) for report in record.reports],
            "timeline": msgspec.to_builtins(record.timeline),
            "first_seen_at": _iso(record.first_seen_at),
            "last_seen_at": _iso(record.last_seen_at),
            "search": _search(record, record.headline),
        },
    }


def alert(record: Alert) -> Source:
    """A rule that rang."""
    envelope = _envelope(record.id, "alerts", at=record.raised_at)
    envelope["event"] |= {"kind": "alert"}
    return {
        **envelope,
        "message": cut(record.message),
        "rule": {"name": record.rule},
        "url": _url(record.url),
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
            "countries": _some(record.countries),
            "publishers": _some(record.publishers),
            "channels": _some(record.channels),
            "held": record.held,
            "gathers": list(record.gathers),
            "event_id": record.event_id,
            "first_seen_at": _iso(record.first_seen_at),
            "raised_at": _iso(record.raised_at),
        },
    }


def failure(record: Failure) -> Source:
    """What could not be processed. The raw bytes are cut: the quarantine topic keeps them whole."""
    envelope = _envelope(record.id, "failures", at=record.failed_at)
    envelope["event"] |= {"kind": "pipeline_error"}
    return {
        **envelope,
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
            "failed_at": _iso(record.failed_at),
        },
    }


def feedback(record: Feedback) -> Source:
    """What a person said of an alert, or which rule or story is muted. The event itself stays on the topic."""
    read = record.event
    return {
        **_envelope(record.id, "feedback", at=record.at),
        "rule": {"name": record.rule},
        "news": {
            "verdict": record.verdict,
            "target": record.target,
            "name": record.name,
            "until": _iso(record.until),
            "story_id": record.story_id,
            "headline": cut(record.headline),
            "evidence": cut(record.evidence),
            "note": cut(record.note),
            "by": record.by,
            "event_id": read.id if read else None,
            "kind": read.kind if read else None,
            "event_type": read.event_type if read else None,
        },
    }


# --- what several nouns share ----------------------------------------------------------------------------------------


def _envelope(
    identifier: str,
    name: str,
    *,
    at: dt.datetime | None,
    created: dt.datetime | None = None,
    when: When | None = None,
) -> Source:
    return {
        "@timestamp": _iso(at),
        "ecs": {"version": ECS_VERSION},
        "event": {
            "id": identifier,
            "kind": "event",
            "module": "dateline",
            "dataset": f"dateline.{name}",
            "provider": "dateline",
            "created": _iso(created or at),
            "start": when.start.isoformat() if when else None,
            "end": when.end.isoformat() if when else None,
        },
    }


def _what(record: Event | Story) -> Source:
    """The fields of a happening that an event and a story have in common."""
    countries = {
        "actor_countries": _some(party.country for party in record.actors),
        "recipient_countries": _some(party.country for party in record.recipients),
        "place_countries": _some(place.country for place in record.places),
    }
    points = [point for place in record.places[:PARTS] if (point := _point(place))]
    return {
        "kind": record.kind,
        "event_type": record.event_type,
        "subtype": record.subtype,
        "modality": record.modality,
        "confidence": record.confidence,
        "actors": [_party(party) for party in record.actors[:PARTS]],
        "recipients": [_party(party) for party in record.recipients[:PARTS]],
        "actor_names": _some(party.name or party.text for party in record.actors),
        "recipient_names": _some(party.name or party.text for party in record.recipients),
        **countries,
        "countries": _some(code for codes in countries.values() for code in codes),
        "places": [_place(place) for place in record.places[:PARTS]],
        "location": points,
        "date": msgspec.to_builtins(record.date),
        "money": [_amount(money) for money in record.money[:PARTS]],
        "amounts": [money.value for money in record.money[:PARTS]],
        "currencies": _some(money.currency for money in record.money),
        "quantities": [_amount(quantity) for quantity in record.quantities[:PARTS]],
        "items": _some(record.items),
        "recipient_search": folded(" ".join(_names(record.recipients))),
    }


def _search(record: Event | Story, *texts: str) -> str:
    """The words by which an event or story is found: its own, its kind, and the names that its codes stand for."""
    names = _names((*record.actors, *record.recipients, *record.places))
    return folded(" ".join([*texts, *names, record.kind.replace("_", " "), record.event_type, *record.items]))


def _names(parts: Iterable[Party | Place]) -> list[str]:
    """What these are called, and what their countries and peoples are called (RUS: Russia, Russian)."""
    parts = tuple(parts)
    codes = _some(part.country for part in parts)
    known = [word for code in codes for word in (code, *country_words(code))]
    return [*_some(part.name or part.text for part in parts), *known]


def _party(party: Party) -> Source:
    return {
        "text": party.text,
        "name": party.name,
        "country": party.country,
        "sector": party.sector,
        "identifier": party.identifier,
    }


def _place(place: Place) -> Source:
    return {"text": place.text, "name": place.name, "country": place.country, "location": _point(place)}


def _point(place: Place) -> Source | None:
    if place.lat is not None and place.lon is not None and abs(place.lat) <= 90 and abs(place.lon) <= 180:
        return {"lat": place.lat, "lon": place.lon}
    return None


def _amount(amount: Money | Quantity) -> Source:
    told: Source = {"text": amount.text, "value": amount.value}
    if isinstance(amount, Money):
        return told | {"low": amount.low, "currency": amount.currency}
    return told | {"unit": amount.unit}


def _without_fingerprint(report: Source) -> Source:
    return {key: value for key, value in report.items() if key != "fingerprint"}


def _url(url: str) -> Source:
    try:
        domain = urlsplit(url).hostname
    except ValueError:
        domain = None
    return {"full": url, "domain": domain}


def _some(values: Iterable[str | None]) -> list[str]:
    """Each value once, in order, the empty ones left out, not too many."""
    return [value for value in dict.fromkeys(values) if value][:PARTS]


def _utc(at: dt.datetime) -> dt.datetime:
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


def _iso(at: dt.datetime | None) -> str | None:
    return None if at is None else _utc(at).isoformat()


def _milliseconds(at: dt.datetime | None) -> int:
    return 0 if at is None else max(0, int(_utc(at).timestamp() * 1000))


def _shown_at(published_at: dt.datetime | None, first_seen_at: dt.datetime | None) -> dt.datetime | None:
    """When an item stands on the time line: when it was published, but never later than it was seen (clocks of sites lie)."""
    times = [_utc(at) for at in (published_at, first_seen_at) if at is not None]
    return min(times) if times else None


def clean(value: Any) -> Any:
    """A document in, the same without its empty parts out: a null says nothing and takes room."""
    if isinstance(value, dict):
        kept = {key: clean(part) for key, part in value.items()}
        return {key: part for key, part in kept.items() if part is not None and part not in ("", [], {}, ())}
    return [clean(part) for part in value] if isinstance(value, list | tuple) else value


def cut(text: str, size: int = TEXT_BYTES) -> str:
    """A text in, its longest beginning of at most `size` bytes of UTF-8 out, never half a character."""
    if len(text) * 4 <= size:
        return text
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
