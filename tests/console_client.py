"""The console's application on a real port, and a client for it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
import uvicorn

from pipeline.console import app
from pipeline.console.live import Live
from pipeline.local import ports
from pipeline.settings import Settings

API = "/api/v1"


class Web(requests.Session):
    """A session that knows the server's address and sends the header of changes."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.headers["X-Dateline"] = "1"

    def ask(self, method: str, path: str, status: int = 200, **rest: Any) -> Any:
        """The JSON of an answer, whose status is checked; None if it has none."""
        answer = self.request(method, f"{self.address}{API}{path}", **rest)
        assert answer.status_code == status, answer.text
        return answer.json() if "json" in answer.headers.get("Content-Type", "") and answer.content else None


@contextlib.contextmanager
def served(settings: Settings, *, live: Live | None = None) -> Iterator[Web]:
    """Serve the application while the block runs."""
    [port] = ports.free(1)
    server = uvicorn.Server(
        uvicorn.Config(
            app.build(settings, live=live), host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        with Web(f"http://127.0.0.1:{port}") as web:
            yield web
    finally:
        server.should_exit = True
        thread.join(10)
