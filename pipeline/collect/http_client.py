"""HTTP as the collector speaks it: addresses, redirects, sizes, times and robots.txt are checked here.

Everything that aiohttp or the network can do wrong becomes a `FetchError`.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from pipeline import metrics
from pipeline.collect import guard, refresh
from pipeline.collect.fetch import Clock, FetchError, FetchResult, Kind
from pipeline.collect.host_limits import HostLimits
from pipeline.collect.http_body import read_body
from pipeline.collect.http_headers import freshness, retry_after
from pipeline.collect.robots import Robots, RobotsUnknownError
from pipeline.page import urls
from pipeline.settings import Collector

CONNECTIONS_PER_HOST: Final = 6
"""As many as browsers open. The interval between requests is what limits the load on a host."""

HEADER_BYTES: Final = 65_536
"""The limit for one header line: content security policies of news sites are far longer than aiohttp's 8 kB."""

PAUSE_SECONDS: Final = 30.0
"""The pause after a 429 or 503 that does not say how long."""

MOVED: Final = (301, 308)
PRECONDITION_FAILED: Final = 412
REDIRECTS: Final = (301, 302, 303, 307, 308)


class HttpClient:
    """A `Fetcher` over aiohttp. It holds connections, so close it. Create it inside the running event loop."""

    def __init__(
        self, options: Collector, clock: Clock, interval_factor: Callable[[str], float] = lambda _: 1.0
    ) -> None:
        self._options = options
        self._host_limits = HostLimits(options.per_host_interval_seconds, clock, interval_factor)
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
        """Close the connections."""
        await self._session.close()

    async def get(
        self, url: str, *, limit: int, etag: str | None = None, last_modified: str | None = None, robots: bool = False
    ) -> FetchResult:
        """A URL in, its answer (200 or 304) out, after redirects; with `robots`, only what robots.txt allows.

        Raises:
            FetchError: refused, absent, too large, too slow, or the network failed. No other error leaves this call.
        """
        headers = {"Accept": _ACCEPT}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        permanent, here = True, url
        jar = aiohttp.CookieJar(unsafe=True)  # for this page: some sites lead in a circle until their cookie comes back
        for _ in range(self._options.redirects + 1):
            if robots:
                await self._check_robots(here)
            await self._host_limits.wait(urls.host(here))
            try:
                answer, target = await self._request(here, headers, limit, jar)
            except FetchError as error:
                if not _is_conditional(headers):
                    raise
                if not isinstance(error.__cause__, aiohttp.ClientResponseError) and error.status != PRECONDITION_FAILED:
                    raise
                # a server that cannot answer such a question, or sends the body with its 304: asked without
                headers = {"Accept": _ACCEPT}
                await self._host_limits.wait(urls.host(here))
                answer, target = await self._request(here, headers, limit, jar)
            if answer.not_modified and not _is_conditional(headers):
                raise FetchError("broken", "answers 304 (not modified) to a request without ETag and date")
            if target is None:
                return replace(answer, moved_to=here) if permanent and here != url else answer
            permanent = permanent and answer.status in MOVED
            here = target
        raise FetchError("refused", f"more than {self._options.redirects} redirects, the last to {here[:200]}")

    async def _request(
        self, url: str, headers: Mapping[str, str], limit: int, jar: aiohttp.CookieJar
    ) -> tuple[FetchResult, str | None]:
        """Make one request; return its answer, and the URL that it redirects to or None."""
        _check_url(url)
        there = _as_written(url)
        try:
            async with self._session.get(
                there, headers=headers, allow_redirects=False, cookies=jar.filter_cookies(there) if jar else None
            ) as response:
                jar.update_cookies(response.cookies, there)
                if response.status in REDIRECTS and "Location" in response.headers:
                    target = _target(url, response.headers["Location"])
                    return FetchResult(url=url, status=response.status), target
                self._raise_for_status(response, urls.host(url))
                body = b"" if response.status == 304 else await read_body(response, limit)
                metrics.fetched_bytes_total.inc(len(body))
                return _answer(url, response, body, self._clock.now()), _refreshed(url, response, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, UnicodeError) as error:
            raise _fetch_error(error, url, self._options) from error

    def _raise_for_status(self, response: aiohttp.ClientResponse, host: str) -> None:
        status = response.status
        if status in (200, 203, 206, 304):
            return
        after = retry_after(response.headers.get("Retry-After"), self._clock.now())
        if status in (429, 503):
            self._host_limits.pause(host, after if after is not None else PAUSE_SECONDS)
            raise FetchError("busy", f"answers {status}: the server asks for a pause", retry_after_seconds=after)
        kind, message = _STATUS.get(status, ("broken" if status >= 500 else "refused", ""))
        reason = f"answers {status}{': ' + message if message else ''}"
        raise FetchError(kind, reason, retry_after_seconds=after, status=status)

    async def _check_robots(self, url: str) -> None:
        try:
            allowed, delay = await self._robots.ask(url)
        except RobotsUnknownError as error:
            raise FetchError("broken", str(error)) from error
        if delay:
            self._host_limits.set_crawl_delay(urls.host(url), delay)
        if not allowed:
            raise FetchError("refused", f"robots.txt of {urls.host(url)} does not allow this page for this reader")

    async def _fetch_robots(self, url: str) -> bytes | None:
        """Return the bytes of robots.txt, or None where the site has none.

        Raises:
            RobotsUnknownError: the server failed, so nothing is allowed for now.
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
    408: ("broken", "the server waited too long for the request"),
    410: ("gone", "removed permanently"),
    425: ("busy", "too early"),
    451: ("refused", "unavailable for legal reasons"),
}


def _check_url(url: str) -> None:
    """Raise a FetchError unless the URL is a complete http or https URL."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        good = False
    if not good:
        raise FetchError("refused", f"leads to {url[:100]!r}, and only http and https pages are read")


