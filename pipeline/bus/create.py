"""Creates the topics with their options, waits for them, and keeps the options of those that exist as configured."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import structlog
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from pipeline.bus.topics import (
    ALERTS,
    BRIEFS,
    EVENTS,
    FEEDBACK,
    FEEDS,
    MESSAGE_BYTES,
    QUARANTINE,
    QUARANTINE_BYTES,
    STORIES,
    TOPICS,
    BusError,
    TopicError,
    admin_of,
    name_and_partitions,
)
from pipeline.settings import Settings

log = structlog.get_logger("bus")

LOG_SECONDS: Final = 60.0
"""How often it is logged what a process waits for."""

WAIT_ANSWER_MS: Final = 3_000
"""The same while a process waits for Kafka at its start."""

COMPACTED: Final = frozenset({FEEDS, FEEDBACK})
COMPACTED_AND_AGED: Final = frozenset({STORIES, ALERTS})

ONE_PARTITION: Final = frozenset({EVENTS, BRIEFS})
"""Topics of which only one partition is written (track/stories.py), so that it may have the whole size."""

SEGMENTS: Final = 8
"""Kafka removes whole segments only: with so many in a partition its size exceeds the limit by an eighth at most."""

SEGMENT_BYTES: Final = (64 * 2**20, 2**30)
"""The smallest and the largest segment: each is an open file, and Kafka's own default is the second."""


def topic_options(settings: Settings, topic: str) -> dict[str, Any]:
    """A topic's name in, its options for creation out: partitions, replicas, retention, compaction."""
    kafka = settings.kafka
    return {
        "num_partitions": kafka.partitions,
        "replication_factor": kafka.replication_factor,
        "configs": topic_configs(settings, topic),
    }


def topic_configs(settings: Settings, topic: str) -> dict[str, str]:
    """A topic's name in, its configuration as Kafka spells it out."""
    kafka = settings.kafka
    retention_ms = kafka.retention_days * 86_400_000
    largest = QUARANTINE_BYTES if topic == QUARANTINE else MESSAGE_BYTES
    insync = kafka.min_insync_replicas or max(1, kafka.replication_factor - 1)
    configs: dict[str, str] = {"max.message.bytes": str(largest), "min.insync.replicas": str(insync)}
    if topic in COMPACTED:
        configs["cleanup.policy"] = "compact"
    elif topic in COMPACTED_AND_AGED:
        # A story must be kept longer than it stays open, or a worker that takes over would not know it.
        aged_ms = max(retention_ms, 2 * settings.track.open_days * 86_400_000)
        configs |= {"cleanup.policy": "compact,delete", "retention.ms": str(aged_ms)}
    else:
        configs |= {"cleanup.policy": "delete", "retention.ms": str(retention_ms), **_size(settings, topic)}
    if topic in COMPACTED | COMPACTED_AND_AGED:
        # Feed states are written at every poll and all read at a takeover, so old ones have to be removed soon.
        segment_ms = 600_000 if topic == FEEDS else 6 * 3_600_000
        configs |= {"segment.ms": str(segment_ms), "min.cleanable.dirty.ratio": "0.2"}
    return configs


def _size(settings: Settings, topic: str) -> dict[str, str]:
    """Return the limit of each partition, in bytes, and the size of its segments."""
    limit = settings.kafka.retention_gb * 1e9
    if not limit:
        return {"retention.bytes": "-1"}
    each = round(limit / (1 if topic in ONE_PARTITION else settings.kafka.partitions))
    smallest, largest = SEGMENT_BYTES
    return {
        "retention.bytes": str(each),
        "segment.bytes": str(max(smallest, min(largest, each // SEGMENTS))),
    }


def update_topics(settings: Settings) -> tuple[str, ...]:
    """Give existing topics the configuration of today's settings; return what was changed, one text for each option.

    Options of a topic that Dateline does not set stay as they are, and so do the numbers of partitions and replicas.

    Raises:
        BusError: Kafka cannot be reached, or refuses a change.
    """
    wanted = {topic: topic_configs(settings, topic) for topic in TOPICS}
    with admin_of(settings) as admin:
        try:
            asked = [ConfigResource(ConfigResourceType.TOPIC, topic, configs) for topic, configs in wanted.items()]
            found = admin.describe_configs(asked, config_filter="all").get("topic", {})
            differ = {topic: _differing(configs, found.get(topic, {})) for topic, configs in wanted.items()}
            changes = [
                ConfigResource(ConfigResourceType.TOPIC, topic, configs) for topic, configs in differ.items() if configs
            ]
            # without the client's own check: where this user may not see the options, it would take them all for unknown
            results = admin.alter_configs(changes, raise_on_unknown=False).get("topic", {}) if changes else {}
        except KafkaError as error:
            raise BusError(f"the configuration of the topics could not be changed: {error}") from error
    for topic, result in results.items():
        if result != "OK":
            raise BusError(f"the configuration of {topic} could not be changed: {result}")
    return tuple(f"{topic} {key}={value}" for topic, configs in differ.items() for key, value in configs.items())


def _differing(wanted: Mapping[str, str], found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {key: value for key, value in wanted.items() if str(found.get(key, {}).get("value")) != value}


def create_topics(settings: Settings) -> tuple[str, ...]:
    """Create the missing topics, wait until they are known, and return the names of those that were created.

    Raises:
        BusError: Kafka cannot be reached.
        TopicError: a topic exists with another number of partitions. More partitions would send reports of one story to two
            partitions, so an operator has to decide that (docs/operations.md, Scaling).
    """
    with admin_of(settings) as admin:
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
        name, partitions = name_and_partitions(topic)
        if partitions != settings.kafka.partitions:
            raise TopicError(
                f"topic {name} has {partitions} partitions, kafka.partitions says {settings.kafka.partitions}"
            )
    return tuple(missing)


def wait_for_topics(
    settings: Settings, stop: threading.Event, *, create: bool = False, seconds: float = float("inf")
) -> bool:
    """Wait until Kafka answers and every topic exists, however long that takes; return False if `stop` was set before.

    A reader that starts earlier may find nothing for minutes. With `create` missing topics are created. What is waited for is
    logged at once and every minute.

    Raises:
        TopicError: a topic has another number of partitions (only with `create`).
        BusError: that did not happen within `seconds`; the message says what is missing.
    """
    deadline = time.monotonic() + seconds
    logged_at: float | None = None
    while not stop.is_set():
        try:
            if create:
                create_topics(settings)
                return True
            with admin_of(settings, bootstrap_timeout_ms=WAIT_ANSWER_MS) as admin:
                missing = set(TOPICS) - set(admin.list_topics())
            if not missing:
                return True
            problem = f"topics are missing: {', '.join(sorted(missing))}; run `dateline topics`"
        except TopicError:
            raise
        except (BusError, KafkaError) as error:
            problem = str(error)
        if time.monotonic() > deadline:
            raise BusError(problem)
        if logged_at is None or time.monotonic() - logged_at >= LOG_SECONDS:
            logged_at = time.monotonic()
            log.warning("waits_for_topics", problem=problem)
        stop.wait(0.3)
    return False
