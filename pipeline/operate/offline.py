"""The path at one's desk: files and lines in, what flow.py makes of them out. No Kafka, no Elasticsearch.

Time is the article's own here: what is read again years later is met on the day it was published, so it rings as it did then.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline import annotate, detect, flow
from pipeline.alert import rules as rule_files
from pipeline.alert.rules import Rule
from pipeline.detect import explain as reasons
from pipeline.detect.explain import Read
from pipeline.page import extract
from pipeline.records import Article, Event, Story, content_id
from pipeline.settings import Settings
from pipeline.stage import Rejected
from pipeline.track.stories import Stories

HTML_ENDINGS: Final = frozenset({".html", ".htm", ".xhtml"})
LINES_AT_ONCE: Final = 128
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class OfflineError(ValueError):
    """An argument, file or article that cannot be used; the message says why."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An article as a line of JSON, as for `dateline detect`; `publisher` is of use to `dateline stories`."""

    id: str | int
    text: str
    published: str | None = None
    url: str = ""
    title: str = ""
    publisher: str = ""


# --- articles --------------------------------------------------------------------------------------------------------


def moment(text: str) -> dt.datetime:
    """ISO 8601 in, the moment out; UTC where no zone is named.

    Raises:
        OfflineError: it is no date or time.
    """
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise OfflineError(f"{text!r} is not a date or time in ISO 8601, like 2023-03-21T06:00:00+11:00") from None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def article(raw: bytes, *, name: Path, published: str | None, url: str | None, now: dt.datetime) -> Article:
    """A file's bytes and its name in, the Article that a collector would have made of them out.

    Raises:
        OfflineError: `published` is no time.
    """
    text = raw.decode("utf-8-sig", "replace")
    address = url or name.absolute().as_uri()
    at = moment(published) if published else None
    made = Article(
        id=content_id(address),
        url=address,
        feed_id="",
        fetched_at=at or now,
        first_seen_at=at or now,
        content_hash=content_id(text),
        html=text,
        content_type="text/html" if is_html(text, name) else "text/plain",
        published_at=at,
    )
    return made if at else _met_when_published(made)


def is_html(text: str, name: Path) -> bool:
    """By its name, or by how it begins."""
    start = text.lstrip()[:2000].lower()
    return name.suffix.lower() in HTML_ENDINGS or start.startswith(("<!doctype", "<html")) or "<body" in start


def _met_when_published(made: Article) -> Article:
    """The same, met on the day that the page itself gives."""
    with contextlib.suppress(Rejected):
        at = extract.extract(made).published_at
        if at is not None:
            return msgspec.structs.replace(made, first_seen_at=at, fetched_at=at)
    return made


def from_line(line: Line, *, last_at: dt.datetime) -> Article:
    """A line in, its Article out; without a date it counts as published with the one before it."""
    at = moment(line.published) if line.published else last_at
    return Article(
        id=str(line.id),
        url=line.url,
        feed_id="",
        fetched_at=at,
        first_seen_at=at,
        content_hash=content_id(line.text),
        html=line.text,
        content_type="text/plain",
        title=line.title,
        publisher=line.publisher,
        published_at=at if line.published else None,
    )


# --- one article -----------------------------------------------------------------------------------------------------


def rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules of alerts.toml.

    Raises:
        SettingsError: something in it is wrong.
    """
    return rule_files.load(settings).rules


def trace(settings: Settings, one: Article) -> flow.Trace:
    """An article in, every record that it leads to out.

    Raises:
        OfflineError: it holds no article.
        SettingsError, LexiconError, ModelError: a rule, lexicon or model is not as it should be.
    """
    wanted = rules(settings)
    try:
        return flow.trace(one, detect.load_models(settings), wanted)
    except Rejected as rejected:
        raise OfflineError(f"{one.url}: no article in it: {rejected}") from rejected


def trace_table(traced: flow.Trace) -> dict[str, Any]:
    """The same as plain tables, for --json."""
    table: dict[str, Any] = msgspec.to_builtins(
        {
            "article": traced.article,
            "document": traced.reading.document,
            "events": traced.reading.events,
            "stories": traced.stories,
            "alerts": traced.alerts,
        }
    )
    return table


def explain(settings: Settings, one: Article) -> tuple[Read, ...]:
    """An article in, its sentences with all that was seen in them, and why, out.

    Raises:
        OfflineError: it holds no article.
        LexiconError, ModelError: a lexicon or model is not as it should be.
    """
    models = detect.load_models(settings)
    try:
        return reasons.explain(annotate.annotate(one, extract.extract(one), models), models)
    except Rejected as rejected:
        raise OfflineError(f"{one.url}: no article in it: {rejected}") from rejected


# --- many articles ---------------------------------------------------------------------------------------------------


class StoryRun:
    """Articles in date order through the path, with one memory of stories. Iterate `lines`, then ask for `stories`."""

    def __init__(self, settings: Settings, *, changed: Callable[[Story], object] = lambda _story: None) -> None:
        self._models = detect.load_models(settings)
        self._stories = Stories(settings.track)
        self._all: dict[str, Story] = {}
        self._tell = changed
        self._last_at = EPOCH

    def lines(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Lines as for detect in, `{"id", "stories"}` lines out; a bad line gives `{"id", "error"}`, and the rest goes on."""
        for batch in annotate.batches((line for line in lines if line.strip()), LINES_AT_ONCE):
            taken = [self._take(line) for line in batch]
            events = self._read([one for one in taken if isinstance(one, Article)])
            for raw, one in zip(batch, taken, strict=True):
                found = events.get(id(one), ()) if isinstance(one, Article) else one
                yield msgspec.json.encode({"id": _id_of(raw), **self._fold(found)})

    def stories(self) -> Iterator[bytes]:
        """All stories at their last revision, in the order of their beginning, as JSON."""
        for story in self._all.values():
            yield msgspec.json.encode(story)

    def _take(self, raw: bytes) -> Article | Exception:
        try:
            one = from_line(msgspec.json.decode(raw, type=Line), last_at=self._last_at)
        except (msgspec.DecodeError, UnicodeDecodeError, OfflineError) as error:
            return error
        self._last_at = one.first_seen_at
        return one

    def _read(self, articles: Sequence[Article]) -> dict[int, tuple[Event, ...] | Exception]:
        """Articles in, what each says out, by the identity of the article. `flow.read`, many at once."""
        pairs = []
        found: dict[int, tuple[Event, ...] | Exception] = {}
        for one in articles:
            try:
                pairs.append((one, extract.extract(one)))
            except Rejected:
                continue
            except Exception as error:  # noqa: BLE001 - one article must not end the run
                found[id(one)] = error
        with self._models.nlp.memory_zone():
            for (one, _), parsed in zip(pairs, annotate.annotate_many(pairs, self._models), strict=True):
                try:
                    found[id(one)] = detect.detect(parsed, self._models)
                except Exception as error:  # noqa: BLE001 - as above
                    found[id(one)] = error
        return found

    def _fold(self, found: tuple[Event, ...] | Exception) -> dict[str, Any]:
        if isinstance(found, Exception):
            return {"error": str(found) or type(found).__name__}
        for story in flow.follow(self._stories, found):
            self._changed(story)
        told = self._stories.told_in(found[0].article_id, (event.id for event in found)) if found else []
        return {"stories": told}

    def _changed(self, story: Story) -> None:
        self._all[story.id] = story
        self._tell(story)


def _id_of(raw: bytes) -> object:
    try:
        table = json.loads(raw)
    except ValueError:
        return None
    return table.get("id") if isinstance(table, dict) else None
