"""The records of Dateline, frozen and typed, and how they are encoded on the wire.

A record is JSON on the wire, with its name (`record`) and the version of its schema (`schema`). A field that is added later has
a default, and the type of a field never changes. So an old worker can read a new record and a new worker an old one; only a
record with a higher schema version than `SCHEMA` is refused. Ids are hashes of content, so that every step can run twice.

wire.py            what all records have in common, and bytes -> record
collection.py      feeds and articles
understanding.py   documents and events
following.py       stories, alerts, feedback and failures
"""

from pipeline.records.collection import Article, Feed, FeedState, SeenEntry
from pipeline.records.following import (
    Alert,
    Difference,
    Failure,
    Feedback,
    Happening,
    Moment,
    Phase,
    Related,
    Report,
    Story,
    StoryArticle,
    Trigger,
)
from pipeline.records.understanding import (
    Brief,
    Document,
    Entity,
    Event,
    EventType,
    Evidence,
    Export,
    Modality,
    Money,
    PageUpdate,
    Party,
    Place,
    Precision,
    Quantity,
    Section,
    Sentence,
    When,
)
from pipeline.records.wire import SCHEMA, Record, RecordError, Value, content_id, decode, encode

__all__ = [
    "SCHEMA",
    "Alert",
    "Article",
    "Brief",
    "Difference",
    "Document",
    "Entity",
    "Event",
    "EventType",
    "Evidence",
    "Export",
    "Failure",
    "Feed",
    "FeedState",
    "Feedback",
    "Happening",
    "Modality",
    "Moment",
    "Money",
    "PageUpdate",
    "Party",
    "Phase",
    "Place",
    "Precision",
    "Quantity",
    "Record",
    "RecordError",
    "Related",
    "Report",
    "Section",
    "SeenEntry",
    "Sentence",
    "Story",
    "StoryArticle",
    "Trigger",
    "Value",
    "When",
    "content_id",
    "decode",
    "encode",
]
