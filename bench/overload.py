"""What too much work does to news: `python -m bench.overload [--burst N] [--backfill N] [--flood N] [--only TEXT]`: a table.

The whole service runs on servers of its own. Meanwhile articles of which each raises an alert come in one by one, and it is
measured when each can be read from the index and when its alert is at a webhook:

    nothing         no other load
    webhook hangs   another channel takes connections and never answers
    slow index      each piece of up to 64 kB to and from Elasticsearch takes a second
    burst           so many new articles are in the feeds at once
    backfill        so many articles of the past are on their topic: new ones must not wait for them
    flood           so many new articles are on their topic at once, far more than can be read meanwhile

Of each process the most memory is told (the worker with its pool), and how long it took until nothing waited any more; a
backfill is not waited for, and it is told how many of it were read beside the news.

A flood is read in the order in which it came and is not waited for. Some of its first articles raise alerts: it is told how
long an alert took from the document on its topic to the webhook, how long the first unread article waits, and how many were
read.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import itertools
import math
import random
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import measure
from bench.chaos_net import TcpProxy, WebhookReceiver
from bench.chaos_rig import CONFIGS, ChaosError, ChaosRig
from bench.rig import IndexLookup, MemoryMonitor
from pipeline import bus, logs
from pipeline.operate import probe
from pipeline.page import urls
from pipeline.records import Article, content_id, encode
from pipeline.settings import Settings

HOOK_GROUP: Final = f"{bus.NOTIFIER_GROUP}-hook"
SLOW_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 900.0
"""How long an article and its alert may take, and how long all may take to catch up."""

FLOOD_SECONDS: Final = 240.0
"""How long a flood is watched."""

LANDS: Final = (
    ("France", "French", "Paris"), ("Germany", "German", "Berlin"), ("Norway", "Norwegian", "Oslo"),
    ("Poland", "Polish", "Warsaw"), ("Spain", "Spanish", "Madrid"), ("Italy", "Italian", "Rome"),
    ("Sweden", "Swedish", "Stockholm"), ("Kenya", "Kenyan", "Nairobi"), ("Japan", "Japanese", "Tokyo"),
    ("Brazil", "Brazilian", "Brasilia"), ("India", "Indian", "New Delhi"), ("Egypt", "Egyptian", "Cairo"),
)  # fmt: skip


PROBE_EVERY: Final = 10
"""Of the first articles of a flood every so many raises an alert."""

LOOK_SECONDS: Final = 15.0
"""How often it is looked what was read of a flood."""

FLUSH_EVERY: Final = 100
"""Records that are sent before Kafka's answers are waited for."""

NUMBERS: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(slots=True)
class Probe:
    """An article that raises an alert: when it was on its topic, in the index and at the webhook (time.monotonic)."""

    id: str
    url: str
    sent_at: float
    indexed_at: float = 0.0


@dataclass(slots=True)
class Row:
    """What was offered, and what became of the probes meanwhile."""

    name: str
    offered: int
    oldest_seconds: float = 0.0
    alert_seconds: float = 0.0
    recovered_seconds: float | None = None
    past: int = 0
    alerts: int = 0
    memory_mb: dict[str, int] = field(default_factory=dict)

    def line(self) -> str:
        """Return the row as a line of the table."""
        recovered = f"{self.past:,} read" if self.recovered_seconds is None else f"{self.recovered_seconds:.0f}"
        memory = " ".join(f"{name} {size}" for name, size in self.memory_mb.items())
        seconds = f"{self.oldest_seconds:.1f} | {self.alert_seconds:.1f} ({self.alerts})"
        return f"| {self.name} | {self.offered:,} | {seconds} | {recovered} | {memory} |"


HEAD: Final = (
    "| overload | offered | oldest new article, s | slowest alert, s (of) | s to recover | most memory, MB |\n"
    "|---|---:|---:|---:|---:|---|"
)


def expulsions() -> Iterator[tuple[str, str]]:
    """Yield (name, text) of news that each raise an alert: a country expels diplomats of another, no pair of them twice."""
    for step, number in itertools.product(range(1, len(LANDS)), range(len(LANDS))):
        ours, theirs = LANDS[number], LANDS[(number + step) % len(LANDS)]
        count = NUMBERS[step % len(NUMBERS)]
        text = (
            f"{ours[0]} expelled {count} {theirs[1]} diplomats, the foreign ministry in {ours[2]} said.\n\n"
            f"The ministry gave them a week to pack. A spokesman in {theirs[2]} had no comment on the matter when he was asked."
        )
        yield f"{ours[0]}-{theirs[0]}".lower(), text


def record(name: str, body: str, *, kind: str = "text/plain") -> Article:
    """A name and a text or page in, the article of it as a collector would publish it now out."""
    now = dt.datetime.now(dt.UTC)
    url = f"https://overload.example/{name}"
    return Article(
        id=urls.article_id(url), url=url, feed_id="overload", fetched_at=now, first_seen_at=now, published_at=now,
        content_hash=content_id(body), html=body, content_type=kind,
    )  # fmt: skip


