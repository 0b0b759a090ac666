"""One server as a child process: start it, check whether it is ready, stop it, read its last log lines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from pipeline.local import servers
from pipeline.local.servers import Launch

GRACE_SECONDS: Final = 5.0
"""A child that does not stop ends itself after `Launch.stop_seconds`; it is killed this much later."""

TAIL_LINES: Final = 15
FOREIGN_OPTIONS: Final = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"})
"""Variables of the user's own Java that would change the options of ours."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server. `ready` asks the server itself."""

    launch: Launch
    process: subprocess.Popen[bytes]
    data_dir: Path
    ready: Callable[[], bool]

    @property
    def server(self) -> str:
        """The name of the server."""
        return self.launch.server

    @property
    def title(self) -> str:
        """The name of the server as it is shown to users."""
        return servers.TITLES[self.server]


def start(launch: Launch, data_dir: Path, ready: Callable[[], bool], *, lock_fd: int) -> ServerProcess:
    """Start a server's process. It holds the lock `lock_fd` until it ends, so that no other stack starts in its directory."""
    launch_file = Path(launch.home) / "launch.json"
    launch_file.write_bytes(msgspec.json.format(msgspec.json.encode(launch)))
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN_OPTIONS}
    environment["LC_ALL"] = "C.UTF-8"  # Java reads paths in the encoding of the locale, and its messages stay English
    with servers.output_file(data_dir, launch.server).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "pipeline.local.jvm", str(launch_file)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=(lock_fd,),
            start_new_session=True,  # Ctrl-C is for the parent alone, which stops its children in order
        )
    return ServerProcess(launch, process, data_dir, ready)


def stop(child: ServerProcess) -> bool:
    """Ask a server to stop, wait, and kill it if it does not. Return whether it stopped by itself with status 0."""
    if child.process.stdin is not None:
        child.process.stdin.close()
    try:
        return child.process.wait(child.launch.stop_seconds + GRACE_SECONDS) == 0
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()
        return False


def last_lines(child: ServerProcess) -> str:
    """Return the last lines that the server logged and printed, for an error message."""
    files = (servers.log_file(child.data_dir, child.server), servers.output_file(child.data_dir, child.server))
    return "\n".join(f"  {line}" for file in files for line in tail(file))


def tail(file: Path, lines: int = TAIL_LINES) -> list[str]:
    """Return the last lines of a file, or none if it does not exist."""
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            return [line.rstrip("\n") for line in deque(stream, lines)]
    except FileNotFoundError:
        return []
