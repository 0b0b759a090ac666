"""Show what faults do to the service under load: `python -m bench.chaos [--times N] [--only TEXT]` (`make chaos`).

For each fault a line: what was lost and doubled (articles, documents, events, stories, alerts: released, on the topics, in the
index, at the receiver); the seconds from the end of the fault until every process was ready again, until each that always has
something to do had done some of it, until an article that was published then could be found, and until all was read; and which
processes said on /readyz that they were not ready meanwhile. Of several repetitions the median and the worst are shown.
Exit status 1 if anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from bench.chaos_recovery import Recovery
from bench.chaos_rig import ChaosError, ChaosRig
from pipeline import bus, logs
from pipeline.index import actions
from pipeline.operate import probe
from pipeline.settings import Settings

SERVERS: Final = ("kafka", "elasticsearch")
OUTAGE_SECONDS: Final = 20.0
FROZEN_SECONDS: Final = 30.0
PER_SECOND: Final = 1.5
"""Articles a second: a load that two cores carry beside the servers."""

DISK_MB: Final = 700
"""The size of the small disk that is filled: an empty Kafka and Elasticsearch with their logs take a fifth of it."""

ACKNOWLEDGED_SECONDS: Final = 60.0
GARBAGE: Final = (b"\x00\xff\xfe garbage", b"", b"[]", b'{"record":"story"}', b"{" * 100_000)
ADDED_ON_TOPICS: Final = (bus.ARTICLES, bus.DOCUMENTS, bus.EVENTS, bus.BRIEFS, bus.STORIES, bus.ALERTS)

Fault = Callable[[ChaosRig], None]
"""Does the damage and mends it: when it returns the fault is over."""


@dataclass(slots=True)
class Outcome:
    """What one fault did; seconds from its end."""

    fault: str
    lost: int = 0
    doubled: int = 0
    not_ready: set[str] = field(default_factory=set)
    ready_seconds: float = 0.0
    worked_seconds: float = 0.0
    found_seconds: float = 0.0
    caught_up_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


# --- faults ----------------------------------------------------------------------------------------------------------


def kill(name: str) -> Fault:
    """Return: kill -9 of a process; a server is started again after an outage, a process by its supervisor."""

    def fault(rig: ChaosRig) -> None:
        os.kill(rig.pid(name), signal.SIGKILL)
        if name in SERVERS:
            time.sleep(OUTAGE_SECONDS)
            _start_server(rig, name)
        else:
            _await_restart(rig, name)

    return fault


def freeze(name: str) -> Fault:
    """Return: SIGSTOP of a process, and SIGCONT half a minute later."""

    def fault(rig: ChaosRig) -> None:
        pid = rig.pid(name)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    return fault


def restart(name: str) -> Fault:
    """Return: SIGTERM to a process, and its start."""

    def fault(rig: ChaosRig) -> None:
        os.kill(rig.pid(name), signal.SIGTERM)
        if name in SERVERS:
            rig.wait(f"{name} stops", lambda: name in rig.stack.ended())
            _start_server(rig, name)
        else:
            _await_restart(rig, name)

    return fault


def _start_server(rig: ChaosRig, name: str) -> None:
    one = rig.stack.restart(name)
    rig.wait(f"{name} answers", one.ready)


def _await_restart(rig: ChaosRig, name: str) -> None:
    """Wait until the supervisor has started the process again: its restart is the end of the fault."""
    rig.wait(f"{name} is gone", lambda: (p := rig.service.process(name)) is None or p.poll() is not None, 60)
    rig.wait(f"{name} is started again", lambda: (p := rig.service.process(name)) is not None and p.poll() is None, 60)


def cut(name: str) -> Fault:
    """Return: nothing passes between the processes and a server for a while, and no connection is closed."""

    def fault(rig: ChaosRig) -> None:
        rig.proxies[name].cut()
        time.sleep(FROZEN_SECONDS)
        rig.proxies[name].heal()

    return fault


def closed_index(rig: ChaosRig) -> None:
    """Somebody closes this month's index of documents, and opens it later."""
    index = rig.ask("GET", "/news-documents").popitem()[0]
    rig.ask("POST", f"/{index}/_close")
    time.sleep(OUTAGE_SECONDS)
    rig.ask("POST", f"/{index}/_open")


