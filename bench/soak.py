"""Show what grows, gets late or gets lost over hours: `python -m bench.soak [--minutes M] [--per-second R]`.

The whole path on a stack of its own reads a steady stream of invented articles. Once a minute a line of JSON gives, for each
process with its children, resident memory and open files, and how late the articles of that minute were indexed. The last
line gives the growth in megabytes per thousand articles over the second half, when caches and the Java heap are full.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import psutil

from bench import measure
from bench.stack import Rig, own, parts, tree_mb, tree_sum
from pipeline import bus, logs
from pipeline.local.stack import Stack
from pipeline.operate import quarantine
from pipeline.settings import Settings

CONFIGS = Path(__file__).parents[1] / "configs"


def growth(memory_mb: Sequence[int], articles: Sequence[int]) -> float:
    """Memory and articles read so far at each look in, megabytes a thousand articles out: the slope of the second half."""
    half = len(memory_mb) // 2
    memory, read = memory_mb[half:], articles[half:]
    return 1000 * statistics.linear_regression(read, memory).slope if len(set(read)) > 1 else 0.0


def soak(path: Rig, samples: Sequence[str], *, minutes: int, per_second: float) -> Iterator[dict[str, object]]:
    """A running plant in, a line for each minute out, and a last one with what grew."""
    chance = random.Random(11)
    pids = parts(path)
    memory: dict[str, list[int]] = {name: [] for name in pids}
    read: list[int] = []
    for minute in range(minutes):
        pieces = list(measure.make_pieces(samples, int(60 * per_second), name=f"soak-{minute}", chance=chance))
        path.both(pieces, seconds_between=1 / per_second)
        late = measure.latency(path, pieces)
        read.append((read[-1] if read else 0) + len(pieces))
        for name, pid in pids.items():
            memory[name].append(tree_mb(pid))
        yield {
            "minute": minute + 1,
            "articles": read[-1],
            "p50_seconds": round(late.p50_seconds, 2),
            "p99_seconds": round(late.p99_seconds, 2),
            "memory_mb": {name: sizes[-1] for name, sizes in memory.items()},
            "open_files": {name: tree_sum(pid, psutil.Process.num_fds) for name, pid in pids.items()},
        }
    path.settle()
    published, indexed = path.counts()
    yield {
        "articles": read[-1],
        "on_the_topic": sum(1 for _ in bus.read_all(path.settings, bus.ARTICLES)),
        "published": published,
        "indexed": indexed,
        "quarantined": len(quarantine.read(path.settings)),
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
    with tempfile.TemporaryDirectory(prefix="dateline-soak-") as directory:
        mine = own(settings, Path(directory))
        with Stack(mine), contextlib.ExitStack() as cleanup:
            path = Rig(mine, Path(directory) / "logs")
            cleanup.callback(path.stop)
            path.start()
            samples = measure.pages(settings.path(measure.SAMPLE))
            began = time.monotonic()
            for line in soak(path, samples, minutes=given.minutes, per_second=given.per_second):
                sys.stdout.write(json.dumps(line) + "\n")
                sys.stdout.flush()
            sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
