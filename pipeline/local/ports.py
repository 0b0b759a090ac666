"""Whether a port is free, asked before a server is started, and who holds it if not."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

import psutil

from pipeline.local import LocalError

HOST: Final = "127.0.0.1"


class PortTakenError(LocalError):
    """Another process listens there; the message names port, setting and, where it can be known, the process."""


def require_free(ports: Mapping[str, int]) -> None:
    """Settings' names and their ports in, nothing out.

    Raises:
        PortTakenError: a port is in use, or two settings name the same one.
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
    """Whether a server could listen on the port now. One that was closed a moment ago counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free(number: int) -> list[int]:
    """So many different ports on which nothing listens now. All are held until the last is found, so none comes twice."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def holder(port: int) -> str | None:
    """Name and id of the process that listens on the port, where the system tells."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        return None
    return None
