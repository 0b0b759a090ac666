"""What each process may do on Kafka: one table, and the access control lists that are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType
from kafka.errors import KafkaError

from pipeline.bus.topics import (
    ALERTS,
    ARTICLES,
    BACKFILL,
    BACKFILL_GROUP,
    BRIEFS,
    COLLECTOR_GROUP,
    DOCUMENTS,
    EVENTS,
    FEEDBACK,
    FEEDS,
    GROUP_PREFIX,
    INDEXER_GROUP,
    NOTIFIER_GROUP,
    QUARANTINE,
    STORIES,
    WORKER_GROUP,
    BusError,
    admin_of,
)
from pipeline.settings import Settings

Kind = Literal["topic", "group", "transactional_id", "cluster"]
Operation = Literal["read", "write", "create", "describe", "describe_configs", "alter_configs"]

TOPIC_PREFIX: Final = "news."
CLUSTER: Final = "kafka-cluster"
"""The name that Kafka gives to the cluster as a resource."""
PROCESS: Final = "{process}"
"""What is replaced by the name of the process in a pattern of principals."""


@dataclass(frozen=True, slots=True)
class Right:
    """An operation on a resource: the one of this name, or with `prefix` all whose names begin so."""

    operation: Operation
    kind: Kind
    name: str
    prefix: bool = False


def _read(*topics: str) -> tuple[Right, ...]:
    return tuple(Right("read", "topic", topic) for topic in topics)


def _write(*topics: str) -> tuple[Right, ...]:
    return tuple(Right("write", "topic", topic) for topic in topics)


RIGHTS: Final[dict[str, tuple[Right, ...]]] = {
    "collector": (
        *_read(FEEDS),
        *_write(ARTICLES, BACKFILL, FEEDS, QUARANTINE),
        Right("read", "group", COLLECTOR_GROUP),
        Right("write", "transactional_id", GROUP_PREFIX, prefix=True),
    ),
    "worker": (
        *_read(ARTICLES, BACKFILL, BRIEFS, STORIES, ALERTS, FEEDBACK),
        *_write(DOCUMENTS, EVENTS, BRIEFS, STORIES, ALERTS, QUARANTINE),
        Right("read", "group", WORKER_GROUP),
        Right("read", "group", BACKFILL_GROUP),
    ),
    "indexer": (
        *_read(DOCUMENTS, EVENTS, STORIES, ALERTS, QUARANTINE, FEEDBACK),
        *_write(QUARANTINE),
        Right("read", "group", INDEXER_GROUP),
        Right("describe", "cluster", CLUSTER),  # it exports the state of the brokers and their disks
    ),
    "notifier": (
        *_read(ALERTS),
        *_write(QUARANTINE),
        Right("read", "group", NOTIFIER_GROUP, prefix=True),  # one group for each channel
    ),
    "console": (
        *_read(DOCUMENTS, EVENTS, STORIES, ALERTS, FEEDS, FEEDBACK),
        *_write(FEEDBACK),
        Right("describe", "group", GROUP_PREFIX, prefix=True),
    ),
    "setup": tuple(
        Right(operation, "topic", TOPIC_PREFIX, prefix=True)
        for operation in ("create", "describe_configs", "alter_configs")
    ),
    "keda": (Right("describe", "group", GROUP_PREFIX, prefix=True),),
    "operator": (
        Right("read", "topic", TOPIC_PREFIX, prefix=True),
        Right("write", "topic", TOPIC_PREFIX, prefix=True),
        Right("read", "group", GROUP_PREFIX, prefix=True),  # to set a group back to the start of its topics, too
        Right("write", "transactional_id", GROUP_PREFIX, prefix=True),
        Right("describe", "cluster", CLUSTER),
    ),
}
"""The rights of each process beside that of describing every topic of Dateline. A channel of type `kafka` writes to a topic of
the user's own, which has to be allowed by hand. `setup` runs `dateline topics`, `keda` scales the workers, and `operator` is a
person who runs `dateline status`, `quarantine`, `replay` and `collect`."""

_REASONS: Final = {
    "SecurityDisabledError": "this Kafka has no access control; its brokers need authorizer.class.name",
    "ClusterAuthorizationFailedError": "ClusterAuthorizationFailed: this user may not alter the cluster",
}
"""What to do about Kafka's errors, by their names."""

EVERYBODY: Final = Right("describe", "topic", TOPIC_PREFIX, prefix=True)


def grant(settings: Settings, principal: str) -> int:
    """Allow each process what it needs, and return the number of access control lists. Those that exist stay as they are.

    `principal` is Kafka's name of a user, in which `{process}` is replaced: `User:dateline-{process}`.

    Raises:
        BusError: the pattern is wrong, Kafka cannot be reached, has no authorizer, or refuses this client.
    """
    if not principal.startswith("User:") or PROCESS not in principal:
        raise BusError(f"principal {principal!r}: must begin with User: and contain {PROCESS}")
    wanted = [
        _acl(principal.replace(PROCESS, process), right)
        for process, rights in RIGHTS.items()
        for right in (EVERYBODY, *rights)
    ]
    with admin_of(settings) as admin:
        try:
            result = admin.create_acls(wanted)
        except KafkaError as error:
            raise BusError(f"access control lists could not be created: {error}") from error
    if result["failed"]:
        name = result["failed"][0].__name__
        raise BusError(f"access control lists could not be created: {_REASONS.get(name, name)}")
    return len(wanted)


def _acl(principal: str, right: Right) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if right.prefix else ACLResourcePatternType.LITERAL
    resource = ResourcePattern(ResourceType[right.kind.upper()], right.name, pattern)
    return ACL(principal, "*", ACLOperation[right.operation.upper()], ACLPermissionType.ALLOW, resource)