def _pages(name: str, number: int) -> Iterator[Article]:
    """Yield so many articles with pages as a newspaper has them; every 200th has the same page."""
    samples = measure.pages(CONFIGS / measure.SAMPLE)
    made = list(measure.make_articles(samples, min(number, 200), name=name, chance=random.Random(5)))
    for count in range(number):
        yield record(f"{name}-{count}", made[count % len(made)].html, kind="text/html")


class Overload:
    """The running service with a second channel, and the news that are sent through it."""

    def __init__(self, rig: ChaosRig, hook: TcpProxy) -> None:
        self.rig, self.hook = rig, hook
        self._publisher = bus.Publisher(rig.settings)
        self._news = expulsions()
        direct = msgspec.structs.replace(
            rig.settings.elasticsearch, url=f"http://127.0.0.1:{rig.settings.local.elasticsearch_port}"
        )
        self._index = IndexLookup(msgspec.structs.replace(rig.settings, elasticsearch=direct))

    def measure(self, name: str, offered: int, *, probes: int, every_seconds: float, recovers: bool) -> Row:
        """Send probes while a load goes on, wait until they are where they belong, and return what was measured.

        Raises:
            ChaosError: an article or its alert did not arrive, or the service did not catch up.
        """
        row = Row(name, offered)
        began = time.monotonic()
        with MemoryMonitor({one: self.rig.pid(one) for one in probe.NAMES if one != "console"}) as memory:
            sent: list[Probe] = []
            due = began
            while len(sent) < probes or not self._arrived(sent):
                if len(sent) < probes and time.monotonic() >= due:
                    sent.append(self._send())
                    due += every_seconds
                if time.monotonic() - began > WAIT_SECONDS:
                    raise ChaosError(f"{name}: not in the index within {WAIT_SECONDS:.0f} s")
                time.sleep(0.05)
            # an article that joins the story of another one raises no alert: then none is waited for
            self.rig.wait(
                f"{name}: alerts are delivered", lambda: not self._waiting(bus.WORKER_GROUP, HOOK_GROUP), WAIT_SECONDS
            )
            if recovers:
                self.rig.wait(f"{name}: all is read", self._caught_up, WAIT_SECONDS)
                row.recovered_seconds = time.monotonic() - began
        row.memory_mb = memory.processes_mb
        row.past = sum(lag.committed or 0 for lag in bus.lags(self.rig.settings) if lag.group == bus.BACKFILL_GROUP)
        row.oldest_seconds = max(one.indexed_at - one.sent_at for one in sent)
        alerts = [self.rig.receiver.came[one.url] - one.sent_at for one in sent if one.url in self.rig.receiver.came]
        row.alerts, row.alert_seconds = len(alerts), max(alerts, default=math.inf)
        return row

    def _send(self) -> Probe:
        name, text = next(self._news)
        article = record(name, text)
        self._publisher.send(bus.ARTICLES, article.id.encode(), encode(article))
        self._publisher.flush()
        return Probe(article.id, article.url, time.monotonic())

    def _arrived(self, sent: list[Probe]) -> bool:
        waiting = {one.id: one for one in sent if not one.indexed_at}
        for found in self._index.existing(list(waiting)) if waiting else ():
            waiting[found].indexed_at = time.monotonic()
        return all(one.indexed_at for one in sent)

    def _caught_up(self) -> bool:
        """Whether all released articles were listed, and worker and indexer have nothing left to read."""
        listed = all(article.path in self.rig.site.listed for article in self.rig.released)
        return listed and not self._waiting(bus.WORKER_GROUP, bus.INDEXER_GROUP)

    def _waiting(self, *groups: str) -> int:
        """Return how many records these groups have not read."""
        return sum(lag.records for lag in bus.lags(self.rig.settings) if lag.group in groups)

    def backfill(self, number: int) -> None:
        """Put so many articles of the past on their topic."""
        self._publish(bus.BACKFILL, _pages("past", number))

    def _publish(self, topic: str, articles: Iterable[Article]) -> None:
        for count, article in enumerate(articles, 1):
            self._publisher.send(topic, article.id.encode(), encode(article))
            if count % FLUSH_EVERY == 0:
                self._publisher.flush()
        self._publisher.flush()

    def flood(self, number: int, *, probes: int, seconds: float) -> Row:
        """Put so many new articles on their topic at once, and return what was measured so many seconds later."""
        news = {record(*told).id: told for told in itertools.islice(self._news, probes)}
        pages = _pages("flood", number - len(news))
        first = (a for told in news.values() for a in (record(*told), *itertools.islice(pages, PROBE_EVERY - 1)))
        before = len(self._read_at())
        with MemoryMonitor({one: self.rig.pid(one) for one in probe.NAMES if one != "console"}) as memory:
            began = time.monotonic()
            self._publish(bus.ARTICLES, itertools.chain(first, pages))
            delays: list[float] = []
            while time.monotonic() - began < seconds or not delays:
                if time.monotonic() - began > WAIT_SECONDS:
                    raise ChaosError(f"flood: no alert within {WAIT_SECONDS:.0f} s")
                time.sleep(LOOK_SECONDS)
                with contextlib.suppress(bus.BusError):  # Kafka is too busy to answer
                    read_at = self._read_at()
                    delays = self._alert_delays(news, read_at)
        return Row(
            "flood", number, oldest_seconds=time.monotonic() - began, alert_seconds=max(delays), alerts=len(delays),
            past=len(read_at) - before, memory_mb=memory.processes_mb,
        )  # fmt: skip

    def _read_at(self) -> dict[str, float]:
        """Return when (time.time) the document of each article was written, by the article's id.

        Raises:
            BusError: Kafka does not answer.
        """
        written = bus.read_all(self.rig.settings, bus.DOCUMENTS)
        return {(message.key or b"").decode(): message.timestamp_ms / 1000 for message in written}

    def _alert_delays(self, news: Mapping[str, tuple[str, str]], read_at: Mapping[str, float]) -> list[float]:
        """Return the seconds from the document of each of these articles to its alert, of those that have both."""
        came, to_clock = dict(self.rig.receiver.came), time.time() - time.monotonic()
        urls_of = {article_id: record(*told).url for article_id, told in news.items()}
        return [came[url] + to_clock - read_at[id_] for id_, url in urls_of.items() if id_ in read_at and url in came]

    def burst(self, number: int) -> None:
        """List so many new articles in the feeds at once."""
        for _ in range(number):
            self.rig.release()

    def slow_index(self, number: int) -> None:
        """Make Elasticsearch slow, and list so many new articles."""
        self.rig.proxies["elasticsearch"].delay_seconds = SLOW_SECONDS
        self.burst(number)

    def heal(self) -> None:
        """End what was done to a server or a webhook."""
        self.rig.proxies["elasticsearch"].delay_seconds = 0.0
        self.hook.heal()

    def close(self) -> None:
        """Close the connections."""
        self._index.close()
        self._publisher.close()


