"""Articles in, events and stories out, with the models loaded once. No Kafka, no Elasticsearch, no network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from pipeline import detect as detection
from pipeline import flow, settings
from pipeline.flow import Reading
from pipeline.operate import offline
from pipeline.records import Article, Event, Story, content_id
from pipeline.stage import Rejected
from pipeline.track.brief import briefs_of
from pipeline.track.stories import Stories


def read_article(
    source: str | Path,
    *,
    url: str = "",
    title: str = "",
    publisher: str = "",
    published: str | dt.datetime | None = None,
) -> Article:
    """Return an article: of a file (HTML or text) if `source` is a Path, else of the text or HTML that `source` is.

    `published` is when it was published (ISO 8601; UTC where it names no zone); dates in words, like "on Tuesday", are counted
    from there. Without it the date of the page is taken, or now. The id is a hash of `url`, else of the file's address or text.

    Raises:
        OfflineError: `published` is not a time.
        OSError: the file cannot be read.
    """
    raw = source.read_bytes() if isinstance(source, Path) else source.encode()
    name = source if isinstance(source, Path) else Path("text")
    at = published.isoformat() if isinstance(published, dt.datetime) else published
    address = url or (name.absolute().as_uri() if isinstance(source, Path) else f"text:{content_id(source)}")
    found = offline.article(raw, name=name, published=at, url=address, now=dt.datetime.now(dt.UTC))
    return msgspec.structs.replace(found, title=title, publisher=publisher)


class Reader:
    """Holds the models: loading takes seconds, reading an article milliseconds. Use one for all articles, on one thread.

    `config` is the directory of dateline.toml (default: $DATELINE_CONFIG, else ./configs). Where that file is missing every
    option has its default.

    Raises:
        SettingsError, KindError, ReaderError, ModelError: an option, a kind of the user's own or a model is wrong or missing.
    """

    def __init__(self, config: str | Path | None = None) -> None:
        self.settings = settings.load(Path(config) if config is not None else None)
        self._models = detection.load_models(self.settings)

    def read(self, article: Article) -> Reading:
        """Return what an article says: `document` with sentences and entities, `events` with evidence.

        Raises:
            Rejected: it has no text of an article; `reason` is one of `pipeline.stage.REASONS`, for example too_short.
        """
        return flow.read(article, self._models)

    def detect(self, text: str, *, title: str = "", published: str | dt.datetime | None = None) -> tuple[Event, ...]:
        """Return the events of a text. One of fewer than 40 characters, or not in English, has none.

        Raises:
            OfflineError: `published` is not a time.
        """
        try:
            return self.read(read_article(text, title=title, published=published)).events
        except Rejected:
            return ()


@cache
def _reader() -> Reader:
    return Reader()


def detect(text: str, *, title: str = "", published: str | dt.datetime | None = None) -> tuple[Event, ...]:
    """Return the events of a text, by a reader that is loaded at the first call. As `Reader.detect`."""
    return _reader().detect(text, title=title, published=published)


class StoryLog:
    """Follows stories: add articles, as `Reader.read` returns them, in the order in which they were published.

    Iterating yields every story at its last revision, also those that were merged into another (`merged_into`) or are closed.
    """

    def __init__(self) -> None:
        self._tracked = Stories()
        self._latest: dict[str, Story] = {}

    def add(self, found: Reading | Iterable[Event]) -> list[Story]:
        """Add an article; return the stories that are new or changed, at their last revision.

        Events of an article may be given in its place; what it is about is then read from its title and their evidence alone.
        """
        briefs = (found.brief,) if isinstance(found, Reading) else briefs_of(found)
        changed = {story.id: story for story in flow.follow(self._tracked, briefs)}
        self._latest |= changed
        return list(changed.values())

    def __iter__(self) -> Iterator[Story]:
        return iter(self._latest.values())

    def __len__(self) -> int:
        return len(self._latest)
