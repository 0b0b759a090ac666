"""A publisher whose client hangs, without Kafka."""

import types

import pytest
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from pipeline import bus
from pipeline.bus import publish
from pipeline.settings import Settings


class Client:
    """A client of which the first `deaf` never get the metadata of a topic."""

    deaf = 0
    made = 0

    def __init__(self, **_):
        Client.made += 1
        self.number = Client.made
        self.closed = False

    def init_transactions(self):
        pass

    def send(self, topic, **_):
        if self.number <= Client.deaf:
            raise KafkaTimeoutError("Failed to update metadata")
        return f"sent by client {self.number}"

    def close(self, timeout):
        self.closed = True


@pytest.fixture(autouse=True)
def client(monkeypatch):
    monkeypatch.setattr(publish, "_Producer", Client)
    monkeypatch.setattr(Client, "made", 0)


def test_a_client_that_never_learns_where_a_topic_is_is_replaced_once(monkeypatch):
    monkeypatch.setattr(Client, "deaf", 1)
    publisher = bus.Publisher(Settings())
    first = publisher._producer
    publisher.send(bus.ALERTS, b"key", b"value")
    assert first.closed
    assert publisher._sent == [(bus.ALERTS, "sent by client 2")]


def test_when_the_second_does_not_either_the_error_names_the_topic(monkeypatch):
    monkeypatch.setattr(Client, "deaf", 2)
    with pytest.raises(bus.BusError, match=bus.ALERTS):
        bus.Publisher(Settings()).send(bus.ALERTS, b"key", b"value")
    assert Client.made == 2


def test_one_with_a_transaction_is_not_replaced_under_it(monkeypatch):
    monkeypatch.setattr(Client, "deaf", 1)
    with pytest.raises(bus.BusError):
        bus.Publisher(Settings(), "dateline-test").send(bus.ALERTS, b"key", b"value")
    assert Client.made == 1


def test_a_record_after_one_that_is_too_large_tells_that_that_one_was(monkeypatch):
    """On a quick machine the answer to the first ends the transaction before the second is sent."""
    refused = types.SimpleNamespace(failed=lambda: True, exception=MessageSizeTooLargeError())
    answers = iter([refused, KafkaError("the transaction is in an error state")])

    def send(_, __, **___):
        answer = next(answers)
        if isinstance(answer, KafkaError):
            raise answer
        return answer

    monkeypatch.setattr(Client, "send", send)
    publisher = bus.Publisher(Settings(), "dateline-test")
    publisher.send(bus.ARTICLES, b"key", b"large")
    with pytest.raises(bus.RecordSizeError, match=bus.ARTICLES):
        publisher.send(bus.FEEDS, b"key", b"state")


# --- a client that waits for ever ------------------------------------------------------------------------------------


class Result:
    """The end of a transaction: it comes, or never does."""

    def __init__(self, comes):
        self.comes = comes

    def wait(self, timeout_ms=None):
        assert timeout_ms is not None, "kafka-python would wait for ever"
        return self.comes


class Producer(publish._Producer):
    """A producer without Kafka."""

    def __init__(self):
        self._transaction_manager = types.SimpleNamespace(begin_commit=self.begin, begin_abort=self.begin)
        self._sender = types.SimpleNamespace(wakeup=lambda: None)
        self.ends = False

    def begin(self):
        return Result(self.ends)

    def __del__(self):
        """There is nothing to close."""


class Future:
    def get(self, timeout):
        raise KafkaTimeoutError(f"after {timeout:.0f} s")


def test_the_end_of_a_transaction_is_not_awaited_for_ever():
    producer = Producer()
    for end in (producer.commit_transaction, producer.abort_transaction):
        with pytest.raises(KafkaTimeoutError, match="has not ended within 15 s"):
            end()
    producer.ends = True
    producer.commit_transaction()


def test_records_that_get_no_answer_are_not_awaited_for_ever_and_the_error_names_their_topic():
    publisher = bus.Publisher(Settings())
    publisher._sent = [(bus.ALERTS, Future())]
    with pytest.raises(bus.BusError, match=r"news\.alerts: .*after 14 s"):
        publisher.flush()
    assert publisher._sent == []
