"""spaCy alone: articles per second of `nlp.pipe` of the whole model (tagger, parser, entities), by its processes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.settings import Settings

BATCH_TEXTS: Final = 32
"""Texts in a batch of `nlp.pipe`. With its 256 a few hundred articles would all go to one of two processes."""

WARM_TEXTS: Final = 16


@dataclass(frozen=True, slots=True)
class Plain:
    """What spaCy alone does: articles per second by its processes, and the CPU seconds of 1,000 articles in one process."""

    one_process: float
    all_processes: float
    cpu_seconds: float

    @property
    def best(self) -> float:
        """The faster of the two, which Dateline is compared with."""
        return max(self.one_process, self.all_processes)


def measure(settings: Settings, articles: Sequence[tuple[str, str]], processes: int, seconds: float) -> Plain:
    """Articles (title, text) in, the speed of spaCy out. Each of two runs reads as many as it can in about so many seconds."""
    import spacy  # noqa: PLC0415 - slow to load

    nlp = spacy.load(next(name for name in settings.detect.models if spacy.util.is_package(name)))
    for _ in nlp.pipe(_texts(articles)[:WARM_TEXTS]):
        pass
    one, cpu = _one_process(nlp, articles, seconds)
    if processes == 1:
        return Plain(one, one, cpu)
    number = max(2 * BATCH_TEXTS, min(len(articles), int(processes * one * seconds)))
    given = _texts(articles)[: 2 * number]
    began = time.perf_counter()
    for _ in nlp.pipe(given, n_process=processes, batch_size=BATCH_TEXTS):
        pass
    return Plain(one, len(given) / 2 / (time.perf_counter() - began), cpu)


def _texts(articles: Sequence[tuple[str, str]]) -> list[str]:
    return list(itertools.chain.from_iterable(articles))


def _one_process(nlp: Any, articles: Sequence[tuple[str, str]], seconds: float) -> tuple[float, float]:
    """Read articles for so long, or all of them; return articles per second and CPU seconds for 1,000."""
    began, cpu_began, docs = time.perf_counter(), time.process_time(), 0
    for _ in nlp.pipe(_texts(articles), batch_size=BATCH_TEXTS):
        docs += 1
        if time.perf_counter() - began > seconds and docs % 2 == 0:
            break
    read = docs / 2
    return read / (time.perf_counter() - began), 1000 * (time.process_time() - cpu_began) / read
