"""What is made of events: stories and alerts, the feedback of people, and records that could not be processed."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from pipeline.records.understanding import Event, EventType, Modality, Money, Party, Place, Quantity, When
from pipeline.records.wire import Record, Value

Phase = Literal["planned", "happened", "ended"]
Trigger = Literal["new", "update", "phase", "spike"]


class Report(Value, frozen=True, kw_only=True):
    """One event as its story keeps it: where, when and by whom it was reported.

    `source` names the independent source that it counts for. Articles that print one agency's text share a source.
    """

    event_id: str
    article_id: str
    article_url: str
    publisher: str
    evidence: str
    modality: Modality
    confidence: float
    seen_at: dt.datetime
    published_at: dt.datetime | None = None
    credit: str | None = None
    fingerprint: tuple[int, ...] = ()
    title: str = ""
    source: str = ""
    attributed_to: str | None = None
    language: str | None = None
    trigger: str = ""
    event_mode: str | None = None
    contexts: tuple[str, ...] = ()


class Moment(Value, frozen=True, kw_only=True):
    """One entry of a story's timeline: what changed, and when (event time)."""

    at: dt.datetime
    what: str


class Story(Record, frozen=True, kw_only=True):
    """The reports of one real-world event. `revision` grows by one with each change and orders the versions in the index.

    `opened_at` is when its first event was seen and, unlike `first_seen_at`, never changes: it chooses the story's index.
    `reports` is limited (the oldest and the best are kept); `event_ids` is complete as long as the story is open. `phases`
    are those it went through, `occasions` those at which a rule may raise an alert: "new", "phase:happened", "spike:10",
    "update:1" ... `subject_ids` are the articles about it, `subject` their words. `part_of` and the last three are explained
    in docs/design.md.
    """

    id: str
    revision: int
    headline: str
    kind: str
    event_type: EventType
    modality: Modality
    phase: Phase
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    opened_at: dt.datetime | None = None
    subtype: str | None = None
    actors: tuple[Party, ...] = ()
    recipients: tuple[Party, ...] = ()
    places: tuple[Place, ...] = ()
    date: When | None = None
    money: tuple[Money, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    items: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    source_count: int = 0
    article_count: int = 0
    confidence: float = 0.0
    change: Trigger = "new"
    event_ids: tuple[str, ...] = ()
    article_ids: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    timeline: tuple[Moment, ...] = ()
    phases: tuple[Phase, ...] = ()
    occasions: tuple[str, ...] = ()
    subject: dict[str, float] = msgspec.field(default_factory=dict)
    subject_ids: tuple[str, ...] = ()
    part_of: str = ""
    merged_into: str = ""
    merged_ids: tuple[str, ...] = ()
    split_from: str = ""


class Alert(Record, frozen=True, kw_only=True):
    """A rule matched a story. `id` is a hash of rule, story and occasion: the idempotency key of its delivery.

    `held` says why it is not sent: muted, throttled or digest. Its `channels` are empty then, and `meant_for` has the
    channels of the rule. An alert held for a digest is sent at `held_until` by the alert that lists it in `gathers`. `parts`
    are the values for the placeholders of a template.
    """

    id: str
    rule: str
    about: str
    story_id: str
    story_revision: int
    occasion: str
    raised_at: dt.datetime
    headline: str
    message: str
    kind: str
    event_type: EventType
    modality: Modality
    evidence: str
    url: str
    confidence: float
    first_seen_at: dt.datetime
    opened_at: dt.datetime | None = None
    countries: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    family: str = ""
    event_id: str = ""
    article_id: str = ""
    held: Literal["", "muted", "throttled", "digest"] = ""
    held_until: dt.datetime | None = None
    meant_for: tuple[str, ...] = ()
    gathers: tuple[str, ...] = ()
    parts: dict[str, str] = msgspec.field(default_factory=dict)


class Feedback(Record, frozen=True, kw_only=True):
    """A person's feedback on alerts. `name` is a rule, a story's id or an alert's id, as `target` says.

    `mute`: no alerts from `at` until `until` (for ever if it is None), in event time. `ack`: the alert was right.
    `false`: it was a false alarm, so its rule raises no more alerts for its story from `at` on; `event` is the wrong event.
    """

    id: str
    verdict: Literal["mute", "ack", "false"]
    target: Literal["rule", "story", "alert"]
    name: str
    at: dt.datetime
    until: dt.datetime | None = None
    rule: str = ""
    story_id: str = ""
    headline: str = ""
    evidence: str = ""
    note: str = ""
    by: str = ""
    event: Event | None = None


class Failure(Record, frozen=True, kw_only=True):
    """A record that could not be processed: its raw bytes, the stage, and the error. See `dateline quarantine`.

    `raw` is empty where `raw_size` (bytes) is too large for a topic. Such a record is read again from its own topic.
    """

    id: str
    stage: str
    error_type: str
    error: str
    topic: str
    failed_at: dt.datetime
    partition: int | None = None
    offset: int | None = None
    key: bytes | None = None
    raw: bytes = b""
    raw_size: int = 0
    version: str = ""
    traceback: str = ""
