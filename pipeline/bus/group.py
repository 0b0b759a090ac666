"""Reading in a group: each record is handled, then committed; a member that is silently given nothing more is noticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from kafka import KafkaConsumer
from kafka.errors import CommitFailedError

from pipeline.bus.lag import Lag, lags
from pipeline.bus.read import consumer_of, messages_of
from pipeline.bus.topics import BusError, Message
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


DOUBT_SECONDS: Final = 30.0
"""A member that was given nothing for so long asks the broker, on connections of its own, whether there really is nothing."""


class Doubt:
    """Whether a member that is given nothing is at the end, or its client has stopped reading without a word.

    kafka-python can lose the task that learns where partitions are; after a broker's restart it may read nothing ever more.
    """

    def __init__(self, ask: Callable[[], Sequence[Lag]], now: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._now = now
        self._asked_at = now()
        self._behind: dict[tuple[str, int], int | None] = {}

    def given(self) -> None:
        """There was something."""
        self._asked_at = self._now()
        self._behind = {}

    def nothing(self, assigned: Iterable[tuple[str, int]]) -> None:
        """There was nothing again on these partitions.

        Raises:
            BusError: there has been something for `DOUBT_SECONDS`, by the broker's word: a new client is needed.
        """
        if self._now() - self._asked_at < DOUBT_SECONDS:
            return
        self._asked_at = self._now()
        mine = set(assigned)
        try:
            found = self._ask()
        except BusError as error:  # the broker is away: then there is nothing to be given
            log.debug("doubt_unanswered", error=str(error))
            self._behind = {}
            return
        behind = {(lag.topic, lag.partition): lag.committed for lag in found if lag.records}
        behind = {place: committed for place, committed in behind.items() if place in mine}
        still = [place for place, committed in behind.items() if self._behind.get(place, -1) == committed]
        if still:
            raise BusError(f"records wait on {still[0][0]}, partition {still[0][1]}, and the client is not given them")
        self._behind = behind


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
        BusError: Kafka is not there at the start, or its client has stopped reading: call again.
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
    doubt = Doubt(lambda: lags(settings, [group]))
    try:
        while not stop.is_set():
            messages = poll(consumer, wait_seconds, max_records=max_records)
            _note(progress, consumer)
            if not messages:
                doubt.nothing((place.topic, place.partition) for place in consumer.assignment())
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
            doubt.given()
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
