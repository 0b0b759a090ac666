"""Set up logging: the lines of all processes and libraries in one format, text on a terminal and JSON elsewhere."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from pipeline.settings import Log, without_login

LIBRARIES: Final = {
    "kafka": "CRITICAL",  # repeats that a server is unreachable; we log it once
    "aiokafka": "ERROR",
    "elastic_transport": "ERROR",
    "faust": "WARNING",  # logs the start and stop of each of its thirty services
    "mode": "WARNING",
    "pipeline.worker.faust_app": "WARNING",  # the same for the classes derived there; our own lines use the logger `worker`
}
"""The lowest level of each library whose lines are logged."""

REPEATED: Final = "aiokafka"
"""A library that logs every attempt to reach a server that is away, twenty a second and more."""

REPEAT_SECONDS: Final = 60.0
"""How often it may log the same text."""


class _NoRepeats(logging.Filter):
    """Lets each text of one library through once a minute, whatever values stand in it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is logged."""
        if record.name.partition(".")[0] != REPEATED:
            return True
        now, text = self._now(), str(record.msg)
        if now - self._logged_at.get(text, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._logged_at[text] = now
        return True


def set_up(settings: Log, *, stream: TextIO | None = None, least: str | None = None) -> None:
    """Send all log lines of level `least` (default: log.level) and above to `stream` (default: standard error)."""
    stream = stream or sys.stderr
    level = (least or settings.level).upper()
    people = settings.format == "console" or (settings.format == "auto" and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty()), _without_secrets]
        if people
        else [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            _without_secrets,
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            _add_logger,
            *shared[:2],
            *shared[3:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_NoRepeats())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.raiseExceptions = (
        False  # a line that cannot be written because the disk is full must not become a traceback
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, at_least in LIBRARIES.items():
        logging.getLogger(name).setLevel(at_least)


_BARE_LOGIN: Final = re.compile(r"(?<![\w/:.@-])[\w.%+-]+:[^\s/@\"'<>]+@(?=[\w.-]+:\d)|(?<=//)[\w.%+-]+:[^\s/@\"'<>]+@")
"""A login without the scheme of a URL before it: `user:password@host:9200`, `//user:password@host`."""

_PARAMETER: Final = re.compile(
    r"([?&#;][\w.-]{0,30}(?:password|passwd|pwd|token|api[_-]?key|secret|signature|auth)=)[^&#\s\"'<>]+", re.IGNORECASE
)
_HEADER: Final = re.compile(r"\b(Basic|Bearer|ApiKey) (?=\S*[\d=])[A-Za-z0-9+/=_.~-]{6,}")


def without_secrets(text: str) -> str:
    """Return a line without logins, keys and tokens in the parameters of URLs, and those of HTTP headers."""
    text = _BARE_LOGIN.sub("***@", without_login(text))
    return _HEADER.sub(r"\1 ***", _PARAMETER.sub(r"\1***", text))


def _without_secrets(_logger: Any, _method: str, line: Any) -> Any:
    """Take user and password out of the URLs of a finished line, wherever in it they are."""
    return without_secrets(line) if isinstance(line, str) else line


def _add_logger(logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["logger"] = logger.name
    return event


def log_uncaught() -> None:
    """Log errors that nobody catches, on any thread, and warnings, as lines like all others. For the processes."""
    log = structlog.get_logger("process")

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.critical("uncaught", error=f"{kind.__name__}: {error}", exc_info=(kind, error, trace))

    def uncaught_on_thread(caught: threading.ExceptHookArgs) -> None:
        if caught.exc_value is not None:
            uncaught(caught.exc_type, caught.exc_value, caught.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_on_thread
    logging.captureWarnings(True)
