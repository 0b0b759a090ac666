"""A real Kafka and Elasticsearch for the tests of one session, on free ports and in a temporary directory.

There is no skip: both come with the packages, so a stack that does not start is a failure, here as in CI.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline.local import ports
from pipeline.local.stack import Stack
from pipeline.settings import Http, Local, Settings


def make_local(data_dir: Path) -> Local:
    """Settings of a stack of one's own: its directory and four free ports; patient, for a machine that is busy."""
    kafka, controller, elasticsearch, transport = ports.free(4)
    return Local(
        data_dir=str(data_dir),
        kafka_port=kafka,
        kafka_controller_port=controller,
        elasticsearch_port=elasticsearch,
        elasticsearch_transport_port=transport,
        start_timeout_seconds=120,
    )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that point at a running Kafka and Elasticsearch. The processes' HTTP ports are any free ones."""
    local = make_local(tmp_path_factory.mktemp("stack"))
    http = Http(collector_port=0, worker_port=0, indexer_port=0, notifier_port=0)
    settings = Settings(local=local, http=http)
    with Stack(settings):
        yield msgspec.structs.replace(settings, directory=str(Path(__file__).parents[1] / "configs"))
