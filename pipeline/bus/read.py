"""Reads whole topics, for state, replay and watching. `group` reads in a consumer group."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from pipeline.bus.topics import QUARANTINE_BYTES, BusError, Message, client_of, connection, unanswered
from pipeline.settings import Settings

READ_SECONDS: Final = 15.0
"""How long `read_all` waits for the next record. A client can stop reading for good when Kafka is restarted under it."""


def consumer_of(settings: Settings, **options: Any) -> KafkaConsumer:
    """Return a consumer of committed records that never commits by itself.

    Raises:
        BusError: Kafka does not answer.
    """
    try:
        own = {
            "enable_auto_commit": False,
            "isolation_level": "read_committed",
            "fetch_max_wait_ms": 500,
            "max_partition_fetch_bytes": QUARANTINE_BYTES,
            "allow_auto_create_topics": False,
        }
        return client_of(KafkaConsumer, **connection(settings) | own | options)
    except KafkaError as error:
        raise unanswered(settings, error) from error


def messages_of(batches: Mapping[Any, Iterable[Any]]) -> list[Message]:
    """The result of a consumer's `poll` in, its messages out."""
    return [
        Message(r.topic, r.partition, r.offset, r.key, r.value, r.timestamp)
        for batch in batches.values()
        for r in batch
    ]


def _partitions(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """Return a topic's partitions in order.

    Raises:
        BusError: the topic does not exist.
    """
    known = consumer.partitions_for_topic(topic)
    if not known:
        raise BusError(f"topic {topic} does not exist: run `dateline topics`")
    return [TopicPartition(topic, p) for p in sorted(known)]


def read_all(settings: Settings, topic: str, partition: int | None = None) -> Iterator[Message]:
    """Yield every committed record of a topic (or of one partition), from its start to its end at the time of the call.

    Raises:
        BusError: Kafka cannot be reached, or the topic does not exist.
    """
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="earliest")
    try:
        wanted = [place for place in _partitions(consumer, topic) if partition in (None, place.partition)]
        consumer.assign(wanted)
        ends = consumer.end_offsets(wanted)
        starts = consumer.beginning_offsets(wanted)
        left = {p: starts[p] for p in wanted if ends[p] > starts[p]}
        moved_at = time.monotonic()
        while left:
            for message in messages_of(consumer.poll(timeout_ms=500, max_records=1000)):
                if message.offset < ends[TopicPartition(topic, message.partition)]:
                    yield message
            now = {p: consumer.position(p) for p in left}
            if now != left:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > READ_SECONDS:
                raise BusError(f"{topic}: nothing could be read for {READ_SECONDS:.0f} s")
            left = {p: position for p, position in now.items() if position < ends[p]}
    except KafkaError as error:
        raise BusError(f"{topic}: {error}") from error
    finally:
        consumer.close(autocommit=False)


def read_one(settings: Settings, topic: str, partition: int, offset: int) -> Message | None:
    """Return the record at one offset, or None where retention or compaction has removed it.

    Raises:
        BusError: Kafka cannot be reached.
    """
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="earliest")
    try:
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        consumer.seek(place, offset)
        found = messages_of(consumer.poll(timeout_ms=5000, max_records=1))
        return found[0] if found and found[0].offset == offset else None
    except KafkaError as error:
        raise BusError(f"{topic} {partition}: {error}") from error
    finally:
        consumer.close(autocommit=False)


def removed_before(settings: Settings, topic: str) -> dt.datetime | None:
    """Return the time of the earliest record of a topic if older ones were removed already, else None.

    Raises:
        BusError: Kafka cannot be reached, or the topic does not exist.
    """
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="earliest")
    try:
        starts = consumer.beginning_offsets(_partitions(consumer, topic))
        cut = [place for place, start in starts.items() if start > 0]
        consumer.assign(cut)
        found = [m.timestamp_ms for place in cut for m in _first(consumer, place)]
        return dt.datetime.fromtimestamp(max(found) / 1000, dt.UTC) if found else None
    finally:
        consumer.close(autocommit=False)


def _first(consumer: KafkaConsumer, place: TopicPartition) -> list[Message]:
    consumer.assign([place])
    consumer.seek_to_beginning(place)
    return messages_of(consumer.poll(timeout_ms=2000, max_records=1))


def tail(
    settings: Settings, topics: Iterable[str], stop: threading.Event, *, placed: threading.Event | None = None
) -> Iterator[Message]:
    """Yield new records of these topics until `stop` is set, without a group and without commits.

    `placed` is set as soon as no record that is written afterwards can be missed.
    """
    consumer = consumer_of(settings, group_id=None, auto_offset_reset="latest")
    try:
        partitions = [TopicPartition(t, p) for t in topics for p in sorted(consumer.partitions_for_topic(t) or ())]
        consumer.assign(partitions)
        consumer.seek_to_end(*partitions)
        if placed is not None:
            for partition in partitions:
                consumer.position(partition)  # looks the end up now, not at the first read
            placed.set()
        while not stop.is_set():
            yield from messages_of(consumer.poll(timeout_ms=300))
    finally:
        consumer.close(autocommit=False)


def follow(settings: Settings, topic: str, stop: threading.Event, read_once: threading.Event) -> Iterator[Message]:
    """Yield every committed record of a small topic, then those that are added, until `stop` is set.

    `read_once` is set as soon as all records that existed at the start have been yielded.

    Raises:
        BusError: Kafka cannot be reached, or the topic does not exist.
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
