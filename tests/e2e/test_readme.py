"""What the README shows is what the command prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def plain(line):
    """Without what a better detector may change: how sure it is."""
    return re.sub(r"\d+%", "N%", line.rstrip())


def test_the_trace_in_the_readme_is_what_the_command_prints():
    block = re.search(r"```text\n\$ dateline (trace .*)\n([\s\S]*?)```", (ROOT / "README.md").read_text("utf-8"))
    printed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *block[1].split()],
        capture_output=True, check=True, cwd=ROOT, text=True, env={**os.environ, "COLUMNS": "100"},
    ).stdout  # fmt: skip
    lines = [plain(line) for line in printed.splitlines()]
    shown = [plain(line) for line in block[2].splitlines() if line.strip() != "..."]
    assert shown
    assert [line for line in shown if line not in lines] == []
