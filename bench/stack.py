"""A news site, Kafka, Elasticsearch and Dateline's processes for a measurement alone, and the eyes on them. See bench.py."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import msgspec
import psutil

from bench.site import Piece, Site
from pipeline import bus
from pipeline.index import documents
from pipeline.operate import probe, quarantine, service_process
from pipeline.page import urls
from pipeline.settings import Elasticsearch, Kafka, Settings

POLL_SECONDS: Final = 0.03
ASKED_AT_ONCE: Final = 64
"""The oldest come first, and asking for many over and over would slow down what is measured."""

PATIENCE_SECONDS: Final = 90.0
"""Longer than the worst that a busy machine does."""

PROCESSES: Final = ("worker", "indexer", "collector")
"""The collector last: it finds the others ready."""

INDEXED: Final = (bus.DOCUMENTS, bus.EVENTS, bus.STORIES, bus.ALERTS)


class RigError(Exception):
    """A process has ended or records are missing, so there is nothing to measure; the message says which."""


def own(settings: Settings, directory: Path) -> Settings:
    """Settings in, the same on a stack and ports of its own out: nothing invented must reach the topics people read."""
    from pipeline.local import ports  # noqa: PLC0415 - only here

    kafka, controller, elastic, transport = ports.free(4)
    replace = msgspec.structs.replace
    local = replace(
        settings.local, data_dir=str(directory), kafka_port=kafka, kafka_controller_port=controller,
        elasticsearch_port=elastic, elasticsearch_transport_port=transport, start_timeout_seconds=120,
    )  # fmt: skip
    http_ = replace(settings.http, collector_port=0, worker_port=0, indexer_port=0, notifier_port=0)
    return service_process.with_ports(
        replace(
            settings, local=local, http=http_,
            kafka=Kafka(bootstrap_servers=f"127.0.0.1:{kafka}", partitions=settings.kafka.partitions),
            elasticsearch=Elasticsearch(url=f"http://127.0.0.1:{elastic}"),
        ),
        ports.free,
    )  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """The variables by which another process comes to the same settings."""
    return service_process.port_variables(settings.http) | {
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


def _eager(feeds: Path) -> dict[str, str]:
    """The variables by which the collector reads this file's feeds, on this machine, once a second."""
    return {
        "DATELINE_COLLECTOR_FEEDS_FILE": str(feeds),
        "DATELINE_COLLECTOR_DROP_FOLDER": "",
        "DATELINE_COLLECTOR_ALLOW_PRIVATE_ADDRESSES": "true",
        "DATELINE_COLLECTOR_PER_HOST_INTERVAL_SECONDS": "0",
        "DATELINE_COLLECTOR_INTERVAL_SECONDS": "1",
        "DATELINE_COLLECTOR_MIN_INTERVAL_SECONDS": "1",
    }


