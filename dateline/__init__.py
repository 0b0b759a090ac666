"""Dateline in Python, for notebooks and programs: read articles, follow stories, ask a running Dateline.

    from dateline import Client, Reader, Stories, detect, frame, read_article

docs/python.md shows each with its output. The service itself is in the package `pipeline`, and its records (Article, Event,
Story ...) are in `pipeline.records`.
"""

from dateline.client import Client, ClientError
from dateline.frames import frame
from dateline.reading import Reader, detect, read_article
from dateline.reading import StoryLog as Stories
from pipeline.flow import Reading
from pipeline.records import Alert, Article, Document, Event, Story

__all__ = [
    "Alert", "Article", "Client", "ClientError", "Document", "Event", "Reader", "Reading", "Stories", "Story", "detect",
    "frame", "read_article",
]  # fmt: skip
