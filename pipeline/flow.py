"""The path, pure: Article -> Document and Events -> Story -> Alerts. No Kafka, no clock, no network.

worker/ runs the same functions on Kafka; `dateline trace` runs them on one file. To know the program, read this file first.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline import annotate, detect
from pipeline.alert.evaluate import evaluate
from pipeline.alert.rules import Rule
from pipeline.page import extract
from pipeline.records import Alert, Article, Brief, Document, Event, Story
from pipeline.track.brief import brief
from pipeline.track.stories import Stories


@dataclass(slots=True)
class Steps:
    """The current step of an article and the seconds that each step took, known even after an error."""

    current: str = "extract"
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run a block as the step `name`."""
        self.current = name
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Reading:
    """The document and the events of one article."""

    document: Document
    events: tuple[Event, ...]

    @property
    def brief(self) -> Brief:
        """What the tracker needs of the article."""
        return brief(self.document, self.events)


@dataclass(frozen=True, slots=True)
class Trace:
    """Every record that one article leads to."""

    article: Article
    reading: Reading
    stories: tuple[Story, ...]
    alerts: tuple[Alert, ...]


def read(article: Article, models: detect.Models, steps: Steps | None = None) -> Reading:
    """Return the document and the events of an article.

    Raises:
        Rejected: the page contains no article text.
    """
    steps = steps or Steps()
    with steps.step("extract"):
        extracted = extract.extract(article)
    with steps.step("annotate"):
        parsed = annotate.annotate(article, extracted, models)
    with steps.step("detect"):
        events = detect.detect(parsed, models)
    return Reading(parsed.document, events)


def follow(stories: Stories, briefs: Iterable[Brief]) -> Iterator[Story]:
    """Fold articles into stories and yield each story that changed, in order. A known article changes nothing."""
    for one in briefs:
        yield from stories.fold(one)


def trace(article: Article, models: detect.Models, rules: Sequence[Rule]) -> Trace:
    """Return every record that an article leads to. `dateline trace` and the golden tests start here.

    Raises:
        Rejected: the page contains no article text.
    """
    reading = read(article, models)
    stories = Stories()
    changed = list(follow(stories, (reading.brief,)))
    alerts = {a.id: a for story in changed for a in evaluate(rules, story)}
    latest = {story.id: story for story in changed}
    return Trace(article, reading, tuple(latest.values()), tuple(alerts.values()))
