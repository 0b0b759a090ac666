"""Keep the local Kafka and Elasticsearch running: start again what fell, alone, and say when the disk is full."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from pipeline.operate.service_process import STEADY_SECONDS, end_reason, restart_delay_seconds

if TYPE_CHECKING:
    from pipeline.local.stack import Stack

log = structlog.get_logger("service")

FULL_BYTES: Final = 50_000_000
"""Less space than this is a full disk: Kafka alone needs a new segment of up to 64 MB before long."""


class LocalServers:
    """Holds the stack and when each fallen server is started again: after 1, 2, 4 ... 30 seconds, for as long as it takes."""

    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._say = say
        self._due_at: dict[str, float] = {}
        self._started_at: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    def look(self, now: float) -> None:
        """Note which servers have ended, and start those again that are due. The other server goes on meanwhile."""
        for server in self._stack.ended():
            if server not in self._due_at:
                self._note_end(server, now)
            elif now >= self._due_at[server]:
                self._start(server, now)

    def _note_end(self, server: str, now: float) -> None:
        if now - self._started_at.get(server, float("-inf")) >= STEADY_SECONDS:
            self._failures[server] = 0
        one = self._stack.server(server)
        log.warning("server_ended", server=server, status=one.process.returncode)
        self._delay(server, f"{one.title} {end_reason(one.process.returncode)}", now)

    def _start(self, server: str, now: float) -> None:
        try:
            one = self._stack.restart(server)
        except OSError as error:
            self._delay(server, f"{server} cannot start: {error.filename}: {error.strerror}", now)
            return
        del self._due_at[server]
        self._started_at[server] = now
        log.info("server_started", server=server, pid=one.process.pid)

    def _delay(self, server: str, what: str, now: float) -> None:
        failures = self._failures.get(server, 0)
        self._failures[server] = failures + 1
        delay = restart_delay_seconds(failures)
        self._due_at[server] = now + delay
        log_file = self._stack.server(server).data_dir / "logs" / f"{server}.log"
        self._say(f"{what}; it starts again in {delay:.0f} s (its log: {log_file})")


class DiskWatch:
    """Says once that the disk of a directory is full, with the path and what to do, and once that it has space again."""

    def __init__(
        self, directory: Path, say: Callable[[str], None], *, free: Callable[[Path], int] | None = None
    ) -> None:
        self.full = False
        self._directory = directory
        self._say = say
        self._free = free or (lambda path: shutil.disk_usage(path).free)

    def look(self) -> None:
        """Compare the free space with `FULL_BYTES`."""
        try:
            free = self._free(self._directory)
        except OSError as error:
            log.debug("disk_unknown", error=str(error))
            return
        full = free < FULL_BYTES
        if full and not self.full:
            self._say(
                f"The disk of {self._directory} is full ({free // 1_000_000} MB free): Kafka and Elasticsearch cannot write. "
                "Make space there; nothing is lost, and everything goes on by itself."
            )
            log.error("disk_full", directory=str(self._directory), free_bytes=free)
        elif self.full and not full:
            self._say(f"The disk of {self._directory} has space again.")
        self.full = full
