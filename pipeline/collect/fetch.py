"""A URL in, an answer out: the hostile web. Addresses, redirects, sizes, times and encodings are checked here.

The only importer of aiohttp in the collector and of protego.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Final, Literal, Protocol
from urllib.parse import urljoin, urlsplit

import aiohttp

from pipeline import metrics
from pipeline.collect import guard
from pipeline.collect.robots import Robots, RobotsUnknownError
from pipeline.page import urls
from pipeline.settings import Collector

Kind = Literal["refused", "not_found", "gone", "oversized", "not_text", "busy", "queued", "broken"]

CONNECTIONS_PER_HOST: Final = 6
"""As many as browsers open; the interval between requests is what keeps a site at ease."""

LONGEST_HOLD_SECONDS: Final = 60
"""A page whose site asks for a longer pause is left for the next poll instead of waited for."""

HEADER_BYTES: Final = 65_536
"""Of one header line: content security policies of news sites go far beyond aiohttp's 8 kB."""

MOVED: Final = (301, 308)
REDIRECTS: Final = (301, 302, 303, 307, 308)


class FetchError(Exception):
    """There is no usable answer; the message says why in an editor's words, `kind` what to do about it.

    refused: this reader is not let in; not_found; gone: for good; oversized; not_text; busy: it says not now;
    queued: we did not ask, its limit or its pause comes first; broken: network or server.
    """

    def __init__(self, kind: Kind, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds

    @property
    def transient(self) -> bool:
        """Whether asking again later may help."""
        return self.kind in ("busy", "queued", "broken")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What a server said. `body` is decompressed; `moved_to` is set when every step of the way was a permanent redirect.

    `pushed`: the server was not asked, a hub sent it. `links` is what it said in its Link headers.
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
        """The server says that nothing has changed."""
        return self.status == 304


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as an argument: what time it is (UTC) and how to wait, in seconds."""

    now: Callable[[], dt.datetime]
    sleep: Callable[[float], Awaitable[object]]

    @staticmethod
    def real() -> Clock:
        """The machine's own."""
        return Clock(now=lambda: dt.datetime.now(dt.UTC), sleep=asyncio.sleep)


class Fetcher(Protocol):
    """What a poll needs of the web."""

    async def get(
        self, url: str, *, limit: int, etag: str | None = None, last_modified: str | None = None, robots: bool = False
    ) -> FetchResult:
        """A URL in, its answer out, at most `limit` bytes of it.

        Raises:
            FetchError: there is none.
        """


class Slots:
    """One request per host and interval: who comes is given the next free moment and waits for it.

    `stretch` makes the interval longer for a host that other collectors ask too.
    """

    def __init__(self, interval_seconds: float, clock: Clock, stretch: Callable[[str], float] = lambda _: 1.0) -> None:
        self._interval = interval_seconds
        self._clock = clock
        self._stretch = stretch
        self._free: dict[str, dt.datetime] = {}
        self._held: dict[str, dt.datetime] = {}
        self._intervals: dict[str, float] = {}

    async def wait(self, host: str) -> None:
        """Return when the host may be asked.

        Raises:
            FetchError: it asked for a longer pause than is worth waiting for.
        """
        now = self._clock.now()
        at = max(now, self._free.get(host, now))
        seconds = (at - now).total_seconds()
        if seconds > LONGEST_HOLD_SECONDS:
            asked = self._held.get(host, now) > now
            why = f"{host} asked for a pause" if asked else f"too many requests to {host} wait already"
            raise FetchError("queued", f"{why}, until {at:%H:%M} UTC", retry_after_seconds=seconds)
        interval = self._intervals.get(host, self._interval) * self._stretch(f"http://{host}/")
        self._free[host] = at + dt.timedelta(seconds=interval)
        if len(self._free) > 50_000:
            self._free = {name: free for name, free in self._free.items() if free > now}
            self._held = {name: held for name, held in self._held.items() if held > now}
        if seconds > 0:
            await self._clock.sleep(seconds)

    def hold(self, host: str, seconds: float) -> None:
        """The host wants to be left alone for so long."""
        until = self._clock.now() + dt.timedelta(seconds=min(seconds, 86_400))
        self._free[host] = max(self._free.get(host, until), until)
        self._held[host] = max(self._held.get(host, until), until)

    def slow_down(self, host: str, seconds: float) -> None:
        """The host names its own interval (crawl-delay): the longer one counts, up to half a minute."""
        self._intervals[host] = max(self._interval, min(seconds, 30.0))


class Web:
    """The web as the collector is allowed to see it. Holds connections: close it. Make it inside the running loop."""

    def __init__(self, options: Collector, clock: Clock, stretch: Callable[[str], float] = lambda _: 1.0) -> None:
        self._options = options
        self._slots = Slots(options.per_host_interval_seconds, clock, stretch)
        self._clock = clock
        connector = aiohttp.TCPConnector(
            limit=options.connections,
            limit_per_host=min(options.connections, CONNECTIONS_PER_HOST),
            ttl_dns_cache=300,
            socket_factory=guard.socket_factory(allow_private=options.allow_private_addresses),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": options.user_agent, "Accept-Encoding": "gzip, deflate"},
            timeout=aiohttp.ClientTimeout(
                total=options.total_timeout_seconds, sock_connect=options.connect_timeout_seconds
            ),
            auto_decompress=False,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
            trust_env=False,
        )
        self._robots = Robots(options.user_agent, self._fetch_robots, clock.now)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()

    async def get(
        self, url: str, *, limit: int, etag: str | None = None, last_modified: str | None = None, robots: bool = False
    ) -> FetchResult:
        """A URL in, its answer (200 or 304) out, after redirects; with `robots`, only what robots.txt allows.

        Raises:
            FetchError: refused, absent, too large, too slow, or the network failed; nothing else.
        """
        headers = {"Accept": _ACCEPT}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        permanent, here = True, url
        for _ in range(self._options.redirects + 1):
            if robots:
                await self._ask_robots(here)
            await self._slots.wait(urls.host(here))
            answer, target = await self._ask(here, headers, limit)
            if answer.not_modified and not (etag or last_modified):
                raise FetchError("broken", "answers 304 (nothing new) without having been asked for it")
            if target is None:
                moved = here if permanent and here != url else None
                return answer if moved is None else _with_moved(answer, moved)
            permanent = permanent and answer.status in MOVED
            here = target
        raise FetchError("broken", f"more than {self._options.redirects} redirects, the last to {here[:200]}")

    async def _ask(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[FetchResult, str | None]:
        """One request: (answer, where it redirects to)."""
        _check_url(url)
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status in REDIRECTS and "Location" in response.headers:
                    target = _target(url, response.headers["Location"])
                    return FetchResult(url=url, status=response.status), target
                self._raise_for_status(response, urls.host(url))
                body = b"" if response.status == 304 else await _read(response, limit)
                metrics.fetched_bytes_total.inc(len(body))
                return _answer(url, response, body, self._clock.now()), None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, UnicodeError) as error:
            raise _failure(error, url, self._options) from error

    def _raise_for_status(self, response: aiohttp.ClientResponse, host: str) -> None:
        status = response.status
        if status in (200, 203, 206, 304):
            return
        after = retry_after(response.headers.get("Retry-After"), self._clock.now())
        if status in (429, 503):
            self._slots.hold(host, after if after is not None else 30.0)
            raise FetchError("busy", f"answers {status}: the server asks to be left alone", retry_after_seconds=after)
        kind, message = _STATUS.get(status, ("broken" if status >= 500 else "not_found", ""))
        raise FetchError(kind, f"answers {status}{': ' + message if message else ''}", retry_after_seconds=after)

    async def _ask_robots(self, url: str) -> None:
        try:
            allowed, delay = await self._robots.ask(url)
        except RobotsUnknownError as error:
            raise FetchError("broken", str(error)) from error
        if delay:
            self._slots.slow_down(urls.host(url), delay)
        if not allowed:
            raise FetchError("refused", f"robots.txt of {urls.host(url)} forbids this page to readers like this one")

    async def _fetch_robots(self, url: str) -> bytes | None:
        """The text of robots.txt, or None where the site has none.

        Raises:
            RobotsUnknownError: the server failed: then nothing is allowed for now.
        """
        try:
            return (await self.get(url, limit=500_000)).body
        except FetchError as error:
            if error.transient:
                raise RobotsUnknownError(f"robots.txt of {urls.host(url)} cannot be read: {error}") from error
            return None


_ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xhtml+xml, text/html;q=0.9, "
    "application/xml;q=0.9, */*;q=0.5"
)

