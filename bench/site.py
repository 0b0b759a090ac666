"""A news site on 127.0.0.1 for a measurement: feeds that list its pages once they are out, with their ETags. See bench.py."""

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
"""As many entries as a feed of a newspaper has; what has not been read yet is never dropped."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A page that will be out."""

    path: str
    title: str
    html: str


class Site:
    """Serves until `stop`. `listed` says when (time.perf_counter) each path first stood in a feed that was asked for."""

    def __init__(self) -> None:
        self.listed: dict[str, float] = {}
        self._items: list[list[tuple[Piece, str]]] = [[] for _ in range(FEEDS)]
        self._pages: dict[str, bytes] = {}
        self._turn = itertools.count()
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body, headers = site.answer(self.path, self.headers.get("If-None-Match", ""))
                with contextlib.suppress(OSError):  # the collector is told to stop, and hangs up
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(body))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="site", daemon=True)
        self._thread.start()

    def feeds(self) -> tuple[str, ...]:
        """The addresses of its feeds."""
        return tuple(f"{self.url}/feed-{number}.xml" for number in range(FEEDS))

    def release(self, pieces: Sequence[Piece]) -> None:
        """From now on these are out."""
        now = format_datetime(dt.datetime.now(dt.UTC))
        with self._lock:
            for piece in pieces:
                self._pages[piece.path] = piece.html.encode()
                self._items[next(self._turn) % FEEDS].append((piece, now))

    def answer(self, path: str, etag: str) -> tuple[int, bytes, dict[str, str]]:
        """A request in, status, body and headers out."""
        if path in self._pages:
            return 200, self._pages[path], {"Content-Type": "text/html; charset=utf-8"}
        number = path.removeprefix("/feed-").removesuffix(".xml")
        if not number.isdigit() or int(number) >= FEEDS:
            return 404, b"no such page", {"Content-Type": "text/plain"}
        return self._feed(int(number), etag)

    def _feed(self, number: int, etag: str) -> tuple[int, bytes, dict[str, str]]:
        with self._lock:
            items = self._items[number]
            unread = sum(piece.path not in self.listed for piece, _ in items)
            del items[: max(0, len(items) - max(LISTED_MOST, unread))]
            shown = list(items)
        body = self._rss(number, shown)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if etag == tag:
            return 304, b"", {"ETag": tag}
        now = time.perf_counter()
        for piece, _ in shown:
            self.listed.setdefault(piece.path, now)
        return 200, body, {"ETag": tag, "Content-Type": "application/rss+xml"}

    def _rss(self, number: int, items: Sequence[tuple[Piece, str]]) -> bytes:
        entries = "".join(
            f"<item><title>{escape(piece.title)}</title><link>{self.url}{piece.path}</link>"
            f"<guid>{self.url}{piece.path}</guid><pubDate>{date}</pubDate></item>"
            for piece, date in reversed(items)
        )
        return (
            f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Bench {number}</title>'
            f"<link>{self.url}/</link><description>Invented news</description>{entries}</channel></rss>"
        ).encode()

    def stop(self) -> None:
        """No answer any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
