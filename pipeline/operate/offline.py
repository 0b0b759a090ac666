"""Files or JSON lines in, the records that flow.py makes of them out. No Kafka, no Elasticsearch.

The time is the article's own: an article that is read years later counts as first seen on the day it was published, so that
rules ring as they did then.
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
from pipeline.annotate.subject import about, latest_year
from pipeline.detect import explain as reasons
from pipeline.detect.explain import ExplainedSentence
from pipeline.page import extract
from pipeline.records import Article, Brief, Story, content_id
from pipeline.settings import Settings
from pipeline.stage import Rejected
from pipeline.track.brief import first_sentence
from pipeline.track.stories import Stories

HTML_ENDINGS: Final = frozenset({".html", ".htm", ".xhtml"})
LINES_AT_ONCE: Final = 128
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class OfflineError(ValueError):
    """An argument, file or article that cannot be used; the message says why."""


class ArticleLine(msgspec.Struct, frozen=True, kw_only=True):
    """An article as a JSON line, as `dateline detect` reads it; only `dateline stories` uses `publisher`."""

    id: str | int
    text: str
    published: str | None = None
    url: str = ""
    title: str = ""
    publisher: str = ""


# --- articles --------------------------------------------------------------------------------------------------------


def moment(text: str) -> dt.datetime:
    """Return the time of an ISO 8601 text, in UTC if it names no zone.

    Raises:
        OfflineError: the text is not a date or time.
    """
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise OfflineError(f"{text!r} is not a date or time in ISO 8601, like 2023-03-21T06:00:00+11:00") from None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def article(raw: bytes, *, name: Path, published: str | None, url: str | None, now: dt.datetime) -> Article:
    """Return the Article that a collector would make of the bytes of the file `name`.

    Raises:
        OfflineError: `published` is not a time.
    """
    text = raw.decode("utf-8-sig", "replace")
    address = url or name.absolute().as_uri()
    at = moment(published) if published else None
    found = Article(
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
    return found if at else _seen_when_published(found)


def is_html(text: str, name: Path) -> bool:
    """Return whether a file is HTML, by its name or its first characters."""
    start = text.lstrip()[:2000].lower()
    return name.suffix.lower() in HTML_ENDINGS or start.startswith(("<!doctype", "<html")) or "<body" in start


def _seen_when_published(found: Article) -> Article:
    """Return the article as first seen on the date that its page gives, and as fetched after its last update."""
    with contextlib.suppress(Rejected):
        page = extract.extract(found)
        if page.published_at is not None:
            last = max(at for at in (page.published_at, page.updated_at, *(one.at for one in page.updates)) if at)
            return msgspec.structs.replace(found, first_seen_at=page.published_at, fetched_at=last)
    return found


def from_line(line: ArticleLine, *, last_at: dt.datetime) -> Article:
    """Return the Article of a line. Without a date it counts as seen at `last_at`, the time of the line before it."""
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
    """Return the rules of alerts.toml.

    Raises:
        SettingsError: something in the file is wrong.
    """
    return rule_files.load(settings).rules


def trace(settings: Settings, one: Article) -> flow.Trace:
    """Return every record that an article leads to.

    Raises:
        OfflineError: the page contains no article.
        SettingsError, KindError, ReaderError, ModelError: a rule, kind or model is wrong or missing.
    """
    wanted = rules(settings)
    try:
        return flow.trace(one, detect.load_models(settings), wanted)
    except Rejected as rejected:
        raise OfflineError(f"{one.url}: no article in it: {rejected}") from rejected


def trace_table(traced: flow.Trace) -> dict[str, Any]:
    """Return a trace as plain dicts and lists, for --json."""
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


def explain(settings: Settings, one: Article) -> tuple[ExplainedSentence, ...]:
    """Return the sentences of an article with everything that was found in them, and why.

    Raises:
        OfflineError: the page contains no article.
        KindError, ReaderError, ModelError: a kind or model is wrong or missing.
    """
    models = detect.load_models(settings)
    try:
        return reasons.explain(annotate.annotate(one, extract.extract(one), models), models)
    except Rejected as rejected:
        raise OfflineError(f"{one.url}: no article in it: {rejected}") from rejected


# --- many articles ---------------------------------------------------------------------------------------------------


class StoryRun:
    """Sends articles through the path in date order and holds their stories. Iterate `lines`, then ask for `stories`.

    The lines may be in any order: all are read first and sorted by date, those of one date in the order given.
    """

    def __init__(self, settings: Settings, *, changed: Callable[[Story], object] = lambda _story: None) -> None:
        self._models = detect.load_models(settings)
        self._stories = Stories(settings.track)
        self._all: dict[str, Story] = {}
        self._on_change = changed
        self._last_at = EPOCH

    def lines(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Read lines as for detect, yield `{"id", "stories"}` lines in the same order, for a bad line `{"id", "error"}`."""
        raws = [line for line in lines if line.strip()]
        decoded = [self._decode(raw) for raw in raws]
        dated = sorted((one.first_seen_at, n) for n, one in enumerate(decoded) if isinstance(one, Article))
        found = {n: _answer(one) for n, one in enumerate(decoded) if isinstance(one, Exception)}
        for batch in annotate.batches((n for _, n in dated), LINES_AT_ONCE):
            articles = {n: one for n in batch if isinstance(one := decoded[n], Article)}
            read = self._read(list(articles.values()))
            for n, one in articles.items():
                found[n] = self._fold(read.get(id(one)) or stub(one))
        for n, raw in enumerate(raws):
            yield msgspec.json.encode({"id": _id_of(raw), **self._settled(found[n])})

    def stories(self) -> Iterator[bytes]:
        """Yield all stories at their last revision as JSON, in the order in which they began."""
        for story in self._all.values():
            yield msgspec.json.encode(story)

    def _decode(self, raw: bytes) -> Article | Exception:
        try:
            one = from_line(msgspec.json.decode(raw, type=ArticleLine), last_at=self._last_at)
        except (msgspec.DecodeError, UnicodeDecodeError, OfflineError) as error:
            return error
        self._last_at = one.first_seen_at
        return one

    def _read(self, articles: Sequence[Article]) -> dict[int, Brief | Exception]:
        """Return the brief (or the error) of each article by the id() of its object. This is `flow.read` for many articles."""
        pairs = []
        found: dict[int, Brief | Exception] = {}
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
                    found[id(one)] = flow.Reading(parsed.document, detect.detect(parsed, self._models)).brief
                except Exception as error:  # noqa: BLE001 - as above
                    found[id(one)] = error
        return found

    def _fold(self, found: Brief | Exception) -> dict[str, Any]:
        if isinstance(found, Exception):
            return _answer(found)
        for story in flow.follow(self._stories, (found,)):
            self._all[story.id] = story
            self._on_change(story)
        own = self._stories.story_of(found.id)
        return {"stories": [own.id] if own is not None else []}

    def _settled(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer with each story that was merged meanwhile replaced by the one that it was merged into."""
        if "stories" not in answer:
            return answer
        ids = []
        for story_id in answer["stories"]:
            last = story_id
            while into := self._all[last].merged_into:
                last = into
            ids.append(last)
        return {"stories": ids}


def stub(one: Article) -> Brief:
    """Return the brief of an article that the path rejects (too short, no text): its title and its text as they stand."""
    told = about(one.title or "", one.html)
    return Brief(
        id=one.id, url=one.url, title=one.title or first_sentence(one.html), first_seen_at=one.first_seen_at,
        publisher=one.publisher, published_at=one.published_at, words=told.words, lead=told.lead, names=told.names,
        lead_names=told.lead_names, year=latest_year(one.title or "", one.html, until=one.first_seen_at.year),
    )  # fmt: skip


def _answer(error: Exception) -> dict[str, Any]:
    return {"error": str(error) or type(error).__name__}


def _id_of(raw: bytes) -> object:
    try:
        table = json.loads(raw)
    except ValueError:
        return None
    return table.get("id") if isinstance(table, dict) else None
