"""The outcome of one record in one stage: timed, counted, logged and, after an error, prepared for quarantine.

A record has exactly one outcome per stage: `ok`, `rejected` (processed and not wanted, with a reason from a closed list) or
`quarantined` (could not be processed; its bytes are kept). `retried` is counted in addition, each time a record is tried
again. Faust acknowledges a message whose agent raised an exception, so no exception may leave an agent.
"""

from __future__ import annotations

import datetime as dt
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from pipeline import metrics
from pipeline.process import VERSION
from pipeline.records import Failure, RecordError, content_id

log = structlog.get_logger("stage")

RAW_BYTES: Final = 6_000_000
"""A failure does not contain a record above this size. `dateline quarantine retry` reads it from its topic."""

REASONS: Final = (
    "", "empty", "not_text", "too_short", "language", "duplicate", "unchanged", "oversized", "not_found", "refused", "wall",
    "stale", "no_match", "expired",
)  # fmt: skip
"""The reasons for a rejection: the values of the metric label `reason`."""

QUIET: Final = frozenset({"no_match", "unchanged", "duplicate", "expired"})
"""Reasons that are normal: they are counted, but logged only at debug level."""


class Rejected(Exception):  # noqa: N818 - an outcome, not an error
    """The record was processed and is not wanted; `reason` is one of `REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}, expected one of {REASONS}")
        super().__init__(detail or reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record came from, so that it can be found again."""

    topic: str
    partition: int | None = None
    offset: int | None = None
    key: bytes | None = None
    raw: bytes = b""


@dataclass(slots=True)
class Outcome:
    """The outcome of a record. `failure` is set if it has to go to quarantine."""

    name: str = "ok"
    reason: str = ""
    failure: Failure | None = None


@contextmanager
def recorded(stage: str, source: Source, *, now: dt.datetime | None = None) -> Iterator[Outcome]:
    """Run a block that processes one record: time, count and log its outcome, and let no exception out.

    Afterwards the caller sends `outcome.failure`, if there is one, to quarantine, and then acknowledges the record.
    """
    outcome = Outcome()
    began = time.perf_counter()
    try:
        yield outcome
    except Rejected as rejected:
        outcome.name, outcome.reason = "rejected", rejected.reason
    except Exception as error:  # noqa: BLE001 - every error of a stage ends in quarantine
        outcome.name = "quarantined"
        outcome.failure = failure(stage, source, error, now=now or dt.datetime.now(dt.UTC))
        outcome.reason = outcome.failure.error_type
    metrics.stage_duration_seconds.labels(stage=stage).observe(time.perf_counter() - began)
    settle(stage, outcome, source)


def settle(stage: str, outcome: Outcome, source: Source) -> None:
    """Count and log an outcome that was decided elsewhere (a pool process, a bulk answer). Once per record and stage."""
    reason = outcome.reason if outcome.name == "rejected" else ""
    metrics.records_total.labels(stage=stage, outcome=outcome.name, reason=reason).inc()
    metrics.stage_last_record_timestamp_seconds.labels(stage=stage).set_to_current_time()
    where = {"stage": stage, "topic": source.topic, "partition": source.partition, "offset": source.offset}
    if outcome.failure is not None:
        log.error("quarantined", **where, failure=outcome.failure.id, error=outcome.failure.error)
    elif outcome.name == "rejected":
        write = log.debug if outcome.reason in QUIET else log.info
        write("rejected", **where, reason=outcome.reason)


def failure(stage: str, source: Source, error: BaseException, *, now: dt.datetime) -> Failure:
    """Return the failure of an error, for quarantine. Its id is the same whenever the same bytes fail at the same place."""
    name = "RecordError" if isinstance(error, RecordError) else type(error).__name__
    trace = "".join(traceback.format_exception(error))
    return failed(stage, source, error_type=name, error=str(error) or name, trace=trace, now=now)


def failed(stage: str, source: Source, *, error_type: str, error: str, trace: str = "", now: dt.datetime) -> Failure:
    """Return the failure of an error that happened in another process and is known only as text."""
    return Failure(
        id=content_id(stage, source.topic, source.partition, source.offset, source.raw[:64]),
        stage=stage,
        error_type=error_type,
        error=error[:2000],
        topic=source.topic,
        partition=source.partition,
        offset=source.offset,
        key=source.key,
        raw=source.raw if len(source.raw) <= RAW_BYTES else b"",
        raw_size=len(source.raw),
        version=VERSION,
        failed_at=now,
        traceback=trace[-4000:],
    )


def without_raw(failure: Failure) -> Failure:
    """A failure that is too large for its topic in, the same without the record's bytes out: its size and place stay."""
    return msgspec.structs.replace(failure, raw=b"")


def retried(stage: str) -> None:
    """Count a retry of a record."""
    metrics.records_total.labels(stage=stage, outcome="retried", reason="").inc()
