"""Kafka and Elasticsearch on this machine: the real servers as supervised child processes, without containers.

stack.py     start, watch and stop both; `up` and `down` for a stack that outlives its terminal
owner.py     which process owns a data directory: kernel locks and a record
child.py     one server as a child process: start, readiness, stop, last log lines
jvm.py       what runs inside the child: a Java runtime in a Python process that ends with its parent
servers.py   what each server needs: configuration files, JVM options, the readiness check
jars.py      the servers' jars: downloaded once for the user, checked against lock.toml before they run
java.py      where the Java runtime and the bridge to it are
ports.py     whether a port is free, and which process uses it
aot.py       a cache of the JVM's start-up work, made once on each machine
install.py   download the jars and make that cache in advance
"""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it is done, and the total: bytes of jars, or started servers."""


class LocalError(Exception):
    """The local stack cannot do what was asked; the message says why and what to do."""


def no_progress(what: str, done: int, total: int) -> None:
    """Do nothing: the Progress of a caller that does not show it."""
