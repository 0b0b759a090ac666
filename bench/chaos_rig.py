"""What the faults of chaos.py are done to: the whole service under load, its servers behind proxies, and the counting."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from bench import chaos_alerts, chaos_report, measure
from bench.chaos_net import TcpProxy, WebhookReceiver
from bench.rig import isolated_settings
from bench.site import NewsSite, SyntheticArticle
from pipeline import bus
from pipeline.local import aot
from pipeline.local.servers import Launch
from pipeline.local.stack import Stack
from pipeline.operate import live, probe
from pipeline.operate.service import Service
from pipeline.page import urls
from pipeline.records import Alert, Article, Document, Event, Record, RecordError, Story, decode
from pipeline.settings import Settings

CONFIGS: Final = Path(__file__).parents[1] / "configs"
INDICES: Final[dict[str, type[Record]]] = {
    bus.DOCUMENTS: Document, bus.EVENTS: Event, bus.STORIES: Story, bus.ALERTS: Alert
}  # fmt: skip

LOOK_SECONDS: Final = 0.5
"""The time between two looks; what is looked at takes a part of what the machine can do."""

PAGE: Final = 5_000
"""Ids in one answer of Elasticsearch, which gives at most 10,000."""


class ChaosError(Exception):
    """The service did not come back, so the faults cannot go on; the message says what was waited for."""


class _Quiet:
    """The screen of a supervisor whose messages are kept."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def progress(self, what: str, done: int, total: int) -> None:
        """Show nothing."""

    def draw(self, view: live.View) -> None:
        """Show nothing."""

    def record(self, record: Event | Alert) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


@dataclass(slots=True)
class Tally:
    """What is wrong with the records at the end of a fault: each number should be 0."""

    lost: int = 0
    doubled: int = 0
    notes: list[str] = field(default_factory=list)


