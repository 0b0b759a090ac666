"""The bulk loop: messages in; it returns when each is in the index or in quarantine. It knows no Elasticsearch client.

Each record has one of three results. It is in the index (written now, or there already); or Elasticsearch reports that it
cannot index this document, so the record goes to quarantine and the others continue; or the server cannot take it now, and
the loop tries again for as long as that lasts, while the group's offsets do not move. A server that refuses this client (401,
403, another major version) ends the process with a clear message: nothing is dropped, and an operator has to act.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import structlog

from pipeline import bus, metrics, stage
from pipeline.index import actions
from pipeline.index.errors import (
    TEMPORARY_STATUSES,
    DocumentError,
    RefusedError,
    RequestError,
    StoppedError,
    UnavailableError,
    lies_with_index,
)
from pipeline.index.index_table import IndexTable, days_kept, month_end, start_of
from pipeline.records import Alert, Document, Event, Failure, Feedback, Record, Story, decode
from pipeline.settings import Settings

log = structlog.get_logger("index")

TYPES: Final[dict[str, type[Record]]] = {
    bus.DOCUMENTS: Document,
    bus.EVENTS: Event,
    bus.STORIES: Story,
    bus.ALERTS: Alert,
    bus.QUARANTINE: Failure,
    bus.FEEDBACK: Feedback,
}
"""The topics that are indexed and the type of their records. Raw pages and briefs stay in Kafka."""

TRIES: Final = 5
"""How often a document may cause an internal server error before it counts as failed."""

BACKOFF_SECONDS: Final = 0.25
"""The first waiting time, which then doubles."""

PLACES_SECONDS: Final = 10.0
"""How long it is believed which indices exist. A new one begins minutes after it is made (index_table.AHEAD)."""

WARN_INTERVAL_SECONDS: Final = 60.0
"""How often an unavailable server is logged."""

ItemResult = Literal["created", "updated", "unchanged", "retry", "server_error", "failed", "refused"]


class BulkServer(Protocol):
    """Elasticsearch as the bulk loop sees it. The methods raise RefusedError and UnavailableError."""

    def prepare(self) -> str:
        """Check and set up the indices; return the server's version."""

    def places(self) -> IndexTable:
        """Return the indices that exist."""

    def write(self, documents: Sequence[tuple[bytes, bytes]], *, max_records: int) -> Iterator[Mapping[str, Any]]:
        """Send documents (action line, source line), at most `max_records` in a request, and yield each answer in order.

        Also raises RequestError, if Elasticsearch refuses the request that contains the next document.
        """


# --- pure ------------------------------------------------------------------------------------------------------------


def item_result(item: Mapping[str, Any]) -> tuple[ItemResult, str]:
    """Return the result of one item of a bulk answer, and the reason if it was not written."""
    status = int(item.get("status", 500))
    if 200 <= status < 300:
        return ("created" if item.get("result") == "created" else "updated"), ""
    error = item.get("error")
    error = error if isinstance(error, Mapping) else {"type": str(error)}
    kind = str(error.get("type", status))
    cause = error.get("caused_by")
    causes = [str(p.get("reason") or "").split("\n")[0][:500] for p in (error, cause) if isinstance(p, Mapping)]
    reason = ": ".join(part for part in (kind, *causes) if part)
    if status == 409:
        return "unchanged", reason
    if lies_with_index(kind, reason) or status in TEMPORARY_STATUSES or status in (404, 503):
        return "retry", reason
    if status in (401, 403):
        return "refused", reason
    return ("server_error" if status >= 500 else "failed"), reason


def backoff_seconds(attempt: int, max_seconds: float, chance: float) -> float:
    """Return the seconds to wait after `attempt` tries: they double up to `max_seconds`, then `chance` takes up to half off."""
    ceiling: float = min(max_seconds, BACKOFF_SECONDS * 2.0 ** min(attempt, 30))
    return ceiling * (0.5 + chance / 2)


@dataclass(slots=True)
class Job:
    """One record on its way into the index. Its result is `retry` until Elasticsearch has answered."""

    source: stage.Source
    action: actions.Action
    lines: tuple[bytes, bytes]
    tries: int = 0
    result: ItemResult = "retry"
    reason: str = ""


