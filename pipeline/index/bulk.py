"""The bulk loop: messages in, back when each is in the index or in quarantine. Knows Elasticsearch's answers, not its client.

A record has one of three fates here. It is in the index (written now, or there already); Elasticsearch says that this one
document cannot be indexed, so it goes to quarantine and the rest goes on; or the server cannot take it now, and it is tried
again for as long as that lasts, while the group's offsets stand still. A server that refuses *us* (401, 403, another major
version) ends the process with a clear line: nothing is dropped, and an operator has something to do.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import structlog

from pipeline import bus, metrics, stage
from pipeline.index import documents
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
"""The topics that are indexed, and what lies on each. Raw pages stay in Kafka."""

TRIES: Final = 5
"""How often a document may bring the server into an internal error before it is taken for the cause."""

BACKOFF_SECONDS: Final = 0.25
"""What the waiting begins with, before it is doubled."""

COMPLAIN_SECONDS: Final = 60.0
"""How often a server that is away is worth a log line."""

PASSING: Final = frozenset({408, 429})
"""Statuses below 500 that pass by themselves."""

Verdict = Literal["created", "updated", "unchanged", "later", "suspect", "bad", "refused"]
_NOT_ITS_FAULT: Final = frozenset({"cluster_block_exception", "index_not_found_exception", "validation_exception"})
"""Errors that are told of a document but lie with the cluster: a blocked index, or one that cannot be made just now."""


class RefusedError(Exception):
    """Elasticsearch refuses this client or this configuration: trying again is pointless, an operator must act."""


class AwayError(Exception):
    """Elasticsearch cannot take a request just now. `lost` when it was not reached at all."""

    def __init__(self, problem: str, *, lost: bool = False) -> None:
        super().__init__(problem)
        self.lost = lost


class RequestError(Exception):
    """A request as a whole is wrong or too large; one of its documents is to blame."""


class DocumentError(Exception):
    """Elasticsearch cannot index this one document; the message is its reason."""


class StoppedError(Exception):
    """The process was asked to stop while it waited for Elasticsearch; the batch is read again after the next start."""


class Server(Protocol):
    """Elasticsearch as the loop sees it. Both methods raise RefusedError and AwayError."""

    def prepare(self) -> str:
        """Check and set up the indices; the server's version out."""

    def send(self, lines: Sequence[bytes]) -> Mapping[str, Any]:
        """The lines of one request in, its answer out. Also raises RequestError."""


# --- pure ------------------------------------------------------------------------------------------------------------


def verdict(item: Mapping[str, Any]) -> tuple[Verdict, str]:
    """One item of a bulk answer in, what became of the document and why out."""
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
    if kind in _NOT_ITS_FAULT or status in PASSING or status in (404, 503):
        return "later", reason
    if status in (401, 403):
        return "refused", reason
    return ("suspect" if status >= 500 else "bad"), reason


def backoff(attempt: int, longest_seconds: float, chance: float) -> float:
    """How often it was tried and a number from 0 to 1 in, how long to wait out: doubling, at random, never over the longest."""
    ceiling: float = min(longest_seconds, BACKOFF_SECONDS * 2.0 ** min(attempt, 30))
    return ceiling * (0.5 + chance / 2)


@dataclass(slots=True)
class Job:
    """One record on its way into the index."""

    source: stage.Source
    action: documents.Action
    lines: tuple[bytes, bytes]
    tries: int = 0
    result: Verdict = "later"
    reason: str = ""

    @property
    def size(self) -> int:
        """Bytes in the request."""
        return len(self.lines[0]) + len(self.lines[1]) + 2


def chunks(jobs: Iterable[Job], *, records: int, size: int) -> Iterator[list[Job]]:
    """Jobs in, the same in requests of at most so many records and bytes out; one that is larger alone goes alone."""
    chunk: list[Job] = []
    total = 0
    for job in jobs:
        if chunk and (len(chunk) == records or total + job.size > size):
            yield chunk
            chunk, total = [], 0
        chunk.append(job)
        total += job.size
    if chunk:
        yield chunk


# --- the loop --------------------------------------------------------------------------------------------------------


