"""Show what grows, becomes slow or gets lost over hours: `python -m bench.soak [--minutes M] [--per-second R]`.

The whole path, on servers of its own, reads a steady stream of invented articles. Once a minute a line of JSON gives the
resident memory and the open files of each process with its children, the latency of the articles of that minute, and the load
of the machine. The last line gives the growth in megabytes per thousand articles over the second half, when caches and the Java
heap are full, whether all records have arrived, and how often a consumer group was rebalanced after the start.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import psutil

from bench import measure
from bench.rig import Rig, process_ids, running, tree_mb, tree_sum
from pipeline import bus, logs
from pipeline.local import servers
from pipeline.operate import quarantine
from pipeline.settings import Settings

CONFIGS = Path(__file__).parents[1] / "configs"


def growth(memory_mb: Sequence[int], articles: Sequence[int]) -> float:
    """The memory and the number of articles at each measurement in, megabytes per thousand articles in the second half out."""
    half = len(memory_mb) // 2
    memory, read = memory_mb[half:], articles[half:]
    return 1000 * statistics.linear_regression(read, memory).slope if len(set(read)) > 1 else 0.0


def rebalances(rig: Rig) -> int:
    """Return how often a consumer group was rebalanced, by the log of the broker."""
    log = servers.log_file(Path(rig.settings.local.data_dir), servers.KAFKA)
    return log.read_text("utf-8", errors="replace").count("Preparing to rebalance group")


def soak(rig: Rig, samples: Sequence[str], *, minutes: int, per_second: float) -> Iterator[dict[str, object]]:
    """A running rig in, a line for each minute and a last one with the growth out."""
    chance = random.Random(11)
    pids = process_ids(rig)
    memory: dict[str, list[int]] = {name: [] for name in pids}
    read: list[int] = []
    rebalanced = rebalances(rig)
    for minute in range(minutes):
        articles = list(measure.make_articles(samples, int(60 * per_second), name=f"soak-{minute}", chance=chance))
        rig.release_and_watch(articles, seconds_between=1 / per_second)
        latency = measure.latency(rig, articles)
        read.append((read[-1] if read else 0) + len(articles))
        for name, pid in pids.items():
            memory[name].append(tree_mb(pid))
        yield {
            "minute": minute + 1,
            "articles": read[-1],
            "p50_seconds": round(latency.p50_seconds, 2),
            "p99_seconds": round(latency.p99_seconds, 2),
            "memory_mb": {name: sizes[-1] for name, sizes in memory.items()},
            "open_files": {name: tree_sum(pid, psutil.Process.num_fds) for name, pid in pids.items()},
            "load_average": round(os.getloadavg()[0], 1),
        }
    rig.settle()
    published, indexed = rig.counts()
    yield {
        "articles": read[-1],
        "on_the_topic": sum(1 for _ in bus.read_all(rig.settings, bus.ARTICLES)),
        "published": published,
        "indexed": indexed,
        "quarantined": len(quarantine.read(rig.settings)),
        "rebalanced": rebalances(rig) - rebalanced,
        "growth_mb_per_1000_articles": {name: round(growth(sizes, read), 1) for name, sizes in memory.items()},
    }


def main() -> None:
    """Read the options, start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--per-second", type=float, default=3.0)
    given = parser.parse_args()
    settings = msgspec.structs.replace(Settings(), directory=str(CONFIGS))
    logs.set_up(settings.log, least="warning")
    with running(settings, "soak") as rig:
        samples = measure.pages(settings.path(measure.SAMPLE))
        began = time.monotonic()
        for line in soak(rig, samples, minutes=given.minutes, per_second=given.per_second):
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
