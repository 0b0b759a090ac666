"""The servers' jars: lock.toml says which, jgo downloads them, and every one is checked against its hash before it is run.

They lie in one cache for the user, laid out as a Maven repository, so that a second clone downloads nothing. A jar is
downloaded under another name and moved into place once it is whole and right: what an interrupted download left never counts,
and what was finished is never fetched again. A mirror is chosen in jgo's own configuration ([repositories] in jgo.conf), and
a jar that Maven or jgo already has on this machine is taken from there.

`python -m pipeline.local.jars fetch` downloads what is missing. `... lock` writes lock.toml anew after its `roots` were
changed (for maintainers).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from pipeline.local import LocalError, Progress, silent
from pipeline.settings import convert, read_toml

log = structlog.get_logger("local.jars")

LOCK_FILE: Final = Path(__file__).with_name("lock.toml")
CONNECTIONS: Final = 8
ATTEMPTS: Final = 3
TIMEOUT_SECONDS: Final = 30
TELL_SECONDS: Final = 0.1
PARTS: Final = ("kafka", "elasticsearch")


class JarError(LocalError):
    """A jar is absent, altered, unknown or out of reach; the message names it."""


class Jar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the lock: group:artifact:version[:classifier], size and SHA-256."""

    jar: str
    bytes: int
    sha256: str

    @property
    def path(self) -> Path:
        """Where it lies in the cache, relative to its root."""
        group, artifact, version, *classifier = self.jar.split(":")
        return Path(*group.split("."), artifact, version, f"{'-'.join([artifact, version, *classifier])}.jar")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server: what it is asked for by (`roots`), and every jar that this means."""

    roots: tuple[str, ...]
    jars: tuple[Jar, ...]


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of lock.toml."""

    kafka: Part
    elasticsearch: Part

    def part(self, name: str) -> Part:
        """A part by its name."""
        return {"kafka": self.kafka, "elasticsearch": self.elasticsearch}[name]

    @property
    def jars(self) -> tuple[Jar, ...]:
        """The jars of both parts, each once."""
        return tuple(dict.fromkeys((*self.kafka.jars, *self.elasticsearch.jars)))


Download = Callable[[Jar, Path, Callable[[int], None]], Path]
"""A jar, a directory of its own and a function to tell of each chunk's bytes in; the downloaded file out."""


def read_lock(file: Path = LOCK_FILE) -> Lock:
    """lock.toml in, Lock out."""
    return convert(read_toml(file), Lock, where=str(file))


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where this user's downloaded parts are kept, shared by all clones: $XDG_CACHE_HOME/dateline."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "dateline"


def class_path(part: str, *, cache: Path | None = None, lock: Lock | None = None) -> tuple[Path, ...]:
    """The name of a part in, its jars in class path order out, whether they are there or not."""
    root = (cache or cache_dir()) / "jars"
    return tuple(root / jar.path for jar in (lock or read_lock()).part(part).jars)


def verify(part: str, files: Iterable[Path], *, lock: Lock | None = None) -> None:
    """A part's class path in, nothing out: every file is in the lock and has its hash.

    Raises:
        JarError: a file is not listed, absent, or other than its hash says.
    """
    known = {jar.path.name: jar for jar in (lock or read_lock()).part(part).jars}
    for file in files:
        if file.name not in known:
            raise JarError(f"{file}: this jar is not in {LOCK_FILE.name} and is not run; remove it from the class path")
        _check(known[file.name], file)


