"""Articles of the past from their topic to the worker, on a thread and in a group of their own.

Faust delivers the records of all its topics in turn: a topic that is full for hours would delay the others. Here the thread
reads a few records, waits until the worker has done with them, and commits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final

import structlog

from pipeline import bus
from pipeline.settings import Settings

log = structlog.get_logger("worker")

RETRY_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.5
"""How often it is checked, while records are under way, whether the worker has to end."""

Read = Callable[[list[bus.Message]], Coroutine[Any, Any, None]]


class _EndedError(Exception):
    """The worker ends while records are under way: they are read again after the next start."""


def follow(
    settings: Settings, read: Read, loop: asyncio.AbstractEventLoop, ending: threading.Event, *, at_once: int
) -> None:
    """Give the records of the topic of backfills to `read`, at most `at_once` together, until `ending` is set."""

    def handle(messages: list[bus.Message]) -> None:
        under_way = asyncio.run_coroutine_threadsafe(read(messages), loop)
        _wait(under_way, ending)

    while not ending.is_set():
        try:
            bus.consume(
                settings,
                topics=(bus.BACKFILL,),
                group=bus.BACKFILL_GROUP,
                handle=handle,
                stop=ending,
                max_records=at_once,
            )
        except _EndedError:
            return
        except bus.BusError as error:
            log.warning("backfill_interrupted", error=str(error))
            ending.wait(RETRY_SECONDS)


def _wait(under_way: Future[None], ending: threading.Event) -> None:
    """Return when the records are done with.

    Raises:
        _EndedError: the worker ends before.
    """
    while True:
        try:
            return under_way.result(LOOK_SECONDS)
        except TimeoutError:
            if ending.is_set():
                under_way.cancel()
                raise _EndedError from None
