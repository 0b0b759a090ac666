"""Reading: in a group, committing after the work is done; or whole topics, for state, replay and watching."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError

from pipeline.bus.topics import QUARANTINE_BYTES, BusError, Message, connection
from pipeline.settings import Settings

log = structlog.get_logger("bus")

POLL_INTERVAL_MS: Final = 6 * 3600 * 1000
"""How long a batch may take before the group thinks its reader dead. Long: a sink may be down for hours, and the heartbeat
of kafka-python runs on a thread of its own, so a dead process is still noticed within the session timeout."""


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


def consumer_of(settings: Settings, **options: Any) -> KafkaConsumer:
    """A consumer of committed records that commits only when told to."""
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


def poll(consumer: KafkaConsumer, seconds: float, *, max_records: int | None = None) -> list[Message]:
    """What a member of a group is given within so many seconds, as our own records; it stays in the group meanwhile.

    kafka-python joins again where a topic's partitions became known only after it had joined. If that takes longer than one
    poll, it forgets that it was joining, and the member is given nothing ever after, without an error: so it is reminded.
    """
    found = messages_of(consumer.poll(timeout_ms=max(1, int(seconds * 1000)), max_records=max_records))
    if not joined(consumer):
        coordinator = consumer._coordinator  # noqa: SLF001 - no public call tells; an integration test notices if it changes
        if not coordinator.need_rejoin():
            log.info("join_resumed", group=coordinator.group_id)
            coordinator.request_rejoin()
    return found


def joined(consumer: KafkaConsumer) -> bool:
    """Whether a consumer has its place in its group: what it was assigned then (maybe nothing) is what it has to do."""
    return bool(consumer._coordinator.stable())  # noqa: SLF001 - as above


def messages_of(batches: Mapping[Any, Iterable[Any]]) -> list[Message]:
    """What `poll` gave, as our own records."""
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
    consumer = consumer_of(
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
            messages = poll(consumer, wait_seconds, max_records=max_records)
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


def _partitions(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """A topic's partitions in order.

    Raises:
        BusError: the topic is not there.
    """
    known = consumer.partitions_for_topic(topic)
    if not known:
        raise BusError(f"topic {topic} does not exist: run `dateline topics`")
    return [TopicPartition(topic, p) for p in sorted(known)]


def read_all(settings: Settings, topic: str, partition: int | None = None) -> Iterator[Message]:
    """Every committed record of a topic (or of one partition), from its start to its end as of now, partition by partition.

    Raises:
        BusError: Kafka or the topic is not there.
    """
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="earliest")
    try:
        wanted = [place for place in _partitions(consumer, topic) if partition in (None, place.partition)]
        consumer.assign(wanted)
        ends = consumer.end_offsets(wanted)
        starts = consumer.beginning_offsets(wanted)
        left = {p for p in wanted if ends[p] > starts[p]}
        while left:
            for message in messages_of(consumer.poll(timeout_ms=500, max_records=1000)):
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
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="earliest")
    try:
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        consumer.seek(place, offset)
        found = messages_of(consumer.poll(timeout_ms=5000, max_records=1))
        return found[0] if found and found[0].offset == offset else None
    finally:
        consumer.close(autocommit=False)


def tail(
    settings: Settings, topics: Iterable[str], stop: threading.Event, *, placed: threading.Event | None = None
) -> Iterator[Message]:
    """New records of these topics from now on, until `stop` is set. For watching: no group, nothing committed.

    `placed` is set as soon as nothing that is written from then on will be missed.
    """
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="latest")
    try:
        partitions = [TopicPartition(t, p) for t in topics for p in sorted(consumer.partitions_for_topic(t) or ())]
        consumer.assign(partitions)
        consumer.seek_to_end(*partitions)
        if placed is not None:
            for partition in partitions:
                consumer.position(partition)  # finds the end now, not at the first read
            placed.set()
        while not stop.is_set():
            yield from messages_of(consumer.poll(timeout_ms=300))
    finally:
        consumer.close(autocommit=False)


def follow(settings: Settings, topic: str, stop: threading.Event, read_once: threading.Event) -> Iterator[Message]:
    """Every committed record of a topic from its start on, and what is added, until `stop` is set. For small, whole topics.

    `read_once` is set as soon as all that was there at the start has been given out.

    Raises:
        BusError: Kafka or the topic is not there.
    """
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="earliest")
    try:
        wanted = _partitions(consumer, topic)
        consumer.assign(wanted)
        consumer.seek_to_beginning(*wanted)
        ends = consumer.end_offsets(wanted)
        while not stop.is_set():
            yield from messages_of(consumer.poll(timeout_ms=300))
            if not read_once.is_set() and all(consumer.position(p) >= ends[p] for p in wanted):
                read_once.set()
    except KafkaError as error:
        raise BusError(f"{topic}: {error}") from error
    finally:
        consumer.close(autocommit=False)
