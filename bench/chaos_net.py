"""What stands between the service and the world while faults are done to it: a proxy that can be cut, a receiver of alerts."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

CHUNK: Final = 65_536

REFUSED_SECONDS: Final = 0.3
"""How long a client waits here for a server that is down. Its connection to the proxy succeeds, so it counts each attempt as
the first and asks again at once, hundreds of times a second. A server that is down would have refused it."""


class TcpProxy:
    """A port of this machine that leads to another one, until it is cut: then no byte passes, and nobody is told.

    `delay_seconds` holds back each piece of up to 64 kB for so long, as a slow server does.
    """

    def __init__(self, port: int) -> None:
        self.delay_seconds = 0.0
        self._target = port
        self._open = threading.Event()
        self._open.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def cut(self) -> None:
        """Hold all bytes back from now on."""
        self._open.clear()

    def heal(self) -> None:
        """Let all bytes pass again, those that were held back first."""
        self._open.set()

    def close(self) -> None:
        """Stop."""
        self._open.set()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self._target), 5)
        except OSError:
            time.sleep(REFUSED_SECONDS)
            client.close()
            return
        server.settimeout(None)
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        server.close()
        client.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self._open.wait()
                time.sleep(self.delay_seconds)
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class WebhookReceiver:
    """Takes the alerts of a channel, counts how often each arrived, and notes when that of an article (by URL) first came."""

    def __init__(self) -> None:
        self.alerts: Counter[str] = Counter()
        self.came: dict[str, float] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.setdefault(json.loads(body).get("url", ""), time.monotonic())
                receiver.alerts[self.headers["webhook-id"]] += 1
                with contextlib.suppress(OSError):  # the notifier was killed meanwhile
                    self.send_response(204)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
