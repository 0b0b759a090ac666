"""Where a real Kafka and Elasticsearch of the tests stand: on free ports and in a temporary directory.

There is no skip: both come with the packages, so a stack that does not start is a failure, here as in CI.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.local import ports
from pipeline.settings import Local


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
