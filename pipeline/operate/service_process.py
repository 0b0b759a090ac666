"""One process of the service as a child process: its command, ports, log file, start, restart and stop."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from pipeline.operate import parent, probe
from pipeline.settings import Settings
from pipeline.worker.watchdog import EXIT_STALLED

log = structlog.get_logger("service")

DRAIN_SECONDS: Final = 20.0
"""How long a process may take to stop before it is killed."""

MAX_RESTART_DELAY_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A process that ran this long was healthy: its next end counts as the first again."""

FROZEN_SECONDS: Final = 60.0
FROZEN_PROBES: Final = 12
"""A process that has answered once is frozen after so long and so many questions in a row without an answer. The number counts
where this process itself stood still for a while."""

FIRST_ANSWER_SECONDS: Final = 300.0
"""How long a process may take to its first answer: on a busy machine the worker loads its models for minutes."""

LOG_BYTES: Final = 50_000_000
EXIT_USER_ERROR: Final = 2
"""The exit status of a process whose configuration cannot work (see pipeline/cli/__init__.py)."""
EXIT_TEMPORARY: Final = 75
"""The exit status of a process that a server kept from going on (EX_TEMPFAIL of sysexits.h): it may succeed later."""


class ServiceProcess:
    """Holds one process of the service, its log file and how often it ended in a row."""

    def __init__(self, name: str, command: list[str], environ: Mapping[str, str], log_file: Path) -> None:
        self.name = name
        self.log_file = log_file
        self.process: subprocess.Popen[bytes] | None = None
        self.due_at = 0.0
        self.user_errors = 0
        self._command = command
        self._environ = parent.environment(environ)
        self._started_at = 0.0
        self._answered_at: float | None = None
        self._unanswered = 0
        self._failures = 0

    def start(self, now: float) -> None:
        """Start the process; its output goes to its log file."""
        rotate_log(self.log_file)
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
                self._command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environ,
                start_new_session=True,  # Ctrl-C is for the supervisor alone, which stops its children in order
            )
        self._started_at = now
        self._answered_at, self._unanswered = None, 0
        log.info("started", process=self.name, pid=self.process.pid)

    def ended(self, now: float) -> int | None:
        """Return the exit status if the process has ended since the last call, and set `due_at`; None while it runs."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self._close()
        if now - self._started_at >= STEADY_SECONDS:
            self._failures = self.user_errors = 0
        self.user_errors = self.user_errors + 1 if status == EXIT_USER_ERROR else 0
        self.due_at = now + restart_delay_seconds(self._failures)
        self._failures += 1
        return status

    def end_if_frozen(self, answers: bool, now: float) -> float:
        """Note whether the process answered a question just now. Kill one that is frozen.

        Returns for how many seconds the killed process had not answered; 0 if none was killed.
        """
        if answers:
            self._answered_at, self._unanswered = now, 0
        if answers or self.process is None:
            return 0.0
        self._unanswered += 1
        since, limit = self._answered_at, FROZEN_SECONDS
        if since is None:
            since, limit = self._started_at, FIRST_ANSWER_SECONDS
        if now - since < limit or self._unanswered < FROZEN_PROBES:
            return 0.0
        log.warning("frozen", process=self.name, pid=self.process.pid, seconds=round(now - since))
        self.process.kill()
        return now - since

    def stop(self) -> None:
        """Ask the process to stop."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the process, then kill it. Return whether it ended by itself."""
        if self.process is None:
            return True
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        finally:
            self._close()
        return True

    def _close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None

    def last_line(self) -> str:
        """Return the last line of the log file that is not empty; of a line of JSON with an error, that error."""
        try:
            with self.log_file.open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4096))
                lines = stream.read().decode("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return ""
        return _words(next((line for line in reversed(lines) if line.strip()), ""))


def _words(line: str) -> str:
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line
    return str(found["error"]) if isinstance(found, dict) and found.get("error") else line


def end_reason(status: int) -> str:
    """Return an exit status in words that follow the name of a process."""
    if status == EXIT_STALLED:
        return "made no progress and was ended by its watchdog"
    if status == EXIT_TEMPORARY:
        return "could not go on for now"
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def restart_delay_seconds(failures: int) -> float:
    """Return how long to wait before a restart after `failures` earlier ends in a row: 1, 2, 4 ... 30."""
    return min(MAX_RESTART_DELAY_SECONDS, 2.0 ** min(failures, 10))


def rotate_log(file: Path, limit: int = LOG_BYTES) -> None:
    """Move the content of a log file above `limit` bytes to `.1`. It is copied, because its writer keeps the file open."""
    try:
        if file.stat().st_size <= limit:
            return
    except FileNotFoundError:
        return
    try:
        file.with_name(f"{file.name}.1").write_bytes(file.read_bytes())
    except OSError as error:  # the disk is full: then the older lines are the price of the newer ones
        log.warning("log_not_kept", file=str(file), error=str(error))
    os.truncate(file, 0)


def with_ports(settings: Settings, free: Callable[[int], list[int]]) -> Settings:
    """Return the settings with a free port for each process whose port is 0: the supervisor has to know it."""
    unset = [f"{name}_port" for name in probe.NAMES if not probe.port(settings.http, name)]
    *numbers, page = free(len(unset) + 1)
    chosen = dict(zip(unset, numbers, strict=True))
    console = settings.console if settings.console.port else msgspec.structs.replace(settings.console, port=page)
    return msgspec.structs.replace(settings, http=msgspec.structs.replace(settings.http, **chosen), console=console)


def process_command(settings: Settings, name: str) -> list[str]:
    """Return the command that starts the process `name` with the same configuration."""
    return [sys.executable, "-m", "pipeline.cli", "--config", settings.directory, name]


def port_variables(settings: Settings) -> dict[str, str]:
    """Return the ports of the processes, and that of the page, as environment variables."""
    ports = {f"DATELINE_HTTP_{name.upper()}_PORT": str(probe.port(settings.http, name)) for name in probe.NAMES}
    return {**ports, "DATELINE_CONSOLE_PORT": str(settings.console.port)}
