"""The supervisor behind `dateline run`: the local stack if none is configured, the topics, and one child for each process.

It starts the parts at the same time, restarts what ends unexpectedly, and stops in the order of the data. Its children end
with it, however it ends (see parent.py). Its messages go to a `Screen`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

import structlog

from pipeline import bus
from pipeline.operate import live, probe
from pipeline.operate.local_servers import DiskWatch, LocalServers
from pipeline.operate.service_process import (
    DRAIN_SECONDS,
    ServiceProcess,
    end_reason,
    port_variables,
    process_command,
    rotate_log,
    with_ports,
)
from pipeline.process import StopEvent
from pipeline.records import Alert, Event
from pipeline.settings import Settings, SettingsError, console_address

log = structlog.get_logger("service")

STOP_ORDER: Final = (("collector",), ("worker",), ("indexer", "notifier", "console"))
"""The order of the data: writers stop before readers, so that records on their way arrive."""

TICK_SECONDS: Final = 0.25
SAY_FIRST_SECONDS: Final = 10.0
SAY_SECONDS: Final = 60.0
"""When, and how often, it is said at the start that Kafka is waited for."""

MAX_USER_ERRORS: Final = 3
"""After so many user errors in a row the configuration is wrong, and not a port that was in use for a moment."""


class ServiceError(Exception):
    """The service cannot start or go on; the message says why and what to do."""


class Screen(Protocol):
    """Where the service shows its state and its messages."""

    def message(self, text: str) -> None:
        """Show a line that stays."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Show how far `what` is: bytes of a download, or servers that have started."""

    def draw(self, view: live.View) -> None:
        """Show the numbers of `view`; called several times a second."""

    def record(self, record: Event | Alert) -> None:
        """Show an event or alert that has just arrived."""

    def close(self) -> None:
        """Stop drawing; messages may still follow."""


class _InterruptedError(BaseException):
    """SIGINT or SIGTERM arrived while the service waited for something."""


METRICS: Final = "Metrics"
PAGE: Final = "Page"


