"""A record in, its bulk action out: index, id, version and document. Pure: no client, no clock, no network.

The index of an item is chosen by the moment when it was first seen (index_table.py). It never changes, so an id is never in two
indices. The version is our own revision, not the offset on a topic, so a replay in any order changes nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from pipeline.index import documents
from pipeline.index.document_fields import Fields, clean, utc
from pipeline.index.index_table import IndexTable, month_index
from pipeline.records import Alert, Document, Event, Failure, Feedback, Record, RecordError, Story

INDICES: Final = ("documents", "events", "stories", "alerts", "failures", "feedback")
"""The names of the indices; each has an alias, a mapping and a function in documents.py."""

NO_PLACES: Final = IndexTable()
"""Where nothing is known to exist, each month is one index."""

_EARLIEST: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LEEWAY: Final = dt.timedelta(days=1)
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a bulk request. `fetched_at` is when the article was fetched; the age metric needs it."""

    name: str
    index: str
    id: str
    op: Literal["index", "create"]
    source: Fields
    version: int | None = None
    version_type: Literal["external", "external_gte"] | None = None
    fetched_at: dt.datetime | None = None

    def lines(self) -> tuple[bytes, bytes]:
        """Return the two lines of NDJSON: the action and the document."""
        header: Fields = {"_index": self.index, "_id": self.id}
        if self.version is not None:
            header |= {"version": self.version, "version_type": self.version_type}
        return _encode({self.op: header}), _encode(self.source)


def alias(prefix: str, name: str) -> str:
    """Return the alias that is searched: `news-events` for `news` and `events`."""
    return f"{prefix}-{name}"


def pattern(prefix: str, name: str) -> str:
    """Return the pattern of the indices behind an alias, of every version of the mapping."""
    return f"{prefix}-{name}-v*-*"


def everywhere(prefix: str, name: str) -> str:
    """Return the patterns of all indices that hold items of a name, also of those that a replay has written."""
    return f"{pattern(prefix, name)},{prefix}-r*-{name}-v*-*"


def replaced_alias(prefix: str, name: str) -> str:
    """Return the alias of indices that a replay has taken out of the search."""
    return f"{alias(prefix, name)}-replaced"


def index_of(
    prefix: str, name: str, first_seen_at: dt.datetime | None, *, now: dt.datetime, places: IndexTable = NO_PLACES
) -> str:
    """Return the index of an item that was first seen at a moment.

    Raises:
        RecordError: the time is missing or absurd. Each month is an index, and a server has room for a limited number.
    """
    if first_seen_at is None:
        raise RecordError("first_seen_at is absent, and the index is chosen by it")
    seen = utc(first_seen_at)
    if not _EARLIEST < seen < now + _LEEWAY:
        raise RecordError(f"first_seen_at {seen.isoformat()} is not between the year 2000 and tomorrow")
    return places.index(name, seen) or month_index(prefix, name, seen)


def action(record: Record, *, prefix: str, now: dt.datetime, places: IndexTable = NO_PLACES) -> Action:
    """Return the bulk action of a record.

    The version of documents and events is the time of the fetch: an older fetch never overwrites a newer one, and a better
    detector that reads the same fetch again does overwrite. The version of a story is its revision. Alerts and failures never
    change, so they are only created; a second attempt finds them there already.

    Raises:
        RecordError: this kind of record is not indexed, or the record has no time that chooses its index.
    """

    def make(name: str, source: Fields, seen: dt.datetime | None, **rest: Any) -> Action:
        rest.setdefault("op", "index")
        index = index_of(prefix, name, seen, now=now, places=places)
        return Action(name=name, index=index, id=str(source["event"]["id"]), source=clean(source), **rest)

    match record:
        case Document():
            version = _milliseconds(record.fetched_at)
            fetched_at = utc(record.fetched_at)
            return make(
                "documents", documents.document(record), record.first_seen_at,
                version=version, version_type="external_gte", fetched_at=fetched_at,
            )  # fmt: skip
        case Event():
            read_at = record.fetched_at or record.first_seen_at
            return make(
                "events", documents.event(record), record.first_seen_at,
                version=_milliseconds(read_at), version_type="external_gte", fetched_at=read_at and utc(read_at),
            )  # fmt: skip
        case Story():
            opened_at = record.opened_at or record.first_seen_at
            return make("stories", documents.story(record), opened_at, version=record.revision, version_type="external")
        case Alert():
            return make("alerts", documents.alert(record), record.opened_at or record.first_seen_at, op="create")
        case Failure():
            # A record that fails again in a replay of a later month is listed there once more: it did fail again.
            return make("failures", documents.failure(record), record.failed_at, op="create")
        case Feedback():
            # A mark may be changed months later and stays one document, so all marks are in one index, whatever the version
            # of the mapping. The later mark counts.
            source = clean(documents.feedback(record))
            index = f"{prefix}-feedback-v1-all"
            version = _milliseconds(record.at)
            return Action("feedback", index, record.id, "index", source, version, "external_gte")
    raise RecordError(f"{type(record).__name__.lower()}: not a kind of record that is indexed")


def _milliseconds(at: dt.datetime | None) -> int:
    return 0 if at is None else max(0, int(utc(at).timestamp() * 1000))
