"""The owner of a data directory: kernel locks, and a record of the owner that others can read.

A kernel lock ends with its holder, however that ends, so it is never stale. Only the owner holds `stack.lock`. Both servers
hold `servers.lock` too, so that a new owner waits for the servers of an owner that was killed.
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

LOCK_WAIT_SECONDS: Final = 1.0
"""How long to wait for `stack.lock`: `is_owned` holds it for a moment, which must not look like another owner."""

DRAIN_SECONDS: Final = 40.0
"""How long to wait for the servers of a killed owner: they stop within 30 seconds or end themselves."""


class OwnedError(LocalError):
    """Another process owns the stack of this data directory; the message says which, and what to do."""


class Running(msgspec.Struct, frozen=True):
    """A running stack: its owner and its ports."""

    process: int
    detached: bool
    kafka_port: int
    elasticsearch_port: int

    @property
    def bootstrap_servers(self) -> str:
        """The address of Kafka."""
        return f"{HOST}:{self.kafka_port}"

    @property
    def elasticsearch_url(self) -> str:
        """The address of Elasticsearch."""
        return f"http://{HOST}:{self.elasticsearch_port}"


def acquire(data_dir: Path) -> list[IO[bytes]]:
    """Return both locks of a data directory, that of the servers last. They are held while the files are open.

    Raises:
        OwnedError: another process owns the directory, or servers of an earlier owner do not end.
    """
    own = _lock_within(LOCK_WAIT_SECONDS, data_dir / "stack.lock")
    if own is None:
        raise OwnedError(owner_message(data_dir))
    # Remove the record of an earlier owner, so that a record that is there from now on is ours.
    remove_record(data_dir)
    shared = _lock_within(DRAIN_SECONDS, data_dir / "servers.lock")
    if shared is None:
        own.close()
        raise OwnedError(f"{data_dir}: the servers of an earlier stack still run there and do not stop")
    return [own, shared]


def is_owned(data_dir: Path) -> bool:
    """Return whether a process starts, runs or stops a stack in the directory."""
    if not (data_dir / "stack.lock").exists():
        return False
    lock = _lock(data_dir / "stack.lock")
    if lock is None:
        return True
    lock.close()
    return False


def write_record(data_dir: Path, running: Running) -> None:
    """Write the record that the stack is ready."""
    part = data_dir / "stack.json.part"
    part.write_bytes(msgspec.json.encode(running))
    part.replace(data_dir / "stack.json")


def read_record(data_dir: Path) -> Running | None:
    """Return the record of a stack that is, or was, ready."""
    try:
        return msgspec.json.decode((data_dir / "stack.json").read_bytes(), type=Running)
    except FileNotFoundError:
        return None


def remove_record(data_dir: Path) -> None:
    """Remove the record."""
    (data_dir / "stack.json").unlink(missing_ok=True)


def owner_message(data_dir: Path) -> str:
    """Return the error message for a process that wants a directory with an owner."""
    owner = read_record(data_dir)
    if owner is None:
        return f"{data_dir}: another process is starting or stopping a local stack there; wait for it to finish"
    if owner.detached:
        return f"{data_dir}: a local stack runs there already (process {owner.process}); end it with `dateline down`"
    return f"{data_dir}: the local stack there belongs to process {owner.process} (`dateline run`); end that process"


def _lock(file: Path) -> IO[bytes] | None:
    """Return the file, locked while it or a child's copy of it is open; None if another process holds the lock."""
    stream = file.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        return None
    return stream


def _lock_within(seconds: float, file: Path) -> IO[bytes] | None:
    """Return the locked file as soon as the lock is free; None after `seconds`."""
    deadline = time.monotonic() + seconds
    while (locked := _lock(file)) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return locked
