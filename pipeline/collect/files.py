"""Feeds and pages that are local files: `file:` URLs and watched folders. A feed may only link to files below its folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import msgspec

from pipeline.collect.entry import FeedEntry, FeedError, ParsedFeed
from pipeline.collect.feed import parse_feed
from pipeline.collect.fetch import FetchError, FetchResult
from pipeline.settings import Settings

TYPES: Final = {
    ".html": "text/html", ".htm": "text/html", ".xhtml": "text/html", ".txt": "text/plain", ".md": "text/markdown",
}  # fmt: skip
"""The files that are read as articles, and their Content-Type."""

FEEDS: Final = frozenset({".xml", ".rss", ".atom", ".rdf", ".json"})
"""The files of a drop folder that are read as feeds: their entries become articles, not the file."""


def path_of(url: str, directory: Path) -> Path:
    """A file: URL in, the path out; a relative URL starts at `directory`."""
    name = unquote(re.sub(r"^file:(?://(?:localhost)?(?=/))?", "", url).partition("#")[0].partition("?")[0])
    return directory / name


def is_below(path: Path, directories: Iterable[Path]) -> bool:
    """Return whether a path is below one of the directories; a symbolic link counts as the place that it leads to."""
    whole = path.resolve()
    return any(whole.is_relative_to(directory.resolve()) for directory in directories)


def url_of(path: Path, directory: Path) -> str:
    """A path in, its file: URL out; relative if it is below `directory`, so that ids are the same on every machine."""
    whole = path.absolute()
    base = directory.absolute()
    return (
        f"file:{quote(whole.relative_to(base).as_posix())}"
        if whole.is_relative_to(base)
        else f"file://{quote(str(whole))}"
    )


def feed_path(url: str, settings: Settings) -> Path:
    """A feed's file: URL in, its path out.

    Raises:
        FetchError: it is not below a directory of collector.file_directories, also by a symbolic link.
    """
    path = path_of(url, settings.path(""))
    if not is_below(path, [settings.path(name) for name in settings.collector.file_directories]):
        raise FetchError("refused", f"{path} is not below a directory of collector.file_directories")
    return path


def read(path: Path, limit: int, etag: str | None = None) -> FetchResult:
    """A file in, an answer like a web server's out. The ETag is the file's time and size.

    Raises:
        FetchError: the file is missing, unreadable or longer than `limit`.
    """
    try:
        found = path.stat()
        tag = f"{found.st_mtime_ns}-{found.st_size}"
        if tag == etag:
            return FetchResult(url=str(path), status=304, etag=tag)
        if found.st_size > limit:
            raise FetchError("oversized", f"{path.name}: larger than {limit:,} bytes")
        body = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FetchError("not_found", f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise FetchError("broken", f"{path}: {getattr(error, 'strerror', None) or error}") from error
    return FetchResult(url=str(path), status=200, body=body, content_type=TYPES.get(path.suffix.lower(), ""), etag=tag)


def linked(feed_path: Path, link: str) -> Path:
    """A feed's file and one of its links in, the file that the link leads to out.

    Raises:
        FetchError: that is outside of the feed's folder, also by a symbolic link.
    """
    folder = feed_path.parent.resolve()
    target = (folder / unquote(re.sub(r"^file:(?://)?", "", link).partition("#")[0].partition("?")[0])).resolve()
    if not target.is_relative_to(folder):
        raise FetchError("refused", f"{link[:100]!r} leads out of the feed's folder")
    return target


def with_file_links(parsed: ParsedFeed, feed_path: Path, directory: Path) -> ParsedFeed:
    """A feed that was read from a file in, the same with file: URLs for its relative links out; links outside are removed."""
    entries = []
    for entry in parsed.entries:
        url = entry.url
        if url and urlsplit(url).scheme not in ("http", "https"):
            try:
                url = url_of(linked(feed_path, url), directory.resolve())
            except FetchError:
                url = ""
        entries.append(dataclasses.replace(entry, url=url))
    return dataclasses.replace(parsed, entries=tuple(entries))


@dataclass(slots=True)
class _ScannedFile:
    """The time and size of a file at the last scan, and whether they were the same at the scan before."""

    stamp: tuple[int, int]
    seen_twice: bool = False


class FolderScanner:
    """Scans a folder again and again, and finds the files that are complete: those that no longer change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, _ScannedFile] = {}

    def scan(self) -> list[tuple[Path, tuple[int, int]]]:
        """Return the files that have not changed since the last scan, each with (time, size), the oldest first."""
        found: dict[Path, _ScannedFile] = {}
        for path in self._walk():
            try:
                status = path.stat()
            except OSError:
                continue
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._files.get(path)
            found[path] = _ScannedFile(stamp, seen_twice=known is not None and known.stamp == stamp)
        self._files = found
        complete = [(path, file.stamp) for path, file in found.items() if file.seen_twice and file.stamp[1] > 0]
        return sorted(complete, key=lambda item: (item[1][0], item[0]))

    def _walk(self) -> Iterator[Path]:
        """Yield the files with a known suffix below the folder, without hidden ones and links to the outside."""
        root = self.folder.resolve()
        for path in sorted(self.folder.rglob("*")) if self.folder.is_dir() else ():
            hidden = any(part.startswith(".") for part in path.relative_to(self.folder).parts)
            if (
                not hidden
                and path.suffix.lower() in TYPES.keys() | FEEDS
                and path.is_file()
                and path.resolve().is_relative_to(root)
            ):
                yield path


# --- the command `dateline feed FILE...` --------------------------------------------------------------------------------


def feed_file(path: str | Path, *, now: dt.datetime | None = None) -> dict[str, Any]:
    """A feed's file and the time in, `{"file", "title", "entries"}` out, or `{"file", "error"}` where it is not a feed."""
    try:
        body = Path(path).read_bytes()
        headers, body = _stored_headers(body)
        kind, url = headers.get("content-type", ""), headers.get("content-location", "")
        parsed = parse_feed(body, content_type=kind, url=url, now=now)
    except OSError as error:
        return {"file": str(path), "error": error.strerror or str(error)}
    except FeedError as error:
        return {"file": str(path), "error": str(error)}
    return {"file": str(path), "title": parsed.title, "entries": [_entry_fields(entry) for entry in parsed.entries]}


def _stored_headers(body: bytes) -> tuple[Mapping[str, str], bytes]:
    """A feed with headers in its first comment (`Header: name: value`, as in test suites) in, the headers and the feed out."""
    head = re.match(rb"\s*(?:<\?xml[^>]*\?>)?\s*<!--(.*?)-->", body[:4000], re.DOTALL)
    lines = head.group(1).decode("ascii", "replace").splitlines() if head else []
    pairs = [
        re.match(r"\s*Header:\s*(Content-(?:type|location)):\s*(\S.*?)\s*$", line, re.IGNORECASE) for line in lines
    ]
    return {pair.group(1).lower(): pair.group(2) for pair in pairs if pair}, body


def _entry_fields(entry: FeedEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "published": entry.published_at.isoformat() if entry.published_at else None,
        "updated": entry.updated_at.isoformat() if entry.updated_at else None,
        "summary": entry.summary,
        "content": entry.content,
    }


def feed_lines(paths: list[str], *, now: dt.datetime | None = None) -> Iterator[str]:
    """Files and the time in, one line of JSON for each out."""
    for path in paths:
        yield json.dumps(msgspec.to_builtins(feed_file(path, now=now)), ensure_ascii=False)
