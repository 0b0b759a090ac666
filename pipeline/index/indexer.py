"""Elasticsearch: the connection, the indices, the indexer process, and what the indices hold. Only importer of elasticsearch.

What leaves this file as an error is one of ours (see `bulk`): refused, away, or a request that is wrong as a whole.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import elasticsearch
import structlog
from elasticsearch import ApiError, Elasticsearch, TransportError

from pipeline import bus, metrics
from pipeline.index import documents
from pipeline.index.bulk import PASSING, TYPES, AwayError, RefusedError, RequestError, StoppedError, Writer
from pipeline.index.health import PROBE_SECONDS, Watch
from pipeline.records import Failure, encode
from pipeline.settings import Settings
from pipeline.version import VERSION

log = structlog.get_logger("index")

# The client warns of every single failure; the bulk loop tells of an outage once a minute.
logging.getLogger("elastic_transport").setLevel(logging.ERROR)

T = TypeVar("T")
MAPPINGS: Final = Path(__file__).parent / "mappings"


# --- the connection and the indices ----------------------------------------------------------------------------------


def connect(settings: Settings) -> Elasticsearch:
    """Settings in, a client out; nothing is sent yet. It never retries by itself: who calls knows better when to."""
    options: dict[str, Any] = {}
    wanted = settings.elasticsearch
    if wanted.api_key:
        options["api_key"] = wanted.api_key
    elif wanted.username:
        options["basic_auth"] = (wanted.username, wanted.password)
    if wanted.ca_file:
        options["ca_certs"] = str(settings.path(wanted.ca_file))
    return Elasticsearch(
        settings.elasticsearch_url, request_timeout=wanted.request_timeout_seconds, max_retries=0, **options
    )


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Elasticsearch]:
    """A client for a few requests, closed afterwards.

    Raises:
        RefusedError, AwayError: instead of what the client raises; the message says what is wrong and with which server.
    """
    es = connect(settings)
    try:
        with _ours(f"Elasticsearch at {settings.elasticsearch_url}"):
            yield es
    finally:
        es.close()


@contextlib.contextmanager
def _ours(what: str) -> Iterator[None]:
    """The client's errors become ours, told of `what`. Neither the address nor the client's secret is in their text."""
    try:
        yield
    except ApiError as error:
        status = error.meta.status
        told = f"{what}: {status} {error}".replace("\n", " ")[:600]
        if status in (400, 413) and "media_type_header_exception" not in told:
            raise RequestError(told) from error
        if 400 <= status < 500 and status not in PASSING | {409}:
            raise RefusedError(told) from error
        raise AwayError(told) from error
    except TransportError as error:
        raise AwayError(f"{what}: {error.message}".replace("\n", " ")[:600], lost=True) from error


def mapping(name: str) -> dict[str, Any]:
    """`events` in, the mapping of its indices out."""
    found: dict[str, Any] = json.loads((MAPPINGS / f"{name}.json").read_text("utf-8"))
    return found


def template(name: str, settings: Settings) -> dict[str, Any]:
    """`events` in, the index template out: an index of that name is made by the first record of its month."""
    wanted = settings.elasticsearch
    return {
        "index_patterns": [documents.pattern(wanted.index_prefix, name)],
        "priority": 200,
        "version": documents.MAPPING_VERSION,
        "template": {
            "aliases": {documents.alias(wanted.index_prefix, name): {}},
            "settings": {
                "number_of_shards": wanted.shards,
                "number_of_replicas": wanted.replicas,
                "refresh_interval": f"{round(wanted.refresh_seconds * 1000)}ms",
            },
            "mappings": mapping(name),
        },
    }


def set_up(es: Elasticsearch, settings: Settings) -> None:
    """Bring templates, and the mappings of the indices that exist, up to this version of Dateline. Safe to run at any time.

    A field that a new version adds must be known to the index of the running month too, because mappings are strict.

    Raises:
        RefusedError: the server does not allow it, or an existing mapping contradicts ours.
        AwayError: the server is not there.
    """
    prefix = settings.elasticsearch.index_prefix
    for name in documents.KINDS:
        wanted, indices = template(name, settings), documents.pattern(prefix, name)
        try:
            with _ours(f"the indices {indices} cannot be set up"):
                es.indices.put_index_template(name=documents.alias(prefix, name), **wanted)
                if es.indices.get(index=indices, features="aliases").body:
                    es.indices.put_mapping(index=indices, **wanted["template"]["mappings"])
        except RequestError as error:
            raise RefusedError(str(error)) from error


def check_server(es: Elasticsearch) -> str:
    """The server's version out; `unknown` for a user who may write but not look at the cluster.

    Raises:
        RefusedError: its major version is not the client's, or it does not let us in.
        AwayError: it is not there.
    """
    try:
        with _ours("Elasticsearch"):
            nodes = es.nodes.info(metric="plugins", filter_path="nodes.*.version").body.get("nodes", {})
    except RefusedError as error:
        if isinstance(error.__cause__, elasticsearch.AuthorizationException):
            return "unknown"
        raise
    versions = sorted({str(node["version"]) for node in nodes.values()})
    ours = str(elasticsearch.__version__[0])
    for version in versions:
        if version.partition(".")[0] != ours:
            raise RefusedError(f"Elasticsearch is {version}, and this client speaks {ours}.x only")
    return ", ".join(versions) or "unknown"


class Server:
    """The bulk loop's view of Elasticsearch (`bulk.Server`)."""

    def __init__(self, es: Elasticsearch, settings: Settings) -> None:
        self._es = es
        self._settings = settings

    def prepare(self) -> str:
        """Check that we speak to this server, and set up the indices."""
        version = check_server(self._es)
        set_up(self._es, self._settings)
        return version

    def send(self, lines: Sequence[bytes]) -> Mapping[str, Any]:
        """The lines of one bulk request in, its answer out."""
        with _ours("bulk"):
            # The client takes lines that are encoded already, as its serializer shows; its annotation does not say so.
            answer: Mapping[str, Any] = self._es.bulk(operations=list(lines)).body  # type: ignore[arg-type]
        return answer


