"""The console as a process: it says which servers are away, and ends in order when it is told to."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pipeline.local import ports
from tests.answers import ask

pytestmark = pytest.mark.integration
REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_console_without_its_servers_says_so_and_ends_in_order_with_a_listener_open(number, tmp_path):
    page, own, kafka, elasticsearch = ports.free(4)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("DATELINE_")} | {
        "DATELINE_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}",
        "DATELINE_ELASTICSEARCH_URL": f"http://127.0.0.1:{elasticsearch}",
        "DATELINE_CONSOLE_PORT": str(page),
        "DATELINE_HTTP_CONSOLE_PORT": str(own),
        "DATELINE_LOCAL_DATA_DIR": str(tmp_path / "data"),
        "DATELINE_LOG_FORMAT": "json",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "pipeline.cli", "console"]
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, cwd=REPOSITORY)
    try:
        deadline = time.monotonic() + 120
        while "does not answer" not in str(ask(own, "/readyz")[1].get("live")) or "Elasticsearch" not in str(
            ask(own, "/readyz")[1].get("problem")
        ):
            assert time.monotonic() < deadline, (ask(own, "/readyz"), log.read_text("utf-8"))
            time.sleep(0.2)
        status, told = ask(own, "/readyz")
        assert status == 503
        assert f"127.0.0.1:{elasticsearch}" in told["problem"]
        assert f"127.0.0.1:{kafka}" in told["live"]
        assert ask(page, "/api/v1/me")[0] == 200, "what needs no server is answered"
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/api/v1/live", timeout=30) as listener:
            assert listener.readline() == b"retry: 2000\n"
            process.send_signal(number)
            assert process.wait(60) == 0, log.read_text("utf-8")
    finally:
        process.kill()
        process.wait()
    events = [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()]
    assert "console_started" in events
    assert {"console_stopped", "stopped_without_kafka"} & set(events)
