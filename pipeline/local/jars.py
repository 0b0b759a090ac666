"""The servers' jars: lock.toml lists them, jgo downloads them, and each is checked against its hash before it runs.

They are in one cache for the user with the layout of a Maven repository, so that a second clone downloads nothing. A jar is
downloaded under another name and moved into place when it is complete and correct: the rest of an interrupted download never
counts, and a finished jar is never fetched again. A mirror is configured in jgo's own configuration ([repositories] in
jgo.conf), and a jar that Maven or jgo already has on this machine is copied from there.

`python -m pipeline.cli.prepare fetch` downloads missing jars. `... lock` writes lock.toml again after a change of its `roots`
(for maintainers).
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

from pipeline.local import LocalError, Progress, no_progress
from pipeline.settings import convert, read_toml

log = structlog.get_logger("local.jars")

LOCK_FILE: Final = Path(__file__).with_name("lock.toml")
CONNECTIONS: Final = 8
ATTEMPTS: Final = 3
TIMEOUT_SECONDS: Final = 30
PROGRESS_SECONDS: Final = 0.1
PARTS: Final = ("kafka", "elasticsearch")


class JarError(LocalError):
    """A jar is missing, altered, unknown or cannot be downloaded; the message names it."""


class Jar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of lock.toml: group:artifact:version[:classifier], size and SHA-256."""

    jar: str
    bytes: int
    sha256: str

    @property
    def path(self) -> Path:
        """The path of the jar in the cache, relative to its root."""
        group, artifact, version, *classifier = self.jar.split(":")
        return Path(*group.split("."), artifact, version, f"{'-'.join([artifact, version, *classifier])}.jar")


class JarSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The jars of a server: the `roots` that are requested, and all jars that they need."""

    roots: tuple[str, ...]
    jars: tuple[Jar, ...]


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of lock.toml."""

    kafka: JarSet
    elasticsearch: JarSet

    def part(self, name: str) -> JarSet:
        """Return the jars of a server by its name."""
        return {"kafka": self.kafka, "elasticsearch": self.elasticsearch}[name]

    @property
    def jars(self) -> tuple[Jar, ...]:
        """The jars of both servers, each once."""
        return tuple(dict.fromkeys((*self.kafka.jars, *self.elasticsearch.jars)))


Download = Callable[[Jar, Path, Callable[[int], None]], Path]
"""Takes a jar, an own directory, and a function to call with the bytes of each chunk; returns the downloaded file."""


def read_lock(file: Path = LOCK_FILE) -> Lock:
    """Return the content of lock.toml."""
    return convert(read_toml(file), Lock, where=str(file))


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the user's cache directory, which all clones share: $XDG_CACHE_HOME/dateline."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "dateline"


def class_path(part: str, *, cache: Path | None = None, lock: Lock | None = None) -> tuple[Path, ...]:
    """Return the jars of a server in class path order, whether they exist or not."""
    root = (cache or cache_dir()) / "jars"
    return tuple(root / jar.path for jar in (lock or read_lock()).part(part).jars)


def verify(part: str, files: Iterable[Path], *, lock: Lock | None = None) -> None:
    """Check that every file of a server's class path is in the lock and has its hash.

    Raises:
        JarError: a file is not listed, is missing, or has another hash.
    """
    known = {jar.path.name: jar for jar in (lock or read_lock()).part(part).jars}
    for file in files:
        if file.name not in known:
            raise JarError(f"{file}: this jar is not in {LOCK_FILE.name} and is not run; remove it from the class path")
        _check(known[file.name], file)


