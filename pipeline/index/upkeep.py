"""What the indexer does beside indexing, on a thread: export the servers' state, keep the indices in bounds, take snapshots.

Each task has its own interval. One that fails is logged, and tried again at its next turn; the time of its last success is a
metric, so that an alert tells of a task that does not succeed any more.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from pipeline import bus, metrics
from pipeline.index import cluster, lifecycle, snapshots
from pipeline.index.errors import RefusedError, RequestError, UnavailableError
from pipeline.settings import Settings

log = structlog.get_logger("upkeep")

CLUSTER_SECONDS: Final = 15.0
"""How often the clusters are looked at: as often as Prometheus asks in deploy/prometheus/prometheus.yml."""

INDICES_SECONDS: Final = 600.0
"""How often the indices are brought into their bounds; within that time a fast feed adds some hundred megabytes."""

SNAPSHOT_SECONDS: Final = 300.0
"""How often it is looked whether a snapshot is due."""

TURN_SECONDS: Final = 1.0
"""How often it is looked which task is due."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its interval."""

    name: str
    every_seconds: float
    work: Callable[[], None]


def tasks(settings: Settings) -> tuple[Task, ...]:
    """Return the tasks of an indexer."""
    wanted = bool(settings.snapshots.repository)
    return (
        Task("kafka", CLUSTER_SECONDS, lambda: observe_kafka(settings)),
        Task("elasticsearch", CLUSTER_SECONDS, lambda: observe_elasticsearch(settings)),
        Task("indices", INDICES_SECONDS, lambda: _discard(lifecycle.keep_in_bounds(settings, now=_now()))),
        *(
            (Task("snapshot", SNAPSHOT_SECONDS, lambda: _discard(snapshots.keep(settings, now=_now()))),)
            if wanted
            else ()
        ),
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _discard(_result: object) -> None:
    """Take a result that is logged already."""


def observe_kafka(settings: Settings) -> None:
    """Export the state of the Kafka cluster; one that does not answer has no brokers.

    Raises:
        BusError: Kafka does not answer.
    """
    try:
        found = bus.cluster(settings)
    except bus.BusError:
        metrics.server_nodes.labels(server="kafka").set(0)
        raise
    metrics.server_nodes.labels(server="kafka").set(found.brokers)
    states = {("offline",): found.offline_partitions, ("under_replicated",): found.under_replicated_partitions}
    metrics.replace_series(metrics.kafka_partitions, states)
    metrics.replace_series(metrics.kafka_topic_bytes, {(topic,): size for topic, size in found.topic_bytes.items()})
    _disks("kafka", found.disks)


def observe_elasticsearch(settings: Settings) -> None:
    """Export the state of the Elasticsearch cluster; one that does not answer has no nodes.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    try:
        found = cluster.cluster(settings)
    except (RefusedError, UnavailableError, RequestError):
        metrics.server_nodes.labels(server="elasticsearch").set(0)
        raise
    metrics.server_nodes.labels(server="elasticsearch").set(found.nodes)
    for status in cluster.STATUSES:
        metrics.elasticsearch_status.labels(status=status).set(status == found.status)
    metrics.elasticsearch_shards.labels(state="active").set(found.active_shards)
    metrics.elasticsearch_shards.labels(state="unassigned").set(found.unassigned_shards)
    _disks("elasticsearch", found.disks)


def _disks(server: str, disks: Sequence[bus.Disk]) -> None:
    metrics.replace_series(metrics.disk_free_bytes, {(server, disk.name): disk.free for disk in disks}, server)
    metrics.replace_series(metrics.disk_size_bytes, {(server, disk.name): disk.size for disk in disks}, server)


class Upkeep:
    """Runs tasks when they are due. Only tests call `turn` themselves."""

    def __init__(self, wanted: Sequence[Task], *, now: Callable[[], float] = time.monotonic) -> None:
        self._tasks = wanted
        self._now = now
        self._due = dict.fromkeys((task.name for task in wanted), now())
        self._failing: set[str] = set()

    @contextlib.contextmanager
    def running(self, stop: threading.Event) -> Iterator[None]:
        """Run the thread while the block runs. It is not waited for: everything that it does can be repeated."""
        done = threading.Event()

        def work() -> None:
            while not (stop.is_set() or done.is_set()):
                self.turn()
                done.wait(TURN_SECONDS)

        threading.Thread(target=work, name="upkeep", daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def turn(self) -> None:
        """Run the tasks that are due. A failure is logged when it begins, and so is its end."""
        for task in self._tasks:
            if self._now() < self._due[task.name]:
                continue
            try:
                task.work()
            except Exception as error:  # noqa: BLE001 - no task may end the thread, and the metric tells of it
                if task.name not in self._failing:
                    log.warning("upkeep_failed", task=task.name, error=f"{type(error).__name__}: {error}")
                self._failing.add(task.name)
            else:
                if task.name in self._failing:
                    log.info("upkeep_succeeds_again", task=task.name)
                self._failing.discard(task.name)
                metrics.upkeep_last_success_timestamp_seconds.labels(task=task.name).set_to_current_time()
            self._due[task.name] = self._now() + task.every_seconds
