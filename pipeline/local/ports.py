"""A port in, whether it is free out, and if not, the process that uses it. Checked before a server starts."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from random import SystemRandom
from typing import Final

import psutil

from pipeline.local import LocalError

HOST: Final = "127.0.0.1"
BELOW_CLIENTS: Final = range(20_000, 32_768)
"""Linux gives the ports from 32768 on to clients (ip_local_port_range), macOS and Windows those from 49152 on."""

_RANDOM: Final = SystemRandom()


class PortTakenError(LocalError):
    """Another process listens on a port; the message names port, setting and, if it is known, the process."""


def require_free(ports: Mapping[str, int]) -> None:
    """Check that all ports are free. The keys are the names of their settings.

    Raises:
        PortTakenError: a port is in use, or two settings have the same port.
    """
    seen: dict[int, str] = {}
    for setting, port in ports.items():
        if port in seen:
            raise PortTakenError(
                f"{seen[port]} and {setting} are both {port}; give each a port of its own in dateline.toml"
            )
        seen[port] = setting
        if not is_free(port):
            variable = f"DATELINE_{setting.replace('.', '_').upper()}"
            raise PortTakenError(
                f"port {port} ({setting}) is taken by {holder(port) or 'another process'}; "
                f"end that process, or choose another port with {setting} in dateline.toml or {variable}"
            )


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now. A port that was closed a moment ago counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free(number: int) -> list[int]:
    """Return `number` different free ports, of those that no system gives to a client that connects.

    Such a client could take a port between this call and the start of the server that it is meant for.
    """
    found = list[int]()
    for port in _RANDOM.sample(BELOW_CLIENTS, len(BELOW_CLIENTS)):
        if len(found) == number:
            break
        if is_free(port):
            found.append(port)
    return found


def holder(port: int) -> str | None:
    """Return name and id of the process that listens on the port, or None if the system does not say."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        return None
    return None
