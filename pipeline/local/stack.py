"""The local Kafka and Elasticsearch as one thing: start both, watch them, stop them in order.

A stack is owned by a process. `Stack` makes the caller the owner (`dateline run`); `up` makes a process in the background the
owner, until `down`. Who owns a data directory is told by kernel locks, which end with their holder however it ends, so a lock
cannot be stale: `stack.lock` is the owner's, `servers.lock` is held by both servers too, so that a new owner waits for
the servers of one that was killed.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, Final, Self

import msgspec
import structlog

from pipeline.local import LocalError, Progress, aot, child, jars, ports, servers, silent
from pipeline.local.child import Child
from pipeline.local.servers import Launch
from pipeline.settings import Local, Settings

log = structlog.get_logger("local.stack")

POLL_SECONDS: Final = 0.1
DRAIN_SECONDS: Final = 40.0
"""How long to wait for the servers of an owner that was killed: they stop within thirty seconds, or end themselves."""


LOOK_SECONDS: Final = 1.0
"""`running` holds the owner's lock for an instant, to see whether it can; an owner must not take that for another owner."""

PREPARE_SECONDS: Final = 120.0
"""A start that records its work is slower than any other."""


class StackError(LocalError):
    """The stack did not start, is owned by another process, or lost a server; the message says what to do."""


class Running(msgspec.Struct, frozen=True):
    """A running stack: who owns it and where it listens."""

    process: int
    detached: bool
    kafka_port: int
    elasticsearch_port: int

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address."""
        return f"{ports.HOST}:{self.kafka_port}"

    @property
    def elasticsearch_url(self) -> str:
        """Elasticsearch's address."""
        return f"http://{ports.HOST}:{self.elasticsearch_port}"


class Stack:
    """Kafka and Elasticsearch as children of this process, from `start` (or `with`) to `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        progress: Progress | None = None,
        detached: bool = False,
        prepare: Callable[[Launch], Launch] = aot.used,
    ) -> None:
        self._prepare = prepare
        self._local = settings.local
        self._data_dir = settings.data_dir
        self._progress = progress or silent
        self._detached = detached
        self._locks: list[IO[bytes]] = []
        self._children: list[Child] = []
        _stacks.add(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Fetch what is missing, start both servers at once, return when both answer.

        Raises:
            LocalError: a jar, a port, the data directory or a server is not as needed; nothing is left running.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        began = time.monotonic()
        _make_directories(self._data_dir)
        self._own()
        jars.fetch(self._progress)
        ports.require_free(_ports(self._local))
        for launch, ready in _launches(self._local, self._data_dir):
            lock_fd = self._locks[-1].fileno()
            self._children.append(child.start(self._prepare(launch), self._data_dir, ready, lock_fd=lock_fd))
        self._wait_until_ready(began + self._local.start_timeout_seconds)
        running = Running(os.getpid(), self._detached, self._local.kafka_port, self._local.elasticsearch_port)
        _replace(self._data_dir / "stack.json", msgspec.json.encode(running))
        log.info("local stack ready", seconds=round(time.monotonic() - began, 1), data_dir=str(self._data_dir))

    def _own(self) -> None:
        """Take both locks. The record of an earlier owner goes first: what is there from now on is ours."""
        mine = _lock_within(LOOK_SECONDS, self._data_dir / "stack.lock")
        if mine is None:
            raise StackError(_owned_message(self._data_dir))
        self._locks.append(mine)
        (self._data_dir / "stack.json").unlink(missing_ok=True)
        shared = _lock_within(DRAIN_SECONDS, self._data_dir / "servers.lock")
        if shared is None:
            raise StackError(f"{self._data_dir}: the servers of an earlier stack still run there and do not stop")
        self._locks.append(shared)
        shutil.rmtree(self._data_dir / "tmp", ignore_errors=True)

    def _wait_until_ready(self, deadline: float) -> None:
        """Both servers, in whatever order they come."""
        waiting = list(self._children)
        while waiting:
            self.check()
            for one in [one for one in waiting if one.ready()]:
                waiting.remove(one)
                done = len(self._children) - len(waiting)
                self._progress("starting Kafka and Elasticsearch", done, len(self._children))
            if waiting and time.monotonic() > deadline:
                late = waiting[0]
                raise StackError(
                    f"{late.title} did not answer within {self._local.start_timeout_seconds:.0f} s "
                    f"(local.start_timeout_seconds). Its last lines:\n{child.last_lines(late)}"
                )
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Nothing out while both servers run.

        Raises:
            StackError: one has ended; the message has its last log lines.
        """
        for one in self._children:
            status = one.process.poll()
            if status is not None:
                how = f"by signal {-status}" if status < 0 else f"with status {status}"
                raise StackError(f"{one.title} ended {how}. Its last lines:\n{child.last_lines(one)}")

    def stop(self) -> None:
        """Stop both servers in order, Elasticsearch first, and let go of the data directory. Safe to call twice."""
        while self._children:
            one = self._children.pop()
            dead = one.process.poll() is not None
            if not child.stop(one) and not dead:
                log.warning("server did not stop in order", server=one.server, status=one.process.returncode)
            else:
                log.debug("server stopped", server=one.server)
        if self._locks:
            (self._data_dir / "stack.json").unlink(missing_ok=True)
        while self._locks:
            self._locks.pop().close()

    def let_go(self) -> None:
        """In a forked copy of the owner: close what holds the stack, so that only the true owner does, and stop nothing."""
        while self._children:
            pipe = self._children.pop().process.stdin
            if pipe is not None:
                pipe.close()
        while self._locks:
            self._locks.pop().close()


