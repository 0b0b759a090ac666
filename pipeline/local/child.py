"""One server as a child process: start it, ask whether it is ready, stop it in order, read its last words."""

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
"""How much later than itself a child that does not stop is killed."""

TAIL_LINES: Final = 15
FOREIGN_OPTIONS: Final = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"})
"""Variables by which a Java of this machine's user would change ours."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server; `ready` asks it."""

    launch: Launch
    process: subprocess.Popen[bytes]
    data_dir: Path
    ready: Callable[[], bool]

    @property
    def server(self) -> str:
        """Its name."""
        return self.launch.server

    @property
    def title(self) -> str:
        """Its name for people."""
        return servers.TITLES[self.server]


def start(launch: Launch, data_dir: Path, ready: Callable[[], bool], *, lock_fd: int) -> ServerProcess:
    """Start a server's process. It keeps the lock `lock_fd` open until it ends, so that no other stack starts beside it."""
    launch_file = Path(launch.home) / "launch.json"
    launch_file.write_bytes(msgspec.json.format(msgspec.json.encode(launch)))
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN_OPTIONS}
    environment["LC_ALL"] = "C.UTF-8"  # Java reads paths in the locale's encoding; and its messages stay English
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
    """Ask a server to stop and wait for it; whether it did so in order out. One that does not is killed."""
    if child.process.stdin is not None:
        child.process.stdin.close()
    try:
        return child.process.wait(child.launch.stop_seconds + GRACE_SECONDS) == 0
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()
        return False


def last_lines(child: ServerProcess) -> str:
    """The end of what the server logged and printed, for the message that says it died."""
    files = (servers.log_file(child.data_dir, child.server), servers.output_file(child.data_dir, child.server))
    return "\n".join(f"  {line}" for file in files for line in tail(file))


def tail(file: Path, lines: int = TAIL_LINES) -> list[str]:
    """The last lines of a file that may be absent."""
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            return [line.rstrip("\n") for line in deque(stream, lines)]
    except FileNotFoundError:
        return []
