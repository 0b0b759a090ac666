"""The indexer process: records from the topics in, documents in Elasticsearch out."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Sequence

import structlog

from pipeline import bus, metrics
from pipeline.index import client
from pipeline.index.bulk import TYPES, BulkWriter
from pipeline.index.errors import StoppedError
from pipeline.index.health import IndexerHealth
from pipeline.records import Failure, encode
from pipeline.settings import Settings
from pipeline.version import VERSION

log = structlog.get_logger("index")


def run(settings: Settings, *, stop: threading.Event | None = None) -> None:
    """Index records until SIGTERM or SIGINT, or until `stop` is set if it is given.

    Raises:
        RefusedError: Elasticsearch refuses this client.
        BusError: Kafka is not available.
        OSError: the port of /metrics is taken.
    """
    stopping = stop or threading.Event()
    if stop is None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopping.set())
    es = client.connect(settings)
    health = IndexerHealth(settings, bus.Progress(), probe=lambda: client.probe(es))
    http = settings.http
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(es.close)
        server = metrics.serve(http.host, http.indexer_port, healthy=health.healthy, readiness=health.ready)
        cleanup.callback(server.server_close)
        cleanup.callback(server.shutdown)
        metrics.build_info.labels(version=VERSION, process="indexer").set(1)
        log.info("indexer_started", metrics=f"http://{http.host}:{server.server_address[1]}/metrics")
        cleanup.enter_context(health.running())
        bus.create_topics(settings)
        publisher = bus.Publisher(settings)
        cleanup.callback(publisher.close)

        def quarantine(failures: Sequence[Failure]) -> None:
            for failure in failures:
                publisher.send(bus.QUARANTINE, failure.id.encode(), encode(failure))
            if failures:
                publisher.flush()

        bulk_server = client.ElasticsearchServer(es, settings)
        writer = BulkWriter(settings, bulk_server, quarantine, stopping, progress=health.progress)
        try:
            writer.prepare()
            bus.consume(
                settings, topics=tuple(TYPES), group=bus.INDEXER_GROUP, handle=writer.handle, stop=stopping,
                max_records=settings.elasticsearch.bulk_records, wait_seconds=settings.indexer.batch_wait_seconds,
                progress=health.progress,
            )  # fmt: skip
        except StoppedError:
            log.info("stopped_while_waiting", problem=health.progress.problem)
    log.info("indexer_stopped")
