"""The `dateline` command. This is the only package that prints.

    service_commands.py   run, up, down, the processes, topics, status, check, replay, bench
    article_commands.py   trace, explain, detect, extract, stories: articles without Kafka
    feed_commands.py      feed, feeds, collect
    alert_commands.py     alerts
    search_commands.py    search, quarantine
    index_commands.py     indices
    train_commands.py     train
    show*.py, screen.py   how results and the running service look in a terminal
    prepare.py            what `make setup` runs

Results go to standard output, everything else to standard error. Exit status: 0 means success, 1 means that the command ran
and found something wrong, 2 means that it could not run; one line says why.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipeline.cli.common import Global, app, explained, is_for_users
from pipeline.logs import without_secrets
from pipeline.process import VERSION

# Importing these modules adds their commands, in the order of --help.
# isort: off
from pipeline.cli import (
    service_commands,  # noqa: F401
    article_commands,  # noqa: F401
    train_commands,  # noqa: F401
    feed_commands,  # noqa: F401
    search_commands,  # noqa: F401
    alert_commands,  # noqa: F401
    index_commands,  # noqa: F401
)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", exists=True, file_okay=False, metavar="DIR",
        help="The directory of dateline.toml (default: $DATELINE_CONFIG, else configs).",
    ),
]  # fmt: skip


@app.callback()
def root(config: Config = None) -> None:
    """Read news and report events, stories and alerts."""
    Global.config = config


@app.command()
def version() -> None:
    """Print the version."""
    print(VERSION)


def main() -> NoReturn:
    """Run the command that the arguments name, and report a user's mistake in one line."""
    try:
        app()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not is_for_users(error) or os.environ.get("DATELINE_LOG_LEVEL", "").lower() == "debug":
            raise
        sys.stderr.write(f"dateline: {without_secrets(explained(error))}\n")
        sys.exit(2)
