"""How fast, how late and how large: the whole path on a Kafka and an Elasticsearch of its own, beside spaCy alone.

1. plain    `nlp.pipe` of the same model over the same texts (title and body, extracted before): one process, and as many as
            the worker's pool has. The better of the two is what the path is held against.
2. load     all articles are out at once on a news site on this machine; articles per second from the first feed that lists
            one until every record that they lead to (documents, events, stories, alerts) is in Elasticsearch.
3. steady   articles come out at half that speed. p50 and p99, feed to index: from the answer of the feed that first lists an
            article until its document can be read from Elasticsearch; the page is fetched, published, read and indexed between.
4. trickle  the same for single articles with nothing else to do.

The articles are invented: sample articles, lengthened by the background of others to the length of news, under new addresses.
How long an article waits for its feed to be asked is not in it: that is the feed's interval.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Final

from bench.site import Piece
from bench.stack import Memory, Rig, own, parts
from pipeline import bus
from pipeline.records import Article, content_id
from pipeline.settings import Settings

SAMPLE: Final = "sample/articles"
WORDS: Final = 450
"""About the length of a news article; the sample's are shorter, so several are joined."""

LEAD_PARAGRAPHS: Final = 2
"""The first paragraphs tell what happened. An article has one such lead, so the others lend their background only."""

WARM_UP: Final = 8
TRICKLE: Final = 15
TRICKLE_SECONDS: Final = 1.0
STEADY_SHARE: Final = 0.5
STEADY_MOST_SECONDS: Final = 30.0

Tell = Callable[[str], None]


