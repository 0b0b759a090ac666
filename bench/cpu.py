"""Where the CPU time goes: `python -m bench.cpu [--articles N] [--steps] [--workers N] [--briefs N]`, in CPU seconds per 1,000.

By step, in this process: what extracting, annotating and detecting an article is made of, each without the steps inside of it,
beside `nlp.pipe` of spaCy's whole pipeline over the same texts. By process, unless --steps is given: the whole path on servers
of its own, with the worker's loop, its pool and the two Java servers apart.

CPU seconds do not count the time in which others have the processor, so they may be compared on a shared machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import spacy

from bench import measure
from bench.rig import Rig, process_ids, running
from bench.site import SyntheticArticle
from bench.usage import cpu_seconds
from pipeline import annotate, bus, detect, flow, logs
from pipeline.annotate import copies, parse
from pipeline.detect import drafts, encoder, merge, own_kinds, windows
from pipeline.page import extract
from pipeline.records import Article, Brief, content_id, decode, encode
from pipeline.settings import Settings
from pipeline.track.stories import PARTITION

Found = dict[str, dict[str, float]]

CONFIGS: Final = Path(__file__).parents[1] / "configs"
REST_SECONDS: Final = 20.0
PLAIN: Final = "plain nlp.pipe"
ZONE: Final = 16
"""Articles in one memory zone of spaCy, as in a batch of the worker."""

STEPS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("extract: trafilatura", extract, "bare_extraction"),
    ("extract: language", extract, "language_of"),
    ("extract: the rest", extract, "extract"),
    ("annotate: fingerprint", copies, "fingerprint"),
    ("annotate: names and parties", parse, "find_mentions"),
    ("annotate: the rest", annotate, "annotate"),
    ("detect: windows", windows.Windows, "pieces"),
    ("detect: the encoder", encoder.Encoder, "scores"),
    ("detect: own kinds", own_kinds, "in_article"),
    ("detect: parties, dates, sums", drafts, "drafts"),
    ("detect: merge", merge, "merge"),
    ("detect: the rest", detect, "detect"),
)
"""Each step with the function that it is; the tokenizer and spaCy's components are added when the models are loaded."""


@dataclass(slots=True)
class Clock:
    """The CPU seconds of each step of this process, without those of the steps that it calls."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _open: list[float] = field(default_factory=list)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function in, the same with its time counted as the step `name` out."""

        def call(*args: Any, **options: Any) -> Any:
            began = time.process_time()
            self._open.append(0.0)
            try:
                return function(*args, **options)
            finally:
                took = time.process_time() - began
                self.seconds[name] += took - self._open.pop()
                if self._open:
                    self._open[-1] += took

        return call

    @contextlib.contextmanager
    def on(self, steps: Sequence[tuple[str, Any, str]]) -> Iterator[None]:
        """Count the time of these functions (name, owner, attribute) while the block runs."""
        before = [(owner, name, getattr(owner, name)) for _, owner, name in steps]
        try:
            for label, owner, name in steps:
                setattr(owner, name, self.timed(label, getattr(owner, name)))
            yield
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)


def by_step(settings: Settings, articles: Sequence[Article]) -> dict[str, float]:
    """Articles in, the CPU seconds of each step for 1,000 of them out, the largest first, and of spaCy alone (`PLAIN`)."""
    models = detect.load_models(settings)
    for one in articles[:4]:  # what is loaded at first use is no cost of an article
        flow.read(one, models)
    clock = Clock()
    nlp = models.nlp
    steps = [*STEPS, ("annotate: tokenizer", nlp, "make_doc")]
    with clock.on(steps), _components(nlp, clock):
        for at in range(0, len(articles), ZONE):
            with nlp.memory_zone():
                for article in articles[at : at + ZONE]:
                    reading = flow.read(article, models)
                    clock.timed("records as JSON", lambda r=reading: [encode(r.document), *map(encode, r.events)])()
    name = next(name for name in settings.detect.models if spacy.util.is_package(name))
    whole = spacy.load(name)
    extracted = [extract.extract(article) for article in articles]
    texts = [text for one in extracted for text in (one.title, one.text)]
    clock.timed(PLAIN, lambda: [None for _ in whole.pipe(texts)])()
    return _ordered({name: 1000 * seconds / len(articles) for name, seconds in clock.seconds.items()})


@contextlib.contextmanager
def _components(nlp: Any, clock: Clock) -> Iterator[None]:
    """Count the time of each component of a pipeline while the block runs."""
    before = list(nlp._components)  # noqa: SLF001 - spaCy has no public way to wrap a component in place
    nlp._components[:] = [(name, clock.timed(f"annotate: {name}", part)) for name, part in before]  # noqa: SLF001
    try:
        yield
    finally:
        nlp._components[:] = before  # noqa: SLF001


