"""Detection costs little beside the spaCy model. The tool prints the exact figure; the limits leave room for a busy machine."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def cost():
    """Return what the tool prints, run in a separate process with only what detection needs."""
    command = [sys.executable, "-m", "tests.golden.overhead"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    share, megabytes = re.search(r"([+-][\d.]+)%; peak (\d+) MB", done.stdout).groups()
    return float(share), float(megabytes)


def test_detection_adds_little_to_the_time_of_entities_and_parse(cost):
    """Measured: +16 to +20 % for these dense cases on a quiet machine, up to +26 % beside five busy processes on two cores."""
    assert cost[0] <= 32


def test_a_process_with_everything_loaded_stays_small(cost):
    assert cost[1] < 1200