class BenchError(Exception):
    """The measurement could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the feed that first lists an article to its document in the index."""

    articles: int
    p50_seconds: float
    p99_seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """All figures. `p50_seconds` and `p99_seconds` are those of the steady phase."""

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
    events: int
    python: str = field(default_factory=lambda: sys.version.split()[0])
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)

    def table(self) -> dict[str, Any]:
        """The same as plain tables, for --json; figures to three digits."""
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
        BenchError: there are none.
    """
    found = tuple(file.read_text("utf-8") for file in sorted(directory.glob("*.html")))
    if not found:
        raise BenchError(f"{directory}: no sample articles there")
    return found


def lengthened(page: str, others: Sequence[str], words: int) -> str:
    """A page and others in, the page with their paragraphs below its own until it has about so many words out."""
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


def make_pieces(samples: Sequence[str], number: int, *, name: str, chance: random.Random) -> Iterator[Piece]:
    """Sample pages in, so many with addresses of their own out."""
    for index in range(number):
        page = samples[index % len(samples)]
        html = lengthened(page, chance.sample(samples, len(samples)), WORDS)
        title = _TITLE.search(page)
        yield Piece(path=f"/{name}/{index}", title=unescape(title[1]) if title else name, html=html)


# --- spaCy alone -----------------------------------------------------------------------------------------------------


def plain(settings: Settings, pieces: Sequence[Piece], processes: int) -> tuple[float, float, int]:
    """Pages in; how many a second `nlp.pipe` reads in one process and in several, and the words of one, out."""
    from pipeline import annotate  # noqa: PLC0415 - spaCy is slow to load
    from pipeline.page import extract  # noqa: PLC0415 - spaCy is slow to load

    nlp = annotate.load(settings.detect.models)
    extracted = [extract.extract(_article(piece)) for piece in pieces]
    texts = [text for one in extracted for text in (one.title, one.text)]
    for _ in nlp.pipe(texts[:16]):
        pass
    speeds: list[float] = []
    for count in (1, processes):
        if count == 1 and speeds:
            speeds.append(speeds[0])  # the pool has one process
            continue
        began = time.perf_counter()
        for _ in nlp.pipe(texts, n_process=count):
            pass
        speeds.append(len(pieces) / (time.perf_counter() - began))
    words = sum(len(text.split()) for text in texts) // len(pieces)
    return speeds[0], speeds[1], words


def _article(piece: Piece) -> Article:
    now = dt.datetime.now(dt.UTC)
    return Article(
        id=content_id(piece.path), url=f"https://bench.example{piece.path}", feed_id="bench", fetched_at=now,
        first_seen_at=now, content_hash=content_id(piece.html), html=piece.html, title=piece.title,
    )  # fmt: skip


def percentile(ordered: Sequence[float], share: float) -> float:
    """Ordered figures and a share in, the figure that so many are not above out."""
    return ordered[max(0, math.ceil(round(share * len(ordered), 6)) - 1)]


# --- all of it -------------------------------------------------------------------------------------------------------


def bench(settings: Settings, *, articles: int, tell: Tell) -> Result:
    """Settings and how many articles in, all figures out; `tell` hears how far it is. Takes some minutes.

    Raises:
        BenchError, RigError, LocalError, BusError: it could not be measured.
    """
    from pipeline.local.stack import Stack  # noqa: PLC0415 - only here

    chance = random.Random(7)
    samples = pages(settings.path(SAMPLE))
    loaded = list(make_pieces(samples, articles, name="load", chance=chance))
    processes = settings.worker.processes or os.cpu_count() or 1
    tell(f"plain nlp.pipe over {articles} articles, 1 and {processes} processes")
    one, all_, words = plain(settings, loaded, processes)
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as name:
        mine = own(settings, Path(name))
        tell("starting a Kafka and an Elasticsearch for this measurement alone")
        with Stack(mine), contextlib.ExitStack() as cleanup:
            path = Rig(mine, Path(name) / "logs")
            cleanup.callback(path.stop)
            path.start()
            memory = cleanup.enter_context(Memory(parts(path)))
            speed, load, steady_speed, steady, trickle, events = _phases(path, samples, loaded, chance, tell)
    best = max(one, all_)
    return Result(
        articles=articles, words_per_article=words, processes=processes, articles_per_second=speed,
        plain_nlp_pipe_articles_per_second=best, ratio=speed / best, p50_seconds=steady.p50_seconds,
        p99_seconds=steady.p99_seconds, peak_memory_mb=memory.peak_mb, plain_one_process=one, plain_all_processes=all_,
        load=load, steady=steady, trickle=trickle, steady_articles_per_second=steady_speed, memory_mb=memory.parts_mb,
        events=events,
    )  # fmt: skip


def _phases(
    path: Rig, samples: Sequence[str], loaded: Sequence[Piece], chance: random.Random, tell: Tell
) -> tuple[float, Latency, float, Latency, Latency, int]:
    """Warm-up, load, steady, trickle."""

    def more(name: str, number: int) -> list[Piece]:
        return list(make_pieces(samples, number, name=name, chance=chance))

    path.both(more("warm", WARM_UP))
    path.settle()
    tell(f"load: {len(loaded)} articles at once")
    path.both(loaded)
    speed = len(loaded) / (path.settle() - path.first_listed(loaded))
    pace = STEADY_SHARE * speed
    steady = more("steady", max(20, min(len(loaded), int(pace * STEADY_MOST_SECONDS))))
    tell(f"steady: {len(steady)} articles, {pace:.1f} a second")
    path.both(steady, seconds_between=1 / pace)
    path.settle()
    trickle = more("trickle", TRICKLE)
    tell(f"trickle: {TRICKLE} articles, one every {TRICKLE_SECONDS:g} s")
    path.both(trickle, seconds_between=TRICKLE_SECONDS)
    path.settle()
    events = sum(1 for _ in bus.read_all(path.settings, bus.EVENTS))
    return speed, latency(path, loaded), pace, latency(path, steady), latency(path, trickle), events


def latency(path: Rig, pieces: Sequence[Piece]) -> Latency:
    """How late these were."""
    late = path.late(pieces)
    return Latency(len(late), percentile(late, 0.5), percentile(late, 0.99))
