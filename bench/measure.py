"""Speed, latency and memory of the whole path on a Kafka and an Elasticsearch of its own, compared with spaCy alone.

1. plain    `nlp.pipe` of the whole model (tagger, parser, entities) over the same texts (title and body, extracted before), in
            one process and in as many as the worker's pool has. The path is compared with the faster of the two (`ratio`).
2. load     All articles are released at once on a news site on this machine. Articles per second, from the first feed that
            lists one until every record made of them (documents, events, stories, alerts) is in Elasticsearch; and the CPU
            seconds of each process. Those of the worker and its pool are compared with plain spaCy's (`core_ratio`): how many
            times as much as spaCy a core reads that has the worker alone, with everything else on other cores.
3. steady   Articles are released at half that speed. p50 and p99 of the latency, from the answer of the feed that first lists
            an article until its document can be read from Elasticsearch. Meanwhile its page is fetched, published, read and
            indexed.
4. trickle  The same for single articles while nothing else is to do.

The articles are invented: sample articles with new URLs, extended with background paragraphs of others to the length of news.
The time that an article waits for the next poll of its feed is not included, because that is the feed's interval.

A slow or busy machine reads fewer articles, so that the measurement ends in about the time that is given.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Final

from bench import plain, usage
from bench.rig import MemoryMonitor, Rig, process_ids, running
from bench.site import SyntheticArticle
from pipeline import bus
from pipeline.records import Article, content_id
from pipeline.settings import Settings

SAMPLE: Final = "sample/articles"
WORDS: Final = 450
"""About the length of a news article. The sample articles are shorter, so paragraphs of several are joined."""

LEAD_PARAGRAPHS: Final = 2
"""The first paragraphs say what happened. An article has one lead, so only later paragraphs are taken from others."""

WARM_UP: Final = 8
FEWEST: Final = 20
"""Articles under load, however slow the machine is."""

TRICKLE: Final = 10
TRICKLE_SECONDS: Final = 1.0
STEADY_SHARE: Final = 0.5
STEADY_MOST_SECONDS: Final = 30.0

WITHIN_SECONDS: Final = 300.0
"""About the most that the whole measurement takes."""

PLAIN_PART: Final = 0.12
LOAD_PART: Final = 0.25
"""The parts of that time for each of the two runs of plain spaCy and for the load. The rest is for the start of the servers,
which takes 20 s to 60 s, and for the other phases."""

EXPECTED_RATIO: Final = 0.6
"""The speed of the whole path beside plain spaCy, for the number of articles under load."""

ReportStep = Callable[[str], None]


class BenchError(Exception):
    """The benchmark could not be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency in seconds, from the feed that first lists an article to its document in the index."""

    articles: int
    p50_seconds: float
    p99_seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """All results. `p50_seconds` and `p99_seconds` are those of the steady phase."""

    articles: int
    words_per_article: int
    processes: int
    articles_per_second: float
    plain_nlp_pipe_articles_per_second: float
    ratio: float
    p50_seconds: float
    p99_seconds: float
    peak_memory_mb: int
    plain_one_process: float
    plain_all_processes: float
    load: Latency
    steady: Latency
    trickle: Latency
    steady_articles_per_second: float
    memory_mb: dict[str, int]
    core_ratio: float
    plain_cpu_seconds_per_1000: float
    cpu_seconds_per_1000: dict[str, float]
    load_average: float
    events: int
    python: str = field(default_factory=lambda: sys.version.split()[0])
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)

    def table(self) -> dict[str, Any]:
        """Return the same as dictionaries for --json, with numbers rounded to three digits."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return round(value, 3) if isinstance(value, float) else value


# --- articles --------------------------------------------------------------------------------------------------------

_BODY: Final = re.compile(r"(<article\b.*?>)(.*)(</article>)", re.DOTALL | re.IGNORECASE)
_TITLE: Final = re.compile(r"<h1\b[^>]*>([^<]*)", re.IGNORECASE)
_PARAGRAPH: Final = re.compile(r"<p\b.*?</p>", re.DOTALL | re.IGNORECASE)


def pages(directory: Path) -> tuple[str, ...]:
    """The directory of the sample articles in, their pages out.

    Raises:
        BenchError: it has no sample articles.
    """
    found = tuple(file.read_text("utf-8") for file in sorted(directory.glob("*.html")))
    if not found:
        raise BenchError(f"{directory}: no sample articles there")
    return found


def lengthen(page: str, others: Sequence[str], words: int) -> str:
    """A page and others in, the page with paragraphs of the others added until it has about so many words out."""
    body = _BODY.search(page)
    if body is None:
        return page
    paragraphs = _PARAGRAPH.findall(body[2])
    for other in others:
        if sum(len(re.sub(r"<[^>]*>", " ", p).split()) for p in paragraphs) >= words:
            break
        found = _BODY.search(other)
        paragraphs += _PARAGRAPH.findall(found[2])[LEAD_PARAGRAPHS:] if found else []
    heading = body[2].partition("<p")[0]
    return f"{page[: body.start(2)]}{heading}{''.join(paragraphs)}{page[body.end(2) :]}"


def make_articles(
    samples: Sequence[str], number: int, *, name: str, chance: random.Random
) -> Iterator[SyntheticArticle]:
    """Sample pages in, `number` articles with paths of their own out."""
    for index in range(number):
        page = samples[index % len(samples)]
        html = lengthen(page, chance.sample(samples, len(samples)), WORDS)
        title = _TITLE.search(page)
        # with a number: one title with one text at two addresses would be one article
        headline = f"{unescape(title[1]) if title else ''} ({name} {index})".strip()
        yield SyntheticArticle(path=f"/{name}/{index}", title=headline, html=html)


