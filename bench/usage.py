"""The CPU time that processes have used."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import psutil


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Names and process ids in, the CPU seconds that each has used so far out; the pool of a worker is a name of its own."""
    found: dict[str, float] = {}
    for name, pid in pids.items():
        process = psutil.Process(pid)
        found[name] = _used(process)
        children = sum(_used(child) for child in process.children(recursive=True))
        if name.startswith("worker"):
            found[f"{name}, pool"] = children
        else:
            found[name] += children
    return found


def per_thousand(before: Mapping[str, float], after: Mapping[str, float], articles: int) -> dict[str, float]:
    """What processes had used before and after so many articles in, the CPU seconds of each for 1,000 articles out."""
    used = {name: 1000 * (after[name] - before[name]) / articles for name in after}
    return dict(sorted(used.items(), key=lambda item: -item[1]))


def _used(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
