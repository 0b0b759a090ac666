"""`dateline collect` on a real Kafka: killed in the middle, and every article on the topic exactly once after the next run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from pipeline import bus
from pipeline.records import Article, decode

pytestmark = pytest.mark.integration

PROSE = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. "


def published(settings):
    return Counter(decode(m.value, Article).url for m in bus.read_all(settings, bus.ARTICLES))


def collect(stack, directory, file):
    environ = os.environ | {
        "DATELINE_CONFIG": str(directory),
        "DATELINE_KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
    }
    command = [sys.executable, "-m", "pipeline.cli", "collect", "--jsonl", str(file)]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_backfill_that_is_killed_goes_on_with_every_article_once(stack, tmp_path):
    bus.create_topics(stack)
    wanted = {f"https://past.example/{n}" for n in range(2500)}
    file = tmp_path / "past.jsonl"
    file.write_text("\n".join(json.dumps({"url": url, "text": f"{PROSE * 5} {url}"}) for url in sorted(wanted)))
    first = collect(stack, tmp_path, file)
    deadline = time.monotonic() + 60
    while len(published(stack)) < 100:
        assert time.monotonic() < deadline, "nothing was published"
        assert first.poll() is None, "it ended before it could be killed"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    between = published(stack)
    assert 100 <= len(between) < len(wanted), "killed in the middle"

    second = collect(stack, tmp_path, file)
    told, _ = second.communicate(timeout=120)
    assert second.returncode == 0, told
    after = published(stack)
    assert set(after) == wanted
    assert set(after.values()) == {1}
    assert f"{len(wanted) - len(between)} published, {len(between)} known from before" in told

    third, _ = collect(stack, tmp_path, file).communicate(timeout=120)
    assert "0 published, 2500 known from before" in third
    assert published(stack) == after
