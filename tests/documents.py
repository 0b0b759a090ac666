"""The commands of README.md and docs/*.md, and how a test is to run each block of them."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(
    r"^(?:<!-- (?P<how>run: \w+|not run: [^\n]+) -->\n)?```(?P<language>sh|python)\n(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
OWN_TESTS = {"python.md": "tests/integration/test_docs_python.py"}
"""Documents whose every block a test of their own runs."""

PAGE = "http://127.0.0.1:29110"
"""Where the documents say that the page is; a test's own has another port."""


@dataclass(frozen=True)
class Block:
    """A fenced block; `how` is `run: alone`, `run: service`, `not run: REASON`, or empty."""

    file: str
    line: int
    how: str
    language: str
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}"


def blocks(how=""):
    """Every block whose comment begins so."""
    found = []
    for file in FILES:
        if file.name in OWN_TESTS:
            continue
        text = file.read_text("utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("text"))
            found.append(Block(file.name, line, match["how"] or "", match["language"], match["text"]))
    return [block for block in found if block.how.startswith(how)]


def run(block, directory, *, page=PAGE, ids=None, environ=None):
    """Run a block in a directory that has configs/ as a checkout has; it must succeed. `ids`: a placeholder -> an id."""
    directory.mkdir(exist_ok=True)
    if not (directory / "configs").exists():
        (directory / "configs").symlink_to(ROOT / "configs")
    text = block.text.replace(PAGE, page).replace(". .venv/bin/activate", ":")
    for name, value in (ids or {}).items():
        text = re.sub(rf"\b{name}\b", value, text)
    command = ["bash", "-euo", "pipefail", "-c", text] if block.language == "sh" else [sys.executable, "-c", text]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, check=False, cwd=directory, text=True, timeout=300, stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, "COLUMNS": "160", **(environ or {})},
    )  # fmt: skip
    assert done.returncode == 0, (
        f"{block} ended with {done.returncode}:\n{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    )
