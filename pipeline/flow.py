"""The path, pure: Article -> Document -> Events -> Story -> Alerts. No Kafka, no clock, no network.

`app.py` runs the same functions on Kafka; `dateline trace` runs them on one file. Read this page to know the program.
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
from pipeline.records import Alert, Article, Document, Event, Story
from pipeline.track.stories import Stories


@dataclass(slots=True)
class Steps:
    """Which step an article is in and the seconds each took: what is left to say when one of them fails."""

    current: str = "extract"
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A block that is the step `name`."""
        self.current = name
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Reading:
    """What one article says: its document and its events."""

    document: Document
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """One article through the whole path, each record as it was made."""

    article: Article
    reading: Reading
    stories: tuple[Story, ...]
    alerts: tuple[Alert, ...]


def read(article: Article, models: detect.Models, steps: Steps | None = None) -> Reading:
    """Article in, what it says out.

    Raises:
        Rejected: the page holds no article text.
    """
    steps = steps or Steps()
    with steps.step("extract"):
        extracted = extract.extract(article)
    with steps.step("annotate"):
        parsed = annotate.annotate(article, extracted, models)
    with steps.step("detect"):
        events = detect.detect(parsed, models)
    return Reading(parsed.document, events)


def follow(stories: Stories, events: Iterable[Event]) -> Iterator[Story]:
    """Events in, the stories that each of them changed out, in order. An event that is known already changes nothing."""
    for event in events:
        yield from stories.fold(event)


def trace(article: Article, models: detect.Models, rules: Sequence[Rule]) -> Trace:
    """Article in, every record it leads to out: the newcomer's tour and the golden tests' entry.

    Raises:
        Rejected: the page holds no article text.
    """
    reading = read(article, models)
    stories = Stories()
    changed = list(follow(stories, reading.events))
    alerts = {a.id: a for story in changed for a in evaluate(rules, story)}
    latest = {story.id: story for story in changed}
    return Trace(article, reading, tuple(latest.values()), tuple(alerts.values()))