def fetch(
    progress: Progress = no_progress,
    *,
    cache: Path | None = None,
    lock: Lock | None = None,
    download: Download | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Download the jars of the lock that are missing and return how many there were.

    `progress` gets the downloaded bytes. `download` is jgo's unless it is given.

    Raises:
        JarError: a jar is corrupt or could not be downloaded. Finished jars stay.
    """
    lock = lock or read_lock()
    root = (cache or cache_dir()) / "jars"
    missing = [jar for jar in lock.jars if not _present(jar, root)]
    if not missing:
        return 0
    with _download_lock(root):
        missing = [jar for jar in missing if not _present(jar, root)]
        tally = _DownloadProgress(progress, sum(jar.bytes for jar in missing))
        with tempfile.TemporaryDirectory(dir=root, prefix="partial-") as scratch:
            get = download or _jgo_download()
            _download_all(missing, root, Path(scratch), get, tally=tally, pause=pause)
    return len(missing)


class _DownloadProgress:
    """Adds up the bytes of parallel downloads. A jar that is retried starts again from zero."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done: dict[Jar, int] = {}
        self._reported = -1
        self._reported_at = 0.0
        self._lock = threading.Lock()

    def put(self, jar: Jar, done: int) -> None:
        self._report(jar, min(done, jar.bytes))

    def advance(self, jar: Jar, more: int) -> None:
        self._report(jar, min(self._done.get(jar, 0) + more, jar.bytes))

    def _report(self, jar: Jar, done: int) -> None:
        with self._lock:
            self._done[jar] = done
            total_done, now = sum(self._done.values()), time.monotonic()
            due = total_done == self._total or now - self._reported_at > PROGRESS_SECONDS
            if due and total_done != self._reported:
                self._reported, self._reported_at = total_done, now
                self._progress("downloading Kafka and Elasticsearch", total_done, self._total)


def _download_all(
    missing: list[Jar],
    root: Path,
    scratch: Path,
    download: Download,
    *,
    tally: _DownloadProgress,
    pause: Callable[[float], None],
) -> None:
    """Download several jars at a time. The first one that fails ends the rest."""
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
            _raise_failure(results, root)
            raise
        except BaseException:  # the user interrupts: cancel the downloads that have not begun
            pool.shutdown(cancel_futures=True)
            raise


def _raise_failure(results: Mapping[Jar, Future[None]], root: Path) -> None:
    """Raise a JarError that says what is missing, why, and how to continue."""
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
        f"{megabytes:.0f} MB): {_root_cause(cause)}. Go on by running the same command with a network connection: finished "
        f"jars are kept. Without one, copy {root} from a machine that has it. A mirror is set under [repositories] in jgo.conf."
    ) from cause


def _root_cause(error: BaseException) -> BaseException:
    """Return the first error of a chain: "connection refused" says more than the errors that wrap it."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _error(result: Future[None]) -> BaseException | None:
    return CancelledError() if result.cancelled() else result.exception()


def _download_one(
    jar: Jar, root: Path, scratch: Path, download: Download, *, tally: _DownloadProgress, pause: Callable[[float], None]
) -> None:
    """Download a jar, check it and move it into place. A failed download is retried, a wrong jar is not."""
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
    if not file.is_relative_to(scratch):  # a file of another program: copy it
        file = Path(shutil.copy(file, directory / "copy.jar"))
    file.replace(target)
    tally.put(jar, jar.bytes)


def _jgo_download() -> Download:
    """Return the download function of jgo, which is imported only if a jar is missing."""
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
    """Return whether the cache has the jar.

    Raises:
        JarError: the cached jar has another hash.
    """
    file = root / jar.path
    if not file.exists():
        return False
    _check(jar, file)
    return True


def _check(jar: Jar, file: Path, *, fetched: bool = False) -> None:
    """Raise JarError unless the file has the hash of the jar."""
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
        else "It was damaged or altered on this machine: delete this file and run the same command again to download it."
    )
    raise JarError(
        f"{file}: the jar {jar.jar} is not the one of lock.toml (SHA-256 {found}, not {jar.sha256}). {what_to_do}"
    )


@contextmanager
def _download_lock(root: Path) -> Iterator[None]:
    """Allow one download into a cache at a time, and remove what a killed one left."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "download.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        for leftover in root.glob("partial-*"):
            shutil.rmtree(leftover)
        yield


def resolve(roots: Iterable[str], repository: Path) -> tuple[Jar, ...]:
    """Return the jars of `roots` and of all their dependencies, with size and hash; download them into `repository`.

    Each root is resolved alone, because together they would choose versions for each other's dependencies. If two roots need
    the same artifact, the version of the first one counts.
    """
    from jgo.maven import MavenContext  # noqa: PLC0415 - only maintainers need it

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
    """Resolve the roots that lock.toml names and write the file again."""
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
