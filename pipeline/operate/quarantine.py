"""Records that could not be processed: list them, and send them again to the topic where they failed.

A retry writes the record's bytes to its topic again, with the same key and partition. Every step is idempotent, so a record
that succeeds now only adds what was missing. Then a tombstone with the failure's id removes it from the list.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline import bus
from pipeline.records import Failure, RecordError, decode
from pipeline.settings import Settings


class QuarantineError(Exception):
    """There is no such failure, or its record no longer exists; the message says which."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The result of a retry: the failure, and why its record could not be sent again (empty if it was)."""

    failure: Failure
    problem: str = ""


def fold(messages: Iterable[bus.Message]) -> tuple[Failure, ...]:
    """Return the open failures of the topic's messages, the oldest first. Messages that are no failure are skipped."""
    open_: dict[bytes, Failure] = {}
    for message in messages:
        key = message.key or b""
        if message.value is None:
            open_.pop(key, None)
            continue
        try:
            open_[key] = decode(message.value, Failure)
        except RecordError:
            continue  # not a record of ours; the indexer reports it
    return tuple(sorted(open_.values(), key=lambda failure: (failure.failed_at, failure.id)))


def read(settings: Settings) -> tuple[Failure, ...]:
    """Return all open failures, the oldest first.

    Raises:
        BusError: Kafka or the topic is not available.
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
    """Return the failures with these ids (or beginnings of ids), and with this stage, error type and age.

    Raises:
        QuarantineError: an id is unknown, or several begin with it.
    """
    chosen = list(failures) if not ids else [_find(failures, beginning) for beginning in ids]
    return tuple(
        failure
        for failure in dict.fromkeys(chosen)
        if (stage is None or failure.stage == stage)
        and (error_type is None or failure.error_type == error_type)
        and (since is None or failure.failed_at >= since)
    )


def _find(failures: Sequence[Failure], beginning: str) -> Failure:
    found = [failure for failure in failures if failure.id.startswith(beginning)]
    if not found:
        raise QuarantineError(f"{beginning}: no such failure; `dateline quarantine list` shows them")
    if len(found) > 1:
        raise QuarantineError(f"{beginning}: {len(found)} failures begin like this; give more of the id")
    return found[0]


def retry(settings: Settings, failures: Sequence[Failure]) -> tuple[Retried, ...]:
    """Send the records of these failures again and return the result for each.

    A record that failed in two stages is sent once. The tombstones follow when all records are written.

    Raises:
        BusError: Kafka is not available, or did not accept a record. It is safe to run the retry again.
    """
    publisher = bus.Publisher(settings)
    try:
        problems: dict[tuple[object, ...], str] = {}
        results = []
        for failure in failures:
            place = (failure.topic, failure.partition, failure.offset)
            if place not in problems or failure.offset is None:
                problems[place] = _send(settings, publisher, failure)
            results.append(Retried(failure, problems[place]))
        publisher.flush()
        for result in results:
            if not result.problem:
                publisher.send(bus.QUARANTINE, result.failure.id.encode(), None)
        publisher.flush()
        return tuple(results)
    finally:
        publisher.close()


def _send(settings: Settings, publisher: bus.Publisher, failure: Failure) -> str:
    """Write one record to its topic again; return why that is not possible, or an empty string."""
    if failure.topic not in bus.TOPICS:
        if failure.topic.startswith("feed:"):
            feed = failure.topic.removeprefix("feed:")
            return f"it came from feed {feed!r}, not from a topic: it is collected again when the feed lists it again"
        return f"it did not come from a topic but from {failure.topic or 'nowhere'}"
    raw: bytes | None = failure.raw
    if failure.raw_size > len(failure.raw):
        if failure.partition is None or failure.offset is None:
            return "it was too large to be kept"
        message = bus.read_one(settings, failure.topic, failure.partition, failure.offset)
        if message is None:
            return f"it was too large to be kept, and {failure.topic} no longer holds it"
        raw = message.value
    publisher.send(failure.topic, failure.key or b"", raw, partition=failure.partition)
    return ""