def addresses(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return (name, address) of each server, of the metrics and of the logs."""
    processes = {name: probe.address(settings.http, name) for name in probe.NAMES}
    return (
        (PAGE, console_address(settings.console)),
        ("Kafka", settings.bootstrap_servers),
        ("Elasticsearch", settings.elasticsearch_url),
        (METRICS, ", ".join(f"http://{at}/metrics ({name})" for name, at in processes.items())),
        ("Logs", str(settings.data_dir / "logs")),
    )


class Service:
    """Owns the local stack, the child processes and the watcher while `run` runs."""

    def __init__(
        self,
        settings: Settings,
        screen: Screen,
        *,
        environ: Mapping[str, str] | None = None,
        command: Callable[[Settings, str], list[str]] | None = None,
    ) -> None:
        self.settings = with_ports(settings, _free_ports)
        self.logs = settings.data_dir / "logs"
        self._screen = screen
        self._stopping = StopEvent()
        self._waiting = True
        self._stack: Any = None
        self._servers: LocalServers | None = None
        self._disk = DiskWatch(settings.data_dir, screen.message)
        self._topics = threading.Event()
        self._problem = self._wrong = ""
        self._lock = threading.Lock()
        self._watcher = live.Watcher(self.settings, on_record=screen.record)
        self._looked_at = self._watcher.view
        variables = {**(os.environ if environ is None else environ), **port_variables(self.settings)}
        self._children = {
            name: ServiceProcess(
                name, (command or process_command)(settings, name), variables, self.logs / f"{name}.log"
            )
            for name in probe.NAMES
        }

    def log_file(self) -> Path:
        """Return the supervisor's own log file, which is in the same directory as those of its children.

        Raises:
            SettingsError: the data directory cannot be used.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.settings.data_dir.chmod(0o700)  # what was collected, and the logs, are for this user alone
        except OSError as error:
            raise SettingsError(f"local.data_dir: {error.filename}: {error.strerror}") from error
        return self.logs / "run.log"

    def run(self, *, ready: Callable[[], None] | None = None) -> int:
        """Start everything, supervise it until SIGINT, SIGTERM or `stop`, stop everything. Return the exit status.

        `ready` is called once, when everything has started.

        Raises:
            ServiceError, LocalError, BusError: the service cannot start or continue.
        """
        with self._signals():
            try:
                self._start()
                self._waiting = False
                if ready is not None:
                    ready()
                self._supervise()
            except _InterruptedError:
                pass
            finally:
                self._waiting = False
                self._stop()
        return 0

    def stop(self) -> None:
        """Make `run` end. May be called from any thread."""
        self._stopping.set()

    def process(self, name: str) -> subprocess.Popen[bytes] | None:
        """Return the running child of this name, or None while it waits for its restart."""
        return self._children[name].process

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def on_signal(_number: int, _frame: FrameType | None) -> None:
            second = self._stopping.is_set()
            self._stopping.set()
            if self._waiting:
                self._waiting = False
                raise _InterruptedError
            if second:
                for child in self._children.values():
                    if child.process is not None:
                        child.process.kill()

        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread can handle signals; on another thread the caller uses `stop`
            return
        before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # --- start ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Start the slow parts at the same time: the worker loads its models while Kafka and Elasticsearch start."""
        self.log_file()
        self._require_ports()
        stack = self._prepare_stack()
        self._start_child("worker")
        self._watcher.start()
        opening = threading.Thread(target=self._open_topics, name="topics", daemon=True)
        opening.start()
        if stack is not None:
            self._stack = stack
            stack.start()
            self._servers = LocalServers(stack, self._screen.message)
        self._await_topics()

    def _await_topics(self) -> None:
        """Wait until the topics are there, however long Kafka is away, and say so.

        Raises:
            ServiceError: the topics are not as the configuration says.
        """
        waited = SAY_FIRST_SECONDS
        while not self._topics.wait(waited):
            if self._wrong:
                raise ServiceError(self._wrong)
            said = self._problem or f"Kafka at {self.settings.bootstrap_servers} does not answer"
            self._screen.message(f"{said}; waiting for it (Ctrl-C ends)")
            waited = SAY_SECONDS
        if self._wrong:
            raise ServiceError(self._wrong)

    def _require_ports(self) -> None:
        from pipeline.local import ports  # noqa: PLC0415 - psutil is slow to load

        wanted = {f"http.{name}_port": probe.port(self.settings.http, name) for name in probe.NAMES}
        ports.require_free({**wanted, "console.port": self.settings.console.port})

    def _prepare_stack(self) -> Any:
        """Return the stack to start, with its jars downloaded; None if all is configured or `dateline up` runs it."""
        if self.settings.kafka.bootstrap_servers and self.settings.elasticsearch.url:
            return None
        from pipeline.local import jars, stack  # noqa: PLC0415 - slow to load, and often not needed

        found = stack.running(self.settings)
        if found is not None and found.detached:
            self._screen.message(
                f"using the Kafka and Elasticsearch that `dateline up` started (process {found.process})"
            )
            return None
        jars.fetch(self._screen.progress)
        return stack.Stack(self.settings, wanted=stack.unconfigured(self.settings), progress=self._screen.progress)

    def _open_topics(self) -> None:
        """When Kafka answers: create the topics, start the processes that need them, read new records."""
        while not self._stopping.is_set():
            try:
                self._require_kafka()
                bus.create_topics(self.settings)
                if not self.settings.kafka.bootstrap_servers:
                    bus.update_topics(
                        self.settings
                    )  # on a cluster of others `dateline topics` does, with its own rights
            except bus.TopicError as error:
                self._wrong = str(error)
                self._topics.set()
                return
            except bus.BusError as error:
                self._problem = str(error)
                self._stopping.wait(TICK_SECONDS)
                continue
            for name in probe.NAMES:
                self._start_child(name)
            self._watcher.read()
            self._topics.set()
            return

    def _require_kafka(self) -> None:
        """Check by a plain connection, because Kafka's client waits longer after each failed attempt."""
        if not probe.listens(self.settings.bootstrap_servers):
            raise bus.BusError(f"no answer at {self.settings.bootstrap_servers} (kafka.bootstrap_servers)")

    def _start_child(self, name: str) -> None:
        with self._lock:
            if not self._stopping.is_set() and self._children[name].process is None:
                self._children[name].start(time.monotonic())

    # --- supervise ---------------------------------------------------------------------------------------------------

    def _supervise(self) -> None:
        checked = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            now = time.monotonic()
            for child in self._children.values():
                self._supervise_child(child, now)
            if now - checked >= 1:
                checked = now
                self._disk.look()
                if self._servers is not None:
                    self._servers.look(now)
                for child in self._children.values():
                    rotate_log(child.log_file)
            self._end_frozen(now)
            self._screen.draw(self._watcher.view)

    def _end_frozen(self, now: float) -> None:
        """Kill each process that does not answer any more. As it has ended, it is started again."""
        view = self._watcher.view
        if view is self._looked_at:
            return
        self._looked_at = view
        for state in view.processes:
            if seconds := self._children[state.name].end_if_frozen(state.up, now):
                self._screen.message(f"{state.name} has not answered for {seconds:.0f} s and is ended")

    def _supervise_child(self, child: ServiceProcess, now: float) -> None:
        status = child.ended(now)
        if status is not None:
            reason = end_reason(status)
            log.warning("ended", process=child.name, status=status)
            if child.user_errors >= MAX_USER_ERRORS:
                raise ServiceError(f"{child.name} cannot run: {child.last_line()}")
            self._screen.message(
                f"{child.name} {reason}; it starts again in {child.due_at - now:.0f} s "
                f"(last line: {child.last_line()[:200] or 'none'}; all of them: {child.log_file})"
            )
        elif child.process is None and now >= child.due_at:
            self._start_child(child.name)

    # --- stop ----------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Stop in the order of the data. A process that does not end in time is killed: its records are read again."""
        self._stopping.set()
        self._screen.close()
        with self._lock:
            running = {name for name, child in self._children.items() if child.process is not None}
        for names in STOP_ORDER:
            began = time.monotonic()
            for name in names:
                self._children[name].stop()
            for name in names:
                in_time = self._children[name].wait(self._drain_seconds(name))
                if name in running:
                    seconds = time.monotonic() - began
                    self._screen.message(
                        f"{name} {'stopped' if in_time else 'did not stop and was killed'} ({seconds:.1f} s)"
                    )
        self._watcher.stop()
        if self._stack is not None:
            began = time.monotonic()
            self._stack.stop()
            self._screen.message(f"Kafka and Elasticsearch stopped ({time.monotonic() - began:.1f} s)")

    def _drain_seconds(self, name: str) -> float:
        return DRAIN_SECONDS + (self.settings.worker.drain_timeout_seconds if name == "worker" else 0)


def _free_ports(number: int) -> list[int]:
    from pipeline.local import ports  # noqa: PLC0415 - psutil is slow to load

    return ports.free(number)
