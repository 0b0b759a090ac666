"""What reading an article costs beside spaCy's whole pipeline: `python -m bench.detection_cost [FILE.jsonl]` prints the ratio.

*plain* is `nlp.pipe` of the whole model (tagger, parser and entities) over the titles and texts; *ours* is everything that
Dateline does with them: entities, names, the trained reader, parties, dates and sums. CPU seconds of this process, so that
neighbours on the machine do not count; both are measured batch by batch, one right after the other, and of each batch the best
of several rounds counts. Without a file the articles of the sample feed are read.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spacy

from pipeline import annotate
from pipeline.detect import Models, detect, load_models
from pipeline.detect.jsonl import read_line
from pipeline.operate.offline import article
from pipeline.page.extract import extract
from pipeline.records import Document
from pipeline.settings import Settings

SAMPLE = Path(__file__).parents[1] / "configs/sample/articles"
ROUNDS = 3


@dataclass(frozen=True)
class Cost:
    """CPU seconds for the same texts, and the peak memory of the process with both loaded."""

    plain_seconds: float
    our_seconds: float
    words: int
    peak_megabytes: float

    @property
    def ratio(self) -> float:
        """Ours over plain: below 1 it costs less."""
        return self.our_seconds / self.plain_seconds


def documents(file: Path | None) -> list[Document]:
    """The lines of a file as for `dateline detect`, or the sample's articles."""
    if file is not None:
        lines = file.read_text("utf-8").splitlines()
    else:
        lines = []
        for page in sorted(SAMPLE.rglob("*.html")):
            at = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
            found = extract(article(page.read_bytes(), name=page, published=at.isoformat(), url=None, now=at))
            line = {"id": page.name, "title": found.title, "text": found.text, "published": at.isoformat()}
            lines.append(json.dumps(line))
    made = [read_line(line) for line in lines]
    return [one for one in made if isinstance(one, Document)]


def peak_megabytes() -> float:
    """Return the most memory that this process has held, in MB.

    `getrusage` would not do: Linux hands the parent's figure on to a process that it starts.
    """
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))[0]) / 1024


def measure(given: Sequence[Document], models: Models, whole: Any, rounds: int = ROUNDS) -> Cost:
    """Documents in, what reading them costs out."""
    batches = list(annotate.batches(given, annotate.BATCH))
    plain, ours = [math.inf] * len(batches), [math.inf] * len(batches)
    for _ in range(rounds):
        for number, batch in enumerate(batches):
            plain[number] = min(plain[number], _plain(batch, whole))
            ours[number] = min(ours[number], _ours(batch, models))
    words = sum(len(one.text.split()) + len(one.title.split()) for one in given)
    return Cost(sum(plain), sum(ours), words, peak_megabytes())


def _plain(batch: Sequence[Document], whole: Any) -> float:
    texts = [text for one in batch for text in (one.title, one.text)]
    with whole.memory_zone():
        began = time.process_time()
        for _doc in whole.pipe(texts, batch_size=2 * annotate.BATCH):
            pass
        return time.process_time() - began


def _ours(batch: Sequence[Document], models: Models) -> float:
    with models.nlp.memory_zone():
        began = time.process_time()
        for parsed in annotate.parse_many(batch, models):
            detect(parsed, models)
        return time.process_time() - began


def main() -> None:
    """Measure, print."""
    settings = Settings()
    models = load_models(settings)
    name = next(name for name in settings.detect.models if spacy.util.is_package(name))
    cost = measure(documents(Path(sys.argv[1]) if len(sys.argv) > 1 else None), models, spacy.load(name))
    print(
        f"plain {name}: {cost.plain_seconds:.2f} s, {cost.words / cost.plain_seconds:,.0f} words/s; "
        f"ours: {cost.our_seconds:.2f} s, {cost.words / cost.our_seconds:,.0f} words/s; "
        f"ratio {cost.ratio:.2f}; peak {cost.peak_megabytes:.0f} MB with both loaded"
    )


if __name__ == "__main__":
    main()
