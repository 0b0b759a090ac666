"""Reading in a consumer group: records are handled, then committed. A client that silently stops reading is noticed."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from kafka import KafkaConsumer
from kafka.admin import MemberToRemove
from kafka.errors import CommitFailedError, KafkaError

from pipeline.bus.lag import Lag, Observer
from pipeline.bus.read import consumer_of, messages_of
from pipeline.bus.topics import BusError, Message, admin_of
from pipeline.settings import Settings

log = structlog.get_logger("bus")

POLL_INTERVAL_MS: Final = 6 * 3600 * 1000
"""How long a batch may take before the group counts the member as dead. It is long because a sink may be down for hours. A dead
process is still noticed within the session timeout, because the heartbeat of kafka-python runs on a thread of its own."""


def member_name(port: int) -> str:
    """Return the name of a process in its groups: the same after a restart. Empty where it has no port of its own."""
    return f"{socket.gethostname()}-{port}" if port else ""


def member_of(settings: Settings, group: str, name: str, **options: Any) -> KafkaConsumer:
    """Return the client of a member of a group, named if `name` is given.

    Raises:
        BusError: Kafka does not answer.
    """
    session_ms = int(settings.worker.session_timeout_seconds * 1000)
    return consumer_of(
        settings,
        group_id=group,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=min(int(settings.worker.heartbeat_seconds * 1000), session_ms // 3),
        **({"group_instance_id": name} if name else {}),
        **options,
    )


def leave(settings: Settings, group: str, name: str) -> None:
    """Remove a named member from its group: closing does not, and the others would wait for the end of its session."""
    try:
        with admin_of(settings) as admin:
            admin.remove_group_members(group, [MemberToRemove(group_instance_id=name)])
    except (BusError, KafkaError) as error:
        log.warning("sign_off_failed", group=group, error=str(error))


@dataclass(slots=True)
class Progress:
    """What a reading loop did last, shown on /readyz. Written by the loop, read by the metrics thread."""

    assigned: int = 0
    unread: int = 0
    """Assigned partitions whose position the client does not know yet, so that it does not ask for their records."""
    polled_at: float = 0.0
    busy_since: float | None = None
    committed_at: float = 0.0
    behind: int = 0
    problem: str = ""
    notes: dict[str, object] = field(default_factory=dict)

    def ready(self, *, now: float, stall_seconds: float) -> tuple[bool, dict[str, object]]:
        """The time (time.monotonic) in, whether the loop works and the detail to show out."""
        busy = now - self.busy_since if self.busy_since is not None else 0.0
        stalled = busy > stall_seconds or (self.polled_at > 0 and now - self.polled_at > stall_seconds + busy)
        idle = "" if self.assigned else "no partition assigned"
        unread = f"{self.unread} of {self.assigned} partitions are not read yet" if self.unread else ""
        problem = self.problem or ("stalled" if stalled else idle or unread)
        return not problem, {
            "assigned": self.assigned,
            "behind": self.behind,
            "busy_seconds": round(busy, 1),
            "problem": problem,
            **self.notes,
        }


def poll(consumer: KafkaConsumer, seconds: float, *, max_records: int | None = None) -> list[Message]:
    """Return the messages that a member of a group receives within so many seconds.

    kafka-python joins the group again when it learns a topic's partitions after it had joined. If that takes longer than one
    poll, it forgets that it was joining, and the member receives nothing any more, without an error. So the join is requested
    again here.
    """
    found = messages_of(consumer.poll(timeout_ms=max(1, int(seconds * 1000)), max_records=max_records))
    if not joined(consumer):
        coordinator = consumer._coordinator  # noqa: SLF001 - no public method; an integration test notices a change
        if not coordinator.need_rejoin():
            log.info("join_resumed", group=coordinator.group_id)
            coordinator.request_rejoin()
    return found


def more(consumer: KafkaConsumer, seconds: float, *, most: int, stop: threading.Event) -> list[Message]:
    """Return what a member receives within so many seconds, at most `most` messages: large batches cost their sink less."""
    found: list[Message] = []
    until = time.monotonic() + seconds
    while len(found) < most and (left := until - time.monotonic()) > 0 and not stop.is_set():
        found += poll(consumer, left, max_records=most - len(found))
    return found


def joined(consumer: KafkaConsumer) -> bool:
    """Whether a consumer has joined its group. Its assignment is final then, even if it is empty."""
    return bool(consumer._coordinator.stable())  # noqa: SLF001 - as above


JOIN_SECONDS: Final = 60.0
"""A member that has not joined its group for this long gets a new client. A rebalance that waits for a dead member takes as
long as its session, and one that waits for a member whose sink is down goes on with the new client."""


class JoinWatch:
    """Finds out whether a member of a group joins it at all. Its client may have lost the request."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._joined_at = now()

    def look(self, *, joined: bool, group: str) -> None:
        """Note whether the member has joined.

        Raises:
            BusError: it has not for `JOIN_SECONDS`, so a new client is needed.
        """
        now = self._now()
        if joined:
            self._joined_at = now
        elif now - self._joined_at > JOIN_SECONDS:
            raise BusError(f"{group} could not be joined for {JOIN_SECONDS:.0f} s")


STALL_SECONDS: Final = 10.0
"""A member that has received nothing for this long asks the broker for its lag, on connections of its own."""


