"""Kafka outside Faust: topics, publishing, read-then-commit, lag. The only importer of kafka.

Delivery is at least once everywhere. The collector's articles and its feed state are written in one transaction, and every
consumer here reads committed records only, so a collector that dies in the middle of a poll leaves nothing half said.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CommitFailedError, GroupIdNotFoundError, KafkaError

from pipeline import metrics
from pipeline.settings import Settings

log = structlog.get_logger("bus")

ARTICLES: Final = "news.articles"
DOCUMENTS: Final = "news.documents"
EVENTS: Final = "news.events"
STORIES: Final = "news.stories"
ALERTS: Final = "news.alerts"
QUARANTINE: Final = "news.quarantine"
FEEDS: Final = "news.feeds"

COMPACTED: Final = frozenset({FEEDS})
COMPACTED_AND_AGED: Final = frozenset({STORIES, ALERTS})
TOPICS: Final = (ARTICLES, DOCUMENTS, EVENTS, STORIES, ALERTS, QUARANTINE, FEEDS)

MESSAGE_BYTES: Final = 8_000_000
"""The largest record on a topic: an article's page is capped far below it."""

QUARANTINE_BYTES: Final = 12_000_000
"""The same for quarantine, where a record of the largest size must fit in base64."""

GROUP_PREFIX: Final = "dateline-"
WORKER_GROUP: Final = "dateline-worker"
INDEXER_GROUP: Final = "dateline-indexer"
NOTIFIER_GROUP: Final = "dateline-notifier"

POLL_INTERVAL_MS: Final = 6 * 3600 * 1000
"""How long a batch may take before the group thinks its reader dead. Long: a sink may be down for hours, and the heartbeat
of kafka-python runs on a thread of its own, so a dead process is still noticed within the session timeout."""


class BusError(Exception):
    """Kafka did not do what was asked of it; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Message:
    """A record as it lies on a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind on one partition, in records; `committed` is None where it has not committed yet."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    records: int


@dataclass(slots=True)
class Progress:
    """What a reading loop did last: the truth behind /readyz. Written by the loop, read by the metrics thread."""

    assigned: int = 0
    polled_at: float = 0.0
    busy_since: float | None = None
    committed_at: float = 0.0
    behind: int = 0
    problem: str = ""
    notes: dict[str, object] = field(default_factory=dict)

    def ready(self, *, now: float, stall_seconds: float) -> tuple[bool, dict[str, object]]:
        """The clock (time.monotonic) in, whether the loop works and what to show out."""
        waiting = now - self.busy_since if self.busy_since is not None else 0.0
        stalled = waiting > stall_seconds or (self.polled_at > 0 and now - self.polled_at > stall_seconds + waiting)
        good = self.assigned > 0 and not stalled and not self.problem
        return good, {
            "assigned": self.assigned,
            "behind": self.behind,
            "busy_seconds": round(waiting, 1),
            "problem": self.problem or ("stalled" if stalled else "" if self.assigned else "no partition assigned"),
            **self.notes,
        }


def connection(settings: Settings) -> dict[str, Any]:
    """Settings in, the options that every kafka-python client shares out."""
    kafka = settings.kafka
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in settings.bootstrap_servers.split(",")],
        "security_protocol": kafka.security_protocol,
        "bootstrap_timeout_ms": 10_000,
    }
    if kafka.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": kafka.password,
        }
    if kafka.ca_file:
        options["ssl_cafile"] = str(settings.path(kafka.ca_file))
    return options


@contextlib.contextmanager
def _admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    try:
        admin = KafkaAdminClient(**connection(settings))
    except KafkaError as error:
        raise BusError(f"Kafka at {settings.bootstrap_servers} does not answer: {error}") from error
    try:
        yield admin
    finally:
        admin.close()


def topic_options(settings: Settings, topic: str) -> dict[str, Any]:
    """A topic's name in, how it is to be created out: partitions, replicas, retention, compaction."""
    kafka = settings.kafka
    retention_ms = kafka.retention_days * 86_400_000
    largest = QUARANTINE_BYTES if topic == QUARANTINE else MESSAGE_BYTES
    configs: dict[str, str] = {"max.message.bytes": str(largest)}
    if topic in COMPACTED:
        configs["cleanup.policy"] = "compact"
    elif topic in COMPACTED_AND_AGED:
        # A story must outlive the days it stays open, or a worker that takes over would not know it.
        aged_ms = max(retention_ms, 2 * settings.track.open_days * 86_400_000)
        configs |= {"cleanup.policy": "compact,delete", "retention.ms": str(aged_ms)}
    else:
        configs |= {"cleanup.policy": "delete", "retention.ms": str(retention_ms)}
    if topic in COMPACTED | COMPACTED_AND_AGED:
        configs |= {"segment.ms": str(6 * 3_600_000), "min.cleanable.dirty.ratio": "0.2"}
    return {
        "num_partitions": kafka.partitions,
        "replication_factor": kafka.replication_factor,
        "configs": configs,
    }


