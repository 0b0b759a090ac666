"""Show when somebody is called: `python -m bench.paging [--minutes 10]`, with Prometheus and Alertmanager on this machine.

The whole service runs under load, and a real Prometheus and a real Alertmanager with the rules and routes of deploy/ watch it:
first healthy, when nothing may ring; then with a worker that is stopped, until it pages; then with the worker back, until the
page is resolved. The seconds of each are printed. `--speed 15` lets the clock of the rules run so many times faster; no alert
waits less than HOLD_SECONDS all the same, because a busy machine answers a scrape late, and that is no outage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import yaml

from bench.chaos_rig import ChaosRig
from pipeline import logs
from pipeline.local import ports
from pipeline.operate import probe
from pipeline.settings import Settings

DEPLOY: Final = Path(__file__).parents[1] / "deploy"
ALERTMANAGER: Final = ("prometheus-alertmanager", "alertmanager")
_DURATION: Final = re.compile(r"(?<![\w.])(\d+)([smh])\b")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
SCRAPE_SECONDS: Final = 15.0
"""The interval of deploy/prometheus/prometheus.yml, for scrapes and for rules."""

LEAST_SCRAPE_SECONDS: Final = 2.0
"""The shortest interval of scrapes; a scrape may take as long."""

HOLD_SECONDS: Final = 16.0
"""The shortest `for` of an alert: eight scrapes in a row must fail. Sped up 15 times, `for: 1m` is 4 s: two late answers of a
busy machine have already made a page of that."""


NOT_OF_THE_SERVICE: Final = frozenset({"DatelineHeartbeat", "DatelineDiskFilling", "DatelineDiskFull"})
"""The first always rings, the others tell of the disk of this machine."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What Alertmanager sent about one alert, and when (time.monotonic)."""

    name: str
    job: str
    status: str
    at: float


@dataclass(frozen=True, slots=True)
class Paging:
    """What rang while all was healthy, the seconds to the page and to its end, and everything that rang."""

    healthy: tuple[Notification, ...]
    paged_seconds: float
    resolved_seconds: float
    rang: frozenset[tuple[str, str]]


class Pager:
    """Takes the notifications of Alertmanager."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in told["alerts"]:
                    labels = alert["labels"]
                    if labels["alertname"] in NOT_OF_THE_SERVICE:
                        continue
                    pager.notifications.append(
                        Notification(labels["alertname"], labels.get("job", ""), alert["status"], time.monotonic())
                    )
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, name="pager", daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def told(self, name: str, job: str, status: str, *, since: float) -> bool:
        """Return whether this was notified since then."""
        return any((n.name, n.job, n.status) == (name, job, status) and n.at >= since for n in self.notifications)


def faster(text: str, speed: float, *, least: float = 1.0) -> str:
    """A text with durations like 5m in, the same with each divided by `speed` out, at least `least` seconds."""

    def shorter(found: re.Match[str]) -> str:
        return f"{round(max(least, int(found[1]) * _UNITS[found[2]] / speed) * 1000)}ms"

    return _DURATION.sub(shorter, text) if speed != 1 else text


def rules(speed: float) -> dict[str, Any]:
    """Return the alert rules with a clock that runs so many times faster."""
    table: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text("utf-8"))
    for group in table["groups"]:
        for rule in group["rules"]:
            rule["expr"] = faster(str(rule["expr"]), speed)
            if "for" in rule:
                rule["for"] = faster(rule["for"], speed, least=HOLD_SECONDS)
    return table


def routes(speed: float, url: str) -> dict[str, Any]:
    """Return Alertmanager's routes, with every receiver at `url` and a clock that runs so many times faster."""
    text = (DEPLOY / "alertmanager/alertmanager.yml").read_text("utf-8")
    table: dict[str, Any] = yaml.safe_load(faster(text, speed))
    for receiver in table["receivers"]:
        del receiver["slack_configs"]
        receiver["webhook_configs"] = [{"url": url, "send_resolved": receiver["name"] != "news"}]
    return table


