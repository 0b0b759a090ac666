# ruff: noqa: INP001 - a script for maintainers, not a part of the package
"""The licence of each package in the image, as a table; exit status 1 if one is unknown or not open.

    python deploy/licences.py [REQUIREMENTS]        default: deploy/requirements.txt

It reads the metadata of the packages that are installed here. One that the list names and that is not installed is for another
system, and is named on standard error.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

OPEN = re.compile(
    r"\b(MIT|Apache|BSD|0BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|ZPL|Zlib|HPND|LGPL|Lesser General|CC0"
    r"|Repoze)",
    re.IGNORECASE,
)
"""Licences under which a service may use a package as it is. GPL and AGPL are not among them."""


def licence(package: Distribution) -> str:
    """A package in, its licence out: the SPDX expression, else the classifiers, else the first line of the free text."""
    known = package.metadata
    if expression := known.get("License-Expression"):
        return expression
    classifiers = [
        line.rpartition(" :: ")[2] for line in known.get_all("Classifier") or () if line.startswith("License")
    ]
    named = [text for text in classifiers if text != "OSI Approved"]
    free = (known.get("License") or "").strip().splitlines()
    return ", ".join(named) or (free[0][:60] if free else "unknown")


def main(arguments: list[str]) -> int:
    """The command line in, the exit status out."""
    file = Path(arguments[0] if arguments else Path(__file__).parent / "requirements.txt")
    names = re.findall(r"^([A-Za-z0-9._-]+)==", file.read_text("utf-8"), flags=re.MULTILINE)
    wrong = []
    for name in names:
        try:
            package = distribution(name)
        except PackageNotFoundError:
            sys.stderr.write(f"{name}: not installed here\n")
            continue
        text = licence(package)
        sys.stdout.write(f"{name}\t{package.version}\t{text}\n")
        if not OPEN.search(text):
            wrong.append(f"{name}: {text}")
    for line in wrong:
        sys.stderr.write(f"not among the open licences: {line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
