"""A news site and Dateline's processes on a Kafka and an Elasticsearch of their own, and what is measured of them.

The benchmark is measure.py, the long run soak.py.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import itertools
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec
import psutil

from bench.site import NewsSite, SyntheticArticle
from pipeline import bus
from pipeline.index import actions
from pipeline.local import ports
from pipeline.operate import probe, quarantine, service_process
from pipeline.page import urls
from pipeline.settings import Elasticsearch, Kafka, Settings

POLL_SECONDS: Final = 0.03
POLL_SECONDS_EACH: Final = 0.008
"""The wait before the index is asked again, and more for each article that was asked for. With many of them Elasticsearch would
otherwise spend more on these questions than on what is measured."""

ASKED_AT_ONCE: Final = 64
"""Articles in one request to the index, the oldest first."""

COUNT_SECONDS: Final = 0.25
"""How often worker and indexer are asked for their counts: an answer takes each of them some milliseconds."""

TIMEOUT_SECONDS: Final = 240.0
"""How long to wait for a change. At load 90 on two cores a worker was not ready after 90 s."""

PROCESSES: Final = ("worker", "indexer", "collector")
"""In the order of the start: the collector is last, so that it finds the others ready."""

INDEXED: Final = (bus.DOCUMENTS, bus.EVENTS, bus.STORIES, bus.ALERTS)


class RigError(Exception):
    """A process has ended or records are missing, so nothing can be measured; the message says which."""


def isolated_settings(settings: Settings, directory: Path) -> Settings:
    """Settings in, the same with local servers and ports of its own out, so that no invented article reaches real topics."""
    kafka, controller, elastic, transport = ports.free(4)
    replace = msgspec.structs.replace
    local = replace(
        settings.local, data_dir=str(directory), kafka_port=kafka, kafka_controller_port=controller,
        elasticsearch_port=elastic, elasticsearch_transport_port=transport, start_timeout_seconds=120,
    )  # fmt: skip
    http_ = replace(settings.http, collector_port=0, worker_port=0, indexer_port=0, notifier_port=0, console_port=0)
    return service_process.with_ports(
        replace(
            settings, local=local, http=http_, console=replace(settings.console, port=0),
            kafka=Kafka(bootstrap_servers=f"127.0.0.1:{kafka}", partitions=settings.kafka.partitions),
            elasticsearch=Elasticsearch(url=f"http://127.0.0.1:{elastic}"),
        ),
        ports.free,
    )  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that give another process the same settings."""
    return service_process.port_variables(settings) | {
        "DATELINE_KAFKA_BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "DATELINE_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "DATELINE_KAFKA_REPLICATION_FACTOR": "1",
        "DATELINE_ELASTICSEARCH_URL": settings.elasticsearch.url,
        "DATELINE_ELASTICSEARCH_USERNAME": "",
        "DATELINE_ELASTICSEARCH_API_KEY": "",
        "DATELINE_ELASTICSEARCH_INDEX_PREFIX": settings.elasticsearch.index_prefix,
        "DATELINE_ELASTICSEARCH_CA_FILE": "",
        "DATELINE_LOCAL_DATA_DIR": settings.local.data_dir,
    }


def _fast_polling(feeds: Path) -> dict[str, str]:
    """Return the environment variables that make the collector poll this file's feeds once a second."""
    return {
        "DATELINE_COLLECTOR_FEEDS_FILE": str(feeds),
        "DATELINE_COLLECTOR_DROP_FOLDER": "",
        "DATELINE_COLLECTOR_ALLOW_PRIVATE_ADDRESSES": "true",
        "DATELINE_COLLECTOR_PER_HOST_INTERVAL_SECONDS": "0",
        "DATELINE_COLLECTOR_INTERVAL_SECONDS": "1",
        "DATELINE_COLLECTOR_MIN_INTERVAL_SECONDS": "1",
    }


