"""Records that could not be processed: look at them, and send them again to where they failed.

A retry puts the record's bytes back on its topic, under its old key and in its old partition; every step is idempotent, so
one that succeeds after all changes only what was missing. Then a tombstone under the failure's id takes it out of the list.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline import bus
from pipeline.records import Failure, RecordError, decode
from pipeline.settings import Settings


class QuarantineError(Exception):
    """No such failure, or its record is gone; the message says which."""


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry did: the failure, and where its record went again, or why not."""

    failure: Failure
    problem: str = ""


def fold(messages: Iterable[bus.Message]) -> tuple[Failure, ...]:
    """The messages of the topic in, the failures that are still open out, the oldest first. What is no failure is left out."""
    open_: dict[bytes, Failure] = {}
    for message in messages:
        key = message.key or b""
        if message.value is None:
            open_.pop(key, None)
            continue
        try:
            open_[key] = decode(message.value, Failure)
        except RecordError:
            continue  # garbage that somebody wrote there: the indexer reports it
    return tuple(sorted(open_.values(), key=lambda failure: (failure.failed_at, failure.id)))


def read(settings: Settings) -> tuple[Failure, ...]:
    """All open failures, the oldest first.

    Raises:
        BusError: Kafka or the topic is not there.
    """
    return fold(bus.read_all(settings, bus.QUARANTINE))


def select(
    failures: Sequence[Failure],
    ids: Sequence[str] = (),
    *,
    stage: str | None = None,
    error_type: str | None = None,
    since: dt.datetime | None = None,
) -> tuple[Failure, ...]:
    """Failures and what is asked for in (ids, or their beginnings), those that are meant out.

    Raises:
        QuarantineError: an id is unknown, or the beginning of several.
    """
    chosen = list(failures) if not ids else [_one(failures, beginning) for beginning in ids]
    return tuple(
        failure
        for failure in dict.fromkeys(chosen)
        if (stage is None or failure.stage == stage)
        and (error_type is None or failure.error_type == error_type)
        and (since is None or failure.failed_at >= since)
    )


def _one(failures: Sequence[Failure], beginning: str) -> Failure:
    found = [failure for failure in failures if failure.id.startswith(beginning)]
    if not found:
        raise QuarantineError(f"{beginning}: no such failure; `dateline quarantine list` shows them")
    if len(found) > 1:
        raise QuarantineError(f"{beginning}: {len(found)} failures begin like this; give more of the id")
    return found[0]


def retry(settings: Settings, failures: Sequence[Failure]) -> tuple[Retried, ...]:
    """Send the records of these failures again; what became of each out.

    One record may have failed in two stages: it goes out once. The tombstones follow when all records are on their topics.

    Raises:
        BusError: Kafka is not there, or did not take a record; run it again then, it does no harm.
    """
    publisher = bus.Publisher(settings)
    try:
        done: dict[tuple[object, ...], str] = {}
        results = []
        for failure in failures:
            place = (failure.topic, failure.partition, failure.offset)
            if place not in done or failure.offset is None:
                done[place] = _send(settings, publisher, failure)
            results.append(Retried(failure, done[place]))
        publisher.flush()
        for result in results:
            if not result.problem:
                publisher.send(bus.QUARANTINE, result.failure.id.encode(), None)
        publisher.flush()
        return tuple(results)
    finally:
        publisher.close()


def _send(settings: Settings, publisher: bus.Publisher, failure: Failure) -> str:
    """Put one record back; why that cannot be done out, or nothing."""
    if failure.topic not in bus.TOPICS:
        if failure.topic.startswith("feed:"):
            feed = failure.topic.removeprefix("feed:")
            return f"it came from feed {feed!r}, not from a topic: it is met again when the feed tells it anew"
        return f"it did not come from a topic but from {failure.topic or 'nowhere'}"
    raw: bytes | None = failure.raw
    if failure.raw_size > len(failure.raw):
        if failure.partition is None or failure.offset is None:
            return "it was too large to be kept"
        there = bus.read_one(settings, failure.topic, failure.partition, failure.offset)
        if there is None:
            return f"it was too large to be kept, and {failure.topic} no longer holds it"
        raw = there.value
    publisher.send(failure.topic, failure.key or b"", raw, partition=failure.partition)
    return ""