def _target(url: str, location: str) -> str:
    """A URL and the Location header of its answer in, the URL to ask next out.

    Raises:
        FetchError: the Location is not the URL of a web page.
    """
    target = urls.join(url, location.strip()).partition("#")[0]
    _check_url(target)
    return target


def _as_written(url: str) -> URL:
    """A URL in, the same for aiohttp out, so that it is asked for byte for byte: no ASCII is escaped or unescaped."""
    parts = urlsplit(url)
    known = URL(f"{parts.scheme}://{parts.netloc}")  # escapes the host only
    path = quote(parts.path or "/", safe=_WRITTEN)
    query = quote(parts.query, safe=f"{_WRITTEN}^`{{}}")
    rest = f"{path}{'?' if '?' in url.partition('#')[0] else ''}{query}"
    # as the path alone: yarl leaves out an empty query
    return URL.build(scheme=known.scheme, authority=known.raw_authority, path=rest, encoded=True)


_WRITTEN: Final = "".join(chr(code) for code in range(33, 127) if chr(code) not in '"<>\\^`{}#')
"""The characters that browsers leave as they are in a path; in a query they leave some more."""


def _refreshed(url: str, response: aiohttp.ClientResponse, body: bytes) -> str | None:
    """A page in, the URL that its refresh leads to out; None where that is the page itself, or there is none."""
    kind = response.headers.get("Content-Type", "text/html")
    link = response.headers.get("Refresh") and refresh.link_in(response.headers["Refresh"])
    base = url
    if not link and "html" in kind.lower() and (link := refresh.target(body)):
        base = refresh.base(body, url)
    if not link:
        return None
    found = _target(base, link)
    return found if found != url.partition("#")[0] else None


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


def _fetch_error(error: BaseException, url: str, options: Collector) -> FetchError:
    """What aiohttp or the system raised in, the same as a FetchError in an editor's words out."""
    chain = _chain(error)
    host = urls.host(url)
    if (refused := next((e for e in chain if isinstance(e, guard.RefusedAddressError)), None)) is not None:
        return FetchError("refused", f"{host}: {refused}")
    if any("not a public address" in str(e) for e in chain):  # several addresses, each refused, come as one error
        return FetchError("refused", f"{host}: does not lead to a public address (collector.allow_private_addresses)")
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
        return FetchError("broken", f"{host}: the connection was refused")
    if any(
        isinstance(e, aiohttp.ServerDisconnectedError | ConnectionResetError | aiohttp.ClientPayloadError)
        for e in chain
    ):
        return FetchError("broken", f"{host}: the server closed the connection too early")
    if any(isinstance(e, aiohttp.ClientResponseError) for e in chain):
        return FetchError("broken", f"{host}: the answer is not HTTP")
    return FetchError("broken", f"{host}: {type(error).__name__}: {str(error)[:200]}")


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return an error and its causes; at most ten, so that a circle of causes ends."""
    found: list[BaseException] = []
    while error is not None and len(found) < 10:
        found.append(error)
        inner = getattr(error, "os_error", None)
        error = (
            inner if isinstance(inner, BaseException) and inner not in found else error.__cause__ or error.__context__
        )
    return found


def _is_conditional(headers: Mapping[str, str]) -> bool:
    """Whether a request asks only for what has changed."""
    return "If-None-Match" in headers or "If-Modified-Since" in headers
