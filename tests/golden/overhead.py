"""The cost of detection relative to entities and parse alone: `python -m tests.golden.overhead [FILE.jsonl]` prints the ratio.

CPU seconds of this process are measured, so other processes do not count. They can slow down its memory for short times, so both
are measured batch by batch in turn, and the best of several rounds counts for each batch. Without a file the golden cases are
read several times.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import annotate
from pipeline.detect import Models, detect, load_models
from pipeline.detect.jsonl import _read
from pipeline.records import Document
from pipeline.settings import Settings

CASES = Path(__file__).parent / "cases"
ROUNDS = 5


@dataclass(frozen=True)
class Cost:
    """CPU seconds for the same texts: the spaCy model alone, and with names, detection and the second opinion."""

    parse_seconds: float
    whole_seconds: float
    peak_megabytes: float

    @property
    def ratio(self) -> float:
        """The ratio of the two: 1.15 is fifteen per cent more."""
        return self.whole_seconds / self.parse_seconds


def documents(times: int = 6) -> list[Document]:
    """Return the golden cases as documents, each `times` times."""
    made = []
    for case in sorted(CASES.iterdir()):
        title, text = (case / "article.txt").read_text("utf-8").split("\n\n", 1)
        line = {"id": case.name, "title": title, "text": text, "published": "2024-06-14T12:00:00+00:00"}
        made.append(_read(json.dumps(line)))
    return [one for one in made if isinstance(one, Document)] * times


def measure(given: Sequence[Document], models: Models, rounds: int = ROUNDS) -> Cost:
    """Return the cost of reading documents."""
    batches = list(annotate.batches(given, 2 * annotate.BATCH))
    alone, whole = [math.inf] * len(batches), [math.inf] * len(batches)
    for _ in range(rounds):
        for number, batch in enumerate(batches):
            alone[number] = min(alone[number], _parse(batch, models))
            whole[number] = min(whole[number], _detect(batch, models))
    return Cost(sum(alone), sum(whole), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _parse(batch: Sequence[Document], models: Models) -> float:
    texts = [text for one in batch for text in (one.title, one.text)]
    with models.nlp.memory_zone():
        began = time.process_time()
        for _doc in models.nlp.pipe(texts, batch_size=2 * annotate.BATCH):
            pass
        return time.process_time() - began


def _detect(batch: Sequence[Document], models: Models) -> float:
    with models.nlp.memory_zone():
        began = time.process_time()
        for parsed in annotate.parse_many(batch, models):
            detect(parsed, models)
        return time.process_time() - began


def main() -> None:
    """Print the cost of the golden cases, or of a file of JSON lines."""
    given = documents()
    if len(sys.argv) > 1:
        read = [_read(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
        given = [one for one in read if isinstance(one, Document)]
    cost = measure(given, load_models(Settings()))
    print(  # noqa: T201 - the tool's output
        f"parse {cost.parse_seconds:.2f} s, with detection {cost.whole_seconds:.2f} s: {cost.ratio - 1:+.1%}; "
        f"peak {cost.peak_megabytes:.0f} MB"
    )


if __name__ == "__main__":
    main()