def read_only_index(rig: ChaosRig) -> None:
    """All indices become read-only, as Elasticsearch makes them when its disk is full."""
    _block(rig, "true")
    time.sleep(OUTAGE_SECONDS)
    _block(rig, None)


def _block(rig: ChaosRig, value: str | None) -> None:
    for name in actions.INDICES:
        rig.ask("PUT", f"/news-{name}/_settings", {"index.blocks.read_only_allow_delete": value})


def compressed(rig: ChaosRig) -> None:
    """The cluster compresses topics by itself, each in another way."""
    codecs = {
        bus.ARTICLES: "zstd",
        bus.EVENTS: "lz4",
        bus.BRIEFS: "zstd",
        bus.DOCUMENTS: "lz4",
        bus.STORIES: "snappy",
        bus.ALERTS: "snappy",
    }
    admin = KafkaAdminClient(bootstrap_servers=rig.settings.bootstrap_servers)
    try:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, t, {"compression.type": codec}) for t, codec in codecs.items()]
        )
    finally:
        admin.close()
    time.sleep(5)


def garbage(rig: ChaosRig) -> None:
    """Bytes that are no record, and tombstones, on every topic."""
    publisher = bus.Publisher(rig.settings)
    for topic in ADDED_ON_TOPICS:
        for raw in GARBAGE:
            publisher.send(topic, b"garbage", raw)
        publisher.send(topic, b"tombstone", None)
    publisher.flush()
    publisher.close()


def full_disk(rig: ChaosRig) -> None:
    """The disk of Kafka, Elasticsearch and the logs is filled to the last byte, and has space again later."""
    ballast = rig.settings.data_dir / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb") as stream:
        while True:
            stream.write(b"\0" * 65_536)
            stream.flush()
    time.sleep(OUTAGE_SECONDS)
    ballast.unlink()
    for name in rig.stack.ended():
        _start_server(rig, name)
    rig.ask("PUT", "/_all/_settings", {"index.blocks.read_only_allow_delete": None})


def faults() -> dict[str, Fault]:
    """Return every fault by its name in the table."""
    names = (*probe.NAMES, *SERVERS)
    return {
        **{f"kill -9 {name}": kill(name) for name in names},
        **{f"SIGSTOP 30 s {name}": freeze(name) for name in names},
        **{f"restart {name}": restart(name) for name in names},
        **{f"network cut 30 s {name}": cut(name) for name in SERVERS},
        "closed index": closed_index,
        "read-only index": read_only_index,
        "compressed records": compressed,
        "garbage records": garbage,
        "disk full": full_disk,
    }


# --- running ---------------------------------------------------------------------------------------------------------


def run(rig: ChaosRig, name: str, fault: Fault, *, per_second: float = PER_SECOND) -> Outcome:
    """Do one fault to the running service under load, wait until all is as before, and count.

    Raises:
        ChaosError: the service did not become ready or did not catch up.
    """
    outcome = Outcome(name)
    done = threading.Event()
    watching = threading.Thread(target=_watch, args=(rig, outcome, done), name="watch")
    with contextlib.ExitStack() as load:
        load.enter_context(rig.load(per_second))
        time.sleep(3)  # some articles are under way when it happens
        watching.start()
        try:
            fault(rig)
        finally:
            done.set()
            watching.join()
        ended = time.monotonic()
        late = rig.release()  # released after the end of the fault: when it is found, every process works again
        with Recovery(rig, late) as recovery:
            rig.wait(f"{name}: every process is ready", rig.ready)
            load.close()
            rig.await_caught_up(f"{name}: all is read")
            outcome.caught_up_seconds = time.monotonic() - ended
            rig.wait(f"{name}: the last article is found", lambda: recovery.found > 0)
    outcome.ready_seconds, outcome.worked_seconds = recovery.ready_seconds, recovery.worked_seconds
    outcome.found_seconds = recovery.found
    tally = rig.tally()
    outcome.lost, outcome.doubled, outcome.notes = tally.lost, tally.doubled, tally.notes
    return outcome


