# ruff: noqa: INP001 - a script that the image carries, not a part of the package
"""Exit status 0 when the process of this container answers /healthz with yes, 1 otherwise: the image's HEALTHCHECK.

A container runs one process, and each process has a port of its own, so the one that answers is the one that counts.

With `--end-after N` the process is killed at the Nth failure in a row, so that the container ends and Docker starts it again:
Docker itself only marks a container whose process hangs. A process that has never answered has five minutes to start.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from pipeline import settings

SECONDS = 4.0
START_SECONDS = 300.0
STATE = Path(tempfile.gettempdir()) / "dateline-healthcheck"
"""How many checks have failed since the last success. The file is in the container, so it begins anew with it."""


def answer(port: int) -> tuple[bool, str] | None:
    """A port in; whether the process there is well, and what it says, out. None: nobody is there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=SECONDS) as response:
            return True, response.read(2000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return False, error.read(2000).decode("utf-8", "replace")
    except TimeoutError:
        return False, f"no answer on port {port} within {SECONDS:g} s"
    except OSError:
        return None


def check() -> bool:
    """The ports of configs/dateline.toml and the environment in; whether the process is well out. It prints what it says."""
    http = settings.load().http
    for port in (http.collector_port, http.worker_port, http.indexer_port, http.notifier_port, http.console_port):
        if (found := answer(port)) is not None:
            well, text = found
            sys.stdout.write(f"{text}\n")
            return well
    sys.stdout.write("no process answers\n")
    return False


def end_frozen(limit: int, state: Path = STATE, init: int = 1) -> bool:
    """Count a failure in the file `state`; at the limit, kill the children of the container's init process. Whether it did."""
    first = psutil.Process(init)
    never_answered = not state.exists()
    if never_answered and time.time() - first.create_time() < START_SECONDS:
        return False
    failures = 1 + (0 if never_answered else int(state.read_text("utf-8") or 0))
    state.write_text(str(failures), "utf-8")
    if failures < limit or "dateline" not in (Path(word).name for word in first.cmdline()):
        return False  # outside a container, process 1 is not an init process of ours
    for process in first.children():
        if process.pid != os.getpid():
            process.kill()
    sys.stdout.write(f"killed after {failures} failed checks\n")
    return True


def main(arguments: list[str] | None = None) -> int:
    """The command line in, the exit status out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--end-after", type=int, default=0, metavar="N")
    limit = parser.parse_args(arguments).end_after
    if check():
        if limit:
            STATE.write_text("0", "utf-8")
        return 0
    if limit:
        end_frozen(limit)
    return 1


if __name__ == "__main__":
    sys.exit(main())
