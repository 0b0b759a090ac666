"""Ports are probed before a server starts."""

import os
import socket

import pytest

from pipeline.local import ports
from pipeline.local.ports import PortTakenError


@pytest.fixture
def listener():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


def test_free_ports_are_free_and_differ():
    found = ports.free(20)
    assert len(set(found)) == 20
    assert max(found) < 32_768, "a client that connects could take it before the server starts"
    assert all(ports.is_free(port) for port in found)
    ports.require_free({f"local.port_{number}": port for number, port in enumerate(found)})


def test_a_taken_port_is_an_error_that_names_port_setting_and_holder(listener):
    with pytest.raises(PortTakenError) as caught:
        ports.require_free({"local.kafka_port": listener})
    message = str(caught.value)
    assert f"port {listener} (local.kafka_port)" in message
    assert f"process {os.getpid()}" in message
    assert "DATELINE_LOCAL_KAFKA_PORT" in message


def test_a_port_that_is_taken_on_every_address_is_taken():
    with socket.socket() as one:
        one.bind(("0.0.0.0", 0))
        one.listen()
        assert not ports.is_free(one.getsockname()[1])


def test_a_port_that_was_closed_a_moment_ago_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
    assert ports.is_free(port)


def test_two_settings_with_one_port_are_an_error_that_names_both():
    [port] = ports.free(1)
    with pytest.raises(PortTakenError, match="local.kafka_port and local.elasticsearch_port are both"):
        ports.require_free({"local.kafka_port": port, "local.elasticsearch_port": port})


def test_an_unknown_holder_is_not_guessed(listener, monkeypatch):
    monkeypatch.setattr(ports, "holder", lambda _port: None)
    with pytest.raises(PortTakenError, match="taken by another process"):
        ports.require_free({"local.kafka_port": listener})
