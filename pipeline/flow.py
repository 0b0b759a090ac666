"""The path, pure: Article -> Document -> Events -> Story -> Alerts. No Kafka, no clock, no network.

`app.py` runs the same functions on Kafka; `dateline trace` runs them on one file. Read this page to know the program.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline import alert, annotate, detect, extract, track
from pipeline.records import Alert, Article, Document, Event, Story


@dataclass(frozen=True, slots=True)
class Reading:
    """What one article says: its document, its events, and the seconds each step took."""

    document: Document
    events: tuple[Event, ...]
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """One article through the whole path, each record as it was made."""

    article: Article
    reading: Reading
    stories: tuple[Story, ...]
    alerts: tuple[Alert, ...]


def read(article: Article, mind: detect.Mind) -> Reading:
    """Article in, what it says out.

    Raises:
        Rejected: the page holds no article text.
    """
    began = time.perf_counter()
    extracted = extract.extract(article)
    extracted_at = time.perf_counter()
    parsed = annotate.annotate(article, extracted, mind)
    annotated_at = time.perf_counter()
    events = detect.detect(parsed, mind)
    seconds = {
        "extract": extracted_at - began,
        "annotate": annotated_at - extracted_at,
        "detect": time.perf_counter() - annotated_at,
    }
    return Reading(parsed.document, events, seconds)


def follow(stories: track.Stories, events: Iterable[Event]) -> Iterator[Story]:
    """Events in, the stories that each of them changed out, in order. An event that is known already changes nothing."""
    for event in events:
        if (story := stories.fold(event)) is not None:
            yield story


def trace(article: Article, mind: detect.Mind, rules: Sequence[alert.Rule]) -> Trace:
    """Article in, every record it leads to out: the newcomer's tour and the golden tests' entry.

    Raises:
        Rejected: the page holds no article text.
    """
    reading = read(article, mind)
    stories = track.Stories()
    changed = list(follow(stories, reading.events))
    alerts = {a.id: a for story in changed for a in alert.evaluate(rules, story)}
    latest = {story.id: story for story in changed}
    return Trace(article, reading, tuple(latest.values()), tuple(alerts.values()))
