"""Show how soon processes end that are told to stop while Kafka is away: `python -m bench.chaos_stop [--times N]`.

For each state of Kafka a line: the seconds from SIGTERM to the end of each process, the median and the worst. The processes are
under load. Exit status 1 if one took longer than `LIMIT_SECONDS`, which holds on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Final

from bench.chaos_rig import ChaosRig
from pipeline import logs
from pipeline.operate import probe
from pipeline.settings import Settings

LIMIT_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.05
PER_SECOND: Final = 1.0

State = Callable[[ChaosRig], object]


def stop_seconds(processes: Mapping[str, Popen[bytes]], *, seconds: float = 120) -> dict[str, float]:
    """Send SIGTERM to running processes at once, wait until all have ended, and return the seconds that each took.

    Raises:
        TimeoutError: one has not ended within so many seconds.
    """
    began = time.monotonic()
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    took: dict[str, float] = {}
    while left := processes.keys() - took.keys():
        now = time.monotonic() - began
        took |= {name: now for name in left if processes[name].poll() is not None}
        if now > seconds:
            raise TimeoutError(f"{', '.join(sorted(left))} did not end within {seconds:.0f} s")
        time.sleep(LOOK_SECONDS)
    return took


def running(rig: ChaosRig) -> dict[str, Popen[bytes]]:
    """Return every process of the service that runs, by its name."""
    found = {name: rig.service.process(name) for name in probe.NAMES}
    return {name: process for name, process in found.items() if process is not None and process.poll() is None}


@contextmanager
def killed(rig: ChaosRig) -> Iterator[None]:
    """Kafka is killed; afterwards it is started again."""
    os.kill(rig.pid("kafka"), signal.SIGKILL)
    try:
        yield
    finally:
        rig.wait("kafka answers", rig.stack.restart("kafka").ready)


@contextmanager
def frozen(rig: ChaosRig) -> Iterator[None]:
    """Kafka takes connections and answers nothing."""
    pid = rig.pid("kafka")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def there(_: ChaosRig) -> Iterator[None]:
    """Kafka answers."""
    yield


CASES: Final = {
    "Kafka answers": (there, 0.0),
    "killed just now": (killed, 0.0),
    "killed 3 s ago": (killed, 3.0),
    "killed 15 s ago": (killed, 15.0),
    "silent just now": (frozen, 0.0),
    "silent for 15 s": (frozen, 15.0),
}
"""What has happened to Kafka, and how long before the processes are told to stop."""


def main() -> int:
    """Read the options, start everything, print the table. Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="how often each state is tried")
    given = parser.parse_args()
    logs.set_up(Settings().log, least="error")
    sys.stdout.write(f"| Kafka | {' | '.join(probe.NAMES)} |\n|---{'|---:' * len(probe.NAMES)}|\n")
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="dateline-stop-") as name, ChaosRig(Path(name)) as rig:
        for case, (state, before) in CASES.items():
            found: dict[str, list[float]] = {name: [] for name in probe.NAMES}
            for _ in range(given.times):
                with rig.load(PER_SECOND):
                    time.sleep(3)  # some articles are under way
                    with state(rig):
                        time.sleep(before)
                        for process, seconds in stop_seconds(running(rig)).items():
                            found[process].append(seconds)
                    rig.wait("every process is ready", rig.ready)
            cells = [f"{statistics.median(one):.1f} ({max(one):.1f})" for one in found.values()]
            sys.stdout.write(f"| {case} | {' | '.join(cells)} |\n")
            sys.stdout.flush()
            worst = max(worst, *(max(one) for one in found.values()))
    return int(worst > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