# --- the process -----------------------------------------------------------------------------------------------------


def run(settings: Settings, *, stop: threading.Event | None = None) -> None:
    """The indexer: topics to Elasticsearch until SIGTERM or SIGINT, or until `stop` is set where one is given.

    Raises:
        RefusedError: Elasticsearch does not take us.
        BusError: Kafka is not there.
        OSError: the port of /metrics is taken.
    """
    ending = stop or threading.Event()
    if stop is None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: ending.set())
    es = connect(settings)
    watch = Watch(settings, bus.Progress(), probe=lambda: probe(es))
    http = settings.http
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(es.close)
        server = metrics.serve(http.host, http.indexer_port, healthy=watch.healthy, readiness=watch.ready)
        cleanup.callback(server.server_close)
        cleanup.callback(server.shutdown)
        metrics.build_info.labels(version=VERSION, process="indexer").set(1)
        log.info("indexer_started", metrics=f"http://{http.host}:{server.server_address[1]}/metrics")
        cleanup.enter_context(watch.running())
        bus.create_topics(settings)
        publisher = bus.Publisher(settings)
        cleanup.callback(publisher.close)

        def quarantine(failures: Sequence[Failure]) -> None:
            for failure in failures:
                publisher.send(bus.QUARANTINE, failure.id.encode(), encode(failure))
            if failures:
                publisher.flush()

        writer = Writer(settings, Server(es, settings), quarantine, ending, progress=watch.progress)
        try:
            writer.prepare()
            bus.consume(
                settings, topics=tuple(TYPES), group=bus.INDEXER_GROUP, handle=writer.handle, stop=ending,
                max_records=settings.elasticsearch.bulk_records, wait_seconds=settings.indexer.batch_wait_seconds,
                progress=watch.progress,
            )  # fmt: skip
        except StoppedError:
            log.info("stopped_while_waiting", problem=watch.progress.problem)
    log.info("indexer_stopped")