def fetch(
    progress: Progress = silent,
    *,
    cache: Path | None = None,
    lock: Lock | None = None,
    download: Download | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Make every jar of the lock present and right; the number of jars that had to be downloaded out.

    `progress` hears of bytes downloaded. `download` is jgo's unless given.

    Raises:
        JarError: a jar is corrupt, or could not be downloaded; what was finished stays.
    """
    lock = lock or read_lock()
    root = (cache or cache_dir()) / "jars"
    missing = [jar for jar in lock.jars if not _present(jar, root)]
    if not missing:
        return 0
    with _only_one(root):
        missing = [jar for jar in missing if not _present(jar, root)]
        tally = _Tally(progress, sum(jar.bytes for jar in missing))
        with tempfile.TemporaryDirectory(dir=root, prefix="partial-") as scratch:
            get = download or _jgo_download()
            _download_all(missing, root, Path(scratch), get, tally=tally, pause=pause)
    return len(missing)


class _Tally:
    """Adds up the bytes of many downloads at once; a retried jar starts again from nothing."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done: dict[Jar, int] = {}
        self._told = -1
        self._told_at = 0.0
        self._lock = threading.Lock()

    def put(self, jar: Jar, done: int) -> None:
        self._tell(jar, min(done, jar.bytes))

    def advance(self, jar: Jar, more: int) -> None:
        self._tell(jar, min(self._done.get(jar, 0) + more, jar.bytes))

    def _tell(self, jar: Jar, done: int) -> None:
        with self._lock:
            self._done[jar] = done
            done_in_all, now = sum(self._done.values()), time.monotonic()
            due = done_in_all == self._total or now - self._told_at > TELL_SECONDS
            if due and done_in_all != self._told:
                self._told, self._told_at = done_in_all, now
                self._progress("downloading Kafka and Elasticsearch", done_in_all, self._total)


def _download_all(
    missing: list[Jar],
    root: Path,
    scratch: Path,
    download: Download,
    *,
    tally: _Tally,
    pause: Callable[[float], None],
) -> None:
    """Several at a time; the first jar that cannot be had ends the rest."""
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="jars") as pool:
        results: dict[Jar, Future[None]] = {
            jar: pool.submit(_download_one, jar, root, scratch / str(number), download, tally=tally, pause=pause)
            for number, jar in enumerate(missing)
        }
        try:
            for result in results.values():
                result.result()
        except Exception:
            pool.shutdown(cancel_futures=True)
            _raise_what_failed(results, root)
            raise
        except BaseException:  # the user interrupts: what is not begun yet is not waited for
            pool.shutdown(cancel_futures=True)
            raise


def _raise_what_failed(results: Mapping[Jar, Future[None]], root: Path) -> None:
    """JarError that says what is missing, why, and how to go on."""
    errors = {jar: error for jar, result in results.items() if (error := _error(result)) is not None}
    causes = [error for error in errors.values() if not isinstance(error, CancelledError)]
    cause = next((error for error in causes if isinstance(error, JarError)), causes[0])
    if isinstance(cause, JarError):
        raise cause
    names = [jar.path.name for jar in errors]
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    megabytes = sum(jar.bytes for jar in errors) / 1e6
    raise JarError(
        f"Kafka and Elasticsearch are not complete: {len(names)} of {len(results)} jars could not be downloaded ({some}; "
        f"{megabytes:.0f} MB): {_root(cause)}. Go on by running the same command with a network connection: finished jars "
        f"are kept. Without one, copy {root} from a machine that has it. A mirror is set under [repositories] in jgo.conf."
    ) from cause


def _root(error: BaseException) -> BaseException:
    """What was at the bottom of it: "connection refused" says more than five lines of who wrapped it."""
    while (beneath := error.__cause__ or error.__context__) is not None:
        error = beneath
    return error


def _error(result: Future[None]) -> BaseException | None:
    return CancelledError() if result.cancelled() else result.exception()


def _download_one(
    jar: Jar, root: Path, scratch: Path, download: Download, *, tally: _Tally, pause: Callable[[float], None]
) -> None:
    """Download, check, move into place. A failed attempt is repeated from the start, a wrong jar is not."""
    for attempt in range(ATTEMPTS):
        directory = scratch / str(attempt)
        directory.mkdir(parents=True)
        try:
            file = download(jar, directory, lambda more: tally.advance(jar, more))
            break
        except Exception as error:
            log.debug("download failed", jar=jar.jar, attempt=attempt + 1, error=str(error))
            tally.put(jar, 0)
            if attempt + 1 == ATTEMPTS:
                raise
            pause(0.5 * 2**attempt)
    _check(jar, file, fetched=True)
    target = root / jar.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if not file.is_relative_to(scratch):  # another program's file: take a copy, leave the original
        file = Path(shutil.copy(file, directory / "copy.jar"))
    file.replace(target)
    tally.put(jar, jar.bytes)


