"""Sharing work: members of a group, each with its part of a topic's partitions, without reading what is on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import FencedInstanceIdError, KafkaError

from pipeline.bus.group import joined, poll
from pipeline.bus.read import consumer_of
from pipeline.bus.topics import BusError, connection
from pipeline.settings import Settings

log = structlog.get_logger("bus")

LOOK_SECONDS: Final = 0.2
"""How often a member looks whether its part has changed."""

LOOKS: Final = 10
"""So many looks in a row without a heartbeat (two seconds) are no moment between two states any more."""

SILENT_MS: Final = 30_000
"""A member whose process no longer turns for this long is taken for dead, though its heartbeat goes on."""

Parts = frozenset[int]


class ReplacedError(Exception):
    """Another process has joined the group under this member's name: this one has to stop."""


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types, and asks for its base
    """Lets go of partitions before they are given to another member."""

    def __init__(self, release: Callable[[Parts], None]) -> None:
        self._release = release

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._release(frozenset(place.partition for place in revoked))

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Told by `run`, which compares before and after."""

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Told by `run`: they belong to somebody else already, so there is nothing to let go of in order."""


class Member:
    """One member of a group that shares the partitions of `topic`.

    With a `name`, a process that is started again under it gets its part back at once; without one it waits until the group has
    noticed that the old one is dead. `changed` is told the partitions held now, `release` those to let go of: it has to return
    within a third of the session's timeout. Both are called on the thread of `run`.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        group: str,
        *,
        name: str = "",
        changed: Callable[[Parts], None],
        release: Callable[[Parts], None],
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._group = group
        self._name = name
        self._changed = changed
        self._release = release
        self.joined = False
        """Whether the group has given this member its part, be it none; as long as it has not, it has no say."""

    def run(self, stop: threading.Event, alive: Callable[[], bool] = lambda: True) -> None:
        """Take part until `stop` is set, then leave. A member that is not `alive` is soon without partitions.

        Raises:
            ReplacedError: another process has this member's name now.
            BusError: Kafka is not there at the start.
        """
        session_ms = int(self._settings.worker.session_timeout_seconds * 1000)
        named = {"group_instance_id": self._name} if self._name else {}
        consumer = consumer_of(
            self._settings,
            group_id=self._group,
            auto_offset_reset="latest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=min(int(self._settings.worker.heartbeat_seconds * 1000), session_ms // 3),
            max_poll_interval_ms=SILENT_MS,
            partition_assignment_strategy=[CooperativeStickyAssignor],
            **named,
        )
        consumer.subscribe(topics=[self._topic], listener=_Listener(self._release))
        try:
            self._take_part(consumer, stop, alive)
        finally:
            consumer.close(autocommit=False)
            if self._name and stop.is_set():
                self._sign_off()

    def _take_part(self, consumer: KafkaConsumer, stop: threading.Event, alive: Callable[[], bool]) -> None:
        held: Parts = frozenset()
        told = f"another process has joined {self._group} as {self._name}"
        heartless = 0
        while not stop.is_set():
            if not alive():
                stop.wait(LOOK_SECONDS)
                continue
            try:
                poll(consumer, LOOK_SECONDS)
            except FencedInstanceIdError as error:
                raise ReplacedError(told) from error
            except KafkaError as error:
                log.warning("group_failed", group=self._group, error=str(error))
                stop.wait(1)
                continue
            self.joined = joined(consumer)
            heartless = heartless + 1 if _heartless(consumer) else 0
            if heartless > LOOKS:
                raise ReplacedError(told)
            assigned = consumer.assignment()
            consumer.pause(*assigned)  # what is on them is not read here
            now: Parts = frozenset(place.partition for place in assigned)
            if now != held:
                held = now
                self._changed(held)

    def _sign_off(self) -> None:
        """A member with a name does not leave by closing: say it, so that the others need not wait for the session's end."""
        try:
            admin = KafkaAdminClient(**connection(self._settings))
        except KafkaError as error:
            log.warning("sign_off_failed", group=self._group, error=str(error))
            return
        try:
            admin.remove_group_members(self._group, [MemberToRemove(group_instance_id=self._name)])
        except KafkaError as error:
            log.warning("sign_off_failed", group=self._group, error=str(error))
        finally:
            admin.close()


def _heartless(consumer: KafkaConsumer) -> bool:
    """Whether a member believes that it is in the group and yet has stopped its heartbeat.

    That is all kafka-python does when the broker says that another has this member's name: it neither raises nor gives up
    its partitions, and no public call tells.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - see above; an integration test notices if it changes
    return bool(coordinator.stable() and not coordinator._heartbeat_enabled)  # noqa: SLF001


def partitions_of(settings: Settings, topic: str) -> int:
    """A topic in, how many partitions it has out.

    Raises:
        BusError: Kafka or the topic is not there.
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
