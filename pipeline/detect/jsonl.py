"""The body of `dateline detect --jsonl`: lines of JSON in, one line of JSON out for each, batched through the model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from pipeline import annotate
from pipeline.annotate.parse import BATCH, batches
from pipeline.detect.events import detect
from pipeline.detect.models import Models
from pipeline.detect.persons import words as word_set
from pipeline.records import Document

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
JUDGED_CHARACTERS = 1000
ENGLISH = word_set(
    "the of and to that for with by from has have had are its an after his her were been be which their who but not said says"
)
LEAST_ENGLISH = 0.1
"""Such a share of a text's words says English without asking; what is below may be a headline, and is asked about."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line in. `id` may be a number; `published` is ISO 8601 and UTC where it names no zone."""

    id: str | int
    text: str
    published: str | None = None
    url: str = ""
    title: str = ""


def detect_jsonl(lines: Iterable[str], models: Models) -> Iterator[str]:
    """Lines in, lines out in the same order: `{"id", "events"}`, or `{"id", "error"}` for one that cannot be read."""
    for batch in batches((line for line in lines if line.strip()), 4 * BATCH):
        read = [read_line(line) for line in batch]
        with models.nlp.memory_zone():
            told = _told([one for one in read if isinstance(one, Document)], models)
            for original, one in zip(batch, read, strict=True):
                if isinstance(one, Document):
                    yield _line({"id": _raw_id(original), **next(told)})
                else:
                    yield _line(one)


def _told(documents: Sequence[Document], models: Models) -> Iterator[dict[str, Any]]:
    """Documents in, the events of each out, or the error: a text that upsets the model or the rules costs its own line only.

    They are parsed together, which is quicker; where that fails, the rest is parsed one by one.
    """
    together = annotate.parse_many(documents, models)
    broken = False
    for document in documents:
        try:
            if not broken:
                try:
                    parsed = next(together)
                except Exception:  # noqa: BLE001 - whatever it was, it is met again, and told, at the text it belongs to
                    broken = True
            if broken:
                (parsed,) = annotate.parse_many([document], models)
            yield {"events": msgspec.to_builtins(detect(parsed, models))}
        except Exception as error:  # noqa: BLE001 - one text must not end the run of a million
            yield {"error": f"{type(error).__name__}: {error}"}


def _line(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


def _raw_id(line: str) -> object:
    return msgspec.json.decode(line)["id"]


def read_line(line: str) -> Document | dict[str, Any]:
    """A line in, its Document out; for one that cannot be read the line that says so."""
    try:
        given = msgspec.json.decode(line, type=Line)
        published = _when(given.published)
    except (msgspec.DecodeError, ValueError) as error:
        return {"id": _id_of(line), "error": str(error)}
    return Document(
        id=str(given.id),
        url=given.url,
        feed_id="",
        title=given.title,
        text=given.text,
        first_seen_at=published or EPOCH,
        fetched_at=published or EPOCH,
        content_hash="",
        published_at=published,
        language=_language(given.text),
    )


def _language(text: str) -> str | None:
    """What a text is written in, asked only of one with hardly any English word: that costs more than it takes to look."""
    words = [word.strip(".,;:\"'()") for word in text[:JUDGED_CHARACTERS].casefold().split()]
    if sum(word in ENGLISH for word in words) >= LEAST_ENGLISH * len(words):
        return None
    from pipeline.page.extract import language_of  # noqa: PLC0415 - reading kinds need not load what reads pages

    return language_of(text)


def _when(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    when = dt.datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)


def _id_of(line: str) -> object:
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return value.get("id") if isinstance(value, dict) else None
