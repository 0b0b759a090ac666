"""The whole service on one machine: the local stack where none is configured, the topics, and one child for each process.

The supervisor behind `dateline run`. It starts what it can at the same time, starts again what ends unexpectedly, and stops
in the data's order. Its children end with it however it ends (see parent.py). What it has to say goes to a `Screen`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

import msgspec
import structlog

from pipeline import bus
from pipeline.operate import live, parent, probe
from pipeline.records import Alert, Event
from pipeline.settings import Http, Settings, SettingsError
from pipeline.worker.watchdog import EXIT_STALLED

log = structlog.get_logger("service")

STOP_ORDER: Final = (("collector",), ("worker",), ("indexer", "notifier"))
"""The data's order: who writes stops before who reads, so that what is under way arrives."""

DRAIN_SECONDS: Final = 20.0
LONGEST_PAUSE_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A process that ran so long was well: its next end is a first one again."""

TICK_SECONDS: Final = 0.25
TOPICS_SECONDS: Final = 60.0
LOG_BYTES: Final = 50_000_000
EXIT_USER_ERROR: Final = 2
"""The exit status of a process that was told something that cannot work: cli.py's."""

REFUSED_TIMES: Final = 3
"""So often in a row, and it is the configuration and not a server that was away for a moment."""


class ServiceError(Exception):
    """The service cannot start or go on; the message says why and what to do."""


class Screen(Protocol):
    """Where the service is shown."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def progress(self, what: str, done: int, total: int) -> None:
        """How far something is: bytes of a download, servers that have started."""

    def draw(self, view: live.View) -> None:
        """The numbers now; called several times a second."""

    def seen(self, record: Event | Alert) -> None:
        """An event or alert that has just come."""

    def close(self) -> None:
        """Nothing is drawn any more; lines may still be said."""


class _InterruptedError(BaseException):
    """SIGINT or SIGTERM came while something was being waited for."""


class ServiceProcess:
    """One process of the service: started, started again, stopped."""

    def __init__(self, name: str, command: list[str], environ: Mapping[str, str], log_file: Path) -> None:
        self.name = name
        self.log_file = log_file
        self.process: subprocess.Popen[bytes] | None = None
        self.due_at = 0.0
        self._command = command
        self._environ = parent.environment(environ)
        self._started_at = 0.0
        self._failures = 0
        self.refused = 0

    def start(self, now: float) -> None:
        """Start it; its output goes to its log file."""
        roll(self.log_file)
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
        log.info("started", process=self.name, pid=self.process.pid)

    def ended(self, now: float) -> int | None:
        """Its exit status when it has ended since it was last asked, and when it is due again; None while it runs."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self._close()
        if now - self._started_at >= STEADY_SECONDS:
            self._failures = self.refused = 0
        self.refused = self.refused + 1 if status == EXIT_USER_ERROR else 0
        self.due_at = now + pause(self._failures)
        self._failures += 1
        return status

    def stop(self) -> None:
        """Ask it to stop."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """Wait for its end, then kill it; whether it ended by itself out."""
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
        """The last thing it wrote."""
        try:
            with self.log_file.open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4096))
                lines = stream.read().decode("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return ""
        return next((line for line in reversed(lines) if line.strip()), "")


def pause(failures: int) -> float:
    """How often it ended in a row before in, seconds until it is started again out: 1, 2, 4 ... 30."""
    return min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 10))


def roll(file: Path, limit: int = LOG_BYTES) -> None:
    """Keep a log file below a size: its content moves to `.1`. By copying, for its writer holds it open to append."""
    try:
        if file.stat().st_size <= limit:
            return
    except FileNotFoundError:
        return
    file.with_name(f"{file.name}.1").write_bytes(file.read_bytes())
    os.truncate(file, 0)


def with_ports(settings: Settings, free: Callable[[int], list[int]]) -> Settings:
    """Settings in, the same with a port for each process that is to take a free one out: who watches must know it."""
    open_ = [f"{name}_port" for name in probe.NAMES if not probe.port(settings.http, name)]
    chosen = dict(zip(open_, free(len(open_)), strict=True))
    return msgspec.structs.replace(settings, http=msgspec.structs.replace(settings.http, **chosen))


def process_command(settings: Settings, name: str) -> list[str]:
    """How a process is started with the same configuration."""
    return [sys.executable, "-m", "pipeline.cli", "--config", settings.directory, name]


def port_variables(http: Http) -> dict[str, str]:
    """The ports of the processes as variables of their environment."""
    return {f"DATELINE_HTTP_{name.upper()}_PORT": str(probe.port(http, name)) for name in probe.NAMES}


METRICS: Final = "Metrics"


def endpoints(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Where everything answers: (what, address)."""
    addresses = {name: probe.address(settings.http, name) for name in probe.NAMES}
    return (
        ("Kafka", settings.bootstrap_servers),
        ("Elasticsearch", settings.elasticsearch_url),
        (METRICS, ", ".join(f"http://{at}/metrics ({name})" for name, at in addresses.items())),
        ("Logs", str(settings.data_dir / "logs")),
    )


