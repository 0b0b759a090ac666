"""The Kafka and the Elasticsearch of one machine: real servers as supervised child processes, no container needed.

module      what it does
stack.py    starts, watches and stops both; `up` and `down` for a stack that outlives its terminal
child.py    one server as a child process: started, asked whether it is ready, stopped, its last log lines
jvm.py      what runs inside the child: a Java runtime in a Python process that ends when its parent does
servers.py  what each server needs: its configuration files, JVM options and the question "are you ready?"
jars.py     the servers' jars: fetched once for the user, each checked against lock.toml before it is run
ports.py    whether a port is free, and who holds it
aot.py      a cache of the JVM's start-up work, made once on each machine
"""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is in all: bytes of jars, or servers started."""


class LocalError(Exception):
    """The local stack cannot do what was asked; the message says what stands in the way and what to do."""


def silent(what: str, done: int, total: int) -> None:
    """The Progress of a caller who does not care."""
