"""A news site on 127.0.0.1 for a benchmark: its feeds list the articles once they are released, with ETags. See measure.py."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

FEEDS: Final = 4
LISTED_MOST: Final = 50
"""About as many entries as the feed of a newspaper has. Articles that were not listed yet are never dropped."""


@dataclass(frozen=True, slots=True)
class SyntheticArticle:
    """An invented article: its path on the site, its title and its page."""

    path: str
    title: str
    html: str


class NewsSite:
    """Serves until `stop`.

    `listed` holds when (time.perf_counter) each path was first in a feed that was fetched, `asked` when its page was asked for.
    """

    def __init__(self) -> None:
        self.listed: dict[str, float] = {}
        self.asked: dict[str, float] = {}
        self._items: list[list[tuple[SyntheticArticle, str]]] = [[] for _ in range(FEEDS)]
        self._pages: dict[str, bytes] = {}
        self._turn = itertools.count()
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body, headers = site.answer(self.path, self.headers.get("If-None-Match", ""))
                with contextlib.suppress(OSError):  # the collector stops and closes the connection
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(body))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing: a collector that was killed has reset its connection."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="site", daemon=True)
        self._thread.start()

    def feeds(self) -> tuple[str, ...]:
        """Return the URLs of the feeds."""
        return tuple(f"{self.url}/feed-{number}.xml" for number in range(FEEDS))

    def release(self, articles: Sequence[SyntheticArticle]) -> None:
        """List these articles in the feeds from now on."""
        now = format_datetime(dt.datetime.now(dt.UTC))
        with self._lock:
            for article in articles:
                self._pages[article.path] = article.html.encode()
                self._items[next(self._turn) % FEEDS].append((article, now))

    def has(self, path: str) -> bool:
        """Return whether an article was released at this path."""
        return path in self._pages

    def answer(self, path: str, etag: str) -> tuple[int, bytes, dict[str, str]]:
        """A request in, status, body and headers out."""
        if path in self._pages:
            self.asked.setdefault(path, time.perf_counter())
            return 200, self._pages[path], {"Content-Type": "text/html; charset=utf-8"}
        number = path.removeprefix("/feed-").removesuffix(".xml")
        if not number.isdigit() or int(number) >= FEEDS:
            return 404, b"no such page", {"Content-Type": "text/plain"}
        return self._feed(int(number), etag)

    def _feed(self, number: int, etag: str) -> tuple[int, bytes, dict[str, str]]:
        with self._lock:
            items = self._items[number]
            unread = sum(article.path not in self.listed for article, _ in items)
            del items[: max(0, len(items) - max(LISTED_MOST, unread))]
            shown = list(items)
        body = self._rss(number, shown)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if etag == tag:
            return 304, b"", {"ETag": tag}
        now = time.perf_counter()
        for article, _ in shown:
            self.listed.setdefault(article.path, now)
        return 200, body, {"ETag": tag, "Content-Type": "application/rss+xml"}

    def _rss(self, number: int, items: Sequence[tuple[SyntheticArticle, str]]) -> bytes:
        entries = "".join(
            f"<item><title>{escape(article.title)}</title><link>{self.url}{article.path}</link>"
            f"<guid>{self.url}{article.path}</guid><pubDate>{date}</pubDate></item>"
            for article, date in reversed(items)
        )
        return (
            f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Bench {number}</title>'
            f"<link>{self.url}/</link><description>Invented news</description>{entries}</channel></rss>"
        ).encode()

    def stop(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