def rows(run: Overload, *, burst: int, backfill: int, flood: int, probes: int, only: str) -> Iterator[Row]:
    """Do one overload after the other and yield what was measured."""
    steps: tuple[tuple[str, int, Callable[[], None]], ...] = (
        ("nothing", 0, lambda: None),
        ("webhook hangs", 0, run.hook.cut),
        ("slow index", burst // 4, lambda: run.slow_index(burst // 4)),
        ("burst", burst, lambda: run.burst(burst)),
        ("backfill", backfill, lambda: run.backfill(backfill)),
    )
    run.measure("warm-up", 0, probes=3, every_seconds=0.2, recovers=True)
    for name, offered, begin in steps:
        if only in name:
            begin()
            try:
                yield run.measure(name, offered, probes=probes, every_seconds=1.0, recovers=name != "backfill")
            finally:
                run.heal()
    if flood and only in "flood":  # last, because it is never read to its end
        yield run.flood(flood, probes=probes, seconds=FLOOD_SECONDS)


def configure(directory: Path, url: str) -> None:
    """Add a channel `other` to the rules in a directory, so that each alert goes to both, and let the watchdog be patient.

    A machine that is busy with something else may need minutes for a batch, which is no stall of the worker.
    """
    for name in ("alerts.toml", "dateline.toml"):
        file = directory / name
        table: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        if name == "dateline.toml":
            table["worker"]["stall_timeout_seconds"] = WAIT_SECONDS
        else:
            table["channel"].append({"name": "other", "type": "webhook", "url": url})
            for rule in table["rule"]:
                rule["channels"] = ["hook", "other"]
        file.write_bytes(msgspec.toml.encode(table))


def main() -> int:
    """Read the options, start everything, print the table. Return 1 if an article or an alert did not arrive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--burst", type=int, default=400)
    parser.add_argument("--backfill", type=int, default=100_000)
    parser.add_argument("--flood", type=int, default=100_000)
    parser.add_argument("--probes", type=int, default=10)
    parser.add_argument("--only", default="", help="only overloads whose name has this text")
    given = parser.parse_args()
    logs.set_up(Settings().log, least="error")
    with tempfile.TemporaryDirectory(prefix="dateline-overload-") as name, contextlib.ExitStack() as cleanup:
        other = WebhookReceiver()
        cleanup.callback(other.close)
        hook = TcpProxy(other.port)
        cleanup.callback(hook.close)
        rig = ChaosRig(Path(name) / "service")
        configure(rig.directory, f"http://127.0.0.1:{hook.port}/")
        cleanup.enter_context(rig)
        run = Overload(rig, hook)
        cleanup.callback(run.close)
        sys.stdout.write(f"{HEAD}\n")
        try:
            found = rows(
                run, burst=given.burst, backfill=given.backfill, flood=given.flood, probes=given.probes, only=given.only
            )
            for row in found:
                sys.stdout.write(f"{row.line()}\n")
                sys.stdout.flush()
        except ChaosError as error:
            sys.stdout.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
