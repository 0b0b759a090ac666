"""The short form of `make chaos`: what a cluster may do to the service, and processes that have no Kafka."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from bench import chaos, chaos_stop
from bench.chaos_rig import ChaosRig
from pipeline import bus
from pipeline.local import ports
from tests.answers import ask

readyz = partial(ask, path="/readyz", seconds=5)
REPOSITORY = Path(__file__).parents[2]
NAMES = ("collector", "worker", "indexer", "notifier")
"""The processes that cannot work without Kafka; the console can."""

PER_SECOND = 0.5
"""Articles a second: what waits after a fault is read on a machine that is busy with other tests, too."""

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(chaos, "OUTAGE_SECONDS", 6.0)
    with ChaosRig(tmp_path / "service") as rig:
        yield rig


def assert_soon(seconds):
    """On an idle machine all end within `chaos_stop.LIMIT_SECONDS` (`python -m bench.chaos_stop`); a busy one has longer."""
    assert max(seconds.values()) < 3 * chaos_stop.LIMIT_SECONDS, seconds


def test_a_killed_kafka_and_what_a_cluster_does_to_records_and_indices_loses_and_doubles_nothing(rig):
    killed = chaos.run(rig, "kill -9 kafka", chaos.kill("kafka"), per_second=PER_SECOND)
    assert (killed.lost, killed.doubled) == (0, 0), killed.notes
    assert killed.not_ready >= {"collector", "worker", "indexer", "notifier"}, "each tells that Kafka is away"
    assert "ended" not in " ".join(rig.screen.messages), "no process had to be started again"
    lines = [json.loads(line) for line in (rig.service.logs / "collector.log").read_text("utf-8").splitlines()]
    assert any(line["event"] == "kafka_unavailable" and "does not answer" in line["waits_for"] for line in lines)

    told = []

    def harm(rig):
        chaos.compressed(rig)
        chaos.garbage(rig)
        index = rig.ask("GET", "/news-documents").popitem()[0]
        rig.ask("POST", f"/{index}/_close")
        rig.wait("the indexer names the closed index", lambda: index in rig.states()["indexer"].problem)
        before = {(lag.topic, lag.partition): lag.committed for lag in bus.lags(rig.settings, [bus.INDEXER_GROUP])}
        time.sleep(3)
        after = {(lag.topic, lag.partition): lag.committed for lag in bus.lags(rig.settings, [bus.INDEXER_GROUP])}
        told.append(before == after)
        rig.ask("POST", f"/{index}/_open")

    harmed = chaos.run(rig, "closed index, compressed and garbage records", harm, per_second=PER_SECOND)
    assert (harmed.lost, harmed.doubled) == (0, 0), harmed.notes
    assert told == [True], "nothing is committed while an index is closed"
    assert "indexer" in harmed.not_ready
    assert "ended" not in " ".join(rig.screen.messages)

    os.kill(rig.pid("kafka"), signal.SIGKILL)
    rig.wait("each tells that Kafka is away", lambda: not any(s.ready for n, s in rig.states().items() if n in NAMES))
    assert_soon(chaos_stop.stop_seconds(chaos_stop.running(rig)))


# --- without a Kafka -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["refuses", "is silent"])
def nowhere(request):
    """The address of a Kafka that refuses connections, or takes them and never answers."""
    if request.param == "refuses":
        yield f"127.0.0.1:{ports.free(1)[0]}"
        return
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"127.0.0.1:{silent.getsockname()[1]}"


def test_a_process_without_kafka_waits_says_so_and_stops_when_it_is_told(nowhere, tmp_path):
    given = dict(zip(NAMES, ports.free(4), strict=True))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("DATELINE_")} | {
        "DATELINE_KAFKA_BOOTSTRAP_SERVERS": nowhere,
        "DATELINE_WORKER_PROCESSES": "1",
        "DATELINE_LOG_FORMAT": "json",
        **{f"DATELINE_HTTP_{name.upper()}_PORT": str(port) for name, port in given.items()},
    }
    processes = {}
    for name in NAMES:
        with (tmp_path / name).open("wb") as log:
            command = [sys.executable, "-m", "pipeline.cli", name]
            processes[name] = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=REPOSITORY)
    try:
        deadline = time.monotonic() + 90
        for name in NAMES:
            while "does not answer" not in str(readyz(given[name])[1].get("problem")):
                assert time.monotonic() < deadline, (name, readyz(given[name]), (tmp_path / name).read_text("utf-8"))
                time.sleep(0.2)
            assert readyz(given[name])[0] == 503
        seconds = chaos_stop.stop_seconds(processes)
        statuses = {name: process.wait(0) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    logs = {name: (tmp_path / name).read_text("utf-8") for name in NAMES}
    assert statuses == dict.fromkeys(NAMES, 0), logs
    assert_soon(seconds)
    for name, log in logs.items():
        lines = [json.loads(line) for line in log.splitlines()]  # every line is JSON: no raw traceback
        waited = [line for line in lines if line["event"] == "kafka_unavailable"]
        assert waited, name
        assert nowhere in waited[0]["waits_for"]
