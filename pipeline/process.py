"""What each process has: the version of its code, from pyproject.toml, and the event that makes it stop."""

import queue
import threading
from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("dateline")
except PackageNotFoundError:  # the code runs from a directory that is not installed
    VERSION = "0+unknown"


class StopEvent(threading.Event):
    """A `threading.Event` that a signal handler may set while the same thread waits for it. It is set once, for good.

    `threading.Event.set` takes a lock that `wait` holds for some moments. A handler that interrupts the thread in such a moment
    waits for ever for what it has interrupted, and from then on no signal ends the process. `queue.SimpleQueue.put` is
    documented to be safe there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_set = False

    def is_set(self) -> bool:
        """Return whether the process has to stop."""
        return self._is_set

    def set(self) -> None:
        """Tell all that wait, and those who will, that the process has to stop."""
        self._is_set = True
        self._tokens.put(None)

    def clear(self) -> None:
        """Refuse: a stop is not taken back.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("a stop is not taken back")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, at most `timeout` seconds; return whether it is."""
        if not self._is_set:
            try:
                self._tokens.get(timeout=None if timeout is None else max(0.0, timeout))
            except queue.Empty:
                return self._is_set
            self._tokens.put(None)  # for the next one that waits
        return True
