"""What `make setup` runs: fetch the servers' jars and make their start-up cache, with a progress bar.

python -m pipeline.cli.prepare          fetch the jars, make the start-up cache
python -m pipeline.cli.prepare fetch    fetch the jars alone
python -m pipeline.cli.prepare lock     for maintainers: resolve lock.toml again
"""

from __future__ import annotations

import functools
import logging
import sys

import structlog

from pipeline.cli.screen import bar
from pipeline.local import LocalError, jars
from pipeline.local.install import install


def main(arguments: list[str]) -> None:
    """Run the steps that `arguments` name. A start-up cache that cannot be made is no error: starts are only slower.

    Raises:
        LocalError: the jars cannot be fetched, or the arguments are unknown.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    progress = functools.partial(bar, sys.stderr)
    if arguments == ["lock"]:
        jars.write_lock()
        return
    if arguments not in ([], ["fetch"]):
        raise LocalError("usage: python -m pipeline.cli.prepare [fetch|lock]")
    jars.fetch(progress)
    if not arguments:
        try:
            install(progress)
        except LocalError as error:
            sys.stderr.write(f"each start will take a few seconds longer than it could: {error}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LocalError as error:
        sys.exit(str(error))