def probe(es: Elasticsearch) -> str:
    """`ok`, or why Elasticsearch cannot be used just now."""
    try:
        with _ours("Elasticsearch"):
            es.options(request_timeout=PROBE_SECONDS).cluster.health(filter_path="status")
    except RefusedError as error:
        may_write = isinstance(error.__cause__, elasticsearch.AuthorizationException)  # but not look at the cluster
        return "ok" if may_write else str(error)
    except (AwayError, RequestError) as error:
        return str(error)
    return "ok"


# --- what the indices hold -------------------------------------------------------------------------------------------


def query(settings: Settings, name: str, **body: Any) -> dict[str, Any]:
    """`events` and a search's parts in, the answer out. An alias that has no index yet holds nothing.

    Words are weighed over all months together: otherwise a hit in a month of few events would weigh next to nothing.

    Raises:
        RefusedError, AwayError, RequestError: Elasticsearch does not answer it.
    """

    def search() -> dict[str, Any]:
        with opened(settings) as es:
            answer: dict[str, Any] = es.search(
                index=documents.alias(settings.elasticsearch.index_prefix, name),
                ignore_unavailable=True, allow_no_indices=True, search_type="dfs_query_then_fetch", **body,
            ).body  # fmt: skip
        return answer

    return _patiently(search)


def counts(settings: Settings) -> dict[str, int]:
    """How many documents each alias holds, by the alias' name; what was written is made visible first.

    Raises:
        RefusedError, AwayError: Elasticsearch does not answer.
    """

    def count() -> dict[str, int]:
        with opened(settings) as es:
            return {alias: _count(es, alias) for alias in _aliases(settings)}

    return _patiently(count)


def _patiently(ask: Callable[[], T]) -> T:
    """Ask again for a second: an index cannot be searched in the moment in which the first record of a month makes it."""
    for _ in range(4):
        try:
            return ask()
        except AwayError as error:
            if error.lost:
                raise
            time.sleep(0.25)
    return ask()


def latest(settings: Settings, n: int = 10, *, name: str = "events") -> list[dict[str, Any]]:
    """The newest documents of an alias, as `_source` with `_id`: events by when they were first seen, alerts when raised.

    Raises:
        RefusedError, AwayError: Elasticsearch does not answer.
    """
    by = {"events": "news.first_seen_at", "documents": "news.first_seen_at"}.get(name, "@timestamp")
    order = [
        {by: {"order": "desc", "unmapped_type": "date"}},
        {"event.id": {"order": "asc", "unmapped_type": "keyword"}},
    ]
    answer = query(settings, name, size=n, sort=order)
    return [{"_id": hit["_id"], **hit["_source"]} for hit in answer["hits"]["hits"]]


def health(settings: Settings) -> dict[str, Any]:
    """Whether Elasticsearch answers, its cluster's status, and each alias' documents and bytes; never raises."""
    try:
        with opened(settings) as opened_es:
            es = opened_es.options(request_timeout=PROBE_SECONDS)
            status = str(es.cluster.health().body["status"])
            indices = {
                alias: {"documents": _count(es, alias), "bytes": _bytes(es, alias)} for alias in _aliases(settings)
            }
    except (RefusedError, AwayError, RequestError) as error:
        return {"reachable": False, "status": "unreachable", "error": str(error), "indices": {}}
    return {"reachable": True, "status": status, "error": "", "indices": indices}


def _aliases(settings: Settings) -> list[str]:
    return [documents.alias(settings.elasticsearch.index_prefix, name) for name in documents.KINDS]


def _count(es: Elasticsearch, alias: str) -> int:
    es.indices.refresh(index=alias, ignore_unavailable=True)
    return int(es.count(index=alias, ignore_unavailable=True, allow_no_indices=True).body["count"])


def _bytes(es: Elasticsearch, alias: str) -> int:
    try:
        stats = es.indices.stats(index=alias, metric="store", filter_path="_all.total.store.size_in_bytes").body
    except elasticsearch.NotFoundError:
        return 0  # no index of this alias yet
    return int(stats.get("_all", {}).get("total", {}).get("store", {}).get("size_in_bytes", 0))
