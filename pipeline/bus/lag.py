"""The lag of each consumer group, asked of the broker."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import GroupIdNotFoundError, KafkaError

from pipeline.bus.read import consumer_of
from pipeline.bus.topics import GROUP_PREFIX, BusError, client_of, connection, read_by, retry_coordinator, unanswered
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Lag:
    """A group's lag on one partition, in records. `committed` is None where the group has not committed yet."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    records: int


PEEK_BYTES: Final = 1024
"""How much is read to find out whether a lag holds any record: Kafka sends one batch, however large it is."""

PEEK_SECONDS: Final = 1.0
"""How long that may take for a partition. A lag that is not examined to its end counts."""


class Observer:
    """Asks the broker for the lag of groups. It holds connections, so make one and ask often."""

    def __init__(self, settings: Settings) -> None:
        try:
            self._admin = client_of(KafkaAdminClient, **connection(settings))
        except KafkaError as error:
            raise unanswered(settings, error) from error
        try:
            self._peek = consumer_of(
                settings, group_id=None, auto_offset_reset="earliest", max_partition_fetch_bytes=PEEK_BYTES
            )
        except BusError:
            self._admin.close()
            raise
        self._empty: dict[TopicPartition, tuple[int, int]] = {}

    def groups(self) -> list[str]:
        """Return the names of Dateline's consumer groups that the broker knows."""
        return sorted(
            name
            for group in self._admin.list_groups()
            if (name := str(group["group_id"] if isinstance(group, dict) else group[0])).startswith(GROUP_PREFIX)
        )

    def lags(self, groups: Iterable[str] | None = None) -> tuple[Lag, ...]:
        """Groups in (all of Dateline's by default), their lag on each partition out.

        Raises:
            BusError: the broker did not answer. This observer is closed then: its threads and connections would stay for good.
        """
        try:
            found = []
            for group in self.groups() if groups is None else groups:
                found_offsets = retry_coordinator(functools.partial(self._admin.list_group_offsets, {group: None}))
                offsets = {tp: o.offset for tp, o in found_offsets[group].items()}
                # A partition that a group has never committed is not among its offsets, but it has a lag too.
                untouched = [tp for tp in self._partitions(read_by(group)) if offsets.get(tp, -1) < 0]
                starts = self._offsets(untouched, OffsetSpec.EARLIEST)
                ends = self._offsets({*offsets, *untouched}, OffsetSpec.LATEST)
                found += [self._lag(group, tp, offsets.get(tp, -1), starts.get(tp, 0), ends[tp]) for tp in sorted(ends)]
            return tuple(found)
        except GroupIdNotFoundError:
            return ()
        except KafkaError as error:
            self.close()
            raise BusError(f"lag: {error}") from error

    def _partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, p) for topic in topics for p in self._peek.partitions_for_topic(topic) or ()]

    def _offsets(self, partitions: Iterable[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        wanted = dict.fromkeys(partitions, spec)
        if not wanted:
            return {}
        return {tp: found.offset for tp, found in self._admin.list_partition_offsets(wanted).items()}

    def _lag(self, group: str, tp: TopicPartition, committed: int, start: int, end: int) -> Lag:
        since = committed if committed >= 0 else start
        behind = max(0, end - since)
        if behind and self._holds_no_record(tp, since, end):
            behind = 0
        return Lag(group, tp.topic, tp.partition, committed if committed >= 0 else None, end, behind)

    def _holds_no_record(self, tp: TopicPartition, committed: int, end: int) -> bool:
        """Whether no reader ever receives what is between the committed offset and the end of the partition.

        The marker of an ended transaction takes an offset, and so does every record of a transaction that was aborted, as it is
        when Kafka fails in the middle. A reader commits what it has received, so it stays before them until the next record.
        """
        known, examined = self._empty.get(tp, (-1, -1))
        start = examined if known == committed else committed
        if start < end:
            self._peek.assign([tp])
            self._peek.seek(tp, start)
            deadline = time.monotonic() + PEEK_SECONDS
            while time.monotonic() < deadline and self._peek.position(tp) < end:
                if self._peek.poll(timeout_ms=100, max_records=1):
                    return False
            start = self._peek.position(tp)
            self._empty[tp] = (committed, start)
        return start >= end

    def close(self) -> None:
        """Close the connections. May be called again."""
        for close in (self._admin.close, functools.partial(self._peek.close, autocommit=False)):
            with contextlib.suppress(KafkaError):  # a broken connection is gone already
                close()


def lags(settings: Settings, groups: Iterable[str] | None = None) -> tuple[Lag, ...]:
    """Groups in (all of Dateline's by default), their lag on each partition out, asked once.

    Raises:
        BusError: Kafka cannot be reached.
    """
    observer = Observer(settings)
    try:
        return observer.lags(groups)
    finally:
        observer.close()