_stacks: Final[weakref.WeakSet[Stack]] = weakref.WeakSet()


def _let_go_in_fork() -> None:
    for stack in list(_stacks):
        stack.let_go()


os.register_at_fork(after_in_child=_let_go_in_fork)


def running(settings: Settings) -> Running | None:
    """The stack that is ready in the settings' data directory, if there is one."""
    data_dir = settings.data_dir
    if not (data_dir / "stack.lock").exists() or not _is_owned(data_dir):
        return None
    return _record(data_dir)


def up(settings: Settings, *, progress: Progress | None = None) -> Running:
    """Start a stack that outlives this process and its terminal; returns when it is ready. A running one is returned as it is.

    Raises:
        LocalError: it could not be started, or one runs in this data directory on other ports.
    """
    if (already := running(settings)) is not None:
        _require_same_ports(already, settings)
        return already
    data_dir = settings.data_dir
    _make_directories(data_dir)
    jars.fetch(progress or silent)
    if _is_owned(data_dir):
        raise StackError(_owned_message(data_dir))
    ports.require_free(_ports(settings.local))
    log_file = data_dir / "logs" / "stack.log"
    local = msgspec.structs.replace(settings.local, data_dir=str(data_dir))
    with log_file.open("wb") as output:
        owner = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "pipeline.local.stack", msgspec.json.encode(local).decode()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _wait_for(owner, data_dir, log_file)
    except BaseException:
        owner.terminate()
        owner.wait()
        raise


def _wait_for(owner: subprocess.Popen[bytes], data_dir: Path, log_file: Path) -> Running:
    """The record of a stack that another process is starting, once it is ready. That process sees to the timeout."""
    while owner.poll() is None:
        record = _record(data_dir)
        if record is not None and record.process == owner.pid:
            return record
        time.sleep(POLL_SECONDS)
    raise StackError("the local stack did not start:\n" + "\n".join(child.tail(log_file, 40)))


def prepare(progress: Progress | None = None) -> bool:
    """All that a first start would have to do: fetch the jars, make the start-up cache. Whether anything was to do out.

    Raises:
        LocalError: a jar could not be had, or the servers did not start.
    """
    progress = progress or silent
    fetched = jars.fetch(progress)
    with tempfile.TemporaryDirectory(prefix="dateline-") as directory:
        kafka, controller, elasticsearch, transport = ports.free(4)
        local = Local(
            data_dir=directory,
            kafka_port=kafka,
            kafka_controller_port=controller,
            elasticsearch_port=elasticsearch,
            elasticsearch_transport_port=transport,
            start_timeout_seconds=PREPARE_SECONDS,
        )
        launches = [launch for launch, _ in _launches(local, Path(directory))]
        with aot.recording(launches) as record:
            if record is not None:
                with Stack(Settings(local=local), progress=progress, prepare=record):
                    servers.exercise_elasticsearch(elasticsearch)
    return fetched > 0 or record is not None


