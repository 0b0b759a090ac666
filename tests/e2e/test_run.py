"""`dateline run` as a newcomer meets it: one command, a stack of its own, the sample feed, Ctrl-C, and a kill."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from pipeline.local import ports
from tests import documents
from tests.stack_fixture import make_local
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(420)]

REPOSITORY = Path(__file__).parents[2]
FIRST_EVENT_SECONDS = 150
"""20 s were measured on two cores with other work on them; more tests may be running beside this one."""


def write_configuration(directory):
    """As a fresh clone has it, but the sample feed alone and ports and data of its own."""
    directory.mkdir()
    shutil.copytree(REPOSITORY / "configs/sample", directory / "sample")
    shutil.copy(REPOSITORY / "configs/alerts.toml", directory)
    (directory / "feeds.toml").write_text('[[feed]]\nid = "sample"\nurl = "file:sample/feed.xml"\n', "utf-8")
    local = make_local(directory / "data")
    keys = (
        "kafka_port", "kafka_controller_port", "elasticsearch_port", "elasticsearch_transport_port", "start_timeout_seconds"
    )  # fmt: skip
    names = ("collector_port", "worker_port", "indexer_port", "notifier_port", "console_port")
    lines = ["[local]", f"data_dir = {json.dumps(local.data_dir)}", *(f"{key} = {getattr(local, key)}" for key in keys)]
    lines += ["[http]", *(f"{name} = {port}" for name, port in zip(names, ports.free(len(names)), strict=True))]
    lines += ["[console]", "port = 0"]
    (directory / "dateline.toml").write_text("\n".join(lines), "utf-8")


class Run:
    """The running command and the lines that it has printed."""

    def __init__(self, directory):
        self.directory = directory
        self.lines = []
        self._queue = queue.SimpleQueue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "--config", str(directory), "run"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=REPOSITORY, text=True, start_new_session=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def until(self, what, seconds):
        """Read lines until one holds the words."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._queue.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {what!r} within {seconds} s:\n" + "\n".join(self.lines)) from None
            assert line is not None, f"it ended before {what!r}:\n" + "\n".join(self.lines)
            self.lines.append(line)
            if what in line:
                return line

    def rest(self):
        """All further lines, to the end."""
        while (line := self._queue.get(timeout=90)) is not None:
            self.lines.append(line)

    def close(self):
        """End it if it runs, and read all that it says."""
        self.process.terminate()
        self.process.wait(90)
        self._reader.join(10)
        self.process.stdout.close()

    def command(self, *arguments):
        """Another dateline command beside it; its JSON out."""
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "--config", str(self.directory), *arguments, "--json"],
            capture_output=True, check=False, cwd=REPOSITORY, timeout=60,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr.decode()  # 1: something does not answer yet
        return json.loads(done.stdout)

    def family(self):
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def directory(tmp_path):
    directory = tmp_path / "configs"
    write_configuration(directory)
    return directory


@pytest.fixture
def start(directory):
    with contextlib.ExitStack() as cleanup:

        def started():
            run = Run(directory)
            cleanup.callback(run.close)
            return run

        yield started


def run_the_documents(run, page):
    """The commands of the documents that need a running service, in the order in which they are read."""
    ids = {
        "STORY": run.command("alerts", "list")["alerts"][0]["story_id"],
        "ALERT": run.command("alerts", "list")["alerts"][0]["id"],
    }
    directory = run.directory.parent / "desk"
    directory.mkdir()
    (directory / "articles.jsonl").write_text(
        json.dumps({"id": "a", "text": "Chile imposed sanctions on Peru."}), "utf-8"
    )
    environ = {"DATELINE_CONFIG": str(run.directory)}
    for block in documents.blocks("run: service"):
        documents.run(block, directory, page=page, ids=ids, environ=environ)


def gone(processes, seconds):
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_from_one_command_to_events_alerts_search_and_an_orderly_end(start):
    run = start()
    page = run.until("Page: ", FIRST_EVENT_SECONDS).rsplit(" ", 1)[1]
    run.until("event  ", FIRST_EVENT_SECONDS)
    run.until("ALERT", 60)
    [page] = {line.partition("Page: ")[2] for line in run.lines if "Page: " in line}
    with urllib.request.urlopen(f"{page}/api/v1/status", timeout=10) as answer:
        assert json.load(answer)["processes"]

    def found():
        return run.command("search", "sanctions", "--kind", "sanctions")

    wait_until(lambda: found()["total"] > 0, 60)
    assert {"id", "kind", "evidence", "article_url"} <= found()["hits"][0].keys()
    wait_until(lambda: run.command("status")["ok"], 60)
    status = run.command("status")
    assert [p["name"] for p in status["processes"]] == ["collector", "worker", "indexer", "notifier", "console"]
    assert status["feeds"] == {"known": 1, "failing": [], "silent": []}
    assert status["alerts"]["total"] > 0
    rung = {alert["rule"] for alert in run.command("alerts", "list")["alerts"]}
    # the index may still be a few events behind the alerts; and which report of a news comes first may differ
    wait_until(lambda: {alert["rule"] for alert in run.command("alerts", "test")["alerts"]} >= rung, 60)
    assert run.command("quarantine", "list") == {"total": 0, "failures": []}
    run_the_documents(run, page)

    family = run.family()
    run.process.send_signal(signal.SIGINT)
    run.rest()
    assert run.process.wait(10) == 0
    stopped = [line.split("  ", 1)[1].split(" (")[0] for line in run.lines if " stopped (" in line]
    assert stopped == [
        "collector stopped", "worker stopped", "indexer stopped", "notifier stopped", "console stopped", "Kafka and Elasticsearch stopped"
    ]  # fmt: skip
    assert not gone(family, 5)
    text = "\n".join(run.lines)
    assert "Traceback" not in text
    assert "was killed (" not in text


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_goes_on(start):
    run = start()
    run.until("Metrics", FIRST_EVENT_SECONDS)
    family = run.family()
    assert len(family) >= 6
    run.process.kill()
    run.process.wait()
    assert not gone(family, 60)

    again = start()
    again.until("Metrics", FIRST_EVENT_SECONDS)
    wait_until(lambda: again.command("status")["ok"], 60)
    wait_until(lambda: again.command("search", "sanctions")["total"] > 0, 60)


def test_a_worker_that_is_killed_is_started_again(start):
    run = start()
    run.until("Metrics", FIRST_EVENT_SECONDS)
    wait_until(lambda: run.command("status")["ok"], 60)
    [worker] = [p for p in run.family() if p.cmdline()[-1:] == ["worker"]]
    worker.kill()
    run.until("worker was ended by SIGKILL; it starts again", 20)
    wait_until(lambda: run.command("status")["ok"], 90)
