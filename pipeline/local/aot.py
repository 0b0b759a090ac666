"""A cache of the JVM's start-up work: classes are read, checked and linked once on each machine, not at every start.

install.py starts both servers once while the JVM records; later starts use the archive and take less than half the time.
The JVM itself checks that an archive belongs to it and to the same class path, and starts without it otherwise. The name of
an archive is a hash of everything that it depends on, so another runtime, environment or jar needs another archive.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from pipeline.local import jars, java
from pipeline.local.servers import JVM_OPTIONS, Launch

RECORD_STOP_SECONDS: Final = 120.0
"""The archive is written while the server stops."""

_OPTIONS: Final = (
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",  # some cached adapters do not match their names on this runtime, and it warns at each start
    "-XX:-AOTStubCaching",
    "-XX:+VerifySharedSpaces",  # a damaged archive is detected and not used
)


def directory(cache: Path | None = None) -> Path:
    """Return the directory of this user's archives."""
    return (cache or jars.cache_dir()) / "aot"


def archive(launch: Launch, cache: Path | None = None) -> Path:
    """Return the archive for a launch, whether it exists or not."""
    runtime = java.home() / "lib" / "modules"
    stat = runtime.stat()
    inputs = (str(runtime), stat.st_mtime_ns, stat.st_size, str(java.bridge()), launch.class_path, JVM_OPTIONS)
    key = hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]
    return directory(cache) / f"{launch.server}-{key}.aot"


def with_archive(launch: Launch) -> Launch:
    """Return the launch with its archive, or unchanged if there is none."""
    file = archive(launch)
    return _with(launch, f"-XX:AOTCache={file}") if file.exists() else launch


@contextmanager
def recording(launches: Sequence[Launch], cache: Path | None = None) -> Iterator[Callable[[Launch], Launch] | None]:
    """Give a function that makes a launch record its archive, or None if all launches have one.

    The servers must stop before the block ends. Only one block runs on this machine at a time. The archives are moved into
    place at its end, so that an interrupted recording never counts.
    """
    root = directory(cache)
    if all(archive(launch, cache).exists() for launch in launches):
        yield None
        return
    root.mkdir(parents=True, exist_ok=True)
    with (root / "record.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        parts = {launch.server: root / f"{launch.server}.part" for launch in launches}
        for file in parts.values():
            file.unlink(missing_ok=True)
        yield lambda launch: msgspec.structs.replace(
            _with(launch, f"-XX:AOTCacheOutput={parts[launch.server]}"), stop_seconds=RECORD_STOP_SECONDS
        )
        written = [launch for launch in launches if parts[launch.server].exists()]
        _forget(root, {launch.server for launch in written})
        for launch in written:
            target = archive(launch, cache)
            target.with_suffix(".runtime").write_text(str(java.home()), "utf-8")
            parts[launch.server].replace(target)


def _with(launch: Launch, option: str) -> Launch:
    return msgspec.structs.replace(launch, options=(*launch.options, *_OPTIONS, option))


def _forget(root: Path, servers: set[str]) -> None:
    """Remove the archives of deleted environments, and those of this one that are replaced now."""
    for note in root.glob("*.runtime"):
        runtime = Path(note.read_text("utf-8"))
        if not runtime.exists() or (runtime == java.home() and note.name.partition("-")[0] in servers):
            note.with_suffix(".aot").unlink(missing_ok=True)
            note.unlink()
