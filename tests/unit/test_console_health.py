"""The console's /readyz: Elasticsearch is needed, Kafka is missed."""

from types import SimpleNamespace

from pipeline.console.health import ConsoleHealth
from pipeline.settings import Settings


def health(elasticsearch, kafka=""):
    found = ConsoleHealth(Settings(), ask=lambda: elasticsearch, broker=SimpleNamespace(problem=kafka))
    found.look()
    return found


def test_it_is_ready_when_it_serves_and_elasticsearch_answers():
    assert health("ok").ready(serving=True) == (True, {"problem": "", "elasticsearch": "ok", "live": "ok"})
    assert health("ok").ready(serving=False)[0] is False


def test_without_elasticsearch_nothing_can_be_shown():
    good, detail = health("connection refused").ready(serving=True)
    assert not good
    assert "Elasticsearch at " in detail["problem"]
    assert detail["problem"].endswith("connection refused")


def test_without_kafka_searches_still_work():
    good, detail = health("ok", "Kafka at k:1 does not answer, for 5 s").ready(serving=True)
    assert good
    assert detail["live"] == "Kafka at k:1 does not answer, for 5 s"