_STATUS: Final[dict[int, tuple[Kind, str]]] = {
    400: ("broken", "the server does not understand the request"),
    401: ("refused", "a password is needed"),
    402: ("refused", "payment is needed"),
    403: ("refused", "the server refuses this reader"),
    404: ("not_found", "no such page"),
    406: ("refused", "the server refuses this reader"),
    408: ("broken", "the server grew tired of waiting"),
    410: ("gone", "removed for good"),
    425: ("busy", "too early"),
    451: ("refused", "unavailable for legal reasons"),
}


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        good = False
    if not good:
        raise FetchError("refused", f"leads to {url[:100]!r}, and only http and https pages are read")


def _target(url: str, location: str) -> str:
    """A URL and the Location that it answers in, where to go next out.

    Raises:
        FetchError: it is no web page.
    """
    try:
        target = urljoin(url, location.strip()).partition("#")[0]
    except ValueError as error:
        raise FetchError("refused", f"redirects to {location[:100]!r}, which is no address") from error
    _check_url(target)
    return target


def _with_moved(answer: FetchResult, moved_to: str) -> FetchResult:
    return replace(answer, moved_to=moved_to)


def _answer(url: str, response: aiohttp.ClientResponse, body: bytes, now: dt.datetime) -> FetchResult:
    return FetchResult(
        url=url,
        status=response.status,
        body=body,
        content_type=response.headers.get("Content-Type", ""),
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        max_age_seconds=freshness(response.headers, now),
        links=", ".join(response.headers.getall("Link", ())),
    )


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, decompressed piece by piece, so that a bomb is noticed before it has unfolded.

    Raises:
        FetchError: it is longer than `limit`, or cannot be decompressed.
    """
    too_long = f"larger than {limit:,} bytes"
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    length = response.headers.get("Content-Length", "")
    if coding == "identity" and length.isdigit() and int(length) > limit:
        raise FetchError("oversized", too_long)
    unpack = _unpacker(coding)
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(65_536):
        piece = unpack(chunk, limit - size + 1)
        parts.append(piece)
        size += len(piece)
        if size > limit:
            raise FetchError("oversized", too_long)
    return b"".join(parts)


def _unpacker(coding: str) -> Callable[[bytes, int], bytes]:
    """A Content-Encoding in, a function from (compressed bytes, most bytes to give) to plain bytes out.

    Raises:
        FetchError: the encoding is none that was offered.
    """
    if coding in ("identity", ""):
        return lambda chunk, most: chunk[:most]
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError("broken", f"comes compressed as {coding!r}, which was not offered")
    state = _Unpacking(zlib.decompressobj(zlib.MAX_WBITS | 32))  # zlib or gzip, by its first bytes

    def unpack(chunk: bytes, most: int) -> bytes:
        pieces: list[bytes] = []
        while chunk and most > 0:
            try:
                piece = state.packed.decompress(chunk, most)
            except zlib.error as error:
                if state.members:  # padding after the end
                    break
                if state.fed or coding != "deflate":
                    raise FetchError("broken", f"its compression is broken ({error})") from error
                state.packed, state.fed = zlib.decompressobj(-zlib.MAX_WBITS), True  # deflate without its wrapper
                continue
            pieces.append(piece)
            most -= len(piece)
            state.fed = True
            chunk = b""
            if state.packed.eof:  # the next member of a gzip file begins
                chunk = state.packed.unused_data
                state.packed, state.members = zlib.decompressobj(zlib.MAX_WBITS | 32), state.members + 1
        return b"".join(pieces)

    return unpack


@dataclass(slots=True)
class _Unpacking:
    """Where the decompression of one body stands."""

    packed: zlib._Decompress
    fed: bool = False
    members: int = 0


def _failure(error: BaseException, url: str, options: Collector) -> FetchError:
    """What aiohttp or the system raised in, what an editor is told out."""
    chain = _chain(error)
    host = urls.host(url)
    if (refused := next((e for e in chain if isinstance(e, guard.RefusedAddressError)), None)) is not None:
        return FetchError("refused", f"{host}: {refused}")
    if any("not a public address" in str(e) for e in chain):  # several addresses, each refused, come as one error
        return FetchError("refused", f"{host}: leads to no public address (collector.allow_private_addresses)")
    if any(isinstance(e, aiohttp.InvalidURL) for e in chain):
        return FetchError("refused", f"{url[:100]!r} is not a valid address")
    if any(isinstance(e, TimeoutError) for e in chain):
        return FetchError("broken", f"{host}: no complete answer within {options.total_timeout_seconds:g} s")
    if any(isinstance(e, socket.gaierror) for e in chain):
        return FetchError("broken", f"{host}: the name is not known (DNS)")
    if (certificate := next((e for e in chain if isinstance(e, ssl.SSLError)), None)) is not None:
        return FetchError(
            "broken", f"{host}: no secure connection ({getattr(certificate, 'reason', None) or certificate})"
        )
    if any(isinstance(e, ConnectionRefusedError) for e in chain):
        return FetchError("broken", f"{host}: nothing answers there")
    if any(
        isinstance(e, aiohttp.ServerDisconnectedError | ConnectionResetError | aiohttp.ClientPayloadError)
        for e in chain
    ):
        return FetchError("broken", f"{host}: the server broke off in the middle")
    if any(isinstance(e, aiohttp.ClientResponseError) for e in chain):
        return FetchError("broken", f"{host}: the answer is not HTTP")
    return FetchError("broken", f"{host}: {type(error).__name__}: {str(error)[:200]}")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and len(found) < 10:
        found.append(error)
        inner = getattr(error, "os_error", None)
        error = (
            inner if isinstance(inner, BaseException) and inner not in found else error.__cause__ or error.__context__
        )
    return found


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """A Retry-After header (seconds or a date) in, seconds from now out."""
    value = (value or "").strip()
    if re.fullmatch(r"\d{1,9}", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return max(0.0, (until - now).total_seconds())


def freshness(headers: Mapping[str, str], now: dt.datetime) -> int | None:
    """An answer's headers in, for how many seconds it stays good out: Cache-Control, or Expires where that says nothing."""
    control = headers.get("Cache-Control", "")
    if re.search(r"no-(?:cache|store)|max-age", control, re.IGNORECASE):
        return max_age(control)
    seconds = retry_after(headers.get("Expires"), now) if re.search(r"[a-zA-Z]", headers.get("Expires", "")) else None
    return int(seconds) if seconds else None


def max_age(cache_control: str) -> int | None:
    """A Cache-Control header in, how long the answer stays good out, in seconds."""
    found = re.search(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", cache_control, re.IGNORECASE)
    if found is None or re.search(r"no-(?:cache|store)", cache_control, re.IGNORECASE):
        return None
    return int(found.group(1))
