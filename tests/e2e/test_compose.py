"""docker-compose.yml where there is an engine: the images are built, all becomes healthy, and a process that freezes comes back.

Elsewhere it is skipped with its reason; tests/unit/test_deploy.py checks the file without an engine.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(2400)]

ROOT = Path(__file__).parents[2]


def call(*command, cwd=ROOT, seconds=120):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)


def why_not():
    """Why compose cannot be tried here; empty if it can."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    if call("docker", "compose", "version").returncode:
        return "docker has no compose"
    if call("docker", "info").returncode:
        return "no container engine answers"
    if os.getuid() not in (0, 1000):
        return "the secrets have to belong to user 1000, whom the containers run as"
    return ""


@pytest.fixture
def compose(tmp_path):
    """Compose over a copy of the tracked files, so that secrets and snapshots do not lie in the checkout."""
    if reason := why_not():
        pytest.skip(reason)
    files = call("git", "ls-files", "-z").stdout.split("\0")
    for file in filter(None, files):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    assert call("deploy/make-secrets", cwd=tmp_path).returncode == 0

    def docker(*words, seconds=120):
        return call("docker", "compose", "--project-name", "dateline-test", *words, cwd=tmp_path, seconds=seconds)

    yield docker
    docker("down", "--volumes", "--timeout", "60", seconds=300)


def containers(docker):
    """The state of each container, by its service."""
    lines = docker("ps", "--all", "--format", "json").stdout.splitlines()
    return {one["Service"]: one for one in map(json.loads, lines)}


def test_compose_becomes_healthy_and_a_frozen_process_is_ended_and_started_again(compose):
    checked = compose("config", "--quiet")
    assert checked.returncode == 0, checked.stderr
    up = compose("up", "--build", "--detach", "--wait", "--wait-timeout", "900", seconds=1800)
    assert up.returncode == 0, up.stderr[-4000:] + compose("logs", "--tail", "20").stdout[-8000:]
    states = {name: one["Health"] for name, one in containers(compose).items() if one["State"] == "running"}
    assert set(states.values()) == {"healthy"}
    assert {"collector", "worker", "indexer", "notifier", "console", "kafka", "elasticsearch"} <= set(states)
    with urllib.request.urlopen("http://127.0.0.1:29110/healthz", timeout=10) as answer:
        assert answer.status == 200
    status = json.loads(compose("exec", "--no-TTY", "indexer", "dateline", "status", "--json").stdout)
    assert status["index"]["reachable"]

    freeze = "import os, psutil, signal; [p.suspend() for p in psutil.Process(1).children() if p.pid != os.getpid()]"
    before = call("docker", "inspect", "--format", "{{.RestartCount}}", containers(compose)["notifier"]["ID"]).stdout
    compose("exec", "--no-TTY", "notifier", "python", "-c", freeze)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        one = containers(compose)["notifier"]
        count = call("docker", "inspect", "--format", "{{.RestartCount}}", one["ID"]).stdout
        if count != before and one["Health"] == "healthy":
            return
        time.sleep(5)
    raise AssertionError(f"the frozen notifier was not started again: {containers(compose)['notifier']}")
