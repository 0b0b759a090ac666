"""A cache of the JVM's start-up work: classes read, checked and linked once on each machine, not at every start.

prepare.py starts both servers once while the JVM records; later starts use what it wrote and take less than half the
time. The JVM itself checks that an archive belongs to it and to the same class path, and starts without it otherwise. The
name of an archive is a hash of all that it depends on, so another runtime, environment or jar means another archive.
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
    "-XX:-AOTAdapterCaching",  # on this runtime some of the cached adapters do not fit their names, and it warns at each start
    "-XX:-AOTStubCaching",
    "-XX:+VerifySharedSpaces",  # a damaged archive is noticed, and not used
)


def directory(cache: Path | None = None) -> Path:
    """Where this user's archives are; one directory for each Java runtime and environment."""
    return (cache or jars.cache_dir()) / "aot"


def archive(launch: Launch, cache: Path | None = None) -> Path:
    """The archive that fits a launch, whether it exists or not."""
    runtime = java.home() / "lib" / "modules"
    stat = runtime.stat()
    facts = (str(runtime), stat.st_mtime_ns, stat.st_size, str(java.bridge()), launch.class_path, JVM_OPTIONS)
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return directory(cache) / f"{launch.server}-{key}.aot"


def used(launch: Launch) -> Launch:
    """A launch in, the same with its archive out, or as it was where there is none."""
    file = archive(launch)
    return _with(launch, f"-XX:AOTCache={file}") if file.exists() else launch


@contextmanager
def recording(launches: Sequence[Launch], cache: Path | None = None) -> Iterator[Callable[[Launch], Launch] | None]:
    """Gives what makes a launch record its archive, to be stopped before the end of the block; None if all have theirs.

    The block is alone on this machine, and what it leaves is moved into place at its end, so that a cut short one never counts.
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
    """Remove the archives of deleted environments, and those of this one that are about to be superseded."""
    for note in root.glob("*.runtime"):
        runtime = Path(note.read_text("utf-8"))
        if not runtime.exists() or (runtime == java.home() and note.name.partition("-")[0] in servers):
            note.with_suffix(".aot").unlink(missing_ok=True)
            note.unlink()