class Service:
    """Owns the stack, the children and the watching, from `run` until it returns."""

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
        self._stopping = threading.Event()
        self._waiting = True
        self._stack: Any = None
        self._stack_lost_at: float | None = None
        self._topics = threading.Event()
        self._problem = ""
        self._lock = threading.Lock()
        self._watcher = live.Watcher(self.settings, seen=screen.seen)
        variables = {**(os.environ if environ is None else environ), **port_variables(self.settings.http)}
        self._children = {
            name: ServiceProcess(
                name, (command or process_command)(settings, name), variables, self.logs / f"{name}.log"
            )
            for name in probe.NAMES
        }

    def log_file(self) -> Path:
        """Where the supervisor itself writes its log; the children's stand beside it.

        Raises:
            SettingsError: the data directory cannot be used.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"local.data_dir: {error.filename}: {error.strerror}") from error
        return self.logs / "run.log"

    def run(self, *, ready: Callable[[], None] | None = None) -> int:
        """Start all, watch until SIGINT or SIGTERM (or `stop`), stop all. The exit status out; `ready` is told once.

        Raises:
            ServiceError, LocalError, BusError: it cannot start or go on.
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
        """Let `run` end. From any thread."""
        self._stopping.set()

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
            yield  # signals belong to the main thread: who runs us on another stops us by `stop`
            return
        before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # --- start ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """The slow things at the same time: the worker reads its models while Kafka and Elasticsearch start."""
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
        if not self._topics.wait(TOPICS_SECONDS):
            raise ServiceError(self._problem or f"Kafka at {self.settings.bootstrap_servers} does not answer")
        if self._problem:
            raise ServiceError(self._problem)

    def _require_ports(self) -> None:
        from pipeline.local import ports  # noqa: PLC0415 - psutil is slow to load

        ports.require_free({f"http.{name}_port": probe.port(self.settings.http, name) for name in probe.NAMES})

    def _prepare_stack(self) -> Any:
        """What has to be started, its jars downloaded; None where all is configured, or `dateline up` started it."""
        if self.settings.kafka.bootstrap_servers and self.settings.elasticsearch.url:
            return None
        from pipeline.local import jars, stack  # noqa: PLC0415 - only here, and only where it is wanted

        found = stack.running(self.settings)
        if found is not None and found.detached:
            self._screen.say(f"using the Kafka and Elasticsearch that `dateline up` started (process {found.process})")
            return None
        jars.fetch(self._screen.progress)
        return stack.Stack(self.settings, wanted=stack.unconfigured(self.settings), progress=self._screen.progress)

    def _open_topics(self) -> None:
        """As soon as Kafka answers: make the topics, start who needs them, read what comes."""
        began = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._require_kafka()
                bus.create_topics(self.settings)
            except bus.BusError as error:
                self._problem = str(error)
                if time.monotonic() - began > TOPICS_SECONDS:
                    return
                self._stopping.wait(TICK_SECONDS)
                continue
            self._problem = ""
            for name in probe.NAMES:
                self._start_child(name)
            self._watcher.read()
            self._topics.set()
            return

    def _require_kafka(self) -> None:
        """Kafka's client waits longer after each try that failed; we want to be there when it is."""
        if not probe.listens(self.settings.bootstrap_servers):
            raise bus.BusError(f"nobody answers at {self.settings.bootstrap_servers} (kafka.bootstrap_servers)")

    def _start_child(self, name: str) -> None:
        with self._lock:
            if not self._stopping.is_set() and self._children[name].process is None:
                self._children[name].start(time.monotonic())

    # --- watch ---------------------------------------------------------------------------------------------------

    def _supervise(self) -> None:
        checked = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            now = time.monotonic()
            for child in self._children.values():
                self._look_after(child, now)
            if now - checked >= 1:
                checked = now
                self._look_after_stack(now)
                for child in self._children.values():
                    roll(child.log_file)
            self._screen.draw(self._watcher.view)

    def _look_after(self, child: ServiceProcess, now: float) -> None:
        status = child.ended(now)
        if status is not None:
            told = _how_it_ended(status)
            log.warning("ended", process=child.name, status=status)
            if child.refused >= REFUSED_TIMES:
                raise ServiceError(f"{child.name} cannot run: {child.last_line()}")
            self._screen.say(
                f"{child.name} {told}; it starts again in {child.due_at - now:.0f} s "
                f"(last line: {child.last_line()[:200] or 'none'}; all of them: {child.log_file})"
            )
        elif child.process is None and now >= child.due_at:
            self._start_child(child.name)

    def _look_after_stack(self, now: float) -> None:
        """A server that ended is started again with the other one, unless that happens over and over."""
        if self._stack is None:
            return
        from pipeline.local import stack  # noqa: PLC0415 - loaded already: there is a stack

        try:
            self._stack.check()
        except stack.StackError as error:
            if self._stack_lost_at is not None and now - self._stack_lost_at < STEADY_SECONDS:
                raise
            self._stack_lost_at = now
            self._screen.say(f"{str(error).splitlines()[0]} The local stack starts again.")
            self._waiting = True
            self._stack.stop()
            self._stack.start()
            self._waiting = False

    # --- stop ----------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """In the data's order; a process that does not end in time is killed, which loses nothing (it is read again)."""
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
                    self._screen.say(
                        f"{name} {'stopped' if in_time else 'did not stop and was killed'} ({seconds:.1f} s)"
                    )
        self._watcher.stop()
        if self._stack is not None:
            began = time.monotonic()
            self._stack.stop()
            self._screen.say(f"Kafka and Elasticsearch stopped ({time.monotonic() - began:.1f} s)")

    def _drain_seconds(self, name: str) -> float:
        return DRAIN_SECONDS + (self.settings.worker.drain_timeout_seconds if name == "worker" else 0)


def _how_it_ended(status: int) -> str:
    if status == EXIT_STALLED:
        return "made no progress and was ended by its watchdog"
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _free_ports(number: int) -> list[int]:
    from pipeline.local import ports  # noqa: PLC0415 - psutil is slow to load

    return ports.free(number)