def _jgo_download() -> Download:
    """A Download by jgo. Imported late: a warm start has no use for it."""
    from jgo.config import GlobalSettings  # noqa: PLC0415 - see above
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - see above

    config = GlobalSettings.load()
    repositories = {**MavenContext().remote_repos, **config.repositories}

    def download(jar: Jar, directory: Path, advance: Callable[[int], None]) -> Path:
        @contextmanager
        def progress(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
            yield advance

        context = MavenContext(
            resolver=PythonResolver(progress_callback=progress),
            repo_cache=directory,
            local_repos=[config.repo_cache],
            remote_repos=repositories,
            timeout=TIMEOUT_SECONDS,
        )
        group, artifact, version, *classifier = jar.jar.split(":")
        component = context.project(group, artifact).at_version(version)
        return Path(component.artifact(*classifier).resolve())

    return download


def _present(jar: Jar, root: Path) -> bool:
    """Whether the cache has the jar.

    Raises:
        JarError: it has it, but not as it should be.
    """
    file = root / jar.path
    if not file.exists():
        return False
    _check(jar, file)
    return True


def _check(jar: Jar, file: Path, *, fetched: bool = False) -> None:
    """Raises JarError unless the file is the jar."""
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise JarError(f"{file}: the jar {jar.jar} is missing; run `dateline up` to download it") from None
    if found == jar.sha256:
        return
    what_to_do = (
        "The repository it came from, or the way to it, altered it: nothing of it was kept. Check the mirror in jgo.conf."
        if fetched
        else "It was damaged or altered on this machine: delete this file and run the same command again to download it anew."
    )
    raise JarError(
        f"{file}: the jar {jar.jar} is not the one of lock.toml (SHA-256 {found}, not {jar.sha256}). {what_to_do}"
    )


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """One download into a cache at a time, whoever asks; what a killed one left is cleared away."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "download.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        for leftover in root.glob("partial-*"):
            shutil.rmtree(leftover)
        yield


def resolve(roots: Iterable[str], repository: Path) -> tuple[Jar, ...]:
    """Coordinates in, they and all they need out, each with size and hash; downloads into `repository`.

    Each root is resolved alone, since together they would choose versions for each other's dependencies. Where two of them
    need the same artifact, the version of the first one stays.
    """
    from jgo.maven import MavenContext  # noqa: PLC0415 - for maintainers only

    context = MavenContext(repo_cache=repository, timeout=TIMEOUT_SECONDS)
    found: dict[tuple[str, ...], Any] = {}
    for root in roots:
        wanted = context.create_dependency(root)
        wanted.scope = "compile"
        inputs, transitive = context.resolver.resolve([wanted])
        for dependency in (*inputs, *transitive):
            if dependency.scope in {"compile", "runtime"}:
                artifact = dependency.artifact
                found.setdefault((artifact.groupId, artifact.artifactId, artifact.classifier), artifact)
    return tuple(_locked(artifact) for artifact in found.values())


def _locked(artifact: Any) -> Jar:
    data = Path(artifact.resolve()).read_bytes()
    parts = (artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier)
    return Jar(":".join(part for part in parts if part), len(data), hashlib.sha256(data).hexdigest())


def write_lock(file: Path = LOCK_FILE) -> None:
    """Resolve the roots that lock.toml names and write it anew."""
    lock = read_lock(file)
    header = [line for line in file.read_text("utf-8").splitlines() if line.startswith("#")]
    lines = [*header, ""]
    with tempfile.TemporaryDirectory() as repository:
        for name in PARTS:
            roots = lock.part(name).roots
            jars = resolve(roots, Path(repository))
            lines += [f"[{name}]", "roots = [", *(f'  "{root}",' for root in roots), "]", "jars = ["]
            lines += [f'  {{ jar = "{jar.jar}", bytes = {jar.bytes}, sha256 = "{jar.sha256}" }},' for jar in jars]
            lines += ["]", ""]
            log.info("locked", part=name, jars=len(jars), bytes=sum(jar.bytes for jar in jars))
    file.write_text("\n".join(lines), "utf-8")
