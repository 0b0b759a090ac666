"""Articles through spaCy in processes of their own, so that the worker's event loop never waits for a parser.

Raw articles go in, raw documents and events come out: spaCy's objects never leave the process. An article that kills its
process or outlasts its time is tried once more alone, and comes back as failed, while the others of its batch succeed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from pipeline import logs, metrics
from pipeline.records import Article, Event, RecordError, decode, encode
from pipeline.settings import Settings
from pipeline.stage import Rejected

if TYPE_CHECKING:
    from pipeline import detect

log = structlog.get_logger("pool")


@dataclass(frozen=True, slots=True)
class Read:
    """What came of one raw article: `outcome` is ok, rejected (reason) or failed (error), reached in `stage`."""

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
    labels: tuple[tuple[str, str, str], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


Reader = Callable[[Sequence[bytes]], list[Read]]

_models: detect.Models | None = None


def start_process(settings: Settings) -> None:
    """Make a pool process ready: load the model and the lexicon once, and leave when the worker is gone."""
    global _models  # noqa: PLW0603 - a pool process has no other place to keep what it loads once
    logs.set_up(settings.log)  # it is spawned, not forked: without this its lines have another shape than the worker's
    _leave_with_parent()
    from pipeline import detect  # noqa: PLC0415 - only pool processes pay for spaCy

    _models = detect.load_models(settings)


def _leave_with_parent() -> None:
    """A pool process waits on a queue for ever, also when the worker was killed: watch for its end on a thread."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def read_chunk(raws: Sequence[bytes]) -> list[Read]:
    """Raw articles in, what came of each out; runs in a pool process and never raises for one of them."""
    assert _models is not None
    with _models.nlp.memory_zone():
        return [_read_one(raw, _models) for raw in raws]


def _read_one(raw: bytes, models: detect.Models) -> Read:
    from pipeline import flow  # noqa: PLC0415 - only pool processes pay for spaCy

    steps = flow.Steps()
    article_id = ""
    try:
        article = decode(raw, Article)
        article_id = article.id
        reading = flow.read(article, models, steps)
    except Rejected as rejected:
        return Read("rejected", steps.current, reason=rejected.reason, article_id=article_id, seconds=steps.seconds)
    except Exception as error:  # noqa: BLE001 - whatever an article does, it must not take its batch along
        name = "RecordError" if isinstance(error, RecordError) else type(error).__name__
        trace = "".join(traceback.format_exception(error))[-4000:]
        return Read("failed", steps.current, error_type=name, error=str(error), trace=trace, article_id=article_id)
    return Read(
        "ok",
        "detect",
        article_id=article.id,
        fetched_at=article.fetched_at.timestamp(),
        document=encode(reading.document),
        events=tuple((event.id.encode(), encode(event)) for event in reading.events),
        labels=tuple(_labels(event) for event in reading.events),
        seconds=steps.seconds,
    )


def _labels(event: Event) -> tuple[str, str, str]:
    return event.event_type, event.kind, event.modality


class Pool:
    """The processes of one worker. Holds their executors; `reader` and `prepare` are replaced in tests only."""

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
        self._many = self._executor(self.size)
        self._alone: ProcessPoolExecutor | None = None
        self._alone_lock = asyncio.Lock()

    def _executor(self, processes: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, context, initializer=self._prepare, initargs=(self._settings,))

    async def warm(self) -> None:
        """Start every process and wait until all have loaded their model.

        Raises:
            BrokenProcessPool: a process could not start: the model or the lexicon is missing or wrong (see its log line).
        """
        loop = asyncio.get_running_loop()
        # A process takes the next call as soon as it is ready: as many short waits as processes start them all.
        await asyncio.gather(*(loop.run_in_executor(self._many, _pause) for _ in range(self.size)))

    async def read(self, raws: Sequence[bytes]) -> list[Read]:
        """Raw articles in, what came of each out, in order. Never raises for an article."""
        executor = self._many
        try:
            return await self._run(executor, raws)
        except (BrokenProcessPool, TimeoutError) as error:
            if executor is self._many:
                self._many = self._replaced(executor, self.size, error)
        return [await self._read_alone(raw) for raw in raws]

    async def _run(self, executor: Executor, raws: Sequence[bytes]) -> list[Read]:
        call = asyncio.get_running_loop().run_in_executor(executor, self._reader, list(raws))
        return await asyncio.wait_for(call, self._seconds * len(raws))

    async def _read_alone(self, raw: bytes) -> Read:
        """One article in a process that serves nothing else: if that ends too, this article is the cause."""
        async with self._alone_lock:
            if self._alone is None:
                self._alone = self._executor(1)
                await self._run_quietly(self._alone)
            try:
                return (await self._run(self._alone, [raw]))[0]
            except BrokenProcessPool as error:
                self._discard(self._alone, error)
                what = "the process that read this article died (out of memory, or a crash in a native library)"
                return Read("failed", "annotate", error_type="ProcessDied", error=what)
            except TimeoutError as error:
                self._discard(self._alone, error)
                what = f"reading this article took more than worker.article_timeout_seconds = {self._seconds:g}"
                return Read("failed", "annotate", error_type="Timeout", error=what)

    async def _run_quietly(self, executor: Executor) -> None:
        """Load the model before the clock of an article starts to run."""
        await asyncio.get_running_loop().run_in_executor(executor, _pause)

    def _discard(self, executor: ProcessPoolExecutor, error: BaseException) -> None:
        metrics.pool_restarts_total.labels(cause=_cause(error)).inc()
        _end(executor)
        self._alone = None

    def _replaced(self, executor: ProcessPoolExecutor, size: int, error: BaseException) -> ProcessPoolExecutor:
        log.warning("pool_restarted", cause=_cause(error), processes=size)
        metrics.pool_restarts_total.labels(cause=_cause(error)).inc()
        _end(executor)
        return self._executor(size)

    def close(self) -> None:
        """End all processes; nothing may be under way any more."""
        _end(self._many)
        if self._alone is not None:
            _end(self._alone)


def _pause() -> None:
    """Hold a process just long enough that the next call starts another one."""
    threading.Event().wait(0.05)


def _cause(error: BaseException) -> str:
    return "timeout" if isinstance(error, TimeoutError) else "died"


def _end(executor: ProcessPoolExecutor) -> None:
    """A stuck process does not hear a polite request, so the processes are killed (kill_workers of Python 3.14 does this)."""
    for process in list((executor._processes or {}).values()):  # noqa: SLF001 - no public way before 3.14
        process.kill()
    executor.shutdown(wait=False, cancel_futures=True)
