"""How fast the console is over many events: searches with facets, the first page, and the export of all.

python -m bench.console_scale [EVENTS] starts an Elasticsearch of its own, writes generated events (default: a million) and
prints a row for each measurement.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from bench.rig import isolated_settings
from pipeline import settings as settings_module
from pipeline.console import app
from pipeline.console.api import Call, User
from pipeline.console.desk import Desk
from pipeline.console.figure_endpoints import FacetQuery
from pipeline.console.search_endpoints import ListQuery
from pipeline.index import actions, client, documents, export, filters
from pipeline.index.document_fields import clean
from pipeline.index.filters import Filters
from pipeline.local.stack import Stack
from pipeline.records import Event, Evidence, Export, Money, Party, Place, Quantity, When
from pipeline.settings import Settings

EVENTS: Final = 1_000_000
TRIES: Final = 100
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


def measure(settings: Settings, dice: random.Random) -> Iterator[tuple[str, str]]:
    """Yield a name and a figure for each measurement."""
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

    for name, call, tries in (
        ("search with facets", search, TRIES),
        ("first page: newest, facets, histogram", first_page, 20),
    ):
        timed(call, 5)
        took = timed(call, tries)
        p95 = statistics.quantiles(took, n=20)[-1]
        yield name, f"median {statistics.median(took):.0f} ms, p95 {p95:.0f} ms"
    for form in ("csv", "jsonl", "parquet"):
        yield f"export of all as {form}", exported(desk, form)
    desk.close()


def calls_query(path: str) -> Any:
    """Return the default query of an endpoint."""
    return next(endpoint.query() for endpoint in app.ENDPOINTS if endpoint.path == path)


def exported(desk: Desk, form: Any) -> str:
    """Return the rows per second and the growth of memory of an export."""
    process = psutil.Process()
    rows, most, before = 0, 0, process.memory_info().rss

    def count(done: int, _total: int) -> None:
        nonlocal rows, most
        rows, most = done, max(most, process.memory_info().rss)

    began = time.perf_counter()
    query = filters.query("events", Filters(), now=NOW)
    size = sum(len(piece) for piece in export.exported(desk.searcher, "events", query, form, count))
    seconds = time.perf_counter() - began
    memory = (most - before) / 1e6
    return (
        f"{rows / seconds:,.0f} rows/s ({rows:,} rows, {size / 1e6:.0f} MB, {seconds:.0f} s), memory +{memory:.0f} MB"
    )


def main() -> None:
    """Measure with as many events as the first argument says."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as directory:
        settings = isolated_settings(settings_module.load(), Path(directory))
        settings = msgspec.structs.replace(
            settings,
            elasticsearch=msgspec.structs.replace(
                settings.elasticsearch, refresh_seconds=30.0, request_timeout_seconds=300.0
            ),
        )
        stack_settings = msgspec.structs.replace(
            settings, elasticsearch=msgspec.structs.replace(settings.elasticsearch, url="")
        )
        with Stack(stack_settings, wanted=("elasticsearch",)):
            seconds = fill(settings, number, dice)
            print(f"{number:,} events written in {seconds:.0f} s ({number / seconds:,.0f}/s)", flush=True)
            for name, figure in measure(settings, dice):
                print(f"{name}: {figure}", flush=True)


if __name__ == "__main__":
    main()
