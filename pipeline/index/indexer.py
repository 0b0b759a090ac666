"""The indexer process: records from the topics in, documents in Elasticsearch out."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Sequence
from typing import Final

import structlog

from pipeline import bus, metrics, stage
from pipeline.index import client, upkeep
from pipeline.index.bulk import TYPES, BulkWriter
from pipeline.index.errors import StoppedError
from pipeline.index.health import IndexerHealth
from pipeline.process import VERSION, StopEvent
from pipeline.records import Failure, encode
from pipeline.settings import Settings

log = structlog.get_logger("index")

KAFKA_RETRY_SECONDS: Final = 1.0
"""The wait after a failed client of Kafka."""


def run(settings: Settings, *, stop: threading.Event | None = None) -> None:
    """Index records until SIGTERM or SIGINT, or until `stop` is set if it is given.

    Raises:
        RefusedError: Elasticsearch refuses this client.
        TopicError: a topic has another number of partitions.
        OSError: the port of /metrics is taken.
    """
    stopping = stop or StopEvent()
    if stop is None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopping.set())
    es = client.connect(settings)
    broker = bus.BrokerWatch(settings)
    health = IndexerHealth(
        settings, bus.Progress(), probe=lambda: client.probe(es, settings), broker=lambda: broker.problem
    )
    http = settings.http
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(es.close)
        server = metrics.serve(http.host, http.indexer_port, healthy=health.healthy, readiness=health.ready)
        cleanup.callback(server.server_close)
        cleanup.callback(server.shutdown)
        metrics.build_info.labels(version=VERSION, process="indexer").set(1)
        log.info("indexer_started", metrics=f"http://{http.host}:{server.server_address[1]}/metrics")
        cleanup.enter_context(broker.running(stopping))
        cleanup.enter_context(health.running())
        cleanup.enter_context(upkeep.Upkeep(upkeep.tasks(settings)).running(stopping))
        if not bus.wait_for_topics(settings, stopping, create=True):
            return
        publisher = bus.PatientPublisher(settings, stopping)
        cleanup.callback(publisher.close)

        def quarantine(failures: Sequence[Failure]) -> None:
            for failure in failures:
                try:
                    done = publisher.put(bus.QUARANTINE, [(failure.id.encode(), encode(failure))])
                except bus.RecordSizeError:  # the cluster takes less than the topic's own limit
                    done = publisher.put(bus.QUARANTINE, [(failure.id.encode(), encode(stage.without_raw(failure)))])
                if not done:
                    raise StoppedError

        writer = BulkWriter(
            settings, client.ElasticsearchServer(es, settings), quarantine, stopping, progress=health.progress
        )
        try:
            writer.prepare()
            _consume(settings, writer, stopping)
        except StoppedError:
            log.info("stopped_while_waiting", problem=health.progress.problem)
    log.info("indexer_stopped")


def _consume(settings: Settings, writer: BulkWriter, stopping: threading.Event) -> None:
    """Index until `stopping` is set, with a new client of Kafka whenever one has failed."""
    while not stopping.is_set():
        try:
            bus.consume(
                settings, topics=tuple(TYPES), group=bus.INDEXER_GROUP, handle=writer.handle, stop=stopping,
                max_records=settings.elasticsearch.bulk_records, gather_seconds=settings.indexer.batch_wait_seconds,
                name=bus.member_name(settings.http.indexer_port), progress=writer.progress,
            )  # fmt: skip
        except bus.BusError as error:
            log.warning("reading_interrupted", error=str(error))
            stopping.wait(KAFKA_RETRY_SECONDS)
