"""Raw articles in, raw documents and events out, read in separate processes so that the event loop never waits for spaCy.

spaCy's objects never leave their process. An article that kills its process or exceeds its time is read once more alone. If
that fails too, it comes back as failed, while the other articles of its batch succeed.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog

from pipeline import logs, metrics
from pipeline.records import Article, Event, RecordError, decode, encode
from pipeline.settings import Settings
from pipeline.stage import Rejected

if TYPE_CHECKING:
    from pipeline import detect

log = structlog.get_logger("pool")


@dataclass(frozen=True, slots=True)
class ArticleResult:
    """The result of one raw article: `outcome` is ok, rejected (reason) or failed (error), and `stage` is where it ended."""

    outcome: str
    stage: str
    reason: str = ""
    error_type: str = ""
    error: str = ""
    trace: str = ""
    article_id: str = ""
    fetched_at: float = 0.0
    document: bytes = b""
    events: tuple[tuple[bytes, bytes], ...] = ()
    brief: bytes = b""
    labels: tuple[tuple[str, str, str], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


NICE: Final = 5
"""How much lower the priority of pool processes is, so that heartbeats and /metrics are prompt while all cores are busy."""

ZONE_ARTICLES: Final = 500
"""Articles in one memory zone of spaCy: their new words take some ten megabytes."""

QUIET_TRACKER: Final = "ignore:resource_tracker"
"""An option `-W` of Python. A worker that ends at once, as without Kafka, leaves semaphores behind, which its helper process
removes; the helper would say so in lines of plain text between the JSON of the log."""

Reader = Callable[[Sequence[bytes]], list[ArticleResult]]

_models: detect.Models | None = None


class _MemoryZone:
    """spaCy's memory zone of this process. What it keeps of new words is freed when the zone ends.

    It is ended after many articles and not after each batch, because words that the next article has too would be made anew.
    """

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._left = 0

    def enter(self, nlp: Any, articles: int) -> None:
        """Begin a new zone if the present one has had its articles. None of the earlier docs may be used any more."""
        self._left -= articles
        if self._left < 0:
            self._open.close()
            self._open.enter_context(nlp.memory_zone())
            self._left = ZONE_ARTICLES


_zone: Final = _MemoryZone()


def start_process(settings: Settings) -> None:
    """Prepare a pool process: load the models once, and exit when the worker has ended."""
    global _models  # noqa: PLW0603 - a pool process has no other place for what it loads once
    logs.set_up(settings.log)  # the process is spawned, not forked, so it has to set up logging itself
    os.nice(NICE)
    _exit_with_parent()
    from pipeline import detect  # noqa: PLC0415 - only pool processes pay for spaCy

    _models = detect.load_models(settings)


def _exit_with_parent() -> None:
    """Watch for the worker's end on a thread: a pool process would wait for its queue for ever, even after a kill."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def read_chunk(raws: Sequence[bytes]) -> list[ArticleResult]:
    """Return the result of each raw article. Runs in a pool process and never raises because of an article."""
    assert _models is not None
    _zone.enter(_models.nlp, len(raws))
    return [_read_one(raw, _models) for raw in raws]


def _read_one(raw: bytes, models: detect.Models) -> ArticleResult:
    from pipeline import flow  # noqa: PLC0415 - only pool processes pay for spaCy

    steps = flow.Steps()
    article_id = ""
    try:
        article = decode(raw, Article)
        article_id = article.id
        reading = flow.read(article, models, steps)
    except Rejected as rejected:
        return ArticleResult(
            "rejected", steps.current, reason=rejected.reason, article_id=article_id, seconds=steps.seconds
        )
    except Exception as error:  # noqa: BLE001 - no article may stop the rest of its batch
        name = "RecordError" if isinstance(error, RecordError) else type(error).__name__
        trace = "".join(traceback.format_exception(error))[-4000:]
        return ArticleResult(
            "failed", steps.current, error_type=name, error=str(error), trace=trace, article_id=article_id
        )
    return ArticleResult(
        "ok",
        "detect",
        article_id=article.id,
        fetched_at=article.fetched_at.timestamp(),
        document=encode(reading.document),
        events=tuple((event.id.encode(), encode(event)) for event in reading.events),
        brief=encode(reading.brief),
        labels=tuple(_labels(event) for event in reading.events),
        seconds=steps.seconds,
    )


def _labels(event: Event) -> tuple[str, str, str]:
    return event.event_type, event.kind, event.modality