# --- the loop --------------------------------------------------------------------------------------------------------


class BulkWriter:
    """Holds the state of the server. One call of `handle` per batch returns when every record has its outcome.

    The methods raise RefusedError if Elasticsearch refuses this client, and StoppedError if `stop` is set meanwhile.
    """

    def __init__(
        self,
        settings: Settings,
        server: BulkServer,
        quarantine: Callable[[Sequence[Failure]], None],
        stop: threading.Event,
        *,
        progress: bus.Progress | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.progress = progress or bus.Progress()
        self._settings = settings
        self._server = server
        self._quarantine = quarantine
        self._stop = stop
        self._chance = chance
        self._warned_at: float | None = None
        self._connection_lost = False
        self._places = IndexTable()
        self._places_at: float | None = None

    def prepare(self) -> None:
        """Wait for Elasticsearch and set up the indices."""
        attempt = 0
        while True:
            try:
                version = self._server.prepare()
            except UnavailableError as error:
                attempt += 1
                self._wait(attempt, str(error))
            else:
                self._recovered()
                log.info("elasticsearch_ready", version=version)
                return

    def handle(self, messages: Sequence[bus.Message]) -> None:
        """Write messages to the index; return when each is in the index or in quarantine, and counted."""
        began, now = time.perf_counter(), dt.datetime.now(dt.UTC)
        metrics.in_progress_records.labels(stage="index").set(len(messages))
        self._look_at_places()
        ended: list[tuple[stage.Source, stage.Outcome]] = []
        jobs: list[Job] = []
        for message in messages:
            source = stage.Source(message.topic, message.partition, message.offset, message.key, message.value or b"")
            try:
                jobs.append(self._job(source, message.value, now))
            except stage.Rejected as rejected:
                ended.append((source, stage.Outcome("rejected", rejected.reason)))
            except Exception as error:  # noqa: BLE001 - a record that cannot be converted must not stop the others
                ended.append((source, _quarantined(source, error)))
        self.write(jobs)
        for job in jobs:
            failed = job.result == "failed"
            outcome = _quarantined(job.source, DocumentError(job.reason)) if failed else stage.Outcome()
            ended.append((job.source, outcome))
        # A record that is in quarantine already stays there as it is: a failure of a failure would say nothing new.
        self._quarantine([o.failure for s, o in ended if o.failure is not None and s.topic != bus.QUARANTINE])
        elapsed = time.perf_counter() - began
        for source, outcome in ended:
            metrics.stage_duration_seconds.labels(stage="index").observe(elapsed)
            stage.settle("index", outcome, source)
        for job in jobs:
            self._measure(job)
        metrics.in_progress_records.labels(stage="index").set(0)

    def write(self, jobs: Sequence[Job]) -> None:
        """Send records until each has a result: in the index, there already, or failed.

        If Elasticsearch refuses a request as a whole, smaller requests follow until the record to blame is alone in one.
        """
        bulk_records = self._settings.elasticsearch.bulk_records
        waiting, attempt, max_records = list(jobs), 0, bulk_records
        while waiting:
            total, answered, problem = len(waiting), 0, ""
            try:
                for job, item in zip(waiting, self._answers(waiting, max_records), strict=True):
                    answered += 1
                    _settle(job, item)
                max_records = bulk_records
            except RequestError as error:
                if max_records == 1 or answered == total - 1:
                    waiting[answered].result, waiting[answered].reason = "failed", str(error)
                    max_records = bulk_records
                else:
                    max_records = max(1, min(max_records, total - answered) // 2)
                metrics.bulk_requests_total.labels(outcome="failed").inc()
            except UnavailableError as error:
                self._connection_lost = self._connection_lost or error.connection_lost
                problem = str(error)
                metrics.bulk_requests_total.labels(outcome="retried").inc()
            except RefusedError:
                metrics.bulk_requests_total.labels(outcome="failed").inc()
                raise
            else:
                retry = [job for job in waiting if job.result == "retry"]
                problem = _not_taken(retry, total) if retry else ""
                metrics.bulk_requests_total.labels(outcome="retried" if retry else "ok").inc()
            waiting = [job for job in waiting if job.result == "retry"]
            if problem:
                attempt += 1
                self._wait(attempt, problem)
        self._recovered()

    def _answers(self, jobs: Sequence[Job], max_records: int) -> Iterator[Mapping[str, Any]]:
        if self._connection_lost:  # the server that answers again may be another one, without our indices
            self._server.prepare()
            self._connection_lost = False
        yield from self._server.write([job.lines for job in jobs], max_records=max_records)

    def _job(self, source: stage.Source, value: bytes | None, now: dt.datetime) -> Job:
        if value is None:
            raise stage.Rejected("empty")  # a tombstone of a compacted topic
        record = decode(value, TYPES[source.topic])
        action = actions.action(record, prefix=self._settings.elasticsearch.index_prefix, now=now, places=self._places)
        if self._is_expired(action, now):
            raise stage.Rejected("expired")
        return Job(source, action, action.lines())

    def _is_expired(self, action: actions.Action, now: dt.datetime) -> bool:
        """Return whether an item is older than its retention and its index is gone: it would only make that index again."""
        days, start = days_kept(self._settings.retention, action.name), start_of(action.index)
        if not days or start is None or self._places.index(action.name, start) is not None:
            return False
        return month_end(start) <= now - dt.timedelta(days=days)

    def _look_at_places(self) -> None:
        """Ask which indices exist, if the last answer is old; wait for Elasticsearch as long as it takes."""
        attempt = 0
        while self._places_at is None or time.monotonic() - self._places_at >= PLACES_SECONDS:
            try:
                self._places = self._server.places()
                self._places_at = time.monotonic()
            except UnavailableError as error:
                attempt += 1
                self._connection_lost = self._connection_lost or error.connection_lost
                self._wait(attempt, str(error))

    def _wait(self, attempt: int, problem: str) -> None:
        self.progress.problem = f"Elasticsearch: {problem}"
        now = time.monotonic()
        if self._warned_at is None or now - self._warned_at >= WARN_INTERVAL_SECONDS:
            self._warned_at = now
            log.warning("elasticsearch_unavailable", problem=problem, attempt=attempt)
        if self._stop.wait(backoff_seconds(attempt, self._settings.indexer.backoff_max_seconds, self._chance())):
            raise StoppedError

    def _recovered(self) -> None:
        if self._warned_at is not None:
            log.info("elasticsearch_back")
        self._warned_at, self.progress.problem = None, ""

    def _measure(self, job: Job) -> None:
        name = actions.alias(self._settings.elasticsearch.index_prefix, job.action.name)
        metrics.indexed_total.labels(index=name, outcome=job.result).inc()
        if job.result == "created" and job.action.fetched_at is not None:
            age = dt.datetime.now(dt.UTC) - job.action.fetched_at
            metrics.article_age_seconds.labels(stage="index").observe(max(0.0, age.total_seconds()))


def _not_taken(retry: Sequence[Job], total: int) -> str:
    """Return which index does not take records and why. The offsets do not move meanwhile, so nothing is lost."""
    first = retry[0]
    return f"{first.action.index} does not take records ({len(retry)} of {total} wait): {first.reason}"


def _settle(job: Job, item: Mapping[str, Any]) -> None:
    """Write the answer for a record into its job. An internal server error is a reason to retry at most `TRIES` times.

    Raises:
        RefusedError: this client may not write to the index.
    """
    job.result, job.reason = item_result(item)
    job.tries += 1
    if job.result == "refused":
        raise RefusedError(f"Elasticsearch refuses to write to {job.action.index}: {job.reason}")
    if job.result == "server_error":
        job.result = "retry" if job.tries < TRIES else "failed"
    if job.result == "retry":
        stage.retried("index")


def _quarantined(source: stage.Source, error: Exception) -> stage.Outcome:
    failure = stage.failure("index", source, error, now=dt.datetime.now(dt.UTC))
    return stage.Outcome("quarantined", failure.error_type, failure)
