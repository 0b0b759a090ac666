"""Reading in a consumer group: records are handled, then committed. A client that silently stops reading is noticed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from kafka import KafkaConsumer
from kafka.errors import CommitFailedError, KafkaError

from pipeline.bus.lag import Lag, lags
from pipeline.bus.read import consumer_of, messages_of
from pipeline.bus.topics import BusError, Message
from pipeline.settings import Settings

log = structlog.get_logger("bus")

POLL_INTERVAL_MS: Final = 6 * 3600 * 1000
"""How long a batch may take before the group counts the member as dead. It is long because a sink may be down for hours. A dead
process is still noticed within the session timeout, because the heartbeat of kafka-python runs on a thread of its own."""


@dataclass(slots=True)
class Progress:
    """What a reading loop did last, shown on /readyz. Written by the loop, read by the metrics thread."""

    assigned: int = 0
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
        good = self.assigned > 0 and not stalled and not self.problem
        return good, {
            "assigned": self.assigned,
            "behind": self.behind,
            "busy_seconds": round(busy, 1),
            "problem": self.problem or ("stalled" if stalled else "" if self.assigned else "no partition assigned"),
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


def joined(consumer: KafkaConsumer) -> bool:
    """Whether a consumer has joined its group. Its assignment is final then, even if it is empty."""
    return bool(consumer._coordinator.stable())  # noqa: SLF001 - as above


STALL_SECONDS: Final = 30.0
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
    """Read, handle, then commit, until `stop` is set. Offsets are committed only after `handle` has returned.

    `start` says where a group without offsets begins. `handle` must not return before its sink has confirmed the records;
    while it blocks, the heartbeat goes on. When `handle` raises an error, nothing is committed and the error leaves this
    loop.

    Raises:
        BusError: Kafka cannot be reached, or the client has failed or stopped reading; call again.
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
    stall_detector = StallDetector(lambda: lags(settings, [group]))
    try:
        while not stop.is_set():
            messages = poll(consumer, wait_seconds, max_records=max_records)
            _update(progress, consumer)
            if not messages:
                stall_detector.received_nothing((tp.topic, tp.partition) for tp in consumer.assignment())
                continue
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
        progress.assigned, progress.busy_since = 0, None
        with contextlib.suppress(KafkaError):
            consumer.close(autocommit=False)


def _update(progress: Progress, consumer: KafkaConsumer) -> None:
    assigned = consumer.assignment()
    progress.assigned = len(assigned)
    progress.polled_at = time.monotonic()
    behind = 0
    for partition in assigned:
        highwater = consumer.highwater(partition)
        if highwater is not None:
            behind += max(0, highwater - consumer.position(partition))
    progress.behind = behind
