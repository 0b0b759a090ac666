"""All Prometheus metrics, and the server that answers /metrics, /healthz and /readyz. The only importer of prometheus_client.

Names follow Prometheus' conventions: prefix `dateline_`, base units, `_total` on counters, bounded labels. docs/metrics.md
describes each metric, and a test compares the two.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, TypeVar
from urllib.parse import urlsplit

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families

from pipeline.settings import without_login

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
AGES: Final = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 10800, 43200, 86400)

records_total = Counter(
    "dateline_records", "Records by stage and outcome: ok, rejected (reason), retried, quarantined.",
    ["stage", "outcome", "reason"],
)  # fmt: skip
stage_duration_seconds = Histogram(
    "dateline_stage_duration_seconds", "Time one record took in one stage.", ["stage"], buckets=SECONDS
)
stage_last_record_timestamp_seconds = Gauge(
    "dateline_stage_last_record_timestamp_seconds", "When the stage last finished a record (Unix time).", ["stage"]
)
article_age_seconds = Histogram(
    "dateline_article_age_seconds", "Age of an article, from its fetch, when a stage has finished with it.", ["stage"],
    buckets=AGES,
)  # fmt: skip
events_total = Counter("dateline_events", "Events detected.", ["event_type", "kind", "modality"])
stories_total = Counter("dateline_stories", "Story changes published: new, update, phase, spike.", ["change"])
alerts_total = Counter(
    "dateline_alerts",
    "Alerts by rule and outcome: raised, delivered, failed (one channel gave up); muted, throttled, digest (held back).",
    ["rule", "outcome"],
)
deliveries_total = Counter(
    "dateline_deliveries",
    "Attempts to deliver an alert, by channel and outcome: ok, retried, failed.",
    ["channel", "outcome"],
)
published_total = Counter("dateline_published", "Records written to a topic and acknowledged by it.", ["topic"])
feed_last_success_timestamp_seconds = Gauge(
    "dateline_feed_last_success_timestamp_seconds",
    "When the feed was last read without an error (Unix time).",
    ["feed"],
)
feed_silent = Gauge(
    "dateline_feed_silent", "1 for a feed that can be read and has stopped to publish, 0 otherwise.", ["feed"]
)
feed_fetches_total = Counter(
    "dateline_feed_fetches", "Polls of feeds by outcome: ok, not_modified, error.", ["outcome"]
)
websub_total = Counter(
    "dateline_websub",
    "WebSub by outcome: subscribed, refused, pushed, unsigned, unknown.",
    ["outcome"],
)
page_fetches_total = Counter(
    "dateline_page_fetches", "Fetches of article pages by outcome: ok, error, refused, wall.", ["outcome"]
)
fetched_bytes_total = Counter("dateline_fetched_bytes", "Bytes read from the web, after decompression.")
consumer_lag_records = Gauge(
    "dateline_consumer_lag_records", "Records of a topic's partition not yet committed by the group.",
    ["group", "topic", "partition"],
)  # fmt: skip
pool_restarts_total = Counter("dateline_pool_restarts", "Restarts of the pool of spaCy processes.", ["cause"])
in_progress_records = Gauge("dateline_in_progress_records", "Records a stage holds right now.", ["stage"])
bulk_requests_total = Counter(
    "dateline_bulk_requests", "Bulk writes to Elasticsearch by outcome: ok, retried, failed.", ["outcome"]
)
indexed_total = Counter(
    "dateline_indexed",
    "Documents by index alias and outcome: created, updated, unchanged, failed.",
    ["index", "outcome"],
)
rules_last_reload_successful = Gauge(
    "dateline_rules_last_reload_successful", "1 while the rules in use are those of alerts.toml, 0 when it is wrong.",
    registry=None,
)  # fmt: skip
rules_last_reload_success_timestamp_seconds = Gauge(
    "dateline_rules_last_reload_success_timestamp_seconds",
    "When the rules were last read without an error (Unix time).",
    registry=None,
)
server_nodes = Gauge(
    "dateline_server_nodes", "Live brokers (kafka) or nodes (elasticsearch); 0 while none answers.", ["server"]
)
kafka_partitions = Gauge(
    "dateline_kafka_partitions", "Partitions of our topics that are offline (no leader) or under_replicated.", ["state"]
)
kafka_topic_bytes = Gauge("dateline_kafka_topic_bytes", "Bytes of a topic on all brokers.", ["topic"])
elasticsearch_status = Gauge(
    "dateline_elasticsearch_status",
    "1 for the cluster's status: green, yellow (a replica is missing), red.",
    ["status"],
)
elasticsearch_shards = Gauge("dateline_elasticsearch_shards", "Shards by state: active, unassigned.", ["state"])
disk_free_bytes = Gauge(
    "dateline_disk_free_bytes", "Free space where a broker (kafka) or node (elasticsearch) keeps its data.",
    ["server", "node"],
)  # fmt: skip
disk_size_bytes = Gauge("dateline_disk_size_bytes", "Size of that disk.", ["server", "node"])
upkeep_last_success_timestamp_seconds = Gauge(
    "dateline_upkeep_last_success_timestamp_seconds",
    "When a task of the indexer's upkeep last succeeded (Unix time).",
    ["task"],
)
index_bytes = Gauge("dateline_index_bytes", "Bytes of all indices of an alias, replicas included.", ["index"])
index_changes_total = Counter(
    "dateline_index_changes", "Indices created and deleted to keep the index in bounds, by action and reason: size, age.",
    ["action", "reason"],
)  # fmt: skip
snapshot_last_success_timestamp_seconds = Gauge(
    "dateline_snapshot_last_success_timestamp_seconds",
    "When the newest complete snapshot of a repository ended (Unix time); 0 for none.",
    ["repository"],
)
ready = Gauge("dateline_ready", "1 while /readyz says yes.")
build_info = Gauge("dateline_build_info", "Constant 1, with the running version.", ["version", "process"])

_rules = (rules_last_reload_successful, rules_last_reload_success_timestamp_seconds)


def set_rules(*, successful: bool, now: float) -> None:
    """Set whether the rules in use are those of alerts.toml. A process that never calls this has no such series.

    A gauge that was never set is 0, which would mean that the file is wrong.
    """
    rules_last_reload_successful.set(successful)
    if successful:
        rules_last_reload_success_timestamp_seconds.set(now)
    with contextlib.suppress(ValueError):  # registered already
        for gauge in _rules:
            REGISTRY.register(gauge)


_lag_series: set[tuple[str, str, str]] = set()


def set_lag(rows: Iterable[tuple[str, str, int, int]]) -> None:
    """Set the lag of all partitions that this process holds, as (group, topic, partition, records); remove those of others."""
    current = {(group, topic, str(partition)): records for group, topic, partition, records in rows}
    for gone in _lag_series - current.keys():
        consumer_lag_records.remove(*gone)
    for labels, records in current.items():
        consumer_lag_records.labels(*labels).set(records)
    _lag_series.clear()
    _lag_series.update(current)


LabelValues = TypeVar("LabelValues", bound=tuple[str, ...])


def replace_series(gauge: Gauge, values: Mapping[LabelValues, float], first: str | None = None) -> None:
    """Set the series of a gauge by their labels and remove all others (with `first`: those with this first label)."""
    for sample in [sample for family in gauge.collect() for sample in family.samples]:
        labels = tuple(sample.labels.values())
        if labels not in values and first in (None, labels[0]):
            gauge.remove(*labels)
    for labels, value in values.items():
        gauge.labels(*labels).set(value)


Check = Callable[[], tuple[bool, dict[str, object]]]


def serve(host: str, port: int, *, healthy: Check, readiness: Check) -> ThreadingHTTPServer:
    """Start the server on its own thread, so that a busy loop elsewhere cannot delay it, and return the server.

    Port 0 takes a free port, which is `server_address[1]` of the result.

    Raises:
        OSError: the port is taken; the message names host and port.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/metrics":
                encoder, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encoder(REGISTRY), content_type)
            elif path in ("/healthz", "/readyz"):
                good, detail = (healthy if path == "/healthz" else readiness)()
                body = without_login(json.dumps({"ok": good, **detail}, default=str)).encode()
                self._answer(200 if good else 503, body, "application/json")
            else:
                self._answer(404, b"try /metrics, /healthz or /readyz\n", "text/plain")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Do nothing: requests are not logged."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Do nothing: whoever asked has hung up, and a raw traceback has no place among lines of JSON."""

    try:
        server = Server((host, port), Handler)
    except OSError as error:
        raise OSError(error.errno, f"metrics: {host}:{port} cannot be bound: {error.strerror}") from error
    # Asked at each scrape: nobody else may ever call /readyz.
    ready.set_function(lambda: float(readiness()[0]))
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


@dataclass(frozen=True, slots=True)
class MetricSample:
    """One sample of /metrics."""

    name: str
    labels: dict[str, str]
    value: float


def parse(text: str) -> tuple[MetricSample, ...]:
    """Return the samples of an answer to /metrics whose names begin with `dateline_`.

    Raises:
        ValueError: the text is not in Prometheus' format.
    """
    return tuple(
        MetricSample(sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        if family.name.startswith("dateline_")
        for sample in family.samples
    )