class Pool:
    """Holds the pool processes of one worker. Only tests replace `reader` and `prepare`."""

    def __init__(
        self,
        settings: Settings,
        *,
        reader: Reader = read_chunk,
        prepare: Callable[[Settings], None] = start_process,
    ) -> None:
        self.size = settings.worker.processes or os.cpu_count() or 1
        self._settings = settings
        self._reader = reader
        self._prepare = prepare
        self._seconds = settings.worker.article_timeout_seconds
        if QUIET_TRACKER not in sys.warnoptions:  # Python passes these on to its helper process
            sys.warnoptions.append(QUIET_TRACKER)
        self._shared = self._executor(self.size)
        self._single: ProcessPoolExecutor | None = None
        self._single_lock = asyncio.Lock()
        self._under_way = 0

    def _executor(self, processes: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, context, initializer=self._prepare, initargs=(self._settings,))

    async def warm(self) -> None:
        """Start every process and wait until all have loaded their models.

        Raises:
            BrokenProcessPool: a process could not start because a model or kind is missing or wrong (see its log line).
        """
        loop = asyncio.get_running_loop()
        # Each process takes one short call while it is busy, so as many calls as processes start them all.
        await asyncio.gather(*(loop.run_in_executor(self._shared, _pause) for _ in range(self.size)))

    async def read(self, raws: Sequence[bytes]) -> list[ArticleResult]:
        """Return the result of each raw article, in order. Never raises because of an article.

        Calls may be made at the same time. One beyond the number of processes waits for a process.
        """
        executor = self._shared
        try:
            return await self._run(executor, raws, ahead=self._under_way)
        except (BrokenProcessPool, TimeoutError) as error:
            if executor is self._shared:
                self._shared = self._replace(executor, self.size, error)
        return [await self._read_alone(raw) for raw in raws]

    async def _run(self, executor: Executor, raws: Sequence[bytes], *, ahead: int = 0) -> list[ArticleResult]:
        """Read articles, `ahead` of which are under way: their time begins when a process is free, so it is allowed for."""
        call = asyncio.get_running_loop().run_in_executor(executor, self._reader, list(raws))
        self._under_way += len(raws)
        try:
            return await asyncio.wait_for(call, self._seconds * (len(raws) + ahead // self.size))
        finally:
            self._under_way -= len(raws)

    async def _read_alone(self, raw: bytes) -> ArticleResult:
        """Read one article in a process of its own: if that process ends too, the article is the cause."""
        async with self._single_lock:
            if self._single is None:
                self._single = self._executor(1)
                await self._load(self._single)
            try:
                return (await self._run(self._single, [raw]))[0]
            except BrokenProcessPool as error:
                self._discard(self._single, error)
                what = "the process that read this article died (out of memory, or a crash in a native library)"
                return ArticleResult("failed", "annotate", error_type="ProcessDied", error=what)
            except TimeoutError as error:
                self._discard(self._single, error)
                what = f"reading this article took more than worker.article_timeout_seconds = {self._seconds:g}"
                return ArticleResult("failed", "annotate", error_type="Timeout", error=what)

    async def _load(self, executor: Executor) -> None:
        """Load the models before the time limit of an article begins."""
        await asyncio.get_running_loop().run_in_executor(executor, _pause)

    def _discard(self, executor: ProcessPoolExecutor, error: BaseException) -> None:
        metrics.pool_restarts_total.labels(cause=_cause(error)).inc()
        _end(executor)
        self._single = None

    def _replace(self, executor: ProcessPoolExecutor, size: int, error: BaseException) -> ProcessPoolExecutor:
        log.warning("pool_restarted", cause=_cause(error), processes=size)
        metrics.pool_restarts_total.labels(cause=_cause(error)).inc()
        _end(executor)
        return self._executor(size)

    def close(self) -> None:
        """End all processes. No article may be under way."""
        _end(self._shared)
        if self._single is not None:
            _end(self._single)


def _pause() -> None:
    """Keep a process busy long enough that the next call starts another one."""
    threading.Event().wait(0.05)


def _cause(error: BaseException) -> str:
    return "timeout" if isinstance(error, TimeoutError) else "died"


def _end(executor: ProcessPoolExecutor) -> None:
    """Kill the processes, because a stuck one ignores a request to stop (kill_workers of Python 3.14 does the same).

    Calls that wait for a process are not cancelled: they fail as broken, like those that run, and are read again.
    """
    for process in list((executor._processes or {}).values()):  # noqa: SLF001 - there is no public way before 3.14
        process.kill()
    executor.shutdown(wait=False)
