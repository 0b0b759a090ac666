"""What `make setup` runs: the servers' jars and their start-up cache, with a bar on the terminal.

python -m pipeline.cli.prepare          fetch the jars, make the start-up cache
python -m pipeline.cli.prepare fetch    fetch the jars alone
python -m pipeline.cli.prepare lock     for maintainers: resolve lock.toml anew
"""

from __future__ import annotations

import functools
import logging
import sys

import structlog

from pipeline.cli.screen import bar
from pipeline.local import LocalError, jars
from pipeline.local.prepare import prepare


def main(words: list[str]) -> None:
    """Prepare. Without the start-up cache everything works, only slower: that is not an error.

    Raises:
        LocalError: the jars cannot be fetched, or the words are not understood.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    progress = functools.partial(bar, sys.stderr)
    if words == ["lock"]:
        jars.write_lock()
        return
    if words not in ([], ["fetch"]):
        raise LocalError("usage: python -m pipeline.cli.prepare [fetch|lock]")
    jars.fetch(progress)
    if not words:
        try:
            prepare(progress)
        except LocalError as error:
            sys.stderr.write(f"each start will take a few seconds longer than it could: {error}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LocalError as error:
        sys.exit(str(error))