# --- the benchmark ---------------------------------------------------------------------------------------------------


def as_article(article: SyntheticArticle) -> Article:
    """An invented article in, what a collector makes of it out."""
    now = dt.datetime.now(dt.UTC)
    return Article(
        id=content_id(article.path), url=f"https://bench.example{article.path}", feed_id="bench", fetched_at=now,
        first_seen_at=now, content_hash=content_id(article.html), html=article.html, title=article.title,
    )  # fmt: skip


def percentile(ordered: Sequence[float], share: float) -> float:
    """Sorted numbers and a share in, the smallest number that this share of them does not exceed out."""
    return ordered[max(0, math.ceil(round(share * len(ordered), 6)) - 1)]


def texts(articles: Sequence[SyntheticArticle]) -> list[tuple[str, str]]:
    """Articles in, the title and the text that is extracted of each out."""
    from pipeline.page import extract  # noqa: PLC0415 - slow to load

    extracted = [extract.extract(as_article(article)) for article in articles]
    return [(one.title, one.text) for one in extracted]


def number_under_load(plain_speed: float, most: int, within_seconds: float) -> int:
    """The speed of plain spaCy in, how many articles the whole path can be expected to read in its part of the time out."""
    return max(FEWEST, min(most, int(EXPECTED_RATIO * plain_speed * LOAD_PART * within_seconds)))


@dataclass(frozen=True, slots=True)
class _Phases:
    """What the phases on the running service gave."""

    speed: float
    steady_speed: float
    load: Latency
    steady: Latency
    trickle: Latency
    cpu: dict[str, float]
    events: int


def bench(settings: Settings, *, articles: int, report: ReportStep, within_seconds: float = WITHIN_SECONDS) -> Result:
    """Settings and the most articles in, all results out. `report` is called with each step. Takes some minutes.

    Raises:
        BenchError, RigError, LocalError, BusError: the benchmark could not be run.
    """
    chance = random.Random(7)
    samples = pages(settings.path(SAMPLE))
    loaded = list(make_articles(samples, articles, name="load", chance=chance))
    processes = settings.worker.processes or os.cpu_count() or 1
    report(f"plain nlp.pipe, 1 and {processes} processes")
    given = texts(loaded)
    alone = plain.measure(settings, given, processes, PLAIN_PART * within_seconds)
    loaded = loaded[: number_under_load(alone.best, articles, within_seconds)]
    report("starting a Kafka and an Elasticsearch for this measurement alone")
    with running(settings, "bench") as rig, MemoryMonitor(process_ids(rig)) as memory:
        found = _phases(rig, samples, loaded, chance, report)
    of_worker = sum(seconds for name, seconds in found.cpu.items() if name.startswith("worker"))
    return Result(
        articles=len(loaded), words_per_article=sum(len(part.split()) for one in given for part in one) // len(given),
        processes=processes, articles_per_second=found.speed, plain_nlp_pipe_articles_per_second=alone.best,
        ratio=found.speed / alone.best, p50_seconds=found.steady.p50_seconds, p99_seconds=found.steady.p99_seconds,
        peak_memory_mb=memory.peak_mb, plain_one_process=alone.one_process, plain_all_processes=alone.all_processes,
        load=found.load, steady=found.steady, trickle=found.trickle, steady_articles_per_second=found.steady_speed,
        memory_mb=memory.processes_mb, core_ratio=alone.cpu_seconds / of_worker,
        plain_cpu_seconds_per_1000=alone.cpu_seconds, cpu_seconds_per_1000=found.cpu, load_average=os.getloadavg()[1],
        events=found.events,
    )  # fmt: skip


def _phases(
    rig: Rig, samples: Sequence[str], loaded: Sequence[SyntheticArticle], chance: random.Random, report: ReportStep
) -> _Phases:
    """Run the phases warm-up, load, steady and trickle, and return their results."""

    def more(name: str, number: int) -> list[SyntheticArticle]:
        return list(make_articles(samples, number, name=name, chance=chance))

    rig.release_and_watch(more("warm", max(WARM_UP, len(loaded) // 5)))  # the Java of the servers compiles meanwhile
    rig.settle()
    report(f"load: {len(loaded)} articles at once")
    before = usage.cpu_seconds(process_ids(rig))
    rig.release_and_watch(loaded)
    speed = len(loaded) / (rig.settle() - rig.first_listed(loaded))
    cpu = usage.per_thousand(before, usage.cpu_seconds(process_ids(rig)), len(loaded))
    pace = STEADY_SHARE * speed
    steady = more("steady", max(FEWEST // 2, min(len(loaded), int(pace * STEADY_MOST_SECONDS))))
    report(f"steady: {len(steady)} articles, {pace:.1f} a second")
    rig.release_and_watch(steady, seconds_between=1 / pace)
    rig.settle()
    trickle = more("trickle", TRICKLE)
    report(f"trickle: {TRICKLE} articles, one every {TRICKLE_SECONDS:g} s")
    rig.release_and_watch(trickle, seconds_between=TRICKLE_SECONDS)
    rig.settle()
    return _Phases(
        speed=speed, steady_speed=pace, load=latency(rig, loaded), steady=latency(rig, steady),
        trickle=latency(rig, trickle), cpu=cpu, events=sum(1 for _ in bus.read_all(rig.settings, bus.EVENTS)),
    )  # fmt: skip


def latency(rig: Rig, articles: Sequence[SyntheticArticle]) -> Latency:
    """Return the latency of these articles."""
    seconds = rig.latencies(articles)
    return Latency(len(seconds), percentile(seconds, 0.5), percentile(seconds, 0.99))
