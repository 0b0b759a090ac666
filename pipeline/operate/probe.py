"""The address of a process in, its /readyz and /metrics out. For `dateline status` and `dateline run`."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any, Final

from pipeline import metrics
from pipeline.settings import Http

NAMES: Final = ("collector", "worker", "indexer", "notifier", "console")
"""The processes, in the order of the data's path; the console shows the result."""

SECONDS: Final = 3.0
"""How long a process may take to answer."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """The answer of a process: `up` if it answers at all, `ready` as /readyz says, `detail` with the reasons."""

    name: str
    address: str
    up: bool = False
    ready: bool = False
    detail: dict[str, Any] | None = None
    samples: tuple[metrics.MetricSample, ...] = ()

    @property
    def problem(self) -> str:
        """Return why the process is not ready, or an empty string."""
        if not self.up:
            return f"no answer at {self.address}"
        if self.ready:
            return ""
        detail = self.detail or {}
        problem = str(detail.get("problem") or "")
        return problem or ", ".join(f"{name} {value}" for name, value in detail.items() if name != "ok") or "not ready"


def port(settings: Http, name: str) -> int:
    """Return the port of the process `name`."""
    found: int = getattr(settings, f"{name}_port")
    return found


def address(settings: Http, name: str) -> str:
    """Return host:port of the process `name`, for a client on this machine."""
    host = "127.0.0.1" if settings.host in ("", "0.0.0.0", "::") else settings.host  # noqa: S104 - connected to, not bound
    return f"{host}:{port(settings, name)}"


def process(name: str, at: str, *, samples: bool = False, seconds: float = SECONDS) -> ProcessState:
    """Return the state of the process `name` at host:port `at`, with `samples` also its /metrics. Never raises."""
    try:
        status, body = _get(at, "/readyz", seconds)
        detail = json.loads(body)
        taken = metrics.parse(_get(at, "/metrics", seconds)[1]) if samples else ()
    except (OSError, http.client.HTTPException, ValueError):
        return ProcessState(name, at)
    return ProcessState(name, at, True, status == 200, detail if isinstance(detail, dict) else {}, taken)


def listens(servers: str, *, seconds: float = SECONDS) -> bool:
    """Return whether something listens at one of `servers`, which is host:port, separated by commas."""
    for server in servers.split(","):
        host, _, number = server.strip().rpartition(":")
        with (
            contextlib.suppress(OSError, ValueError),
            socket.create_connection((host.strip("[]"), int(number)), seconds),
        ):
            return True
    return False


def _get(at: str, path: str, seconds: float) -> tuple[int, str]:
    connection = http.client.HTTPConnection(at, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Accept": "text/plain"})
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8")
    finally:
        connection.close()
