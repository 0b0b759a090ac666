# ruff: noqa: INP001 - a script that the image carries, not a part of the package
"""Exit status 0 when the process of this container answers /healthz with yes, 1 otherwise: the image's HEALTHCHECK.

A container runs one process, and each process has a port of its own, so the one that answers is the one that counts.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

from pipeline import settings

SECONDS = 4.0


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


def main() -> int:
    """The ports of configs/dateline.toml and the environment in, the exit status out."""
    http = settings.load().http
    for port in (http.collector_port, http.worker_port, http.indexer_port, http.notifier_port, http.console_port):
        if (found := answer(port)) is not None:
            well, text = found
            sys.stdout.write(f"{text}\n")
            return 0 if well else 1
    sys.stdout.write("no process answers\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
