"""Whether Kafka answers: told on /readyz and in the log, and a process that is told to stop does not wait for it."""

import socket
import threading
import time

import pytest
import structlog
from kafka.errors import KafkaTimeoutError

from pipeline import bus
from pipeline.settings import Kafka, Settings

SETTINGS = Settings(kafka=Kafka(bootstrap_servers="broker.example:9092"))


class Broker:
    """A Kafka that is there or away, and a clock."""

    def __init__(self):
        self.away, self.clock, self.ended = False, 100.0, []

    def ask(self):
        if self.away:
            raise KafkaTimeoutError("no answer")

    def watch(self):
        return bus.BrokerWatch(SETTINGS, ask=self.ask, now=lambda: self.clock, end_process=self.ended.append)


def test_before_the_first_answer_nothing_is_ready():
    watch = Broker().watch()
    assert watch.problem == "Kafka at broker.example:9092 has not answered yet"
    watch.look()
    assert watch.problem == ""


def test_an_outage_is_told_at_once_and_logged_once_a_minute_and_at_its_end():
    broker = Broker()
    watch = broker.watch()
    with structlog.testing.capture_logs() as lines:
        broker.away = True
        for _ in range(60):
            watch.look()
            broker.clock += 2
        assert watch.problem == "Kafka at broker.example:9092 does not answer, for 120 s"
        broker.away = False
        watch.look()
        assert watch.problem == ""
    assert [line["event"] for line in lines] == ["kafka_unavailable", "kafka_unavailable", "kafka_back"]
    assert lines[-1]["seconds"] == 120


@pytest.mark.parametrize("away", [True, False])
def test_a_process_that_is_told_to_stop_ends_soon_only_where_kafka_is_away(away, monkeypatch):
    monkeypatch.setattr("pipeline.bus.broker.ASK_SECONDS", 0.01)
    broker = Broker()
    stop, looked, ended = threading.Event(), threading.Semaphore(0), threading.Event()

    def ask():
        looked.release()
        broker.ask()

    watch = bus.BrokerWatch(SETTINGS, ask=ask, now=lambda: broker.clock, end_process=lambda _: ended.set())
    with watch.running(stop):
        assert looked.acquire(timeout=10)
        broker.away = away  # since this moment: nobody has noticed it yet
        stop.set()
        for _ in range(6 if not away else 0):
            assert looked.acquire(timeout=10)
        assert ended.wait(10 if away else 0) == away
    broker.away = True
    assert not (ended.wait(0.2) and not away), "the block has ended, so nothing is watched any more"


@pytest.mark.parametrize("silent", [True, False])
def test_a_kafka_that_has_just_gone_is_noticed_within_the_time_that_a_process_has_to_end(silent):
    """One that refuses connections, and one that takes them and says nothing, by the real client."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = Settings(kafka=Kafka(bootstrap_servers=f"127.0.0.1:{server.getsockname()[1]}"))
        if not silent:
            server.close()
        stop, ended = threading.Event(), threading.Event()
        watch = bus.BrokerWatch(settings, ask=None, end_process=lambda _: ended.set())
        watch._ask, watch._asked = (lambda: None), True  # the watch itself has noticed nothing
        with watch.running(stop):
            began = time.monotonic()
            stop.set()
            assert ended.wait(60)
        assert time.monotonic() - began < 15  # 4 s on an idle machine


def test_a_process_does_not_start_where_a_compression_could_not_be_read(monkeypatch):
    bus.require_codecs()  # all are installed
    import_module = __import__("importlib").import_module

    def without_lz4(name):
        if name == "lz4.frame":
            raise ImportError(name)
        return import_module(name)

    monkeypatch.setattr("importlib.import_module", without_lz4)
    with pytest.raises(bus.CodecError, match=r"missing lz4; run `make setup`"):
        bus.require_codecs()


class FailingPublisher:
    """A producer whose first flushes fail."""

    fails, sent = 2, []

    def __init__(self, settings):
        self.queued = []

    def send(self, topic, key, value):
        self.queued.append((topic, key, value))

    def flush(self):
        if FailingPublisher.fails:
            FailingPublisher.fails -= 1
            raise bus.BusError("away")
        FailingPublisher.sent += self.queued

    def close(self, seconds=10.0):
        pass


def test_a_patient_publisher_writes_all_again_with_a_new_producer(monkeypatch):
    monkeypatch.setattr("pipeline.bus.publish.RETRY_SECONDS", 0.01)
    stop = threading.Event()
    publisher = bus.PatientPublisher(SETTINGS, stop, connect=FailingPublisher)
    assert publisher.put("t", [(b"1", b"a"), (b"2", b"b")])
    assert FailingPublisher.sent == [("t", b"1", b"a"), ("t", b"2", b"b")]
    FailingPublisher.fails = 1
    stop.set()
    assert not publisher.put("t", [(b"3", b"c")])
