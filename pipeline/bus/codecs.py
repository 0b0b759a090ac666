"""Which compressions of records can be read. A cluster may compress a topic by itself, so all of Kafka's have to be."""

from __future__ import annotations

import importlib
from typing import Final

PACKAGES: Final = {"cramjam": "cramjam", "snappy": "python-snappy", "lz4.frame": "lz4", "zstandard": "zstandard"}
"""Module -> package. The worker's client reads snappy, lz4 and zstd by the first; the other processes' client by the others."""


class CodecError(Exception):
    """A compression of Kafka cannot be read; the message names the missing packages."""


def missing_codecs() -> tuple[str, ...]:
    """Return the packages that are needed to read every compression of Kafka and cannot be imported."""
    missing = []
    for module, package in PACKAGES.items():
        try:
            importlib.import_module(module)
        except ImportError:
            missing.append(package)
    return tuple(missing)


def require_codecs() -> None:
    """Check that every compression of Kafka can be read. To be called before a process joins its group.

    Raises:
        CodecError: a package is missing.
    """
    if missing := missing_codecs():
        raise CodecError(
            f"records that Kafka compresses could not be read: missing {', '.join(missing)}; "
            f"run `make setup`, or `pip install {' '.join(missing)}`"
        )