class StallDetector:
    """Finds out whether a member that receives nothing is at the end, or its client has silently stopped reading.

    kafka-python can lose the task that looks up where partitions are; after a restart of the broker it may never read again.
    """

    def __init__(self, ask_lag: Callable[[], Sequence[Lag]], now: Callable[[], float] = time.monotonic) -> None:
        self._ask_lag = ask_lag
        self._now = now
        self._asked_at = now()
        self._behind: dict[tuple[str, int], int | None] = {}

    def received(self) -> None:
        """Note that the member has received records."""
        self._asked_at = self._now()
        self._behind = {}

    def received_nothing(self, assigned: Iterable[tuple[str, int]]) -> None:
        """Note that the member has received nothing on these partitions.

        Raises:
            BusError: by the broker, records have been waiting for `STALL_SECONDS`, so a new client is needed.
        """
        if self._now() - self._asked_at < STALL_SECONDS:
            return
        self._asked_at = self._now()
        mine = set(assigned)
        try:
            found = self._ask_lag()
        except BusError as error:  # the broker is away, so there is nothing to receive
            log.debug("doubt_unanswered", error=str(error))
            self._behind = {}
            return
        behind = {(lag.topic, lag.partition): lag.committed for lag in found if lag.records}
        behind = {place: committed for place, committed in behind.items() if place in mine}
        still = [place for place, committed in behind.items() if self._behind.get(place, -1) == committed]
        if still:
            raise BusError(
                f"records wait on {still[0][0]}, partition {still[0][1]}, and the client does not receive them"
            )
        self._behind = behind


class _OwnLag:
    """Asks the broker for the lag of one group, on connections that are kept until one fails."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings, self._group = settings, group
        self._observer: Observer | None = None

    def __call__(self) -> tuple[Lag, ...]:
        try:
            self._observer = self._observer or Observer(self._settings)
            return self._observer.lags([self._group])
        except BusError:
            self.close()
            raise

    def close(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            with contextlib.suppress(KafkaError):  # it may be broken, and a new one is made when it is needed
                observer.close()


def consume(
    settings: Settings,
    *,
    topics: Iterable[str],
    group: str,
    handle: Callable[[list[Message]], None],
    stop: threading.Event,
    max_records: int = 500,
    wait_seconds: float = 0.5,
    gather_seconds: float = 0.0,
    start: str = "earliest",
    name: str = "",
    progress: Progress | None = None,
) -> None:
    """Read, handle, then commit, until `stop` is set. Offsets are committed only after `handle` has returned.

    After the first record, others are waited for during `gather_seconds`, at most until there are `max_records`.
    `start` says where a group without offsets begins. A member with a `name` gets its partitions back at once when its client
    or its process is replaced; without one it waits until the group has noticed that the old one is dead. `handle` must not
    return before its sink has confirmed the records; while it blocks, the heartbeat goes on. When `handle` raises an error,
    nothing is committed and the error leaves this loop.

    Raises:
        BusError: Kafka cannot be reached, or the client has failed or stopped reading; call again.
    """
    progress = progress or Progress()
    own_lag = _OwnLag(settings, group)
    consumer = member_of(settings, group, name, auto_offset_reset=start, max_poll_interval_ms=POLL_INTERVAL_MS,
                         max_poll_records=max_records)  # fmt: skip
    consumer.subscribe(topics=list(topics))
    join_watch, stall_detector = JoinWatch(), StallDetector(own_lag)
    try:
        while not stop.is_set():
            messages = poll(consumer, wait_seconds, max_records=max_records)
            _update(progress, consumer)
            join_watch.look(joined=joined(consumer), group=group)
            if not messages:
                stall_detector.received_nothing((tp.topic, tp.partition) for tp in consumer.assignment())
                continue
            messages += more(consumer, gather_seconds, most=max_records - len(messages), stop=stop)
            progress.busy_since = time.monotonic()
            handle(messages)
            progress.busy_since = None
            try:
                consumer.commit()
                progress.committed_at = time.monotonic()
            except CommitFailedError:
                # The group was rebalanced meanwhile: the new owner handles the batch again, which has no further effect.
                log.warning("commit_refused", group=group, records=len(messages))
            stall_detector.received()
    except KafkaError as error:
        raise BusError(f"{group}: {error}") from error
    finally:
        progress.assigned, progress.unread, progress.busy_since = 0, 0, None
        with contextlib.suppress(KafkaError):
            consumer.close(autocommit=False)
        own_lag.close()
    if name:
        leave(settings, group, name)


def _update(progress: Progress, consumer: KafkaConsumer) -> None:
    assigned = consumer.assignment()
    progress.assigned = len(assigned)
    progress.polled_at = time.monotonic()
    # `position` would ask Kafka, and took a quarter of the indexer's time. An integration test notices a change.
    states = consumer._subscription.assignment  # noqa: SLF001
    places = [states[partition] for partition in assigned if partition in states]
    # Not whether an end is known: Kafka tells that of a partition without new records only once in a session of requests.
    progress.unread = sum(not place.has_valid_position for place in places)
    progress.behind = sum(
        max(0, place.highwater - place.position.offset)
        for place in places
        if place.highwater is not None and place.position is not None
    )
