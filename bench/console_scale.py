"""How fast the console is over many events: searches with facets, the first page, and the export of all.

python -m bench.console_scale [EVENTS] [--data DIR] [--only WORD] [--optimise] starts an Elasticsearch of its own, writes
generated events (default: a million) and prints a row for each measurement, or for those with WORD in their name. With --data
the events stay in that directory, and the next run does not write them again. --optimise is local.elasticsearch_optimise.
Exports are files of `dateline export`, and answers of a console.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import functools
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import psutil

from bench.rig import environment, isolated_settings
from pipeline import settings as settings_module
from pipeline.console import app
from pipeline.console.api import Call, User
from pipeline.console.desk import Desk
from pipeline.console.figure_endpoints import FacetQuery
from pipeline.console.search_endpoints import ListQuery
from pipeline.index import actions, client, documents
from pipeline.index.document_fields import clean
from pipeline.index.filters import Filters
from pipeline.local.stack import Stack
from pipeline.records import Event, Evidence, Export, Money, Party, Place, Quantity, When
from pipeline.settings import Settings

EVENTS: Final = 1_000_000
FORMATS: Final = ("csv", "jsonl", "parquet")
TRIES: Final = 100
MEMORY_FROM_SECONDS: Final = 5.0
"""From when on the memory of an export is expected to stay as it is: everything is loaded by then."""

NOW: Final = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
COUNTRIES: Final = (
    "USA",
    "UKR",
    "RUS",
    "CHN",
    "FRA",
    "DEU",
    "GBR",
    "IND",
    "JPN",
    "TUR",
    "IRN",
    "ISR",
    "EGY",
    "KEN",
    "BRA",
    "MEX",
)
KINDS: Final = (
    ("aid_package", "AID"),
    ("sanctions", "SANCTION"),
    ("meeting", "CONSULT"),
    ("strike", "ASSAULT"),
    ("protest", "PROTEST"),
)
WORDS: Final = (
    "minister", "announced", "talks", "border", "grain", "missile", "port", "energy", "deal", "council", "strike", "relief",
    "envoy", "troops",
)  # fmt: skip


def generated(dice: random.Random, number: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield so many events as lines of a bulk request, over ten months."""
    patterns = [_pattern(dice) for _ in range(500)]
    for at in range(number):
        source = dict(dice.choice(patterns))
        seen = NOW - dt.timedelta(seconds=dice.randrange(300 * 86_400))
        source |= {"@timestamp": seen.isoformat(), "event": {**source["event"], "id": f"e{at}"}}
        source["news"] = {**source["news"], "article_id": f"a{at // 2}", "confidence": round(dice.uniform(0.5, 1), 3)}
        index = actions.index_of("news", "events", seen, now=NOW + dt.timedelta(days=1))
        yield msgspec.json.encode({"index": {"_index": index, "_id": f"e{at}"}}), msgspec.json.encode(source)


def _pattern(dice: random.Random) -> dict[str, Any]:
    kind, event_type = dice.choice(KINDS)
    actor, recipient = dice.sample(COUNTRIES, 2)
    evidence = f"{actor} {' '.join(dice.choices(WORDS, k=20))} {recipient}"
    record = Event(
        id="e", event_type=event_type, kind=kind, modality=dice.choice(("asserted", "planned")), evidence=evidence, start=0,  # type: ignore[arg-type]
        end=len(evidence), trigger=dice.choice(WORDS), export=Export(plover=event_type, cameo="07"),
        actors=(Party(text=actor, name=f"Government of {actor}", country=actor, sector="GOV"),),
        recipients=(Party(text=recipient, name=f"Government of {recipient}", country=recipient, sector="GOV"),),
        places=(Place(text="Here", name=f"Capital of {recipient}", country=recipient, lat=dice.uniform(-60, 70),
                      lon=dice.uniform(-180, 180)),),
        date=When(text="Tuesday", start=NOW.date(), end=NOW.date()),
        money=(Money(text="some", value=dice.uniform(1e5, 1e9), currency="USD"),),
        quantities=(Quantity(text="some", value=float(dice.randrange(50)), unit="dead"),),
        mentions=(Evidence(text=evidence, start=0, end=len(evidence)),), article_url="https://paper.example/news/article",
        article_title=" ".join(dice.choices(WORDS, k=9)), publisher=f"Paper {dice.randrange(60)}", language="en",
        published_at=NOW, first_seen_at=NOW, fetched_at=NOW, rule="reader",
    )  # fmt: skip
    found: dict[str, Any] = clean(documents.event(record))
    return found


def fill(settings: Settings, number: int, dice: random.Random) -> float:
    """Write the events and return the seconds that it took."""
    began = time.perf_counter()
    with client.opened(settings) as es:
        client.set_up(es, settings)
        server = client.ElasticsearchServer(es, settings)
        lines = generated(dice, number)
        while some := list(itertools.islice(lines, 2000)):
            wrong = [item for item in server.write(some, max_records=1000) if item.get("status", 500) >= 300]
            if wrong:
                raise RuntimeError(str(wrong[0]))
        es.indices.refresh(index="news-*")
    return time.perf_counter() - began


def timed(ask: Callable[[], object], tries: int) -> list[float]:
    """Return the milliseconds of each call."""
    found = []
    for _ in range(tries):
        began = time.perf_counter()
        ask()
        found.append((time.perf_counter() - began) * 1000)
    return found


