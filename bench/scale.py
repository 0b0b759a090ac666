"""What a second worker adds: `python -m bench.scale [--articles N]`, articles a second of one worker and of two, in one run.

Each worker has one process. On two cores the second one shares its core with the servers, indexer and collector, so the CPU
seconds of each are told too. `of_workers` is how many times as much two workers read if each had a core of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import measure
from bench.rig import Rig, process_ids, running
from bench.site import SyntheticArticle
from bench.upgrade import ONE_PROCESS
from bench.usage import cpu_seconds
from pipeline import logs
from pipeline.settings import Settings

CONFIGS: Final = Path(__file__).parents[1] / "configs"


def speed(rig: Rig, articles: list[SyntheticArticle]) -> tuple[float, dict[str, float]]:
    """Release articles at once; return how many a second reached the index, and the CPU seconds of each process for 1,000."""
    before = cpu_seconds(process_ids(rig))
    rig.release_and_watch(articles)
    after = cpu_seconds(process_ids(rig))
    last = max(seen for _, seen in rig.spans(articles))
    used = {name: round(1000 * (after[name] - before[name]) / len(articles), 1) for name in after}
    return len(articles) / (last - rig.first_listed(articles)), used


def compare(rig: Rig, samples: tuple[str, ...], number: int) -> dict[str, Any]:
    """Measure one worker, start another, and measure both."""
    chance = random.Random(5)

    def made(name: str, count: int) -> list[SyntheticArticle]:
        return list(measure.make_articles(samples, count, name=name, chance=chance))

    rig.release_and_watch(made("warm", measure.WARM_UP))
    one, used_by_one = speed(rig, made("one", number))
    rig.start_another_worker(2)
    rig.release_and_watch(made("warm-2", 2 * measure.WARM_UP))
    two, used_by_two = speed(rig, made("two", 2 * number))
    of_workers = [
        sum(s for name, s in used.items() if name.startswith("worker")) for used in (used_by_one, used_by_two)
    ]
    return {
        "articles_per_second": [round(one, 2), round(two, 2)], "ratio": round(two / one, 2),
        "of_workers": round(of_workers[0] / of_workers[1] * 2, 2),
        "cpu_seconds_per_1000": [used_by_one, used_by_two],
    }  # fmt: skip


def main() -> None:
    """Read the options, start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=60)
    given = parser.parse_args()
    settings = msgspec.structs.replace(Settings(), directory=str(CONFIGS))
    logs.set_up(settings.log, least="warning")
    with running(settings, "scale", ONE_PROCESS) as rig:
        found = compare(rig, measure.pages(settings.path(measure.SAMPLE)), given.articles)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
