"""The names of topics and groups, and the connection to Kafka."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec, OffsetTimestamp
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotCoordinatorError,
    RecordListTooLargeError,
)

from pipeline.settings import Settings

log = structlog.get_logger("bus")

ARTICLES: Final = "news.articles"
BACKFILL: Final = "news.backfill"
DOCUMENTS: Final = "news.documents"
EVENTS: Final = "news.events"
BRIEFS: Final = "news.briefs"
STORIES: Final = "news.stories"
ALERTS: Final = "news.alerts"
QUARANTINE: Final = "news.quarantine"
FEEDS: Final = "news.feeds"
FEEDBACK: Final = "news.feedback"

TOPICS: Final = (ARTICLES, BACKFILL, DOCUMENTS, EVENTS, BRIEFS, STORIES, ALERTS, QUARANTINE, FEEDS, FEEDBACK)

MESSAGE_BYTES: Final = 8_000_000
"""The largest record on a topic. The limit for an article's page is far below it."""

QUARANTINE_BYTES: Final = 12_000_000
"""The same for the quarantine topic, where a record of the largest size must fit as base64."""

REQUEST_MS: Final = 10_000
"""How long a broker may take to answer. The client's 30 s would be the time to notice one that hangs or is cut off."""

GROUP_PREFIX: Final = "dateline-"
COLLECTOR_GROUP: Final = "dateline-collector"
WORKER_GROUP: Final = "dateline-worker"
BACKFILL_GROUP: Final = "dateline-backfill"
INDEXER_GROUP: Final = "dateline-indexer"
NOTIFIER_GROUP: Final = "dateline-notifier"

READS: Final = {
    WORKER_GROUP: (ARTICLES, BRIEFS, STORIES),
    BACKFILL_GROUP: (BACKFILL,),
    INDEXER_GROUP: (DOCUMENTS, EVENTS, STORIES, ALERTS, QUARANTINE, FEEDBACK),
}
"""The topics that a group reads from the start: a partition without a commit has not been read."""


def read_by(group: str) -> tuple[str, ...]:
    """A group's name in, the topics that it reads from the start out. Each channel of the notifier is a group."""
    return (ALERTS,) if group.startswith(f"{NOTIFIER_GROUP}-") else READS.get(group, ())


class BusError(Exception):
    """A request to Kafka failed; the message says which and where. It may succeed later."""


class TopicError(BusError):
    """A topic is not as the configuration says. To ask again is useless; an operator has to decide."""


class RecordSizeError(BusError):
    """Kafka takes no record of this size, now or later: the cluster's limit is lower than what a topic asks for."""


def send_error(topic: str, error: KafkaError) -> BusError:
    """What a client raised for a record in, the error to raise out."""
    too_large = isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError)
    return (RecordSizeError if too_large else BusError)(f"{topic}: {error}")


@dataclass(frozen=True, slots=True)
class Message:
    """A record on a topic, with its place."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int


def connection(settings: Settings) -> dict[str, Any]:
    """Settings in, the options that all kafka-python clients share out."""
    kafka = settings.kafka
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in settings.bootstrap_servers.split(",")],
        "security_protocol": kafka.security_protocol,
        "bootstrap_timeout_ms": 10_000,
        "request_timeout_ms": REQUEST_MS,
        # The client doubles its waits up to 30 s, and a broker that is back would be noticed that late.
        "reconnect_backoff_ms": 100,
        "reconnect_backoff_max_ms": 1_000,
    }
    if kafka.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": kafka.password,
        }
    if kafka.ca_file:
        options["ssl_cafile"] = str(settings.path(kafka.ca_file))
    if kafka.certificate_file:
        options |= {
            "ssl_certfile": str(settings.path(kafka.certificate_file)),
            "ssl_keyfile": str(settings.path(kafka.key_file)),
        }
    return options


def unanswered(settings: Settings, error: KafkaError) -> BusError:
    """Return the error for a client that could not be made. A time limit says no more than that nobody answered."""
    cause = "" if isinstance(error, KafkaTimeoutError) else f": {error}"
    return BusError(f"Kafka at {settings.bootstrap_servers} does not answer{cause}")


STOP_MS: Final = 1_000
"""How long the thread of a client that could not be made may take to end."""


def client_of(kind: Any, **options: Any) -> Any:
    """A class of the Kafka library and its options in, a connected client out.

    Where no broker answers, the library alone leaves a thread and four open files behind for each try, so that a process would
    be out of files after some minutes of an outage.

    Raises:
        KafkaError: no broker answers, or an option is wrong.
    """
    client = kind.__new__(kind)
    try:
        client.__init__(**options)
    except BaseException:
        if (net := getattr(client, "_net", None)) is not None:
            net.stop(timeout_ms=STOP_MS)
        raise
    return client


@contextlib.contextmanager
def admin_of(settings: Settings, **options: Any) -> Iterator[KafkaAdminClient]:
    """Give an administrator's client and close it afterwards.

    Raises:
        BusError: Kafka cannot be reached.
    """
    try:
        admin = client_of(KafkaAdminClient, **connection(settings) | options)
    except KafkaError as error:
        raise unanswered(settings, error) from error
    try:
        yield admin
    finally:
        admin.close()


T = TypeVar("T")


def retry_coordinator(ask: Callable[[], T], *, seconds: float = 10.0) -> T:
    """Ask about a group, again and again while a broker that has started still creates or reads its topic of offsets.

    Raises:
        KafkaError: the broker's other errors, or the same error after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def name_and_partitions(described: Mapping[str, Any]) -> tuple[str, int]:
    """Return the name of a topic and the number of its partitions, from an answer of `describe_topics`."""
    return str(described.get("name") or described.get("topic")), len(described["partitions"])


def reset(settings: Settings, group: str, topics: Iterable[str] = TOPICS, *, since: dt.datetime | None = None) -> int:
    """Move a group back to the start of these topics, or to the first records written since a moment.

    Returns the number of partitions moved.

    Raises:
        BusError: the group is still running (stop it first), or Kafka cannot be reached.
    """
    with admin_of(settings) as admin:
        try:
            partitions = [
                TopicPartition(name, number)
                for name, count in map(name_and_partitions, admin.describe_topics(list(topics)))
                for number in range(count)
            ]
            place = OffsetSpec.EARLIEST if since is None else OffsetTimestamp(int(since.timestamp() * 1000))
            starts = dict.fromkeys(partitions, place)
            moved = retry_coordinator(lambda: admin.reset_group_offsets(group, starts))
        except KafkaError as error:
            raise BusError(f"group {group} could not be moved: {error}") from error
    failed = {tp: result["error"] for tp, result in moved.items() if _is_error(result.get("error"))}
    if failed:
        tp, why = next(iter(failed.items()))
        raise BusError(f"group {group}: {tp.topic} {tp.partition}: {getattr(why, '__name__', why)}; is it running?")
    return len(moved)


def forget_group(settings: Settings, group: str) -> None:
    """Remove a group that has no members, with its offsets; nothing happens if it does not exist.

    Raises:
        BusError: Kafka cannot be reached.
    """
    with admin_of(settings) as admin:
        try:
            admin.delete_groups([group])
        except KafkaError as error:
            log.debug("group_not_removed", group=group, error=str(error))


def _is_error(error: object) -> bool:
    return error is not None and getattr(error, "__name__", str(error)) != "NoError"