def by_process(settings: Settings, articles: Sequence[SyntheticArticle], *, workers: int, briefs: int) -> Found:
    """Articles in, the CPU seconds of each process of the whole path for 1,000 of them out, the largest first.

    What each uses without work is taken off, and told for 1,000 s. With `briefs`, so many further briefs of articles are then
    put on their topic, which are folded into stories, and the CPU seconds for 1,000 of them are told too.
    """
    with running(settings, "cpu") as rig:
        for number in range(2, workers + 1):
            rig.start_another_worker(number)
        samples = measure.pages(settings.path(measure.SAMPLE))
        warm = list(measure.make_articles(samples, 2 * ZONE, name="warm", chance=random.Random(1)))
        used(rig, lambda: rig.release_and_watch(warm), 1, defaultdict(float))
        idle = at_rest(rig)
        found = {"articles, by process": used(rig, lambda: rig.release_and_watch(articles), len(articles), idle)}
        found["seconds at rest, by process"] = {name: 1000 * seconds for name, seconds in _ordered(idle).items()}
        if briefs:
            found["briefs, by process"] = used(rig, lambda: fold(rig, briefs), briefs, idle)
    return found


def used(rig: Rig, work: Callable[[], None], count: int, idle: dict[str, float]) -> dict[str, float]:
    """Do some work and wait until nothing is left to read; return the CPU seconds of each process for 1,000 of `count`.

    `idle` are the CPU seconds that each uses in a second without work; they are no cost of the work.
    """
    began, before = time.monotonic(), cpu_seconds(process_ids(rig))
    work()
    while any(lag.records for lag in bus.lags(rig.settings)):
        time.sleep(1.0)
    after, took = cpu_seconds(process_ids(rig)), time.monotonic() - began
    return _ordered({name: 1000 * max(0.0, after[name] - before[name] - took * idle[name]) / count for name in after})


def at_rest(rig: Rig) -> dict[str, float]:
    """Return the CPU seconds that each process uses in a second in which there is nothing to do."""
    before = cpu_seconds(process_ids(rig))
    time.sleep(REST_SECONDS)
    after = cpu_seconds(process_ids(rig))
    return {name: (after[name] - before[name]) / REST_SECONDS for name in after}


def fold(rig: Rig, number: int) -> None:
    """Put so many briefs on their topic: those that are there, each as a further article about the same."""
    known = [decode(message.value, Brief) for message in bus.read_all(rig.settings, bus.BRIEFS)]
    publisher = bus.Publisher(rig.settings)
    replace = msgspec.structs.replace
    for count in range(number):
        brief = known[count % len(known)]
        made = content_id(brief.id, count)
        events = tuple(replace(e, id=content_id(e.id, count), article_id=made) for e in brief.events)
        brief = replace(brief, id=made, publisher=f"Paper {count}", fingerprint=(), events=events)
        publisher.send(bus.BRIEFS, made.encode(), encode(brief), partition=PARTITION)
    publisher.flush()
    publisher.close()


def _ordered(seconds: dict[str, float]) -> dict[str, float]:
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=120)
    parser.add_argument("--steps", action="store_true", help="only the steps, without the servers")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--briefs", type=int, default=0, help="also fold so many further articles into stories")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    settings = msgspec.structs.replace(Settings(), directory=str(CONFIGS))
    logs.set_up(settings.log, least="warning")
    samples = measure.pages(settings.path(measure.SAMPLE))
    articles = list(measure.make_articles(samples, given.articles, name="cpu", chance=random.Random(7)))
    steps = by_step(settings, [measure.as_article(one) for one in articles])
    plain = steps.pop(PLAIN)
    found = {"articles, plain": {PLAIN: plain}, "articles, by step": steps}
    if not given.json:
        show("articles, by step", steps, plain)
    if not given.steps:
        processes = by_process(settings, articles, workers=given.workers, briefs=given.briefs)
        found |= processes
        for kind, seconds in processes.items() if not given.json else ():
            show(kind, seconds, plain)
    if given.json:
        sys.stdout.write(
            json.dumps({kind: {k: round(v, 2) for k, v in of.items()} for kind, of in found.items()}) + "\n"
        )


def show(kind: str, seconds: dict[str, float], plain: float) -> None:
    """Print the CPU seconds of steps or processes, their sum, and beside each the share of spaCy's whole pipeline."""
    sys.stdout.write(f"CPU seconds per 1,000 {kind}; beside it the share of {PLAIN} of 1,000 articles\n")
    for name, value in [*seconds.items(), ("all of them", sum(seconds.values())), (PLAIN, plain)]:
        sys.stdout.write(f"  {name:32}{value:8.1f}{value / plain:8.2f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
