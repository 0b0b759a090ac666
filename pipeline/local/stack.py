"""The local Kafka and Elasticsearch together: start both, watch them, stop them in order.

A process owns a stack. With `Stack` it is the caller (`dateline run`); with `up` it is a background process, until `down`.
owner.py says which process owns a data directory. The servers always end with their owner.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, Final, Self

import msgspec
import structlog

from pipeline.local import LocalError, Progress, aot, child, jars, no_progress, owner, ports, servers
from pipeline.local.child import ServerProcess
from pipeline.local.owner import OwnedError, Running
from pipeline.local.servers import Launch
from pipeline.process import StopEvent
from pipeline.settings import Local, Settings

log = structlog.get_logger("local.stack")

POLL_SECONDS: Final = 0.1

BOTH: Final = (servers.KAFKA, servers.ELASTICSEARCH)
PORTS: Final = {servers.KAFKA: ("port", "controller_port"), servers.ELASTICSEARCH: ("port", "transport_port")}


class StackError(LocalError):
    """The stack did not start or stop, or a server ended; the message has the last log lines."""


class Stack:
    """Holds Kafka and Elasticsearch (or the `wanted` of them) as child processes, from `start` (or `with`) until `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        wanted: tuple[str, ...] = BOTH,
        progress: Progress | None = None,
        detached: bool = False,
        prepare: Callable[[Launch], Launch] = aot.with_archive,
    ) -> None:
        self._prepare = prepare
        self._local = settings.local
        self._wanted = wanted
        self._data_dir = settings.data_dir
        self._progress = progress or no_progress
        self._detached = detached
        self._locks: list[IO[bytes]] = []
        self._children: list[ServerProcess] = []
        _stacks.add(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Fetch missing jars, start the servers in parallel, and return when they answer.

        Raises:
            LocalError: a jar, a port, the data directory or a server is not usable. Nothing is left running.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        began = time.monotonic()
        _make_directories(self._data_dir)
        self._locks = owner.acquire(self._data_dir)
        shutil.rmtree(self._data_dir / "tmp", ignore_errors=True)
        jars.fetch(self._progress)
        ports.require_free(_ports(self._local, self._wanted))
        for launch, ask in launches(self._local, self._data_dir):
            if launch.server not in self._wanted:
                continue
            lock_fd = self._locks[-1].fileno()
            self._children.append(child.start(self._prepare(launch), self._data_dir, ask, lock_fd=lock_fd))
        self._wait_until_ready(began + self._local.start_timeout_seconds)
        ready = Running(os.getpid(), self._detached, self._local.kafka_port, self._local.elasticsearch_port)
        owner.write_record(self._data_dir, ready)
        log.info("local stack ready", seconds=round(time.monotonic() - began, 1), data_dir=str(self._data_dir))

    def _wait_until_ready(self, deadline: float) -> None:
        """Wait for all servers, in any order."""
        waiting = list(self._children)
        self._progress(start_message(self._wanted), 0, len(waiting))
        while waiting:
            self.check()
            for one in [one for one in waiting if one.ready()]:
                waiting.remove(one)
                done = len(self._children) - len(waiting)
                self._progress(start_message(self._wanted), done, len(self._children))
            if waiting and time.monotonic() > deadline:
                slow = waiting[0]
                raise StackError(
                    f"{slow.title} did not answer within {self._local.start_timeout_seconds:.0f} s "
                    f"(local.start_timeout_seconds). Its last lines:\n{child.last_lines(slow)}"
                )
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Check that the servers run.

        Raises:
            StackError: one has ended; the message has its last log lines.
        """
        for one in self._children:
            status = one.process.poll()
            if status is not None:
                how = f"by signal {-status}" if status < 0 else f"with status {status}"
                raise StackError(f"{one.title} ended {how}. Its last lines:\n{child.last_lines(one)}")

    def ended(self) -> tuple[str, ...]:
        """Return the servers that have ended."""
        return tuple(one.server for one in self._children if one.process.poll() is not None)

    def restart(self, server: str) -> ServerProcess:
        """Start one server that has ended again, in its directory and on its ports, and return it at once.

        Raises:
            OSError: its directory or log file cannot be written.
        """
        [number] = [number for number, one in enumerate(self._children) if one.server == server]
        before = self._children[number]
        before.process.poll()  # collects its exit status
        if before.process.stdin is not None:
            before.process.stdin.close()
        lock_fd = self._locks[-1].fileno()
        self._children[number] = child.start(before.launch, self._data_dir, before.ready, lock_fd=lock_fd)
        return self._children[number]

    def server(self, server: str) -> ServerProcess:
        """Return the process of a server of this stack."""
        return next(one for one in self._children if one.server == server)

    def stop(self) -> None:
        """Stop the servers, Elasticsearch first, and release the data directory. Safe to call twice."""
        while self._children:
            one = self._children.pop()
            dead = one.process.poll() is not None
            if not child.stop(one) and not dead:
                log.warning("server did not stop in order", server=one.server, status=one.process.returncode)
            else:
                log.debug("server stopped", server=one.server)
        if self._locks:
            owner.remove_record(self._data_dir)
        while self._locks:
            self._locks.pop().close()

    def release(self) -> None:
        """Close the pipes and locks without stopping the servers, in a forked copy of the owner: only the owner keeps them."""
        while self._children:
            pipe = self._children.pop().process.stdin
            if pipe is not None:
                pipe.close()
        while self._locks:
            self._locks.pop().close()


def unconfigured(settings: Settings) -> tuple[str, ...]:
    """Return the servers without a configured address, which have to be started here."""
    configured = {servers.KAFKA: settings.kafka.bootstrap_servers, servers.ELASTICSEARCH: settings.elasticsearch.url}
    return tuple(server for server in BOTH if not configured[server])


def start_message(wanted: tuple[str, ...]) -> str:
    """Return the progress text of a start, for example `starting Kafka and Elasticsearch`."""
    return "starting " + " and ".join(servers.TITLES[server] for server in wanted)


_stacks: Final[weakref.WeakSet[Stack]] = weakref.WeakSet()


def _release_in_fork() -> None:
    for stack in list(_stacks):
        stack.release()


os.register_at_fork(after_in_child=_release_in_fork)


def running(settings: Settings) -> Running | None:
    """Return the stack that is ready in the settings' data directory, or None."""
    return owner.read_record(settings.data_dir) if owner.is_owned(settings.data_dir) else None


def up(settings: Settings, *, progress: Progress | None = None) -> Running:
    """Start a stack that outlives this process and its terminal, and return it when it is ready. A running one is returned.

    Raises:
        LocalError: it could not be started, or one runs in this data directory on other ports.
    """
    if (already := running(settings)) is not None:
        _require_same_ports(already, settings)
        return already
    data_dir = settings.data_dir
    _make_directories(data_dir)
    jars.fetch(progress or no_progress)
    if owner.is_owned(data_dir):
        raise OwnedError(owner.owner_message(data_dir))
    ports.require_free(_ports(settings.local, BOTH))
    log_file = data_dir / "logs" / "stack.log"
    local = msgspec.structs.replace(settings.local, data_dir=str(data_dir))
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd) as pipe:
        with os.fdopen(write_fd), log_file.open("wb") as output:
            subprocess.run(  # noqa: S603 - our own module, our own arguments
                [sys.executable, "-m", "pipeline.local.stack", msgspec.json.encode(local).decode(), str(write_fd)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(write_fd,),
                start_new_session=True,
                check=True,
            )
        return _wait_for_ready(pipe, data_dir, log_file)


def _wait_for_ready(pipe: IO[str], data_dir: Path, log_file: Path) -> Running:
    """Read from the background process its process id, and then `ready` or an error."""
    process = int(pipe.readline())
    try:
        state = pipe.read().strip()
    except BaseException:  # the user interrupts
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
        raise
    ready = owner.read_record(data_dir)
    if state != "ready" or ready is None:
        raise StackError(state or "the local stack did not start:\n" + "\n".join(child.tail(log_file, 40)))
    return ready


def down(settings: Settings) -> bool:
    """Stop the stack that `up` started and wait until its servers have ended. Return whether there was one.

    Raises:
        LocalError: the stack belongs to a `dateline run`, or does not stop.
    """
    data_dir = settings.data_dir
    if not owner.is_owned(data_dir):
        return False
    ready = owner.read_record(data_dir)
    if ready is None or not ready.detached:
        raise OwnedError(owner.owner_message(data_dir))
    os.kill(ready.process, signal.SIGTERM)
    deadline = time.monotonic() + 2 * owner.DRAIN_SECONDS
    while owner.is_owned(data_dir):
        if time.monotonic() > deadline:
            raise StackError(f"the local stack (process {ready.process}) does not stop; see {data_dir / 'logs'}")
        time.sleep(POLL_SECONDS)
    return True


def launches(local: Local, data_dir: Path) -> tuple[tuple[Launch, Callable[[], bool]], ...]:
    """Return (launch, readiness check) of each server, in the order of the start."""
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


def _ports(local: Local, servers_: tuple[str, ...]) -> dict[str, int]:
    names = (f"{server}_{kind}" for server in servers_ for kind in PORTS[server])
    return {f"local.{name}": getattr(local, name) for name in names}


def _require_same_ports(already: Running, settings: Settings) -> None:
    wanted = (settings.local.kafka_port, settings.local.elasticsearch_port)
    if (already.kafka_port, already.elasticsearch_port) != wanted:
        raise StackError(
            f"{settings.data_dir}: a local stack runs there on ports {already.kafka_port} and {already.elasticsearch_port}, "
            f"not {wanted[0]} and {wanted[1]}; end it with `dateline down` first"
        )


def _make_directories(data_dir: Path) -> None:
    try:
        (data_dir / "logs").mkdir(parents=True, exist_ok=True)
        data_dir.chmod(0o700)  # what was collected, and the logs, are for this user alone
    except OSError as error:
        raise StackError(f"{error.filename}: cannot be used as local.data_dir: {error.strerror}") from error


def serve(local: Local, pipe: IO[str]) -> None:
    """Own a stack in the background until SIGTERM or SIGINT, or until a server ends. `up` runs this.

    It writes its process id to `pipe`, then `ready` or an error, and closes the pipe.
    """
    stop = StopEvent()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():  # a second signal must not interrupt the stop
            stop.set()
            raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    stack = Stack(Settings(local=local), detached=True)
    try:  # a signal may arrive as soon as the other side has read `ready`: from there on the servers are stopped in order
        with pipe:
            pipe.write(f"{os.getpid()}\n")
            pipe.flush()
            try:
                stack.start()
            except LocalError as error:
                pipe.write(str(error))
                raise
            pipe.write("ready")
        while not stop.wait(1):
            stack.check()
    finally:
        stop.set()
        stack.stop()


if __name__ == "__main__":
    if os.fork() == 0:  # the parent ends at once, so that this process has no parent that waits for it
        try:
            serve(msgspec.json.decode(sys.argv[1], type=Local), os.fdopen(int(sys.argv[2]), "w"))
        except LocalError as error:
            sys.exit(str(error))