def create_topics(settings: Settings) -> tuple[str, ...]:
    """Create the topics that are not there yet, wait until they are known, and say which were made.

    Raises:
        BusError: Kafka is not there, or a topic exists with another number of partitions: growing it would send reports of
            one story to two partitions, so that is an operator's decision (docs/operations.md, Scaling).
    """
    with _admin(settings) as admin:
        there = set(admin.list_topics())
        missing = {topic: topic_options(settings, topic) for topic in TOPICS if topic not in there}
        try:
            if missing:
                admin.create_topics(missing)
            admin.wait_for_topics(list(TOPICS), timeout_ms=30_000)
            described = admin.describe_topics(list(TOPICS))
        except KafkaError as error:
            raise BusError(f"topics could not be created: {error}") from error
    for topic in described:
        name, partitions = _name_and_partitions(topic)
        if partitions != settings.kafka.partitions:
            raise BusError(
                f"topic {name} has {partitions} partitions, kafka.partitions says {settings.kafka.partitions}"
            )
    return tuple(missing)


def wait_for_topics(settings: Settings, *, seconds: float = 120.0) -> None:
    """Return as soon as Kafka answers and every topic exists: a reader that starts before finds nothing for minutes.

    Raises:
        BusError: that has not come to pass within `seconds`; the message says what is missing.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with _admin(settings) as admin:
                missing = set(TOPICS) - set(admin.list_topics())
            if not missing:
                return
            problem = f"topics are missing: {', '.join(sorted(missing))}; run `dateline topics`"
        except (BusError, KafkaError) as error:
            problem = str(error)
        if time.monotonic() > deadline:
            raise BusError(problem)
        time.sleep(0.3)


def _name_and_partitions(described: Mapping[str, Any]) -> tuple[str, int]:
    return str(described.get("name") or described.get("topic")), len(described["partitions"])


class Publisher:
    """An idempotent producer (acks=all). With a `transactional_id`, what is sent inside `transaction()` is all or nothing."""

    def __init__(self, settings: Settings, transactional_id: str = "") -> None:
        options: dict[str, Any] = {
            **connection(settings),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 5,
            "batch_size": 262_144,
            "max_request_size": QUARANTINE_BYTES,
            "compression_type": "gzip",
            "allow_auto_create_topics": False,
        }
        if transactional_id:
            options["transactional_id"] = transactional_id
        try:
            self._producer = KafkaProducer(**options)
            if transactional_id:
                self._producer.init_transactions()
        except KafkaError as error:
            raise BusError(f"Kafka at {settings.bootstrap_servers} does not answer: {error}") from error
        self._sent: list[tuple[str, Any]] = []

    def send(self, topic: str, key: bytes, value: bytes | None, *, partition: int | None = None) -> None:
        """Queue a record; it is on the topic when `flush` (or the transaction) returns.

        Raises:
            BusError: the record is too large, or the producer has failed.
        """
        try:
            self._sent.append((topic, self._producer.send(topic, value=value, key=key, partition=partition)))
        except KafkaError as error:
            raise BusError(f"{topic}: {error}") from error

    def flush(self) -> None:
        """Wait until all that was sent is acknowledged by every in-sync replica.

        Raises:
            BusError: a record was not taken; the message names its topic.
        """
        sent, self._sent = self._sent, []
        try:
            self._producer.flush()
        except KafkaError as error:
            raise BusError(str(error)) from error
        for topic, future in sent:
            if future.failed():
                raise BusError(f"{topic}: {future.exception}")
            metrics.published_total.labels(topic=topic).inc()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is sent inside becomes visible together, or not at all when the block raises.

        Raises:
            BusError: the transaction could not be committed (another collector of this id is running, or Kafka is gone).
        """
        self._producer.begin_transaction()
        try:
            yield
            self.flush()
            self._producer.commit_transaction()
        except BaseException as error:
            self._sent.clear()
            with contextlib.suppress(KafkaError):
                self._producer.abort_transaction()
            if isinstance(error, KafkaError):
                raise BusError(f"the transaction failed: {error}") from error
            raise

    def close(self) -> None:
        """Wait for what is under way, then let go."""
        self._producer.close(timeout=10)


