"""The state of the Kafka cluster: live brokers, partitions without a leader or without all replicas, and the brokers' disks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka.errors import KafkaError

from pipeline.bus.topics import TOPICS, BusError, admin_of
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of a broker or node, in bytes."""

    name: str
    free: int
    size: int


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """The number of live brokers, of our partitions that lack a leader or replicas, the disks, and the size of each topic."""

    brokers: int
    offline_partitions: int
    under_replicated_partitions: int
    disks: tuple[Disk, ...]
    topic_bytes: dict[str, int]


def cluster(settings: Settings) -> KafkaCluster:
    """Return the state of the cluster as it is now. Topics that do not exist yet have no partitions.

    Raises:
        BusError: Kafka cannot be reached, or does not allow this client to describe the cluster.
    """
    with admin_of(settings) as admin:
        try:
            brokers = [broker for broker in admin.describe_cluster()["brokers"] if not broker.get("is_fenced")]
            there = sorted(set(admin.list_topics()) & set(TOPICS))
            topics = admin.describe_topics(there) if there else []
            logs = admin.describe_log_dirs(there) if there else []
        except KafkaError as error:
            raise BusError(f"the state of the cluster: {error}") from error
    partitions = [partition for topic in topics for partition in topic["partitions"]]
    return KafkaCluster(
        brokers=len(brokers),
        offline_partitions=sum(partition["leader_id"] < 0 for partition in partitions),
        under_replicated_partitions=sum(len(p["isr_nodes"]) < len(p["replica_nodes"]) for p in partitions),
        disks=tuple(_disks(logs)),
        topic_bytes=_topic_bytes(logs),
    )


def _disks(logs: Iterable[Mapping[str, Any]]) -> Iterable[Disk]:
    """Yield the disk with the least free space of each broker. A broker before Kafka 3.3 does not tell: it has none."""
    for broker in logs:
        told = [d for d in broker["log_dirs"] if not d["error_code"] and d.get("total_bytes", -1) > 0]
        if told:
            fullest = min(told, key=lambda directory: directory["usable_bytes"] / directory["total_bytes"])
            yield Disk(str(broker["broker"]), fullest["usable_bytes"], fullest["total_bytes"])


def _topic_bytes(logs: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the bytes of each topic over all brokers, replicas included."""
    found: dict[str, int] = {}
    for broker in logs:
        for directory in broker["log_dirs"]:
            for topic in directory["topics"]:
                size = sum(partition["partition_size"] for partition in topic["partitions"])
                found[topic["name"]] = found.get(topic["name"], 0) + size
    return found
