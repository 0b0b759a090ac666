"""Many feeds in one collector, with a clock that runs ahead; `python -m bench.collector_scale` is the full measure."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.collector_scale import most_within

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def test_many_feeds_are_polled_politely_with_little_memory_on_one_core():
    # in a process of its own: the peak of this one's memory is that of whatever test came before
    plan = ["--feeds", "300", "--hosts", "30", "--minutes", "4", "--speed", "12"]
    command = [sys.executable, "-m", "bench.collector_scale", *plan]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)
    assert told["polls"] >= 300
    assert told["unchanged"] >= 100
    assert told["unchanged_answered_304"] >= 0.98
    assert told["hosts_asked"] == 30
    assert told["most_requests_of_a_host_in_10_s"] <= 11
    assert told["articles"] >= 3000
    assert told["peak_memory_mb"] < 400
    assert told["cores"] < 1


@pytest.mark.parametrize(("times", "most"), [([], 0), ([1.0], 1), ([0, 1, 2, 9.9, 10.0, 30], 4), ([0, 20, 40], 1)])
def test_the_busiest_window_is_found(times, most):
    assert most_within(times, 10) == most
