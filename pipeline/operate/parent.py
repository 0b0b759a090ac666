"""End with the parent, however it ended: for the processes that `dateline run` starts.

The parent holds one end of a pipe that is the child's standard input. The kernel closes that end also after kill -9, so the
child reads its end, asks itself to stop in order, and ends itself when that takes too long.
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
"""How long an orderly stop may take once the parent is gone. Its Kafka is most likely gone too, so waiting is for little."""

EXIT_STATUS: Final = 75
"""What a process ends with that did not stop in time (EX_TEMPFAIL of sysexits.h)."""


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in, the same for a child that is started with `stdin=PIPE` and is to end with this process out."""
    return {**environ, VARIABLE: "1"}


def follow(
    environ: MutableMapping[str, str] | None = None,
    *,
    stdin: int = 0,
    stop: Callable[[], None] | None = None,
    leave: Callable[[int], object] = os._exit,
    grace_seconds: float = GRACE_SECONDS,
) -> threading.Thread | None:
    """Watch for the parent's end on a thread, if the parent asked for that; the thread out.

    The variable is taken away, so that processes which this one starts do not read its standard input.
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
        leave(EXIT_STATUS)

    thread = threading.Thread(target=watch, name="parent", daemon=True)
    thread.start()
    return thread
