"""What an upgrade costs: `python -m bench.upgrade [--per-second R] [--restart NAME ...]`, the rehearsal of a rolling upgrade.

Two workers and an indexer on servers of their own read a steady stream of invented articles. One process after the other is
told to stop, as an upgrade does, and started again. For each it is told how long it took to end and to be ready again, how many
articles reached the index meanwhile, and how old the oldest of those that waited became: from its listing in a feed until it
was in the index. At the end all is counted: what was lost, and what is there twice (an article on its topic or in two stories,
an alert).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec

from bench import measure
from bench.rig import Rig, running
from bench.site import SyntheticArticle
from pipeline import bus, logs
from pipeline.records import Alert, Story, decode
from pipeline.settings import Settings

CONFIGS: Final = Path(__file__).parents[1] / "configs"
ONE_PROCESS: Final = {"DATELINE_WORKER_PROCESSES": "1"}
"""Two workers of one process each, as many as the machine has cores."""

MOST_SECONDS: Final = 1800
"""Articles are made for so long a rehearsal; a busy machine needs a tenth of it."""

PAUSE_SECONDS: Final = 5.0
"""Between two restarts, and before the first one."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One process that was stopped and started again; `indexed` articles reached the index meanwhile."""

    name: str
    seconds_to_end: float
    seconds_to_ready: float
    indexed: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All restarts, and what is wrong at the end; `steady_oldest_seconds` is the oldest article before the first restart."""

    articles: int
    lost: int
    doubled: int
    steady_oldest_seconds: float
    restarts: tuple[Restart, ...]


def rehearse(rig: Rig, samples: Sequence[str], *, per_second: float, names: Sequence[str]) -> Rehearsal:
    """Restart these processes of a running rig one after the other under load.

    Raises:
        RigError: a process did not come back, or articles did not reach the index.
    """
    made = measure.make_articles(samples, int(MOST_SECONDS * per_second), name="upgrade", chance=random.Random(3))
    articles, ends, failed = list(made), threading.Event(), list[Exception]()
    released: list[SyntheticArticle] = []

    def release() -> None:
        for article in articles:
            if ends.wait(1 / per_second):
                return
            rig.site.release([article])
            released.append(article)

    def watch() -> None:
        try:
            rig.watch(articles, ends=ends)
        except Exception as error:  # noqa: BLE001 - told by the caller's thread
            failed.append(error)

    threads = [threading.Thread(target=work, daemon=True) for work in (release, watch)]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    time.sleep(2 * PAUSE_SECONDS)
    windows = [("", began, time.perf_counter(), 0.0, 0.0)]
    try:
        for name in names:
            began = time.perf_counter()
            took = rig.restart(name)
            windows.append((name, began, time.perf_counter(), *took))
            time.sleep(PAUSE_SECONDS)
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    while any(lag.records for lag in bus.lags(rig.settings)):
        time.sleep(0.5)
    steady, *restarts = (_told(rig, released, *window) for window in windows)
    lost, doubled = counted(rig, released)
    return Rehearsal(len(released), lost, doubled, steady.oldest_seconds, tuple(restarts))


def _told(
    rig: Rig, articles: Sequence[SyntheticArticle], name: str, began: float, ended: float, *took: float
) -> Restart:
    """Return what happened to the articles that waited at any time from `began` to `ended`."""
    spans = [(listed, seen) for listed, seen in rig.spans(articles) if listed <= ended and seen >= began]
    indexed = sum(seen <= ended for _, seen in spans)
    oldest = max((seen - listed for listed, seen in spans), default=0.0)
    return Restart(name, round(took[0], 1), round(took[1], 1), indexed, round(oldest, 1))


def counted(rig: Rig, articles: Sequence[SyntheticArticle]) -> tuple[int, int]:
    """Return how many of these articles are not in the index, and how many articles and alerts are there twice."""
    wanted = {rig.id_of(article) for article in articles}
    published = Counter((message.key or b"").decode() for message in bus.read_all(rig.settings, bus.ARTICLES))
    latest: dict[str, Story] = {}
    for story in (decode(message.value, Story) for message in bus.read_all(rig.settings, bus.STORIES)):
        if story.id not in latest or latest[story.id].revision <= story.revision:
            latest[story.id] = story
    told = Counter(one for story in latest.values() if not story.merged_into for one in story.article_ids)
    alerts = {
        one.id: one for one in (decode(message.value, Alert) for message in bus.read_all(rig.settings, bus.ALERTS))
    }
    rung = Counter((one.rule, one.happening_id or one.story_id, one.occasion) for one in alerts.values())
    doubled = sum(number > 1 for counts in (published, told, rung) for number in counts.values())
    return len(wanted - rig.indexed(wanted)), doubled


def main() -> None:
    """Read the options, start everything, rehearse, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-second", type=float, default=1.0)
    parser.add_argument("--restart", nargs="+", default=["worker-2", "worker", "indexer"])
    given = parser.parse_args()
    settings = msgspec.structs.replace(Settings(), directory=str(CONFIGS))
    logs.set_up(settings.log, least="warning")
    with running(settings, "upgrade", ONE_PROCESS) as rig:
        rig.start_another_worker(2)
        samples = measure.pages(settings.path(measure.SAMPLE))
        found = rehearse(rig, samples, per_second=given.per_second, names=given.restart)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
