"""The lag of groups, where Kafka answers and where it does not."""

import socket
import threading

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import KafkaError, KafkaTimeoutError

from pipeline import bus
from pipeline.bus import lag
from pipeline.bus.topics import client_of
from pipeline.settings import Settings


class Client:
    """An admin client and a consumer of a broker that answers nothing; notes whether it was closed."""

    def __init__(self, **_):
        self.closed = False

    def list_group_offsets(self, _groups):
        raise KafkaTimeoutError("no answer")

    def close(self, autocommit=True):
        self.closed = True


@pytest.fixture
def made(monkeypatch):
    """All clients that are made."""
    clients = []

    def make(*_, **options):
        clients.append(Client(**options))
        return clients[-1]

    monkeypatch.setattr(lag, "client_of", make)
    monkeypatch.setattr(lag, "consumer_of", make)
    return clients


def test_who_asks_in_vain_leaves_no_threads_and_connections(made):
    """A process that is asked for its lag every two seconds would run out of files in an outage of some hours."""
    observer = lag.Observer(Settings())
    with pytest.raises(bus.BusError, match="no answer"):
        observer.lags(["dateline-worker"])
    assert [client.closed for client in made] == [True, True]
    observer.close()


def test_an_observer_that_is_not_complete_leaves_nothing(made, monkeypatch):
    def refuse(*_, **__):
        raise bus.BusError("Kafka does not answer")

    monkeypatch.setattr(lag, "consumer_of", refuse)
    with pytest.raises(bus.BusError):
        lag.Observer(Settings())
    assert [client.closed for client in made] == [True]


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer])
def test_a_client_that_finds_no_broker_leaves_no_thread(kind):
    """The thread would hold on to the client and its open files."""
    with socket.socket() as taken:  # bound and not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        address, threads = f"127.0.0.1:{taken.getsockname()[1]}", set(threading.enumerate())
        for _ in range(3):
            with pytest.raises(KafkaError):
                client_of(kind, bootstrap_servers=address, bootstrap_timeout_ms=200)
    assert not [one.name for one in set(threading.enumerate()) - threads if one.name.startswith("kafka")]
