"""Who owns a data directory: kernel locks, and a record of the owner for others to read.

A kernel lock ends with its holder however that ends, so it cannot be stale. `stack.lock` is the owner's alone; `servers.lock`
is held by both servers too, so that a new owner waits for the servers of one that was killed.
"""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO, Final

import msgspec

from pipeline.local import LocalError
from pipeline.local.ports import HOST

POLL_SECONDS: Final = 0.1

LOOK_SECONDS: Final = 1.0
"""`is_owned` holds the owner's lock for an instant, to see whether it can; an owner must not take that for another owner."""

DRAIN_SECONDS: Final = 40.0
"""How long to wait for the servers of an owner that was killed: they stop within thirty seconds, or end themselves."""


class OwnedError(LocalError):
    """Another process owns the stack of this data directory; the message says which, and what to do."""


class Running(msgspec.Struct, frozen=True):
    """A running stack: who owns it and where it listens."""

    process: int
    detached: bool
    kafka_port: int
    elasticsearch_port: int

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address."""
        return f"{HOST}:{self.kafka_port}"

    @property
    def elasticsearch_url(self) -> str:
        """Elasticsearch's address."""
        return f"http://{HOST}:{self.elasticsearch_port}"


def take(data_dir: Path) -> list[IO[bytes]]:
    """A data directory in, both its locks out, the servers' last. They are held for as long as the files are open.

    Raises:
        OwnedError: another process has the directory, or servers of an earlier one do not end.
    """
    mine = _lock_within(LOOK_SECONDS, data_dir / "stack.lock")
    if mine is None:
        raise OwnedError(why_not(data_dir))
    # The record of an earlier owner goes first: what is there from now on is ours.
    forget(data_dir)
    shared = _lock_within(DRAIN_SECONDS, data_dir / "servers.lock")
    if shared is None:
        mine.close()
        raise OwnedError(f"{data_dir}: the servers of an earlier stack still run there and do not stop")
    return [mine, shared]


def is_owned(data_dir: Path) -> bool:
    """Whether a process starts, has or stops a stack there."""
    if not (data_dir / "stack.lock").exists():
        return False
    mine = _lock(data_dir / "stack.lock")
    if mine is None:
        return True
    mine.close()
    return False


def remember(data_dir: Path, running: Running) -> None:
    """Write the record: the stack is ready."""
    part = data_dir / "stack.json.part"
    part.write_bytes(msgspec.json.encode(running))
    part.replace(data_dir / "stack.json")


def record(data_dir: Path) -> Running | None:
    """The record of a stack that is, or was, ready."""
    try:
        return msgspec.json.decode((data_dir / "stack.json").read_bytes(), type=Running)
    except FileNotFoundError:
        return None


def forget(data_dir: Path) -> None:
    """Remove the record."""
    (data_dir / "stack.json").unlink(missing_ok=True)


def why_not(data_dir: Path) -> str:
    """What to tell somebody who wants a directory that is owned."""
    owner = record(data_dir)
    if owner is None:
        return f"{data_dir}: another process is starting or stopping a local stack there; wait for it to finish"
    if owner.detached:
        return f"{data_dir}: a local stack runs there already (process {owner.process}); end it with `dateline down`"
    return f"{data_dir}: the local stack there belongs to process {owner.process} (`dateline run`); end that process"


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
