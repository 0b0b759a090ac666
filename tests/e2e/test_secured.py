"""The whole path with each process as its own user on a Kafka that allows it only what pipeline/bus/rights.py lists."""

import msgspec
import pytest

from pipeline import bus
from pipeline.local import ports, servers
from tests.e2e.house import EXPECTED, PROCESSES, House, Receiver, Site
from tests.integration import secure_kafka

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

SLUGS = sorted(EXPECTED["articles"])[:6]
WAYS = {
    "collector": "by_password", "worker": "by_certificate", "indexer": "by_password", "notifier": "by_certificate",
    "console": "by_password",
}  # fmt: skip


def variables(settings):
    """Settings of Kafka as environment variables."""
    given = msgspec.structs.asdict(settings.kafka)
    return {f"DATELINE_KAFKA_{name.upper()}": str(value) for name, value in given.items()}


def test_articles_become_events_in_the_index_and_alerts_though_each_process_may_do_little(tmp_path):
    site, receiver = Site(SLUGS), Receiver()
    with secure_kafka.started(tmp_path / "secure", wanted=(servers.KAFKA, servers.ELASTICSEARCH)) as kafka:
        bus.create_topics(kafka.by_password("setup"))
        house = House(kafka.settings, tmp_path / "house", site, receiver)
        house.ports["console"], page = ports.free(2)
        own = {"DATELINE_HTTP_CONSOLE_PORT": str(house.ports["console"]), "DATELINE_CONSOLE_PORT": str(page)}
        try:
            for name in (*PROCESSES, "console"):
                house.start_as(name, {**own, **variables(getattr(kafka, WAYS[name])(name))})
            house.wait_ready()
            house.wait_idle(len(SLUGS))
            house.wait("alerts delivered", lambda: len(receiver.received) >= len(house.topic(bus.ALERTS)) > 0, 60)
            assert len(house.topic(bus.ARTICLES)) == len(SLUGS)
            assert house.metric("indexer", "dateline_records_total", stage="index", outcome="ok") > len(SLUGS)
            assert not house.topic(bus.QUARANTINE)
            refused = {name: house.logs(name, 10_000).count("AuthorizationFailed") for name in house.processes}
            assert set(refused.values()) == {0}, "a process lacks a right"
        finally:
            statuses = house.stop()
    assert {name: statuses[name] for name in PROCESSES} == dict.fromkeys(PROCESSES, 0)
