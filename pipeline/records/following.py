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

    `source` names the independent source that it counts for. Articles that print one agency's text share a source. `kind` to
    `tolls` are what this report says and the reader is sure of, for the structured line: `actors` and `recipients` are names,
    `amounts` have currency and value, `tolls` unit and number. `lead`: the article is about it, by its title and lead.
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
    lead: bool = False
    kind: str = ""
    actors: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    day: dt.date | None = None
    amounts: tuple[tuple[str, float], ...] = ()
    tolls: tuple[tuple[str, float], ...] = ()


class Moment(Value, frozen=True, kw_only=True):
    """One entry of a story's timeline: what changed, and when (event time)."""

    at: dt.datetime
    what: str


class StoryArticle(Value, frozen=True, kw_only=True):
    """An article of a story. `copy_of` is the id of the earlier article whose text it repeats (a wire copy), or empty.

    `central` is the share (0 to 1) of the story's own words that the article has: the title of the highest is the headline.
    """

    id: str
    title: str
    seen_at: dt.datetime
    url: str = ""
    publisher: str = ""
    credit: str | None = None
    published_at: dt.datetime | None = None
    copy_of: str = ""
    central: float = 0.0
    fingerprint: tuple[int, ...] = ()


class Happening(Value, frozen=True, kw_only=True):
    """One real-world event inside a story: what kind, who, where, when, how much, and the reports that tell it.

    `line` says it in one structured line where every part of it is sure, and is empty otherwise. `phases` are those it went
    through, `occasions` those at which a rule may raise an alert: "new", "phase:happened", "spike:10", "update:1" ...
    `background`: no article of the story tells it in its title or lead; it opens no alert. `shares`: the highest of its events.
    """

    id: str
    kind: str
    event_type: EventType
    modality: Modality
    phase: Phase
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    line: str = ""
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
    background: bool = False
    merged_ids: tuple[str, ...] = ()
    shares: dict[str, float] = msgspec.field(default_factory=dict)


class Difference(Value, frozen=True, kw_only=True):
    """A sum or toll on which the reports of a happening differ: each value with the publishers that tell it.

    `unit` is a currency (ISO 4217) or the thing counted (`dead`), `happening` the id of the happening.
    """

    happening: str
    unit: str
    values: tuple[float, ...]
    publishers: tuple[tuple[str, ...], ...] = ()


class Related(Value, frozen=True, kw_only=True):
    """Another story with the same parties, places or words, and how alike the two are (cosine, 0 to 1)."""

    id: str
    headline: str
    alike: float = 0.0


class Story(Record, frozen=True, kw_only=True):
    """The articles on one piece of news. `revision` grows by one with each change and orders the versions in the index.

    `opened_at` is when its first article was seen and, unlike `first_seen_at`, never changes: it chooses the story's index.
    `headline` is `title`, the title of the most central article (`central_article` is its id, `publisher` who published it).
    `line` is the structured line of the main happening where it is sure, else empty. `articles` are in the order in which
    they were seen, and limited as `happenings` and `reports` are; `event_ids` and `article_ids` are complete as long as the
    story is open. The fields `kind` to `occasions` are those of the main happening; `kind` is empty and
    `event_type` None if the articles tell none. `subject` are the words of the articles, `lead_words` those of their titles and
    leads, `lead_names` the names and numbers there; of each article they have length 1 by TF-IDF, as its words have. `years`:
    how many of the articles without a date name each year as their latest. `touched` are the happenings that this revision
    changed, `related` the open stories most like it.
    """

    id: str
    revision: int
    headline: str
    kind: str
    event_type: EventType | None
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
    title: str = ""
    publisher: str = ""
    central_article: str = ""
    line: str = ""
    articles: tuple[StoryArticle, ...] = ()
    happenings: tuple[Happening, ...] = ()
    differences: tuple[Difference, ...] = ()
    related: tuple[Related, ...] = ()
    lead_words: dict[str, float] = msgspec.field(default_factory=dict)
    lead_names: dict[str, float] = msgspec.field(default_factory=dict)
    years: dict[int, int] = msgspec.field(default_factory=dict)
    touched: tuple[str, ...] = ()


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
    event_type: EventType | None
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
    happening_id: str = ""
    source_count: int = 0
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