class ChaosRig:
    """The service under the product's own supervisor, with Kafka and Elasticsearch behind proxies. Use it as a context."""

    def __init__(self, directory: Path, *, data: Path | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        own = isolated_settings(Settings(), data or directory / "data")
        self.site, self.receiver, self.screen = NewsSite(), WebhookReceiver(), _Quiet()
        self.proxies = {
            "kafka": TcpProxy(own.local.kafka_port),
            "elasticsearch": TcpProxy(own.local.elasticsearch_port),
        }
        _write_configuration(directory, own, self)
        self.settings: Settings = msgspec.structs.replace(
            own,
            kafka=msgspec.structs.replace(own.kafka, bootstrap_servers=f"127.0.0.1:{self.proxies['kafka'].port}"),
            elasticsearch=msgspec.structs.replace(
                own.elasticsearch, url=f"http://127.0.0.1:{self.proxies['elasticsearch'].port}"
            ),
        )
        self.directory = directory
        self.stack = Stack(own, prepare=self._behind_proxy)
        settings = msgspec.structs.replace(self.settings, directory=str(directory))
        environ = {k: v for k, v in os.environ.items() if not k.startswith("DATELINE_")}
        self.service = Service(settings, self.screen, environ=environ)
        self.released: list[SyntheticArticle] = []
        self._releasing = threading.Lock()
        self._samples = measure.pages(CONFIGS / measure.SAMPLE)
        self._chance = random.Random(15)
        self._supervisor = threading.Thread(target=self.service.run, name="supervisor", daemon=True)

    def _behind_proxy(self, launch: Launch) -> Launch:
        """Make Kafka advertise the proxy's port, so that its clients have no other way to it."""
        if launch.server == "kafka":
            file = Path(launch.home) / "server.properties"
            port = self.proxies["kafka"].port
            lines = file.read_text("utf-8").splitlines()
            told = f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}"
            file.write_text("\n".join(told if x.startswith("advertised.") else x for x in lines) + "\n", "utf-8")
        return aot.with_archive(launch)

    def __enter__(self) -> Self:
        self.stack.start()
        self._supervisor.start()
        self.wait("the start", self.ready, 120)
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in self.proxies.values():
            proxy.heal()
        self.service.stop()
        self._supervisor.join(120)
        self.stack.stop()
        self.site.stop()
        self.receiver.close()
        for proxy in self.proxies.values():
            proxy.close()

    # --- load --------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def load(self, per_second: float) -> Any:
        """Release articles at a steady pace while the block runs."""
        stop = threading.Event()

        def release() -> None:
            while not stop.wait(1 / per_second):
                self.release()

        thread = threading.Thread(target=release, name="load")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def release(self) -> SyntheticArticle:
        """Release one more article and return it."""
        with self._releasing:
            number = len(self.released)
            turn = number % len(self._samples)
            samples = (*self._samples[turn:], *self._samples[:turn])
            [article] = measure.make_articles(samples, 1, name=f"chaos-{number}", chance=self._chance)
            self.site.release([article])
            self.released.append(article)
            return article

    # --- looking -----------------------------------------------------------------------------------------------------

    def states(self) -> dict[str, probe.ProcessState]:
        """Return what each process answers on /readyz."""
        return {name: probe.process(name, probe.address(self.settings.http, name), seconds=2) for name in probe.NAMES}

    def ready(self) -> bool:
        """Return whether every process is ready."""
        return all(state.ready for state in self.states().values())

    def pid(self, name: str) -> int:
        """Return the process id of a process of the service or of a server.

        Raises:
            ChaosError: it does not run.
        """
        process = self.service.process(name) if name in probe.NAMES else self.stack.server(name).process
        if process is None:
            raise ChaosError(f"{name} does not run")
        return process.pid

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = 180) -> float:
        """Wait for a condition and return the seconds that it took.

        Raises:
            ChaosError: it did not come true; the message says which group lags on which partition, and what each process says.
        """
        return self.wait_moving(what, condition, lambda: None, seconds)

    def wait_moving(
        self, what: str, condition: Callable[[], bool], progress: Callable[[], object], seconds: float = 180
    ) -> float:
        """Wait for a condition for as long as `progress` returns something new every so many seconds: a slow machine has time.

        Raises:
            ChaosError: as for `wait`.
        """
        began = moved_at = time.monotonic()
        before: object = None
        while time.monotonic() - moved_at < seconds:
            try:
                if condition():
                    return time.monotonic() - began
                now = progress()
            except (bus.BusError, OSError, http.client.HTTPException):
                pass
            else:
                if now != before:
                    before, moved_at = now, time.monotonic()
            time.sleep(LOOK_SECONDS)
        waited = f"not within {time.monotonic() - began:.0f} s, and nothing has moved for {seconds:.0f} s"
        raise ChaosError(f"{what}: {waited}\n" + "\n".join(chaos_report.findings(self)))

    def has(self, article: SyntheticArticle) -> bool:
        """Return whether an article can be found in the index."""
        wanted = {"query": {"ids": {"values": [urls.article_id(self.site.url + article.path)]}}}
        return self._count(wanted) > 0

    def wanted(self) -> set[str]:
        """Return the ids of all released articles."""
        return {urls.article_id(self.site.url + article.path) for article in self.released}

    def caught_up(self) -> bool:
        """Return whether as many articles as were released are in the index and no group has anything left to read.

        That they are the right ones is what `tally` finds out; to ask for it every half second would take too much of the
        machine.
        """
        return self._count() >= len(self.released) and not any(lag.records for lag in bus.lags(self.settings))

    def await_caught_up(self, what: str) -> None:
        """Wait until all is read and found, for as long as it becomes more.

        Raises:
            ChaosError: nothing more comes.
        """
        self.wait_moving(
            what,
            self.caught_up,
            lambda: (self._count(), [(lag.end, lag.committed) for lag in bus.lags(self.settings)]),
        )

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to Elasticsearch past its proxy and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.local.elasticsearch_port, timeout=30)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def _count(self, query: dict[str, Any] | None = None) -> int:
        """Return how many documents are in the index, of those that a query finds."""
        self.ask("POST", "/news-documents/_refresh")
        return int(self.ask("POST", "/news-documents/_count", query).get("count", 0))

    def indexed(self, name: str) -> list[str]:
        """Return the ids in all indices of an alias, also one that is there twice."""
        self.ask("POST", f"/news-{name}/_refresh")
        answer = self.ask("POST", f"/news-{name}/_search?scroll=1m", {"size": PAGE, "_source": False})
        found: list[str] = []
        while hits := answer.get("hits", {}).get("hits"):
            found += [hit["_id"] for hit in hits]
            answer = self.ask("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": answer["_scroll_id"]})
        if "_scroll_id" in answer:
            self.ask("DELETE", "/_search/scroll", {"scroll_id": answer["_scroll_id"]})
        return found

    # --- counting ----------------------------------------------------------------------------------------------------

    def tally(self) -> Tally:
        """Compare what was released, what is on the topics, in the index and at the receiver."""
        found = Tally()
        wanted = self.wanted()
        articles = Counter(article.id for article in self._records(bus.ARTICLES, Article))
        self._compare(found, "articles on the topic", wanted, articles.elements())
        documents = {document.id for document in self._records(bus.DOCUMENTS, Document)}
        self._compare(found, "documents on the topic", wanted, documents)
        for topic, kind in INDICES.items():
            ids = {record.id for record in self._records(topic, kind)}
            self._compare(found, f"{topic} in the index", ids, self.indexed(topic.removeprefix("news.")))
        alerts = list(self._records(bus.ALERTS, Alert))
        ring = {alert.id for alert in alerts if not alert.held and alert.channels}
        self.wait("the alerts are delivered", lambda: ring <= self.receiver.alerts.keys(), 30)
        self._compare(found, "alerts at the receiver", ring, self.receiver.alerts.elements())
        expected = chaos_alerts.expected(self.service.settings)
        rung = {alert.id for alert in alerts if not alert.gathers}
        self._compare(found, "alerts on the topic", expected, rung)
        found.doubled += len(rung - expected)
        found.notes += [f"alert {one} rang and would not have without a fault" for one in rung - expected]
        return found

    def _records(self, topic: str, kind: type[Any]) -> Iterable[Any]:
        for message in bus.read_all(self.settings, topic):
            with contextlib.suppress(RecordError):  # planted garbage
                yield decode(message.value, kind)

    @staticmethod
    def _compare(found: Tally, what: str, wanted: set[str], there: Iterable[str]) -> None:
        counted = Counter(there)
        lost, doubled = wanted - counted.keys(), sum(n - 1 for n in counted.values())
        found.lost += len(lost)
        found.doubled += doubled
        if lost or doubled:
            found.notes.append(f"{what}: {len(lost)} of {len(wanted)} lost, {doubled} doubled")


