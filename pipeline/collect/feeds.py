"""feeds.toml in, the feeds to collect out; new feeds are added to the file. The only importer of tomli_w."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
import tomli_w
from msgspec import Meta

from pipeline import settings as settings_
from pipeline.collect import files
from pipeline.collect.fetch import FetchError
from pipeline.page import urls
from pipeline.records import Feed
from pipeline.settings import Section, Settings, SettingsError
from pipeline.toml import edit as toml_edit

DROP_FOLDER: Final = "drop-folder"
"""The id of the drop folder, which has a state like any feed."""

Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}$")]


class _Feed(Section, frozen=True, kw_only=True):
    """A [[feed]] of feeds.toml."""

    id: Id
    url: Annotated[str, Meta(min_length=1)]
    title: str = ""
    publisher: str = ""
    country: Country | None = None
    language: Language | None = None
    interval_seconds: Annotated[int, Meta(ge=1)] | None = None
    full_text: bool = False
    group: str = ""
    enabled: bool = True


class _FeedsFile(Section, frozen=True, kw_only=True):
    feed: tuple[_Feed, ...] = ()


def load(settings: Settings, *, disabled: bool = False) -> tuple[Feed, ...]:
    """Settings in, the feeds of `collector.feeds_file` out, in the order of the file; with `disabled` also the disabled ones.

    Raises:
        SettingsError: the file cannot be read, or an entry is wrong. The message names the file and the place.
    """
    file = settings.path(settings.collector.feeds_file)
    configured = settings_.convert(settings_.read_toml(file), _FeedsFile, where=str(file)).feed
    ids: dict[str, int] = {}
    addresses: dict[str, int] = {}
    for number, one in enumerate(configured):
        where = f"{file}: feed[{number}]"
        if one.id == DROP_FOLDER:
            raise SettingsError(f"{where}.id: {one.id!r} is the name of the drop folder; take another")
        if one.id in ids:
            raise SettingsError(
                f"{where}.id: {one.id!r} is the id of feed[{ids[one.id]}] too; give each feed an id of its own"
            )
        address = _address(one.url, where, settings)
        if address in addresses:
            first = configured[addresses[address]]
            raise SettingsError(
                f"{where}.url: {one.url} is the URL of feed[{addresses[address]}] ({first.id!r}) too; remove one of the two"
            )
        ids[one.id] = addresses[address] = number
    return tuple(_feed(one) for one in configured if one.enabled or disabled)


def as_toml(feeds: Iterable[Feed]) -> str:
    """Feeds in, their text in feeds.toml out."""
    fields = ("id", "url", "title", "publisher", "country", "language", "group", "interval_seconds", "full_text")
    tables = [{name: value for name in fields if (value := getattr(feed, name))} for feed in feeds]
    # one table for each feed, as people write it; the library alone would write one long array
    return "\n".join(f"[[feed]]\n{tomli_w.dumps(table).rstrip()}\n" for table in tables)


def add(settings: Settings, feeds: Iterable[Feed]) -> Path:
    """Add feeds at the end of `collector.feeds_file`, without a change to its other lines; return the file.

    Raises:
        SettingsError: the new file would be wrong. The old one is kept.
        OSError: the file cannot be written.
    """
    file = settings.path(settings.collector.feeds_file)
    toml_edit.append(file, as_toml(feeds), check=lambda draft: _check(settings, draft))
    return file


def remove(settings: Settings, name: str) -> Feed:
    """Remove the feed with this id or URL from `collector.feeds_file`; its other lines stay. Return what it was.

    Raises:
        SettingsError: there is no such feed, or the file cannot be edited by line.
        OSError: the file cannot be written.
    """
    file = settings.path(settings.collector.feeds_file)
    known = load(settings, disabled=True)
    for number, feed in enumerate(known):
        if name in (feed.id, feed.url):
            toml_edit.replace(file, "feed", number, "", check=lambda draft: _check(settings, draft))
            return feed
    raise SettingsError(f"{file}: no feed has the id or the URL {name!r}{nearest(name, [feed.id for feed in known])}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ", did you mean ...?" for a name that is not known; an empty string if nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean {near[0]!r}?" if near else ""


def _check(settings: Settings, draft: Path) -> None:
    trial = msgspec.structs.replace(settings.collector, feeds_file=str(draft))
    load(msgspec.structs.replace(settings, collector=trial))


def _address(url: str, where: str, settings: Settings) -> str:
    """A feed's URL in, the form by which two URLs are compared out.

    Raises:
        SettingsError: the URL cannot be a feed's.
    """
    if url.startswith("file:"):
        if not settings.collector.allow_file_urls:
            raise SettingsError(f"{where}.url: {url}: file: URLs are switched off (collector.allow_file_urls)")
        try:
            files.feed_path(url, settings)
        except FetchError as error:
            raise SettingsError(f"{where}.url: {url}: {error}") from error
        return re.sub(r"^file:(//)?", "", url)
    try:
        parts = urlsplit(url)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        complete = False
    if not complete:
        raise SettingsError(
            f"{where}.url: {url!r} is not the URL of a feed: it has to begin with https://, http:// or file:"
        )
    if parts.username or parts.password:
        raise SettingsError(f"{where}.url: a password has no place in a URL that is logged and published")
    return urls.host(url) + parts.path.rstrip("/") + "?" + parts.query


def _feed(one: _Feed) -> Feed:
    return Feed(
        id=one.id,
        url=one.url,
        title=one.title,
        publisher=one.publisher,
        country=one.country,
        language=one.language,
        interval_seconds=one.interval_seconds,
        full_text=one.full_text,
        group=one.group,
    )