def down(settings: Settings) -> bool:
    """Stop the stack that `up` started and wait until its servers have ended; whether there was one out.

    Raises:
        StackError: it belongs to a `dateline run`, or does not stop.
    """
    data_dir = settings.data_dir
    if not (data_dir / "stack.lock").exists() or not _is_owned(data_dir):
        return False
    record = _record(data_dir)
    if record is None or not record.detached:
        raise StackError(_owned_message(data_dir))
    os.kill(record.process, signal.SIGTERM)
    deadline = time.monotonic() + 2 * DRAIN_SECONDS
    while _is_owned(data_dir):
        if time.monotonic() > deadline:
            raise StackError(f"the local stack (process {record.process}) does not stop; see {data_dir / 'logs'}")
        time.sleep(POLL_SECONDS)
    return True


def _launches(local: Local, data_dir: Path) -> tuple[tuple[Launch, Callable[[], bool]], ...]:
    """(how to start it, how to ask it) of each server, in starting order."""
    return (
        (
            servers.kafka_launch(local, data_dir, jars.class_path(servers.KAFKA)),
            functools.partial(servers.kafka_ready, local.kafka_port),
        ),
        (
            servers.elasticsearch_launch(local, data_dir, jars.class_path(servers.ELASTICSEARCH)),
            functools.partial(servers.elasticsearch_ready, local.elasticsearch_port),
        ),
    )


def _ports(local: Local) -> dict[str, int]:
    names = ("kafka_port", "kafka_controller_port", "elasticsearch_port", "elasticsearch_transport_port")
    return {f"local.{name}": getattr(local, name) for name in names}


def _require_same_ports(already: Running, settings: Settings) -> None:
    wanted = (settings.local.kafka_port, settings.local.elasticsearch_port)
    if (already.kafka_port, already.elasticsearch_port) != wanted:
        raise StackError(
            f"{settings.data_dir}: a local stack runs there on ports {already.kafka_port} and {already.elasticsearch_port}, "
            f"not {wanted[0]} and {wanted[1]}; end it with `dateline down` first"
        )


def _owned_message(data_dir: Path) -> str:
    record = _record(data_dir)
    if record is None:
        return f"{data_dir}: another process is starting or stopping a local stack there; wait for it to finish"
    if record.detached:
        return f"{data_dir}: a local stack runs there already (process {record.process}); end it with `dateline down`"
    return f"{data_dir}: the local stack there belongs to process {record.process} (`dateline run`); end that process"


def _record(data_dir: Path) -> Running | None:
    try:
        return msgspec.json.decode((data_dir / "stack.json").read_bytes(), type=Running)
    except FileNotFoundError:
        return None


def _lock(file: Path) -> IO[bytes] | None:
    """The file, locked for as long as it, or a child's copy of it, is open; None if another holds it."""
    stream = file.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        return None
    return stream


def _lock_within(seconds: float, file: Path) -> IO[bytes] | None:
    """The file, locked as soon as no other has it; None if that takes too long."""
    deadline = time.monotonic() + seconds
    while (locked := _lock(file)) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return locked


def _is_owned(data_dir: Path) -> bool:
    mine = _lock(data_dir / "stack.lock")
    if mine is None:
        return True
    mine.close()
    return False


def _make_directories(data_dir: Path) -> None:
    try:
        (data_dir / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"{error.filename}: cannot be used as local.data_dir: {error.strerror}") from error


def _replace(file: Path, data: bytes) -> None:
    part = file.with_suffix(".part")
    part.write_bytes(data)
    part.replace(file)


def serve(local: Local) -> None:
    """Own a stack in the background until SIGTERM or SIGINT, or until a server ends. What `up` runs."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():  # a second signal must not cut short the orderly stop
            stop.set()
            raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    with Stack(Settings(local=local), detached=True) as stack:
        while not stop.wait(1):
            stack.check()


if __name__ == "__main__":
    try:
        serve(msgspec.json.decode(sys.argv[1], type=Local))
    except LocalError as error:
        sys.exit(str(error))