class Index:
    """Asks Elasticsearch for documents by their id: that answer is never late, as a search may be by its refresh."""

    def __init__(self, settings: Settings) -> None:
        now = dt.datetime.now(dt.UTC)
        self._path = (
            f"/{documents.index_of(settings.elasticsearch.index_prefix, 'documents', now, now=now)}/_mget?_source=false"
        )
        self._connection = http.client.HTTPConnection(urlsplit(settings.elasticsearch_url).netloc, timeout=30)

    def there(self, ids: Sequence[str]) -> set[str]:
        """Ids in, those that the index holds out."""
        body = json.dumps({"ids": list(ids)})
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        answer = json.loads(self._connection.getresponse().read())
        return {doc["_id"] for doc in answer.get("docs", ()) if doc.get("found")}

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class Rig:
    """Collector, worker and indexer on a stack of their own, the site that they read, and the eyes on them."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings = settings
        self.site = Site()
        self._seen: dict[str, float] = {}
        directory.mkdir(parents=True, exist_ok=True)
        feeds = directory / "feeds.toml"
        feeds.write_text(
            "".join(f'[[feed]]\nid = "bench-{n}"\nurl = "{url}"\n' for n, url in enumerate(self.site.feeds())), "utf-8"
        )
        environ = {**os.environ, **environment(settings), **_eager(feeds)}
        self.children = {
            name: service_process.ServiceProcess(
                name, service_process.process_command(settings, name), environ, directory / f"{name}.log"
            )
            for name in PROCESSES
        }

    def start(self) -> None:
        """All processes up and ready.

        Raises:
            RigError: one has ended, or is not ready in time.
        """
        bus.create_topics(self.settings)
        for child in self.children.values():
            child.start(time.monotonic())
        deadline = time.monotonic() + PATIENCE_SECONDS
        for name, child in self.children.items():
            while not probe.process(name, probe.address(self.settings.http, name)).ready:
                self._require_alive(child)
                if time.monotonic() > deadline:
                    raise RigError(f"{name} is not ready after {PATIENCE_SECONDS:.0f} s: {child.last_line()}")
                time.sleep(0.1)

    def stop(self) -> None:
        """All processes ended, then the site."""
        for child in self.children.values():
            child.stop()
        for child in self.children.values():
            child.wait(service_process.DRAIN_SECONDS)
        self.site.stop()

    def _require_alive(self, child: service_process.ServiceProcess) -> None:
        if child.ended(time.monotonic()) is not None:
            raise RigError(f"{child.name} has ended: {child.last_line()}")

    def release(self, pieces: Sequence[Piece], *, seconds_between: float = 0.0) -> None:
        """The site has these from now on: all at once, or one after the other at a steady pace."""
        if not seconds_between:
            self.site.release(pieces)
            return
        due = time.monotonic()
        for piece in pieces:
            time.sleep(max(0.0, due - time.monotonic()))
            due += seconds_between
            self.site.release([piece])

    def watch(self, pieces: Sequence[Piece]) -> None:
        """Look until the documents of these are in the index, and note when each was first seen there.

        Raises:
            RigError: not all came.
        """
        index = Index(self.settings)
        left = {self._id(piece): piece.path for piece in pieces}  # in the order of their release
        moved_at = time.monotonic()
        try:
            while left:
                listed = (id_ for id_, path in left.items() if path in self.site.listed)
                asked = list(itertools.islice(listed, ASKED_AT_ONCE))
                for found in index.there(asked) if asked else ():
                    self._seen[left.pop(found)] = time.perf_counter()
                    moved_at = time.monotonic()
                if left and time.monotonic() - moved_at > PATIENCE_SECONDS:
                    raise RigError(f"{len(left)} of {len(pieces)} articles did not reach the index{self._why()}")
                for child in self.children.values():
                    self._require_alive(child)
                time.sleep(POLL_SECONDS)
        finally:
            index.close()

    def _id(self, piece: Piece) -> str:
        return urls.article_id(self.site.url + piece.path)

    def _why(self) -> str:
        failures = quarantine.read(self.settings)
        return f"; {len(failures)} are in quarantine, the last one for: {failures[-1].error}" if failures else ""

    def settle(self) -> float:
        """Wait until all that the worker has published is in the index; when that was (time.perf_counter) out.

        Raises:
            RigError: that does not come to pass.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        calm_since, last = 0.0, (-1, -1)
        while time.monotonic() < deadline:
            now = time.perf_counter()
            published, indexed = self.counts()
            if (published, indexed) != last:
                calm_since, last = now, (published, indexed)
            elif published == indexed and now - calm_since > 1.0:
                return calm_since
            time.sleep(POLL_SECONDS)
        raise RigError(f"the indexer has {last[1]} of {last[0]} records")

    def counts(self) -> tuple[int, int]:
        """How many records the worker has published for the index, and how many the indexer is done with."""
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

    def late(self, pieces: Sequence[Piece]) -> list[float]:
        """Seconds from the feed that first listed each to its being seen in the index, in order of size."""
        return sorted(self._seen[piece.path] - self.site.listed[piece.path] for piece in pieces)

    def first_listed(self, pieces: Sequence[Piece]) -> float:
        """When (time.perf_counter) the first of these stood in a feed."""
        return min(self.site.listed[piece.path] for piece in pieces)

    def both(self, pieces: Sequence[Piece], *, seconds_between: float = 0.0) -> None:
        """Release and watch at the same time."""
        editor = threading.Thread(
            target=self.release, args=(pieces,), kwargs={"seconds_between": seconds_between}, daemon=True
        )
        editor.start()
        self.watch(pieces)
        editor.join()


class Memory:
    """Watches the memory of the processes, once a second: the sum and each part at its most."""

    def __init__(self, parts: dict[str, int]) -> None:
        self.peak_mb = 0
        self.parts_mb: dict[str, int] = {}
        self._parts = parts
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
            now = {name: tree_mb(pid) for name, pid in self._parts.items()}
            self.peak_mb = max(self.peak_mb, sum(now.values()))
            self.parts_mb = {name: max(size, self.parts_mb.get(name, 0)) for name, size in now.items()}


def tree_sum(pid: int, of: Callable[[psutil.Process], int]) -> int:
    """A process and what to ask of each in, the sum over it and all below it out."""
    total = 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += of(process)
    return total


def tree_mb(pid: int) -> int:
    """A process in, the resident memory of it and all below it out."""
    return tree_sum(pid, lambda process: process.memory_info().rss) // 1_000_000


def parts(path: Rig) -> dict[str, int]:
    """Name -> process id of everything that runs for the measurement."""
    found = {name: child.process.pid for name, child in path.children.items() if child.process is not None}
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if "pipeline.local.jvm" in line:
                found["kafka" if "kafka" in line else "elasticsearch"] = process.pid
    return found