class IndexLookup:
    """Looks documents up by their id in Elasticsearch. Unlike a search, that does not wait for a refresh of the index."""

    def __init__(self, settings: Settings) -> None:
        now = dt.datetime.now(dt.UTC)
        index = actions.index_of(settings.elasticsearch.index_prefix, "documents", now, now=now)
        self._path, self._search = f"/{index}/_mget?_source=false", f"/{index}/_search?_source=false"
        self._connection = http.client.HTTPConnection(urlsplit(settings.elasticsearch_url).netloc, timeout=30)

    def existing(self, ids: Sequence[str]) -> set[str]:
        """Ids in, those that the index has out."""
        answer = self._ask(self._path, {"ids": list(ids)})
        return {doc["_id"] for doc in answer.get("docs", ()) if doc.get("found")}

    def searchable(self, ids: Sequence[str]) -> set[str]:
        """Ids in, those that a search finds out."""
        answer = self._ask(self._search, {"query": {"ids": {"values": list(ids)}}, "size": len(ids)})
        return {hit["_id"] for hit in answer.get("hits", {}).get("hits", ())}

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(self._connection.getresponse().read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Rig:
    """A collector, a worker and an indexer on servers of their own, the site that they read, and what is measured of them."""

    def __init__(self, settings: Settings, directory: Path, environ: Mapping[str, str] | None = None) -> None:
        self.settings = settings
        self.site = NewsSite()
        self._seen: dict[str, float] = {}
        self._restarting: set[str] = set()
        directory.mkdir(parents=True, exist_ok=True)
        feeds = directory / "feeds.toml"
        feeds.write_text(
            "".join(f'[[feed]]\nid = "bench-{n}"\nurl = "{url}"\n' for n, url in enumerate(self.site.feeds())), "utf-8"
        )
        self._directory = directory
        self._environ = {**os.environ, **environment(settings), **_fast_polling(feeds), **(environ or {})}
        self._addresses = {name: probe.address(settings.http, name) for name in PROCESSES}
        self.children = {name: self._child(name, self._environ) for name in PROCESSES}

    def _child(self, name: str, environ: Mapping[str, str]) -> service_process.ServiceProcess:
        command = service_process.process_command(self.settings, name.partition("-")[0])
        return service_process.ServiceProcess(name, command, environ, self._directory / f"{name}.log")

    def start(self) -> None:
        """Start all processes and wait until they are ready.

        Raises:
            RigError: one has ended, or is not ready in time.
        """
        bus.create_topics(self.settings)
        for child in self.children.values():
            child.start(time.monotonic())
        for name in self.children:
            self._wait_ready(name)

    def start_another_worker(self, number: int) -> None:
        """Start one more worker and wait until it has partitions. `counts` knows nothing of what it publishes.

        Raises:
            RigError: it has ended, or is not ready in time.
        """
        name = f"worker-{number}"
        [port] = ports.free(1)
        self._addresses[name] = f"{self.settings.http.host}:{port}"
        self.children[name] = self._child(name, self._environ | {"DATELINE_HTTP_WORKER_PORT": str(port)})
        self.children[name].start(time.monotonic())
        self._wait_ready(name)

    def restart(self, name: str) -> tuple[float, float]:
        """Stop a process in order and start it again; return the seconds until it had ended, and then until it was ready.

        Raises:
            RigError: it did not end by itself, or is not ready in time.
        """
        child, began = self.children[name], time.monotonic()
        self._restarting.add(name)
        child.stop()
        if not child.wait(TIMEOUT_SECONDS):
            raise RigError(f"{name} did not stop within {TIMEOUT_SECONDS:.0f} s: {child.last_line()}")
        ended = time.monotonic()
        child.start(ended)
        self._restarting.discard(name)
        self._wait_ready(name)
        return ended - began, time.monotonic() - ended

    def _wait_ready(self, name: str) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not probe.process(name.partition("-")[0], self._addresses[name]).ready:
            self._require_alive(self.children[name])
            if time.monotonic() > deadline:
                raise RigError(f"{name} is not ready after {TIMEOUT_SECONDS:.0f} s: {self.children[name].last_line()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop all processes, then the site."""
        for child in self.children.values():
            child.stop()
        for child in self.children.values():
            child.wait(service_process.DRAIN_SECONDS)
        self.site.stop()

    def _require_alive(self, child: service_process.ServiceProcess) -> None:
        if child.name not in self._restarting and child.ended(time.monotonic()) is not None:
            raise RigError(f"{child.name} has ended: {child.last_line()}")

    def release(self, articles: Sequence[SyntheticArticle], *, seconds_between: float = 0.0) -> None:
        """Release these articles on the site: all at once, or one after the other at a steady pace."""
        if not seconds_between:
            self.site.release(articles)
            return
        due = time.monotonic()
        for article in articles:
            time.sleep(max(0.0, due - time.monotonic()))
            due += seconds_between
            self.site.release([article])

    def watch(self, articles: Sequence[SyntheticArticle], *, ends: threading.Event | None = None) -> None:
        """Wait until the documents of these articles are in the index, and note when each was first seen there.

        If `ends` is set, those that are on the site then are all.

        Raises:
            RigError: some did not arrive in time, or a process has ended.
        """
        index = IndexLookup(self.settings)
        left = {self.id_of(article): article.path for article in articles}  # in the order of their release
        moved_at = time.monotonic()
        try:
            while left:
                if ends is not None and ends.is_set():
                    left = {id_: path for id_, path in left.items() if self.site.has(path)}
                listed = (id_ for id_, path in left.items() if path in self.site.listed)
                asked = list(itertools.islice(listed, ASKED_AT_ONCE))
                for found in index.existing(asked) if asked else ():
                    self._seen[left.pop(found)] = time.perf_counter()
                    moved_at = time.monotonic()
                if left and time.monotonic() - moved_at > TIMEOUT_SECONDS:
                    raise RigError(
                        f"{len(left)} of {len(articles)} articles did not reach the index{self._quarantine_note()}"
                    )
                for child in self.children.values():
                    self._require_alive(child)
                time.sleep(max(POLL_SECONDS, POLL_SECONDS_EACH * len(asked)))
        finally:
            index.close()

    def id_of(self, article: SyntheticArticle) -> str:
        """Return the id that an article of the site has in every record."""
        return urls.article_id(self.site.url + article.path)

    def _quarantine_note(self) -> str:
        failures = quarantine.read(self.settings)
        return f"; {len(failures)} are in quarantine, the last one for: {failures[-1].error}" if failures else ""

    def settle(self) -> float:
        """Wait until all that the worker has published is in the index, and return when that was (time.perf_counter).

        Raises:
            RigError: that did not happen in time.
        """
        deadline = time.monotonic() + TIMEOUT_SECONDS
        unchanged_since, last = 0.0, (-1, -1)
        while time.monotonic() < deadline:
            now = time.perf_counter()
            published, indexed = self.counts()
            if (published, indexed) != last:
                unchanged_since, last = now, (published, indexed)
            elif published == indexed and now - unchanged_since > 1.0:
                return unchanged_since
            time.sleep(COUNT_SECONDS)
        raise RigError(f"the indexer has {last[1]} of {last[0]} records")

    def counts(self) -> tuple[int, int]:
        """Return how many records the worker has published for the index, and how many the indexer has finished."""
        http_ = self.settings.http
        worker = probe.process("worker", probe.address(http_, "worker"), samples=True).samples
        indexer = probe.process("indexer", probe.address(http_, "indexer"), samples=True).samples
        published = sum(
            s.value for s in worker if s.name == "dateline_published_total" and s.labels["topic"] in INDEXED
        )
        indexed = sum(
            s.value
            for s in indexer
            if s.name == "dateline_records_total" and s.labels["stage"] == "index" and s.labels["outcome"] != "retried"
        )
        return int(published), int(indexed)

    def latencies(self, articles: Sequence[SyntheticArticle]) -> list[float]:
        """Return the seconds from each article's first listing in a feed to its document in the index, sorted."""
        return sorted(self._seen[article.path] - self.site.listed[article.path] for article in articles)

    def spans(self, articles: Sequence[SyntheticArticle]) -> list[tuple[float, float]]:
        """Return when (time.perf_counter) each article was first listed in a feed, and when its document was in the index."""
        return [(self.site.listed[article.path], self._seen[article.path]) for article in articles]

    def indexed(self, ids: Collection[str]) -> set[str]:
        """Return those of these articles whose document is in the index."""
        index = IndexLookup(self.settings)
        try:
            return index.existing(list(ids))
        finally:
            index.close()

    def first_listed(self, articles: Sequence[SyntheticArticle]) -> float:
        """Return when (time.perf_counter) the first of these articles was listed in a feed."""
        return min(self.site.listed[article.path] for article in articles)

    def release_and_watch(self, articles: Sequence[SyntheticArticle], *, seconds_between: float = 0.0) -> None:
        """Release these articles and watch the index at the same time."""
        releasing = threading.Thread(
            target=self.release, args=(articles,), kwargs={"seconds_between": seconds_between}, daemon=True
        )
        releasing.start()
        self.watch(articles)
        releasing.join()


@contextlib.contextmanager
def running(settings: Settings, name: str, environ: Mapping[str, str] | None = None) -> Iterator[Rig]:
    """Give a rig that runs, on servers and in a temporary directory of its own; `environ` has further options.

    Raises:
        RigError, LocalError, BusError: it does not start.
    """
    from pipeline.local.stack import Stack  # noqa: PLC0415 - needed only here

    with tempfile.TemporaryDirectory(prefix=f"dateline-{name}-") as directory:
        isolated = isolated_settings(settings, Path(directory))
        with Stack(isolated), contextlib.ExitStack() as cleanup:
            rig = Rig(isolated, Path(directory) / "logs", environ)
            cleanup.callback(rig.stop)
            rig.start()
            yield rig


class MemoryMonitor:
    """Measures the memory of processes once a second, and keeps the maximum of the sum and of each process."""

    def __init__(self, pids: dict[str, int]) -> None:
        self.peak_mb = 0
        self.processes_mb: dict[str, int] = {}
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            now = {name: tree_mb(pid) for name, pid in self._pids.items()}
            self.peak_mb = max(self.peak_mb, sum(now.values()))
            self.processes_mb = {name: max(size, self.processes_mb.get(name, 0)) for name, size in now.items()}


def tree_sum(pid: int, of: Callable[[psutil.Process], int]) -> int:
    """A process id and a function of a process in, the sum over the process and its children out."""
    total = 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += of(process)
    return total


def tree_mb(pid: int) -> int:
    """A process id in, the resident memory of the process and its children in megabytes out."""
    return tree_sum(pid, lambda process: process.memory_info().rss) // 1_000_000


def process_ids(rig: Rig) -> dict[str, int]:
    """Return name -> process id of the processes and servers of the benchmark."""
    found = {name: child.process.pid for name, child in rig.children.items() if child.process is not None}
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if "pipeline.local.jvm" in line:
                found["kafka" if "kafka" in line else "elasticsearch"] = process.pid
    return found