def scrapes(rig: ChaosRig, speed: float, alertmanager: int) -> dict[str, Any]:
    """Return Prometheus' configuration for the processes of a rig."""
    interval = f"{round(max(LEAST_SCRAPE_SECONDS, SCRAPE_SECONDS / speed) * 1000)}ms"
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [probe.address(rig.settings.http, name)]}]}
        for name in probe.NAMES
    ]
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
        "scrape_configs": jobs,
    }


def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed.

    Raises:
        FileNotFoundError: none is.
    """
    for name in names:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(f"{names[0]} is not installed (Debian: prometheus, prometheus-alertmanager)")


@contextlib.contextmanager
def watched(rig: ChaosRig, directory: Path, speed: float) -> Iterator[Pager]:
    """Run Prometheus and Alertmanager for a rig while the block runs, and give what they notify."""
    directory.mkdir(parents=True)
    pager = Pager()
    prometheus, alertmanager = ports.free(2)
    for file, table in (
        ("prometheus.yml", scrapes(rig, speed, alertmanager)),
        ("rules.yml", rules(speed)),
        ("alertmanager.yml", routes(speed, pager.url)),
    ):
        (directory / file).write_text(yaml.safe_dump(table), "utf-8")
    commands: Sequence[Sequence[str]] = (
        (
            program(*ALERTMANAGER), "--config.file=alertmanager.yml", "--storage.path=alertmanager",
            f"--web.listen-address=127.0.0.1:{alertmanager}", "--cluster.listen-address=",
        ),
        (
            program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=prometheus",
            f"--web.listen-address=127.0.0.1:{prometheus}",
        ),
    )  # fmt: skip
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(pager.close)
        for command in commands:
            log = cleanup.enter_context((directory / f"{Path(command[0]).name}.log").open("wb"))
            process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
            cleanup.callback(process.wait)
            cleanup.callback(process.terminate)
        yield pager


def measure(rig: ChaosRig, directory: Path, *, healthy_seconds: float, speed: float = 1.0) -> Paging:
    """A running service in, what rang out: while healthy for so many seconds, then with a worker stopped and back.

    Raises:
        ChaosError: it never paged, or the page was never resolved.
    """
    with watched(rig, directory, speed) as pager, rig.load(0.5):
        time.sleep(healthy_seconds)
        healthy = tuple(pager.notifications)
        page = ("DatelineProcessMissing", "worker")
        stopped, pid = time.monotonic(), rig.pid("worker")
        os.kill(pid, signal.SIGSTOP)
        try:
            rig.wait("the page", lambda: pager.told(*page, "firing", since=stopped), 600)
            paged = time.monotonic() - stopped
        finally:
            os.kill(pid, signal.SIGCONT)
        back = time.monotonic()
        rig.wait("the end of the page", lambda: pager.told(*page, "resolved", since=back), 600)
        resolved = time.monotonic() - back
        rang = frozenset((n.name, n.job) for n in pager.notifications)
    return Paging(healthy, paged, resolved, rang)


def main() -> int:
    """Read the options, run everything, print what rang. Return 1 if the page was late or something else rang."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long all is healthy")
    parser.add_argument("--speed", type=float, default=1, help="how many times faster the clock of the rules runs")
    given = parser.parse_args()
    logs.set_up(Settings().log, least="error")
    with tempfile.TemporaryDirectory(prefix="dateline-paging-") as name, ChaosRig(Path(name) / "service") as rig:
        found = measure(rig, Path(name) / "watch", healthy_seconds=given.minutes * 60 / given.speed, speed=given.speed)
    sys.stdout.write(
        f"healthy for {given.minutes:g} minutes: {len(found.healthy)} alerts {[n.name for n in found.healthy]}\n"
        f"stopped worker: paged after {found.paged_seconds:.0f} s, resolved {found.resolved_seconds:.0f} s after its return\n"
        f"rang: {', '.join(sorted(f'{name} ({job})' for name, job in found.rang))}\n"
    )
    return int(bool(found.healthy) or found.paged_seconds > 120 or found.resolved_seconds > 60)


if __name__ == "__main__":
    sys.exit(main())
