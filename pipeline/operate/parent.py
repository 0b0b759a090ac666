"""End a process of `dateline run` when its parent ends, however that happens.

The parent holds one end of a pipe, and the other end is the child's standard input. The kernel closes the pipe even after
kill -9. The child reads its end, stops cleanly when it is closed, and exits if that takes too long.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Final

VARIABLE: Final = "DATELINE_STDIN_IS_PARENT"
GRACE_SECONDS: Final = 15.0
"""How long a clean stop may take after the parent's end. Its Kafka has most likely ended too, so a longer wait is useless."""

EXIT_STATUS: Final = 75
"""The exit status of a process that did not stop in time (EX_TEMPFAIL of sysexits.h)."""


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child that is started with `stdin=PIPE` and has to end with this process."""
    return {**environ, VARIABLE: "1"}


def follow(
    environ: MutableMapping[str, str] | None = None,
    *,
    stdin: int = 0,
    stop: Callable[[], None] | None = None,
    exit_process: Callable[[int], object] = os._exit,
    grace_seconds: float = GRACE_SECONDS,
) -> threading.Thread | None:
    """Watch for the parent's end on a thread, if the parent asked for it, and return the thread.

    The variable is removed, so that processes which this one starts do not read its standard input.
    """
    environ = os.environ if environ is None else environ
    if not environ.pop(VARIABLE, ""):
        return None
    stop = stop or (lambda: os.kill(os.getpid(), signal.SIGTERM))

    def watch() -> None:
        while os.read(stdin, 4096):
            pass
        stop()
        time.sleep(grace_seconds)
        exit_process(EXIT_STATUS)

    thread = threading.Thread(target=watch, name="parent", daemon=True)
    thread.start()
    return thread
