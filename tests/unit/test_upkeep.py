"""What the indexer does beside indexing: each task in its own time, and none that fails hinders another."""

import pytest
from prometheus_client import REGISTRY

from pipeline import bus, metrics
from pipeline.bus import create
from pipeline.index import upkeep
from pipeline.settings import Kafka, Settings, SettingsError, load


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels)


def test_a_task_runs_when_it_is_due_and_one_that_fails_hinders_no_other():
    clock, ran = Clock(), []

    def fails():
        ran.append("fails")
        raise OSError("the server is away")

    tasks = (upkeep.Task("fails", 10, fails), upkeep.Task("works", 30, lambda: ran.append("works")))
    one = upkeep.Upkeep(tasks, now=clock)
    for clock.now in range(31):
        one.turn()
    assert ran == ["fails", "works", "fails", "fails", "fails", "works"]
    succeeded = "dateline_upkeep_last_success_timestamp_seconds"
    assert value(succeeded, task="works") > 0
    assert value(succeeded, task="fails") is None


def test_a_kafka_that_does_not_answer_has_no_brokers(monkeypatch):
    def away(_settings):
        raise bus.BusError("does not answer")

    there = bus.KafkaCluster(3, 0, 1, (bus.Disk("1", 5, 10),), {bus.EVENTS: 7})
    monkeypatch.setattr(bus, "cluster", lambda _settings: there)
    upkeep.observe_kafka(Settings())
    assert value("dateline_server_nodes", server="kafka") == 3
    assert value("dateline_kafka_partitions", state="under_replicated") == 1
    assert value("dateline_disk_free_bytes", server="kafka", node="1") == 5
    monkeypatch.setattr(bus, "cluster", away)
    with pytest.raises(bus.BusError):
        upkeep.observe_kafka(Settings())
    assert value("dateline_server_nodes", server="kafka") == 0


def test_the_series_of_a_node_that_is_gone_end_and_those_of_the_other_server_stay():
    metrics.replace_series(metrics.disk_size_bytes, {("kafka", "1"): 1, ("kafka", "2"): 2}, "kafka")
    metrics.replace_series(metrics.disk_size_bytes, {("elasticsearch", "a"): 3}, "elasticsearch")
    metrics.replace_series(metrics.disk_size_bytes, {("kafka", "2"): 4}, "kafka")
    assert value("dateline_disk_size_bytes", server="kafka", node="1") is None
    assert value("dateline_disk_size_bytes", server="kafka", node="2") == 4
    assert value("dateline_disk_size_bytes", server="elasticsearch", node="a") == 3


@pytest.mark.parametrize(
    ("replicas", "asked", "wanted"), [(1, 0, "1"), (2, 0, "1"), (3, 0, "2"), (5, 0, "4"), (3, 1, "1"), (3, 3, "3")]
)
def test_a_record_counts_as_written_when_all_replicas_but_one_have_it(replicas, asked, wanted):
    kafka = Kafka(replication_factor=replicas, min_insync_replicas=asked)
    for topic in bus.TOPICS:
        assert create.topic_configs(Settings(kafka=kafka), topic)["min.insync.replicas"] == wanted


def test_more_replicas_in_sync_than_there_are_stop_the_start(tmp_path):
    (tmp_path / "dateline.toml").write_text("[kafka]\nreplication_factor = 2\nmin_insync_replicas = 3\n", "utf-8")
    with pytest.raises(SettingsError, match="kafka: min_insync_replicas: at most replication_factor, which is 2"):
        load(tmp_path, {})


def test_a_topic_is_bounded_in_bytes_unless_its_records_are_state():
    bounded = {bus.ARTICLES, bus.BACKFILL, bus.DOCUMENTS, bus.EVENTS, bus.BRIEFS, bus.QUARANTINE}
    kafka = Kafka(partitions=4, retention_gb=4)
    for topic in bus.TOPICS:
        configs = create.topic_configs(Settings(kafka=kafka), topic)
        assert ("retention.bytes" in configs) == (topic in bounded)
    articles = create.topic_configs(Settings(kafka=kafka), bus.ARTICLES)
    assert (articles["retention.bytes"], articles["segment.bytes"]) == ("1000000000", "125000000")
    without = create.topic_configs(Settings(kafka=Kafka(retention_gb=0)), bus.ARTICLES)
    assert without["retention.bytes"] == "-1"