def _watch(rig: ChaosRig, outcome: Outcome, done: threading.Event) -> None:
    while not done.wait(0.5):
        outcome.not_ready |= {name for name, state in rig.states().items() if not state.ready}


@contextlib.contextmanager
def _small_disk(directory: Path) -> Iterator[Path | None]:
    """Give a directory on a disk of its own that is small enough to be filled; None where that is not allowed."""
    directory.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(directory)]
    if not shutil.which("mount") or subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=False, capture_output=True)  # noqa: S607 - as above


def row(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes of one fault as a line of the table, and under it what was wrong."""
    told = set().union(*(one.not_ready for one in outcomes))
    seconds = (
        [one.ready_seconds for one in outcomes],
        [one.worked_seconds for one in outcomes],
        [one.found_seconds for one in outcomes],
        [one.caught_up_seconds for one in outcomes],
    )
    cells = (
        len(outcomes),
        sum(one.lost for one in outcomes),
        sum(one.doubled for one in outcomes),
        *(f"{statistics.median(some):.0f}" + (f" ({max(some):.0f})" if len(some) > 1 else "") for some in seconds),
        ", ".join(name for name in probe.NAMES if name in told) or "-",
    )
    notes = "".join(f"\n  {note}" for one in outcomes for note in one.notes)
    return f"| {outcomes[0].fault} | {' | '.join(map(str, cells))} |{notes}"


HEAD: Final = (
    "| fault | times | lost | doubled | s to ready | s to work | s to the next article | s to caught up | told |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---|"
)


def main() -> int:
    """Read the options, start everything, do the faults, print the table. Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how often each fault is done")
    parser.add_argument("--only", default="", help="only faults whose name has this text; several: a|b")
    parser.add_argument("--per-second", type=float, default=PER_SECOND, help="articles that are published each second")
    given = parser.parse_args()
    logs.set_up(Settings().log, least="error")
    wanted = [w for w in given.only.split("|") if w]
    chosen = {name: fault for name, fault in faults().items() if not wanted or any(w in name for w in wanted)}
    with tempfile.TemporaryDirectory(prefix="dateline-chaos-") as name, _small_disk(Path(name) / "disk") as disk:
        if disk is None and "disk full" in chosen:
            del chosen["disk full"]
            sys.stdout.write("disk full: not done, no small disk may be mounted here\n")
        return _table(Path(name) / "service", disk, chosen, given)


def _table(directory: Path, disk: Path | None, chosen: dict[str, Fault], given: argparse.Namespace) -> int:
    bad = 0
    sys.stdout.write(f"{HEAD}\n")
    with ChaosRig(directory, data=disk) as rig:
        for name, fault in chosen.items():
            outcomes = []
            for _ in range(given.times):
                try:
                    outcomes.append(run(rig, name, fault, per_second=given.per_second))
                except ChaosError as error:
                    sys.stdout.write(f"| {name} | {error} |\n")
                    return 1
                if given.times > 1:
                    sys.stderr.write(f"{row(outcomes[-1:])}\n")  # the row of all of them comes much later
            bad += sum(one.lost + one.doubled for one in outcomes)
            sys.stdout.write(f"{row(outcomes)}\n")
            sys.stdout.flush()
        sys.stdout.write(f"{len(rig.released)} articles\n")
    return min(1, bad)


if __name__ == "__main__":
    sys.exit(main())
