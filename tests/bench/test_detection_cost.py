"""Reading an article costs about as much as spaCy's whole pipeline alone. The tool prints the exact figure."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def cost():
    """What the tool prints, run in a process of its own, which holds nothing but what reading needs."""
    command = [sys.executable, "-m", "bench.detection_cost"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    ratio, megabytes = re.search(r"ratio ([\d.]+); peak (\d+) MB", done.stdout).groups()
    return float(ratio), float(megabytes)


def test_reading_costs_little_more_than_the_whole_pipeline_of_spacy(cost):
    """Measured: 1.27 for the short articles of the sample, on a busy machine."""
    assert cost[0] <= 1.5


def test_a_process_with_everything_loaded_stays_small(cost):
    assert cost[1] < 900
