"""Where an article waits: `python -m bench.timeline [--articles N] [--per-second R] [--slowest K]`, on servers of its own.

Articles are released at a steady pace, and for each it is noted when (seconds since its feed listed it):

    fetched     its page was asked for
    published   its record was written to news.articles
    committed   others can read that record
    read        its document was written to news.documents
    confirmed   others can read that record
    indexed     the document can be got from Elasticsearch by its id
    searchable  a search finds it

Printed are the median and the 99th percentile of each step (from the moment before), and all moments of the slowest articles.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import measure
from bench.rig import IndexLookup, Rig, running
from bench.site import SyntheticArticle
from pipeline import bus, logs
from pipeline.settings import Settings

CONFIGS: Final = Path(__file__).parents[1] / "configs"
MOMENTS: Final = ("fetched", "published", "committed", "read", "confirmed", "indexed", "searchable")

Times = dict[str, dict[str, float]]
"""Of each article by its id: moment -> when (time.time)."""


def steps(times: Mapping[str, float], listed_at: float) -> dict[str, float]:
    """The moments of an article and when it was listed in, the seconds of each step out."""
    found: dict[str, float] = {}
    before = listed_at
    for moment in MOMENTS:
        if moment in times:
            found[moment] = times[moment] - before
            before = times[moment]
    return found


class Notes:
    """Watches the topics and the index, and notes when it first sees each article there."""

    def __init__(self, settings: Settings) -> None:
        self.times: Times = {}
        self._settings = settings
        self._stop = threading.Event()
        self._placed = threading.Event()
        self._threads = [threading.Thread(target=of, daemon=True) for of in (self._watch_topics, self._watch_search)]

    def start(self) -> None:
        """Begin; returns when no record can be missed any more."""
        for thread in self._threads:
            thread.start()
        self._placed.wait(60)

    def stop(self) -> None:
        """End both threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def note(self, article_id: str, moment: str, at: float) -> None:
        """Note a moment of an article, if it is the first time."""
        self.times.setdefault(article_id, {}).setdefault(moment, at)

    def _watch_topics(self) -> None:
        written = {bus.ARTICLES: ("published", "committed"), bus.DOCUMENTS: ("read", "confirmed")}
        for message in bus.tail(self._settings, tuple(written), self._stop, placed=self._placed):
            article_id = (message.key or b"").decode()
            first, second = written[message.topic]
            self.note(article_id, first, message.timestamp_ms / 1000)
            self.note(article_id, second, time.time())

    def _watch_search(self) -> None:
        index = IndexLookup(self._settings)
        while not self._stop.wait(0.05):
            waiting = [one for one, times in list(self.times.items()) if "read" in times and "searchable" not in times]
            for found in index.searchable(waiting) if waiting else ():
                self.note(found, "searchable", time.time())
        index.close()


def run(rig: Rig, articles: Sequence[SyntheticArticle], per_second: float) -> list[tuple[str, float, dict[str, float]]]:
    """Release articles, and return the path, the listing (time.time) and the steps of each, the slowest to be indexed first."""
    notes = Notes(rig.settings)
    notes.start()
    to_clock = time.time() - time.perf_counter()
    rig.release_and_watch(articles, seconds_between=1 / per_second)
    time.sleep(2 * rig.settings.elasticsearch.refresh_seconds)
    notes.stop()
    found = []
    for article, (listed, indexed) in zip(articles, rig.spans(articles), strict=True):
        own = notes.times.get(rig.id_of(article), {})
        own |= {"fetched": rig.site.asked[article.path] + to_clock, "indexed": indexed + to_clock}
        found.append((article.path, indexed - listed, steps(own, listed + to_clock)))
    return sorted(found, key=lambda one: -one[1])


def summary(found: Sequence[tuple[str, float, dict[str, float]]]) -> dict[str, Any]:
    """The steps of articles in, median and 99th percentile of each step and of the whole out."""
    of = {moment: sorted(s[moment] for _, _, s in found if moment in s) for moment in MOMENTS}
    of["feed to index"] = sorted(whole for _, whole, _ in found)
    return {
        moment: [round(measure.percentile(values, share), 3) for share in (0.5, 0.99)]
        for moment, values in of.items()
        if values
    }


def main() -> None:
    """Read the options, start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=60)
    parser.add_argument("--per-second", type=float, default=1.0)
    parser.add_argument("--slowest", type=int, default=8)
    given = parser.parse_args()
    settings = msgspec.structs.replace(Settings(), directory=str(CONFIGS))
    logs.set_up(settings.log, least="warning")
    with running(settings, "timeline") as rig:
        samples, chance = measure.pages(settings.path(measure.SAMPLE)), random.Random(3)
        rig.release_and_watch(list(measure.make_articles(samples, 3 * measure.WARM_UP, name="warm", chance=chance)))
        articles = list(measure.make_articles(samples, given.articles, name="line", chance=chance))
        found = run(rig, articles, given.per_second)
    sys.stdout.write(json.dumps({"median and p99 of each step, s": summary(found)}) + "\n")
    for path, whole, of in found[: given.slowest]:
        sys.stdout.write(
            json.dumps({"article": path, "feed to index": round(whole, 3)} | {m: round(v, 3) for m, v in of.items()})
            + "\n"
        )


if __name__ == "__main__":
    main()