def searches(settings: Settings, dice: random.Random) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield a name and what measures it, for each kind of search."""
    calls = {endpoint.path: endpoint.call for endpoint in app.ENDPOINTS if endpoint.method == "GET"}
    desk = Desk(settings, now=lambda: NOW)

    def ask(path: str, query: Filters) -> Any:
        return calls[path](desk, Call(path={}, query=query, body=None, user=User()))

    def search() -> None:
        asked: dict[str, Any] = {
            "q": " ".join(dice.sample(WORDS, 2)),
            "country": (dice.choice(COUNTRIES),),
            "since": "60d",
        }
        ask("/events", ListQuery(**asked))
        ask("/events/facets", FacetQuery(**asked))

    def first_page() -> None:
        ask("/events", ListQuery())
        ask("/events/facets", FacetQuery())
        ask("/events/histogram", calls_query("/events/histogram"))

    def figure(call: Callable[[], None], tries: int) -> str:
        timed(call, 5)
        took = timed(call, tries)
        return f"median {statistics.median(took):.0f} ms, p95 {statistics.quantiles(took, n=20)[-1]:.0f} ms"

    yield "search with facets", lambda: figure(search, TRIES)
    yield "first page: newest, facets, histogram", lambda: figure(first_page, 20)
    desk.close()


def calls_query(path: str) -> Any:
    """Return the default query of an endpoint."""
    return next(endpoint.query() for endpoint in app.ENDPOINTS if endpoint.path == path)


class Watch:
    """CPU seconds of Elasticsearch and of the process that exports, and the peak of the latter's memory, during a block."""

    def __init__(self, exporter: int, server: int) -> None:
        self._processes = (psutil.Process(exporter), psutil.Process(server))
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.cpu = (0.0, 0.0)
        self.first_mb = self.peak_mb = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._began, self._before = time.perf_counter(), self._cpu()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began
        self._end.set()
        self._thread.join()

    def _cpu(self) -> tuple[float, ...]:
        return tuple(sum(one.cpu_times()[:2]) for one in self._processes)

    def _follow(self) -> None:
        with contextlib.suppress(psutil.Error):  # the exporter has ended
            while not self._end.wait(0.1):
                size = self._processes[0].memory_info().rss / 1e6
                if time.perf_counter() - self._began > MEMORY_FROM_SECONDS and not self.first_mb:
                    self.first_mb = size
                self.peak_mb = max(self.peak_mb, size)
                before, now = self._before, self._cpu()
                self.cpu = (now[0] - before[0], now[1] - before[1])

    def figure(self, rows: int, size: int) -> str:
        """Return what was measured, for so many rows and bytes."""
        own, server = (1e6 * seconds / rows for seconds in self.cpu)
        return (
            f"{rows / self.seconds:,.0f} rows/s ({rows:,} rows, {size / 1e6:,.0f} MB, {self.seconds:.0f} s); CPU for a row: "
            f"{own:.0f} us here, {server:.0f} us in Elasticsearch, {sum(self.cpu) / self.seconds:.2f} cores used; memory "
            f"{self.first_mb:.0f} MB at first, {self.peak_mb:.0f} MB at most"
        )


def exports(settings: Settings, rows: int, server: int, directory: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield a name and what measures it, for each format by the command and by the API."""
    environ = os.environ | environment(settings) | {"DATELINE_LOG_FORMAT": "json"}
    dateline = (sys.executable, "-m", "pipeline.cli")

    def by_command(form: str) -> str:
        file = directory / "export"
        command = (*dateline, "export", "--format", form, "--out", str(file))
        process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
        with Watch(process.pid, server) as watch:
            if process.wait():
                raise RuntimeError("dateline export failed")
        size = file.stat().st_size
        file.unlink()
        return watch.figure(rows, size)

    def by_api(form: str) -> str:
        address = f"http://127.0.0.1:{settings.console.port}/api/v1/events/export?format={form}"
        process = subprocess.Popen(
            (*dateline, "console"), env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(f"http://127.0.0.1:{settings.console.port}/healthz")
            size = 0
            with Watch(process.pid, server) as watch, urllib.request.urlopen(address) as answer:
                while piece := answer.read(2**20):
                    size += len(piece)
        finally:
            process.terminate()
            process.wait()
        return watch.figure(rows, size)

    for form in FORMATS:
        yield f"dateline export --format {form}", functools.partial(by_command, form)
        yield f"API export?format={form}", functools.partial(by_api, form)


def _wait_for(address: str) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), urllib.request.urlopen(address):  # noqa: S310 - our own
            return
        time.sleep(0.2)
    raise RuntimeError(f"{address} does not answer")


def main() -> None:
    """Measure with as many events as the first argument says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=EVENTS)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--optimise", action="store_true")
    given = parser.parse_args()
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as temporary:
        settings = isolated_settings(settings_module.load(), given.data or Path(temporary))
        patient = msgspec.structs.replace(settings.elasticsearch, refresh_seconds=30.0, request_timeout_seconds=300.0)
        settings = msgspec.structs.replace(settings, elasticsearch=patient)
        own = msgspec.structs.replace(
            settings,
            elasticsearch=msgspec.structs.replace(patient, url=""),
            local=msgspec.structs.replace(settings.local, elasticsearch_optimise=given.optimise),
        )
        with Stack(own, wanted=("elasticsearch",)) as stack:
            has = client.counts(settings)["news-events"]
            if has != given.events:
                seconds = fill(settings, given.events, dice)
                print(f"{given.events:,} events written in {seconds:.0f} s", flush=True)
            server = stack.server("elasticsearch").process.pid
            measured = (searches(settings, dice), exports(settings, given.events, server, Path(temporary)))
            for name, measure in itertools.chain(*measured):
                if given.only in name:
                    print(f"{name}: {measure()}", flush=True)


if __name__ == "__main__":
    main()