def _consumer(settings: Settings, **options: Any) -> KafkaConsumer:
    try:
        return KafkaConsumer(
            **connection(settings),
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_max_wait_ms=200,
            max_partition_fetch_bytes=QUARANTINE_BYTES,
            allow_auto_create_topics=False,
            **options,
        )
    except KafkaError as error:
        raise BusError(f"Kafka at {settings.bootstrap_servers} does not answer: {error}") from error


def _messages(batches: Mapping[Any, Iterable[Any]]) -> list[Message]:
    return [
        Message(r.topic, r.partition, r.offset, r.key, r.value, r.timestamp)
        for batch in batches.values()
        for r in batch
    ]


def consume(
    settings: Settings,
    *,
    topics: Iterable[str],
    group: str,
    handle: Callable[[list[Message]], None],
    stop: threading.Event,
    max_records: int = 500,
    wait_seconds: float = 0.5,
    start: str = "earliest",
    progress: Progress | None = None,
) -> None:
    """Read, handle, then commit, until `stop` is set: offsets move only after `handle` has returned.

    `start` says where a group without offsets begins. `handle` must not return before its sink has said yes; while it
    blocks, the group's heartbeat goes on. When `handle` raises, nothing is committed and the error leaves this loop.

    Raises:
        BusError: Kafka is not there at the start.
    """
    progress = progress or Progress()
    session_ms = int(settings.worker.session_timeout_seconds * 1000)
    consumer = _consumer(
        settings,
        group_id=group,
        auto_offset_reset=start,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=min(int(settings.worker.heartbeat_seconds * 1000), session_ms // 3),
        max_poll_interval_ms=POLL_INTERVAL_MS,
        max_poll_records=max_records,
    )
    consumer.subscribe(topics=list(topics))
    try:
        while not stop.is_set():
            messages = _messages(consumer.poll(timeout_ms=int(wait_seconds * 1000), max_records=max_records))
            _note(progress, consumer)
            if not messages:
                continue
            progress.busy_since = time.monotonic()
            handle(messages)
            progress.busy_since = None
            try:
                consumer.commit()
                progress.committed_at = time.monotonic()
            except CommitFailedError:
                # The group was rebalanced meanwhile: the new owner reads the batch again, which changes nothing.
                log.warning("commit_refused", group=group, records=len(messages))
    finally:
        progress.assigned = 0
        consumer.close(autocommit=False)


def _note(progress: Progress, consumer: KafkaConsumer) -> None:
    assigned = consumer.assignment()
    progress.assigned = len(assigned)
    progress.polled_at = time.monotonic()
    behind = 0
    for partition in assigned:
        highwater = consumer.highwater(partition)
        if highwater is not None:
            behind += max(0, highwater - consumer.position(partition))
    progress.behind = behind


def read_all(settings: Settings, topic: str, partition: int | None = None) -> Iterator[Message]:
    """Every committed record of a topic (or of one partition), from its start to its end as of now, partition by partition.

    Raises:
        BusError: Kafka or the topic is not there.
    """
    consumer = _consumer(settings, group_id=None, auto_offset_reset="earliest")
    try:
        known = consumer.partitions_for_topic(topic)
        if not known:
            raise BusError(f"topic {topic} does not exist: run `dateline topics`")
        wanted = [TopicPartition(topic, p) for p in sorted(known) if partition is None or p == partition]
        consumer.assign(wanted)
        ends = consumer.end_offsets(wanted)
        starts = consumer.beginning_offsets(wanted)
        left = {p for p in wanted if ends[p] > starts[p]}
        while left:
            for message in _messages(consumer.poll(timeout_ms=500, max_records=1000)):
                if message.offset < ends[TopicPartition(topic, message.partition)]:
                    yield message
            left = {p for p in left if consumer.position(p) < ends[p]}
    finally:
        consumer.close(autocommit=False)


def read_one(settings: Settings, topic: str, partition: int, offset: int) -> Message | None:
    """The record at one place of a topic, or None where retention or compaction has removed it.

    Raises:
        BusError: Kafka is not there.
    """
    consumer = _consumer(settings, group_id=None, auto_offset_reset="earliest")
    try:
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        consumer.seek(place, offset)
        found = _messages(consumer.poll(timeout_ms=5000, max_records=1))
        return found[0] if found and found[0].offset == offset else None
    finally:
        consumer.close(autocommit=False)


def tail(settings: Settings, topics: Iterable[str], stop: threading.Event) -> Iterator[Message]:
    """New records of these topics from now on, until `stop` is set. For watching: no group, nothing committed."""
    consumer = _consumer(settings, group_id=None, auto_offset_reset="latest")
    try:
        partitions = [TopicPartition(t, p) for t in topics for p in sorted(consumer.partitions_for_topic(t) or ())]
        consumer.assign(partitions)
        consumer.seek_to_end(*partitions)
        while not stop.is_set():
            yield from _messages(consumer.poll(timeout_ms=300))
    finally:
        consumer.close(autocommit=False)


class Observer:
    """Asks the broker how far each group is behind. Holds its connections: make one and ask often."""

    def __init__(self, settings: Settings) -> None:
        try:
            self._admin = KafkaAdminClient(**connection(settings))
        except KafkaError as error:
            raise BusError(f"Kafka at {settings.bootstrap_servers} does not answer: {error}") from error
        self._peek = _consumer(settings, group_id=None, auto_offset_reset="earliest")
        self._empty: dict[TopicPartition, tuple[int, int]] = {}

    def groups(self) -> list[str]:
        """The names of Dateline's consumer groups that the broker knows."""
        return sorted(
            name
            for group in self._admin.list_groups()
            if (name := str(group["group_id"] if isinstance(group, dict) else group[0])).startswith(GROUP_PREFIX)
        )

    def lags(self, groups: Iterable[str] | None = None) -> tuple[Lag, ...]:
        """Groups in (all of Dateline's by default), their lag on each partition out.

        Raises:
            BusError: the broker did not answer.
        """
        try:
            found = []
            for group in self.groups() if groups is None else groups:
                offsets = {tp: o.offset for tp, o in self._admin.list_group_offsets({group: None})[group].items()}
                ends = self._ends(offsets)
                found += [self._lag(group, tp, offsets[tp], ends[tp]) for tp in sorted(offsets)]
            return tuple(found)
        except GroupIdNotFoundError:
            return ()
        except KafkaError as error:
            raise BusError(f"lag: {error}") from error

    def _ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        wanted = dict.fromkeys(partitions, OffsetSpec.LATEST)
        if not wanted:
            return {}
        return {tp: found.offset for tp, found in self._admin.list_partition_offsets(wanted).items()}

    def _lag(self, group: str, tp: TopicPartition, committed: int, end: int) -> Lag:
        behind = max(0, end - max(committed, 0))
        if 0 < behind <= MARKERS and self._only_markers(tp, committed, end):
            behind = 0
        return Lag(group, tp.topic, tp.partition, committed if committed >= 0 else None, end, behind)

    def _only_markers(self, tp: TopicPartition, committed: int, end: int) -> bool:
        """Whether nothing but the markers of ended transactions stands between a commit and the end of the partition.

        A marker takes an offset and is never delivered, so a reader that commits what it was given stays one behind.
        """
        if self._empty.get(tp) == (committed, end):
            return True
        self._peek.assign([tp])
        self._peek.seek(tp, committed)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline and self._peek.position(tp) < end:
            if self._peek.poll(timeout_ms=100, max_records=1):
                return False
        if self._peek.position(tp) < end:
            return False
        self._empty[tp] = (committed, end)
        return True

    def close(self) -> None:
        """Let go of the connections."""
        self._admin.close()
        self._peek.close(autocommit=False)


MARKERS: Final = 16
"""Up to how many records behind it is worth looking whether they are only transaction markers."""


def lags(settings: Settings) -> tuple[Lag, ...]:
    """The lag of all of Dateline's groups, asked once.

    Raises:
        BusError: Kafka is not there.
    """
    observer = Observer(settings)
    try:
        return observer.lags()
    finally:
        observer.close()


def reset(settings: Settings, group: str, topics: Iterable[str] = TOPICS) -> int:
    """Move a group back to the start of these topics, so that it reads them again; say how many partitions were moved.

    Raises:
        BusError: the group is still running (stop it first), or Kafka is not there.
    """
    with _admin(settings) as admin:
        try:
            partitions = [
                TopicPartition(name, number)
                for name, count in map(_name_and_partitions, admin.describe_topics(list(topics)))
                for number in range(count)
            ]
            moved = admin.reset_group_offsets(group, dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        except KafkaError as error:
            raise BusError(f"group {group} could not be moved: {error}") from error
    failed = {tp: result["error"] for tp, result in moved.items() if _is_error(result.get("error"))}
    if failed:
        tp, why = next(iter(failed.items()))
        raise BusError(f"group {group}: {tp.topic} {tp.partition}: {getattr(why, '__name__', why)}; is it running?")
    return len(moved)


def _is_error(error: object) -> bool:
    return error is not None and getattr(error, "__name__", str(error)) != "NoError"