def _write_configuration(directory: Path, own: Settings, rig: ChaosRig) -> None:
    """Write the files of a service that reads the site and calls the receiver."""
    ports = {f"{name}_port": probe.port(own.http, name) for name in probe.NAMES}
    kafka = {"bootstrap_servers": f"127.0.0.1:{rig.proxies['kafka'].port}"}
    elastic = {"url": f"http://127.0.0.1:{rig.proxies['elasticsearch'].port}"}
    collector = {
        "allow_private_addresses": True, "per_host_interval_seconds": 0.0, "interval_seconds": 1, "min_interval_seconds": 1
    }  # fmt: skip
    table = {
        "kafka": kafka, "elasticsearch": elastic, "collector": collector, "http": ports,
        "console": {"port": own.console.port}, "log": {"format": "json"}, "worker": {"processes": 1},
    }  # fmt: skip
    (directory / "dateline.toml").write_bytes(msgspec.toml.encode(table))
    feeds = {"feed": [{"id": f"chaos-{number}", "url": url} for number, url in enumerate(rig.site.feeds())]}
    (directory / "feeds.toml").write_bytes(msgspec.toml.encode(feeds))
    rules: dict[str, Any] = tomllib.loads((CONFIGS / "alerts.toml").read_text("utf-8"))
    rules["channel"] = [{"name": "hook", "type": "webhook", "url": rig.receiver.url}]
    for rule in rules["rule"]:
        rule["channels"] = ["hook"]
    (directory / "alerts.toml").write_bytes(msgspec.toml.encode(rules))
