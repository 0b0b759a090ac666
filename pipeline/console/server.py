"""The console process: serves the application until it is told to stop. The only importer of uvicorn."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Final

import structlog
import uvicorn

from pipeline import metrics
from pipeline.console import access, app
from pipeline.console.health import ConsoleHealth
from pipeline.process import VERSION
from pipeline.settings import Settings, console_address

log = structlog.get_logger("console")

STOP_SECONDS: Final = 3
"""How long open requests may take when the process is told to stop; a listener to live events never ends by itself."""


def run(settings: Settings) -> None:
    """Serve the page and the API until SIGTERM or SIGINT.

    Raises:
        SettingsError: the console could be reached from other machines without users or without TLS.
        OSError: a port is taken.
    """
    access.require_safe(settings)
    server = _Server(_options(settings))
    for number in (signal.SIGTERM, signal.SIGINT):  # from now on; the server itself listens only once it serves
        signal.signal(number, server.handle_exit)
    health = ConsoleHealth(settings)

    def state() -> tuple[bool, dict[str, object]]:
        return health.ready(serving=server.started)

    http = settings.http
    own = metrics.serve(http.host, http.console_port, healthy=lambda: (True, {}), readiness=state)
    metrics.build_info.labels(version=VERSION, process="console").set(1)
    try:
        log.info("console_started", page=console_address(settings.console))
        with health.running(server.stopping):
            server.run()
    finally:
        own.shutdown()
        own.server_close()
    log.info("console_stopped")
    if not server.started and not server.stopping.is_set():
        raise OSError(f"console.port: {settings.console.host}:{settings.console.port} cannot be bound")


class _Server(uvicorn.Server):
    """Ends in order at SIGTERM and SIGINT. The base class would then send the signal again, and the process end by it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = threading.Event()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the base class's signature
        """Take a signal: the first asks open requests to end, a second SIGINT does not wait for them."""
        self.force_exit = self.stopping.is_set() and sig == signal.SIGINT
        self.should_exit = True
        self.stopping.set()


def _options(settings: Settings) -> uvicorn.Config:
    console = settings.console
    tls: dict[str, Any] = {}
    if console.certificate_file:
        tls = {
            "ssl_certfile": str(settings.path(console.certificate_file)),
            "ssl_keyfile": str(settings.path(console.key_file)),
        }
    return uvicorn.Config(
        app.build(settings), host=console.host, port=console.port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS, proxy_headers=console.behind_proxy, ws="none", **tls,
    )  # fmt: skip
