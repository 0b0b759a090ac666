"""Do the slow work of a first start in advance: fetch the jars and make the start-up cache.

`make setup` runs it through pipeline/cli/prepare.py. If everything is done already it only checks the hash of every jar.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from pipeline.local import Progress, aot, jars, no_progress, ports, servers
from pipeline.local.stack import Stack, launches
from pipeline.settings import Local, Settings

START_TIMEOUT_SECONDS: Final = 180.0
"""A start that records its work for the cache is slower than others."""


def install(progress: Progress = no_progress) -> None:
    """Fetch missing jars, then make the start-up cache if this environment has none; both servers run once for it.

    Raises:
        LocalError: a jar could not be fetched, or the servers did not start.
    """
    jars.fetch(progress)
    with tempfile.TemporaryDirectory(prefix="dateline-") as directory:
        kafka, controller, elasticsearch, transport = ports.free(4)
        local = Local(
            data_dir=directory,
            kafka_port=kafka,
            kafka_controller_port=controller,
            elasticsearch_port=elasticsearch,
            elasticsearch_transport_port=transport,
            start_timeout_seconds=START_TIMEOUT_SECONDS,
        )
        wanted = [launch for launch, _ in launches(local, Path(directory))]
        with aot.recording(wanted) as record:
            if record is None:
                return
            progress(MESSAGE, 0, 1)
            with Stack(Settings(local=local), prepare=record):
                servers.exercise_elasticsearch(elasticsearch)
        progress(MESSAGE, 1, 1)


MESSAGE: Final = "making Kafka and Elasticsearch quick to start (half a minute, once)"