class Writer:
    """Holds how it goes with the server: one `handle` per batch, which returns when every record has its outcome.

    What the methods raise: RefusedError when Elasticsearch does not take us, StoppedError when `stop` was set meanwhile.
    """

    def __init__(
        self,
        settings: Settings,
        server: Server,
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
        self._complained_at: float | None = None
        self._lost = False

    def prepare(self) -> None:
        """Wait for Elasticsearch and set up the indices."""
        attempt = 0
        while True:
            try:
                version = self._server.prepare()
            except AwayError as error:
                attempt += 1
                self._wait(attempt, str(error))
            else:
                self._recovered()
                log.info("elasticsearch_ready", version=version)
                return

    def handle(self, messages: Sequence[bus.Message]) -> None:
        """Messages in; back when each is in the index or in quarantine, and counted."""
        began, now = time.perf_counter(), dt.datetime.now(dt.UTC)
        metrics.in_progress_records.labels(stage="index").set(len(messages))
        ended: list[tuple[stage.Source, stage.Outcome]] = []
        jobs: list[Job] = []
        for message in messages:
            source = stage.Source(message.topic, message.partition, message.offset, message.key, message.value or b"")
            try:
                jobs.append(self._job(source, message.value, now))
            except stage.Rejected as rejected:
                ended.append((source, stage.Outcome("rejected", rejected.reason)))
            except Exception as error:  # noqa: BLE001 - a record that breaks the conversion must not stop the others
                ended.append((source, _failed(source, error)))
        self.write(jobs)
        for job in jobs:
            bad = job.result == "bad"
            ended.append((job.source, _failed(job.source, DocumentError(job.reason)) if bad else stage.Outcome()))
        # What is in quarantine already stays there as it is: a failure of a failure would only wrap it once more.
        self._quarantine([o.failure for s, o in ended if o.failure is not None and s.topic != bus.QUARANTINE])
        elapsed = time.perf_counter() - began
        for source, outcome in ended:
            metrics.stage_duration_seconds.labels(stage="index").observe(elapsed)
            stage.settle("index", outcome, source)
        for job in jobs:
            self._measure(job)
        metrics.in_progress_records.labels(stage="index").set(0)

    def write(self, jobs: Sequence[Job]) -> None:
        """Send these until each has a result: in the index, there already, or bad."""
        wanted, waiting, attempt = self._settings.elasticsearch, list(jobs), 0
        while waiting:
            later: list[Job] = []
            for chunk in chunks(waiting, records=wanted.bulk_records, size=wanted.bulk_bytes):
                later += self._send(chunk)
            if later:
                attempt += 1
                self._wait(attempt, f"{len(later)} of {len(waiting)} records not taken: {later[0].reason}")
            waiting = later
        self._recovered()

    def _job(self, source: stage.Source, value: bytes | None, now: dt.datetime) -> Job:
        if value is None:
            raise stage.Rejected("empty")  # a tombstone of a compacted topic
        record = decode(value, TYPES[source.topic])
        action = documents.action(record, prefix=self._settings.elasticsearch.index_prefix, now=now)
        return Job(source, action, action.lines())

    def _send(self, chunk: list[Job]) -> list[Job]:
        """One request's jobs in, those to send again out. A request refused as a whole is halved, to find who is to blame."""
        try:
            answer = self._ask([line for job in chunk for line in job.lines])
        except RequestError as error:
            metrics.bulk_requests_total.labels(outcome="failed").inc()
            if len(chunk) == 1:
                chunk[0].result, chunk[0].reason = "bad", str(error)
                return []
            middle = len(chunk) // 2
            return self._send(chunk[:middle]) + self._send(chunk[middle:])
        later = []
        for job, item in zip(chunk, answer["items"], strict=True):
            job.result, job.reason = verdict(next(iter(item.values())))
            job.tries += 1
            if job.result == "refused":
                metrics.bulk_requests_total.labels(outcome="failed").inc()
                raise RefusedError(f"Elasticsearch refuses to write to {job.action.index}: {job.reason}")
            if job.result == "suspect":
                job.result = "later" if job.tries < TRIES else "bad"
            if job.result == "later":
                stage.retried("index")
                later.append(job)
        metrics.bulk_requests_total.labels(outcome="retried" if later else "ok").inc()
        return later

    def _ask(self, lines: list[bytes]) -> Mapping[str, Any]:
        """A request's lines in, the answer out, however long that takes."""
        attempt = 0
        while True:
            try:
                if self._lost:  # who comes back may be another server, an empty one
                    self._server.prepare()
                    self._lost = False
                return self._server.send(lines)
            except AwayError as error:
                self._lost = self._lost or error.lost
                attempt += 1
                metrics.bulk_requests_total.labels(outcome="retried").inc()
                self._wait(attempt, str(error))
            except RefusedError:
                metrics.bulk_requests_total.labels(outcome="failed").inc()
                raise

    def _wait(self, attempt: int, problem: str) -> None:
        self.progress.problem = f"Elasticsearch: {problem}"
        now = time.monotonic()
        if self._complained_at is None or now - self._complained_at >= COMPLAIN_SECONDS:
            self._complained_at = now
            log.warning("elasticsearch_unavailable", problem=problem, attempt=attempt)
        if self._stop.wait(backoff(attempt, self._settings.indexer.backoff_max_seconds, self._chance())):
            raise StoppedError

    def _recovered(self) -> None:
        if self._complained_at is not None:
            log.info("elasticsearch_back")
        self._complained_at, self.progress.problem = None, ""

    def _measure(self, job: Job) -> None:
        outcome = "failed" if job.result == "bad" else job.result
        name = documents.alias(self._settings.elasticsearch.index_prefix, job.action.name)
        metrics.indexed_total.labels(index=name, outcome=outcome).inc()
        if job.result == "created" and job.action.fetched_at is not None:
            age = dt.datetime.now(dt.UTC) - job.action.fetched_at
            metrics.article_age_seconds.labels(stage="index").observe(max(0.0, age.total_seconds()))


def _failed(source: stage.Source, error: Exception) -> stage.Outcome:
    failure = stage.failure("index", source, error, now=dt.datetime.now(dt.UTC))
    return stage.Outcome("quarantined", failure.error_type, failure)
