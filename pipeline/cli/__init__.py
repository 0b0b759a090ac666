"""The `dateline` command; the only package that prints. What a command does stands in the module that it imports.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 done and something is wrong, 2 it
cannot be done (with one line that says why).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipeline.cli.common import Chosen, app
from pipeline.version import VERSION

# Importing them adds their commands, in the order of --help.
# isort: off
from pipeline.cli import service, texts, learn, feeds, look, alerts  # noqa: F401

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", exists=True, file_okay=False, metavar="DIR",
        help="The directory of dateline.toml (default: $DATELINE_CONFIG, else configs).",
    ),
]  # fmt: skip


@app.callback()
def root(config: Config = None) -> None:
    """News in; events, stories and alerts out."""
    Chosen.config = config


@app.command()
def version() -> None:
    """The version."""
    print(VERSION)


def main() -> NoReturn:
    """The entry point: runs the command, and tells a user's mistake in one line."""
    try:
        app()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not _is_told(error) or os.environ.get("DATELINE_LOG_LEVEL", "").lower() == "debug":
            raise
        sys.stderr.write(f"dateline: {error}\n")
        sys.exit(2)


def _is_told(error: BaseException) -> bool:
    """Errors that are made here are written for people, and so are the system's; anything else is a fault of ours."""
    return type(error).__module__.split(".")[0] == "pipeline" or isinstance(error, OSError)
