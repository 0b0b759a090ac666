"""What is made of events: stories, alerts, what people say of them, and what could not be processed."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from pipeline.records.understanding import Event, EventType, Modality, Money, Party, Place, Quantity, When
from pipeline.records.wire import Record, Value

Phase = Literal["planned", "happened", "ended"]
Trigger = Literal["new", "update", "phase", "spike"]


class Report(Value, frozen=True, kw_only=True):
    """One event as its story remembers it: where, when and by whom it was told.

    `source` names the independent source that it counts for: prints of one agency's text share it.
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
    """The reports of one happening. `revision` grows by one with each change and orders them in the index.

    `opened_at` is when its first event was seen and, unlike `first_seen_at`, never changes: it chooses the story's index.
    `reports` is bounded (oldest and best kept); `event_ids` is complete for as long as the story is open. `phases` are
    those it went through, `occasions` what a rule may ring for: "new", "phase:happened", "spike:10", "update:1" ...
    `subject_ids` are the articles about it, `subject` their words; of `part_of` and the last three docs/design.md tells.
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
    """A rule rang for a story. `id` is a hash of rule, story and occasion: the idempotency key of its delivery.

    `held` says why it goes to nobody (its `channels` are empty then, those it was meant for are in `meant_for`): muted,
    throttled, or digest, until the one of `held_until` that `gathers` it. `parts` are the placeholders of a template.
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
    """What a person said of alerts. `name` is a rule, a story's id or an alert's id, as `target` says.

    `mute`: no bell from `at` until `until` (for ever where there is none), in event time. `ack`: the alert was right.
    `false`: it was a false alarm, so its rule rings no more for its story from `at` on; `event` is what was read wrongly.
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
    """A record that could not be processed: the raw bytes, who tried, and why it failed. See `dateline quarantine`.

    `raw` is empty where `raw_size` (bytes) is too large for a topic: such a record is read again from its own place.
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
