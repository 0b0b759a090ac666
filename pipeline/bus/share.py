"""Sharing work: each member of a group is assigned some of a topic's partitions, and does not read the records on them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import FencedInstanceIdError, KafkaError

from pipeline.bus.create import LOG_SECONDS
from pipeline.bus.group import JoinWatch, joined, leave, member_of, poll
from pipeline.bus.read import consumer_of
from pipeline.bus.topics import BusError
from pipeline.settings import Settings

log = structlog.get_logger("bus")

POLL_SECONDS: Final = 0.2
"""The time between two looks at the assignment."""

POLLS_WITHOUT_HEARTBEAT: Final = 10
"""After so many polls without a heartbeat (two seconds) the member is replaced; fewer may be a change between two states."""

STALLED_MS: Final = 30_000
"""A member that does not poll for this long counts as dead, although its heartbeat goes on."""

Partitions = frozenset[int]


class ReplacedError(Exception):
    """Another process has joined the group with this member's name, so this one must stop."""


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types, and asks for its base
    """Releases partitions before they are assigned to another member."""

    def __init__(self, release: Callable[[Partitions], None]) -> None:
        self._release = release

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._release(frozenset(place.partition for place in revoked))

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Do nothing: `run` compares the assignment before and after."""

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Do nothing: the partitions belong to another member already, so they cannot be released in order."""


class Member:
    """One member of a group that shares the partitions of `topic`.

    A process that is started again with the same `name` gets its partitions back at once; without a name it waits until the
    group has noticed that the old process is dead. `changed` is called with the partitions that are held now, `release` with
    those to release; it has to return within a third of the session's timeout. Both are called on the thread of `run`.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        group: str,
        *,
        name: str = "",
        changed: Callable[[Partitions], None],
        release: Callable[[Partitions], None],
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._group = group
        self._name = name
        self._changed = changed
        self._release = release
        self._logged: type[Exception] | None = None
        self._logged_at = 0.0
        self.joined = False
        """Whether the group has assigned this member its partitions, which may be none."""

    def run(self, stop: threading.Event, alive: Callable[[], bool] = lambda: True) -> None:
        """Be a member until `stop` is set, then leave. A member whose `alive` returns False soon loses its partitions.

        Raises:
            ReplacedError: another process has this member's name now.
        """
        while not stop.is_set():
            try:
                consumer = self._consumer()
                try:
                    self._stay(consumer, stop, alive)
                finally:
                    consumer.close(autocommit=False)
            except BusError as error:
                self._failed(error, stop)
        if self._name:
            leave(self._settings, self._group, self._name)

    def _failed(self, error: Exception, stop: threading.Event) -> None:
        """Wait after a failure; it is logged when it is a new one, and once a minute."""
        self.joined = False
        now = time.monotonic()
        if type(error) is not self._logged or now - self._logged_at >= LOG_SECONDS:
            self._logged, self._logged_at = type(error), now
            log.warning("group_failed", group=self._group, error=str(error))
        stop.wait(1)

    def _consumer(self) -> KafkaConsumer:
        consumer = member_of(
            self._settings,
            self._group,
            self._name,
            auto_offset_reset="latest",
            max_poll_interval_ms=STALLED_MS,
            partition_assignment_strategy=[CooperativeStickyAssignor],
        )
        consumer.subscribe(topics=[self._topic], listener=_Listener(self._release))
        return consumer

    def _stay(self, consumer: KafkaConsumer, stop: threading.Event, alive: Callable[[], bool]) -> None:
        held: Partitions = frozenset()
        replaced = f"another process has joined {self._group} as {self._name}"
        without_heartbeat = 0
        join_watch = JoinWatch()
        while not stop.is_set():
            if not alive():
                stop.wait(POLL_SECONDS)
                continue
            try:
                poll(consumer, POLL_SECONDS)
            except FencedInstanceIdError as error:
                raise ReplacedError(replaced) from error
            except KafkaError as error:
                self._failed(error, stop)
                continue
            self.joined = joined(consumer)
            join_watch.look(joined=self.joined, group=self._group)
            without_heartbeat = without_heartbeat + 1 if _heartbeat_stopped(consumer) else 0
            if without_heartbeat > POLLS_WITHOUT_HEARTBEAT:
                raise ReplacedError(replaced)
            assigned = consumer.assignment()
            consumer.pause(*assigned)  # the records on them are not read here
            now: Partitions = frozenset(place.partition for place in assigned)
            if now != held:
                held = now
                self._changed(held)


def _heartbeat_stopped(consumer: KafkaConsumer) -> bool:
    """Whether a member still counts itself as joined, although its heartbeat has stopped.

    That is all kafka-python does when the broker says that another process has this member's name. It raises no error, it
    keeps its partitions, and no public method shows it.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - see above; an integration test notices if it changes
    return bool(coordinator.stable() and not coordinator._heartbeat_enabled)  # noqa: SLF001


def partitions_of(settings: Settings, topic: str) -> int:
    """A topic in, its number of partitions out.

    Raises:
        BusError: Kafka cannot be reached, or the topic does not exist.
    """
    consumer = consumer_of(settings, group_id=None)
    try:
        known = consumer.partitions_for_topic(topic)
    except KafkaError as error:
        raise BusError(f"{topic}: {error}") from error
    finally:
        consumer.close(autocommit=False)
    if not known:
        raise BusError(f"topic {topic} does not exist: run `dateline topics`")
    return len(known)
