"""What fetching is for the rest of the collector: a URL in, a `FetchResult` or a `FetchError` out. `http_client` does it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["refused", "not_found", "gone", "oversized", "not_text", "wall", "busy", "queued", "broken"]


class FetchError(Exception):
    """There is no usable answer. The message gives the reason in an editor's words, `kind` tells the caller what to do.

    refused: the site does not admit this reader; not_found; gone: removed permanently; oversized; not_text;
    wall: there is a page, but it is not the article;
    busy: the server asks for a pause; queued: no request was made, because the limit or the pause of the host comes first;
    broken: the network or the server failed.
    """

    def __init__(
        self, kind: Kind, message: str, *, retry_after_seconds: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after_seconds = retry_after_seconds

    @property
    def transient(self) -> bool:
        """Whether a later request may succeed."""
        return self.kind in ("busy", "queued", "broken")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """A server's answer. `body` is decompressed; `moved_to` is set when every redirect on the way was permanent.

    `pushed`: a hub sent the body, no request was made. `links` holds the Link headers.
    """

    url: str
    status: int
    body: bytes = b""
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    max_age_seconds: int | None = None
    moved_to: str | None = None
    pushed: bool = False
    links: str = ""

    @property
    def not_modified(self) -> bool:
        """Whether the server says that nothing has changed (304)."""
        return self.status == 304


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as an argument: `now` returns the time in UTC, `sleep` waits for a number of seconds."""

    now: Callable[[], dt.datetime]
    sleep: Callable[[float], Awaitable[object]]

    @staticmethod
    def real() -> Clock:
        """Return the machine's own clock."""
        return Clock(now=lambda: dt.datetime.now(dt.UTC), sleep=asyncio.sleep)


class Fetcher(Protocol):
    """What a poll needs of the web."""

    async def get(
        self, url: str, *, limit: int, etag: str | None = None, last_modified: str | None = None, robots: bool = False
    ) -> FetchResult:
        """A URL in, its answer out, at most `limit` bytes of it.

        Raises:
            FetchError: there is no usable answer.
        """
