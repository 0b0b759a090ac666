"""Feeds: from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import app, settings, write

# ruff: noqa: PLC0415 - every command imports what it needs when it runs: `dateline --help` is there at once

Files = Annotated[list[Path], typer.Argument(metavar="FILE...")]


@app.command()
def feed(files: Files) -> None:
    """Feed files in, their entries out, as JSON lines."""
    from pipeline.collect import local

    settings(logs="error")
    write(line.encode() for line in local.feed_lines([str(file) for file in files]))
